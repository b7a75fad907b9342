import { afterEach, describe, expect, it, vi } from "vitest";

import { Client } from "../../src/api/client.ts";
import type { LightOptions } from "../../src/api/light-client.ts";
import { LightClient } from "../../src/api/light-client.ts";
import type { FormsClient } from "../../src/forms/index.ts";
import type { Message } from "../../src/messages/types.ts";
import { settle } from "../support/client.ts";
import { fakeSockets } from "../support/sockets.ts";
import { WELCOME } from "../support/welcome.ts";

const clients: LightClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  vi.unstubAllGlobals();
});

async function start(options: LightOptions = {}) {
  const { all, WebSocket } = fakeSockets();
  const client = new LightClient("ws://x/api/ws", { WebSocket, ...options });
  clients.push(client);
  const errors: string[] = [];
  client.onError(({ code }) => errors.push(code));
  const states: string[] = [];
  client.onState((state) => states.push(state));
  await settle();
  return { client, all, errors, states, socket: () => all.at(-1)! };
}

async function open(options: LightOptions = {}) {
  const world = await start(options);
  world.socket().opens();
  world.socket().says(WELCOME);
  world.socket().heard();
  return world;
}

/** The last question that the server heard. */
const last = (heard: Message[]) => heard.at(-1) as Message & { readonly request_id: string };
const verdict = {
  type: "validation_result",
  form: "contact",
  field: "name",
  metadata: null,
} as const;

it("is what a form needs of a client", async () => {
  const { client } = await start();
  const all: FormsClient = client;
  expect(all.state).toBe("connecting");
});

it("asks about fields and forms", async () => {
  const { client, socket } = await open();
  const one = client.validateField("contact", "name", "", { values: { age: "7" }, live: true });
  const asked = last(socket().heard());
  expect(asked).toMatchObject({ type: "validate_field", live: true, values: [{ field: "age" }] });
  socket().says({ ...verdict, request_id: asked.request_id, valid: false, error: "is missing" });
  expect(await one).toMatchObject({ valid: false, error: "is missing" });

  const whole = client.form("contact", { receipt: true }).validate({ name: "Ada" });
  const { request_id } = last(socket().heard());
  socket().says({
    type: "form_validation_result",
    request_id,
    form: "contact",
    valid: true,
    errors: [],
    receipt: "r1",
  });
  expect(await whole).toMatchObject({ valid: true, receipt: "r1" });
});

it("rejects with what the server says is wrong", async () => {
  const { client, socket } = await open();
  const answer = client.validateForm("contact", {});
  const { request_id } = last(socket().heard());
  socket().says({
    type: "error",
    code: "unknown_form",
    message: "no form",
    details: null,
    request_id,
  });
  await expect(answer).rejects.toMatchObject({ code: "unknown_form" });
});

it("tells of verdicts that come unasked, until its form is closed", async () => {
  const { client, socket } = await open();
  const told = vi.fn();
  client.onValidation(told);
  socket().says({ ...verdict, request_id: "", valid: true, form_instance: "i1" });
  expect(told).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ form_instance: "i1" }));
  client.closeForm("contact", "i1");
  expect(socket().heard()).toEqual([{ type: "close_form", form: "contact", form_instance: "i1" }]);
});

it("tells how the connection is, and asks again on the next one", async () => {
  const { client, all, states, socket } = await open();
  const answer = client.validateField("contact", "name", "Ada");
  socket().ends(1006);
  expect(states).toEqual(["open", "waiting"]);
  client.online();
  await settle();
  expect(all).toHaveLength(2);
  socket().opens();
  socket().says(WELCOME);
  const { request_id } = last(socket().heard());
  socket().says({ ...verdict, request_id, valid: true });
  expect(await answer).toMatchObject({ valid: true });
});

it("has no connection while the application wants none", async () => {
  const { client, all, socket } = await open();
  client.offline();
  expect([client.state, socket().closedWith]).toEqual(["offline", 1000]);
  client.online();
  await settle();
  expect(all).toHaveLength(2);
});

it("has none while its page is put aside for the way back", async () => {
  const page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  const { client, all } = await open();
  page.dispatchEvent(new Event("pagehide"));
  expect([client.state, all[0]!.closedWith]).toEqual(["offline", 1000]);
  page.dispatchEvent(new Event("pageshow"));
  await settle();
  expect(all).toHaveLength(2);
});

describe("a client that is closed", () => {
  it("rejects what waits, and what is asked then, and tells so once", async () => {
    const { client, states, socket } = await open();
    const waits = client.validateField("contact", "name", "Ada");
    client.close();
    client.close();
    await expect(waits).rejects.toMatchObject({ code: "closed" });
    await expect(client.validateForm("contact", {})).rejects.toMatchObject({ code: "closed" });
    expect(socket().closedWith).toBe(1000);
    expect(states).toEqual(["open", "closed"]);
  });

  it("leaves no timer behind, also if a listener closes it", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { client, socket } = await open();
    client.onState(() => client.close());
    socket().ends(1006);
    expect([client.state, vi.getTimerCount()]).toEqual(["closed", 0]);
    vi.useRealTimers();
  });

  it("is closed by the server, which says why", async () => {
    const { client, errors, socket } = await open();
    const waits = client.validateField("contact", "name", "Ada");
    socket().ends(4504);
    await expect(waits).rejects.toMatchObject({ code: "forbidden" });
    expect([client.state, errors]).toEqual(["closed", []]);
  });
});

it("reports what is no answer, once each time that it is news", async () => {
  vi.stubGlobal("fetch", async () => new Response("", { status: 404 }));
  const { client, errors, socket } = await start();
  for (let attempt = 0; attempt < 4; attempt += 1) {
    socket().ends(1006);
    await settle();
    client.online();
    await settle();
  }
  expect(errors).toEqual(["not_supported"]);
});

it("logs what nobody listens to", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const { WebSocket, all } = fakeSockets();
  const client = new LightClient("ws://x/api/ws", { WebSocket });
  clients.push(client);
  await settle();
  all[0]!.opens();
  all[0]!.says(WELCOME, { type: "error", code: "internal", message: "oh", details: null });
  expect(log).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "internal" }));
  log.mockRestore();
});

it("gets a token for each connection, and presents a fresh one", async () => {
  const { client, socket } = await start({ token: async () => "t1" });
  socket().opens();
  expect(socket().heard()).toMatchObject([{ type: "hello", token: "t1" }]);
  socket().says(WELCOME);
  const done = client.authenticate("t2");
  const { request_id } = last(socket().heard());
  socket().says({ type: "authenticated", request_id });
  expect(await done).toMatchObject({ type: "authenticated" });
});

it("finishes a step before what listeners cause", async () => {
  const { client, socket } = await open();
  const seen: string[] = [];
  client.onState((state) => {
    seen.push(state);
    if (state === "waiting") client.online();
  });
  socket().ends(1006);
  expect(seen).toEqual(["waiting", "connecting"]);
});

describe("a token that cannot be sent", () => {
  const token = "t\ud800";
  const refused = expect.objectContaining({ code: "bad_message" });

  it("is refused at once", () => {
    expect(() => new LightClient("ws://x/api/ws", { token })).toThrow(refused);
  });

  it("is reported where the application gives it for a connection", async () => {
    const { all, errors } = await start({ token: async () => token });
    expect([all, errors]).toEqual([[], ["bad_message"]]);
  });

  it("is not presented on the next connection, if it was refused on this one", async () => {
    const { client, socket } = await open({ token: "t1" });
    await expect(client.authenticate(token)).rejects.toMatchObject({ code: "bad_message" });
    socket().ends(1006);
    client.online();
    await settle();
    socket().opens();
    expect(socket().heard()).toMatchObject([{ type: "hello", token: "t1" }]);
  });
});

/** All that the whole client has. */
const MEMBERS = Object.getOwnPropertyNames(Client.prototype);

it.each(MEMBERS.filter((name) => !(name in LightClient.prototype)))(
  "says of %s which script has it",
  async (name) => {
    const { client } = await start();
    const use = () => {
      const found = (client as unknown as Record<string, () => void>)[name];
      found!();
    };
    expect(use).toThrow(`client.${name} is not in /api/forms.js: load /api/client.js instead`);
    expect(() => JSON.stringify(client)).not.toThrow();
  },
);

it("has what it has under the names of the whole client", () => {
  const own = Object.getOwnPropertyNames(LightClient.prototype);
  expect(own.filter((name) => !MEMBERS.includes(name))).toEqual(["ask"]);
});

it("refuses what is no URL", () => {
  expect(() => new LightClient("ws://")).toThrow(
    expect.objectContaining({ code: "not_supported" }),
  );
});
