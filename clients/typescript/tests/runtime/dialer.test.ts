import { expect, it, vi } from "vitest";

import type { Input } from "../../src/core/events.ts";
import type { DialOptions } from "../../src/runtime/dialer.ts";
import { Dialer } from "../../src/runtime/dialer.ts";
import { codecOf } from "../../src/wire/index.ts";
import { settle } from "../support/client.ts";
import { fakeSockets } from "../support/sockets.ts";

function make(more: Partial<DialOptions> = {}) {
  const { all, WebSocket } = fakeSockets();
  const inputs: Input[] = [];
  const caller = {
    state: () => "connecting" as const,
    isNew: () => true,
    present: vi.fn(),
    run: (input: Input) => void inputs.push(input),
    report: vi.fn(),
  };
  const options = { url: "ws://x/", WebSocket, codec: codecOf("json"), ...more };
  return { dialer: new Dialer(options, caller), caller, inputs, all };
}

it("tells of a connection, of what comes on it, and of its end", () => {
  const { dialer, inputs, all } = make();
  void dialer.connect();
  all[0]!.opens();
  all[0]!.onmessage?.({ data: "hi" });
  all[0]!.ends(4000);
  expect(inputs).toEqual([
    { type: "opened" },
    { type: "frame", data: "hi" },
    { type: "ended", code: 4000 },
  ]);
  dialer.send("to nobody");
  expect(all[0]!.sent).toEqual([]);
});

it("gets a token for each connection before it is made", async () => {
  const { dialer, caller, all } = make({ token: async () => "t1" });
  void dialer.connect();
  expect(all).toEqual([]);
  await settle();
  expect(caller.present).toHaveBeenCalledExactlyOnceWith("t1");
  expect(all).toHaveLength(1);
});

it("makes none with a token that nobody takes, and says so", async () => {
  const { dialer, caller, inputs, all } = make({ token: () => "t1" });
  const refused = new Error("too large");
  caller.present.mockImplementation(() => {
    throw refused;
  });
  await dialer.connect();
  expect(caller.report).toHaveBeenCalledExactlyOnceWith(refused);
  expect([inputs, all]).toEqual([[{ type: "ended" }], []]);
});

it("makes none with a token that comes when none is wanted any more", async () => {
  const { dialer, inputs, all } = make({ token: () => "t1" });
  void dialer.connect();
  dialer.disconnect(1000);
  await settle();
  expect([inputs, all]).toEqual([[], []]);
});

it("ends one that speaks something else, and says what is wrong", () => {
  const { dialer, inputs, all } = make();
  void dialer.connect();
  all[0]!.protocol = "chat";
  all[0]!.opens();
  expect(all[0]!.closedWith).toBe(4406);
  expect(inputs).toMatchObject([{ type: "ended", why: { code: "not_supported" } }]);
});

it("finds out by a plain request why there is none", async () => {
  const ask = vi.fn(async () => ({ status: 404, text: "" }));
  const { dialer, inputs } = make({ ask });
  await dialer.explain(2);
  expect(ask).toHaveBeenCalledExactlyOnceWith("ws://x/");
  expect(inputs).toMatchObject([{ type: "explained", why: { code: "not_supported" } }]);
});
