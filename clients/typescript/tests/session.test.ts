import { describe, expect, it } from "vitest";

import { SCHEMA_HASH } from "../src/messages/tables.ts";
import { Harness, WELCOME } from "./support/harness.ts";
import { refusal } from "./support/refusal.ts";
import type { Push } from "../src/messages/types.ts";

const push: Push = { type: "push", entity: "users", entity_id: "1", action: "update", data: 1 };

describe("a connection", () => {
  it("is asked for at the first tick", () => {
    const h = new Harness();
    h.wait(0);
    expect(h.events).toEqual([
      { event: "state", state: "connecting", error: undefined },
      { event: "connect" },
    ]);
  });

  it("begins with hello", () => {
    const [hello] = new Harness({ token: "t" }).dial();
    expect(hello).toEqual({ type: "hello", client_id: "c1", token: "t", schema: SCHEMA_HASH });
  });

  it("is open once the server welcomes", () => {
    const h = new Harness();
    h.dial();
    expect(h.session.state).toBe("connecting");
    h.says(WELCOME);
    expect(h.session.state).toBe("open");
  });

  it("tells the next one its epoch", () => {
    const h = new Harness();
    h.open({ epoch: "e9" });
    h.lose();
    expect(h.dial()[0]).toMatchObject({ type: "hello", epoch: "e9" });
  });

  it("answers a ping and pings when it has nothing to say", () => {
    const h = new Harness();
    h.open();
    expect(h.says({ type: "ping" })).toEqual([{ type: "pong" }]);
    expect(h.wait(4_999)).toEqual([]);
    expect(h.wait(1)).toEqual([{ type: "ping" }]);
  });

  it("is given up when the server is silent for two heartbeats", () => {
    const h = new Harness();
    h.open();
    h.wait(5_000);
    h.wait(5_000);
    expect(h.of("disconnect")).toEqual([{ event: "disconnect", code: 4001 }]);
    expect(h.session.state).toBe("waiting");
  });

  it("that is lost is made again after a wait", () => {
    const h = new Harness();
    h.open();
    h.lose(4000);
    expect(h.session.deadline).toBe(500);
    h.open();
    expect(h.states).toEqual(["connecting", "open", "waiting", "connecting", "open"]);
  });

  it("leaves nothing to be sent on the next one", () => {
    const h = new Harness();
    h.open();
    h.session.receive('{"type":"ping"}', 0);
    h.session.lost(undefined, 0);
    expect(h.sent()).toEqual([]);
  });

  it("that ended is not listened to", () => {
    const h = new Harness();
    h.open();
    h.lose();
    expect(h.says({ type: "ping" })).toEqual([]);
  });
});

describe("it ends for good", () => {
  it("when the server says not to reconnect, with the reason that it gave", () => {
    const h = new Harness();
    h.open();
    h.says({ type: "error", message: "the token expired", code: "unauthenticated", details: null });
    h.lose(4503);
    const [last] = h.of("state").slice(-1);
    expect(last).toMatchObject({ state: "closed", error: { code: "unauthenticated" } });
    expect(last?.error?.message).toContain("the token expired");
    expect(h.session.deadline).toBeUndefined();
  });

  it("when it is closed; what waits is refused", () => {
    const h = new Harness();
    h.open();
    const written = h.session.push(push);
    const asked = h.session.ask({ type: "sync", entity: "users", since: 0 });
    h.session.close();
    h.session.close();
    h.sent();
    expect(h.of("disconnect")).toEqual([{ event: "disconnect", code: 1000 }]);
    expect(h.of("refused").map((each) => [each.id, each.error.code])).toEqual([
      [asked, "closed"],
      [written, "closed"],
    ]);
  });

  it.each([
    ["broken", '{"type":"change"'],
    ["not in the schema", '{"type":"change","change":{"entity":"users"}}'],
    ["binary", Uint8Array.of(0xff)],
  ])("when a frame is %s: what it held is lost", (_, data) => {
    const h = new Harness();
    h.open();
    h.session.receive(data, 0);
    h.sent();
    expect(h.of("disconnect")).toEqual([{ event: "disconnect", code: 4500 }]);
    expect(h.session.state).toBe("closed");
  });

  it("and then nothing can be asked", () => {
    const h = new Harness();
    h.session.close();
    expect(refusal(() => h.session.push(push)).code).toBe("closed");
    expect(refusal(() => h.session.subscribe("records", "users")).code).toBe("closed");
    expect(refusal(() => h.session.ask({ type: "authenticate", token: "t" })).code).toBe("closed");
    h.session.lost(1006, 0);
    expect(h.session.state).toBe("closed");
  });
});

it("a message of a newer server is reported and passed over", () => {
  const h = new Harness();
  h.open();
  h.session.receive('{"type":"hologram","depth":3}', 0);
  h.sent();
  expect(h.of("problem")[0]?.error.message).toContain('unknown message "hologram"');
  expect(h.session.state).toBe("open");
});

it("a fresh token is the one that later connections present", () => {
  const h = new Harness({ token: "old" });
  h.open();
  h.session.ask({ type: "authenticate", token: "new" });
  h.lose();
  expect(h.dial()[0]).toMatchObject({ type: "hello", token: "new" });
});

it("the deadline is the nearest of ping, silence and retry", () => {
  const h = new Harness();
  h.open();
  h.session.push(push);
  h.sent();
  expect(h.session.deadline).toBe(5_000);
  h.says({ type: "error", message: "m", code: "storage_full", seq: 1, details: null });
  expect(h.session.deadline).toBe(500);
});

it("a session speaks protobuf too", () => {
  const h = new Harness({ format: "proto" });
  h.session.tick(0);
  h.session.opened(0);
  const [hello] = h.session.take(0).frames;
  expect(hello).toBeInstanceOf(Uint8Array);
});
