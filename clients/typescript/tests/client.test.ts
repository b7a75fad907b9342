import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { connect } from "../src/client.ts";
import { WELCOME } from "./support/harness.ts";
import { field, record } from "./support/logs.ts";
import { fakeSockets } from "./support/sockets.ts";
import type { Client } from "../src/client.ts";
import type { Message } from "../src/messages/types.ts";
import type { ConnectOptions } from "../src/options.ts";
import type { FakeWebSocket } from "./support/sockets.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A client that is welcomed. */
function open(options: ConnectOptions = {}): { client: Client; socket: FakeWebSocket } {
  const { all, WebSocket } = fakeSockets();
  const client = connect("ws://x/api/ws", { WebSocket, ...options });
  const socket = all[0]!;
  socket.opens();
  socket.says(WELCOME);
  return { client, socket };
}

/** The id of the last request that the server heard. */
function lastId(socket: FakeWebSocket): string {
  const [last] = socket.heard().slice(-1);
  return (last as { request_id: string }).request_id;
}

const place = { entity: "users", entity_id: "1" };

describe("connecting", () => {
  it.each(["json", "proto"] as const)("works in %s", async (format) => {
    const { client, socket } = open({ format });
    const pushed = client.push("users", "1", { n: 1 });
    expect(socket.heard().slice(-1)).toMatchObject([{ type: "push", data: { n: 1 }, seq: 1 }]);
    socket.says({ type: "push_ack", ...place, version: 4, seq: 1 });
    expect(await pushed).toMatchObject({ version: 4 });
  });

  it("takes a fresh id each time, the given one, or none", () => {
    const id = (options: ConnectOptions) => {
      const [hello] = open(options).socket.heard();
      return (hello as { client_id?: string }).client_id;
    };
    expect(id({})).toMatch(/^[0-9a-f]{32}$/);
    expect(id({})).not.toBe(id({}));
    expect(id({ clientId: "c9" })).toBe("c9");
    expect(id({ clientId: null })).toBeUndefined();
  });

  it("presents the token in the first message, not in the URL", () => {
    const { socket } = open({ token: "secret" });
    expect(socket.url).toBe("ws://x/api/ws");
    expect(socket.heard()[0]).toMatchObject({ type: "hello", token: "secret" });
  });

  it("tells its states until it is closed", () => {
    const { all, WebSocket } = fakeSockets();
    const client = connect("ws://x/", { WebSocket });
    const states = [client.state];
    client.onState((state) => states.push(state));
    all[0]!.opens();
    all[0]!.says(WELCOME);
    all[0]!.ends(4000);
    client.close();
    expect(states).toEqual(["connecting", "open", "waiting", "closed"]);
  });

  it("throws what the WebSocket class throws, and leaves nothing running", () => {
    class Broken {
      constructor() {
        throw new SyntaxError("bad URL");
      }
    }
    expect(() => connect("ws://x/", { WebSocket: Broken as never })).toThrow("bad URL");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("tells why it was closed", () => {
    const { client, socket } = open();
    const listener = vi.fn();
    client.onState(listener);
    socket.ends(4504);
    expect(listener.mock.calls[0]).toMatchObject(["closed", { code: "forbidden" }]);
  });
});

describe("subscribing", () => {
  it("calls the listener with each change until it is stopped", () => {
    const { client, socket } = open();
    const heard: number[] = [];
    const stop = client.subscribe("users", (change) => heard.push(change.version));
    socket.says({ type: "change", change: record(5) });
    stop();
    stop();
    socket.says({ type: "change", change: record(6) });
    expect(heard).toEqual([5]);
    expect(socket.heard().map((each) => each.type)).toEqual(["hello", "subscribe", "unsubscribe"]);
  });

  it("from 0 brings everything, and says when that is in step", () => {
    const { client, socket } = open();
    const told: unknown[] = [];
    client.subscribeFields("users", (change) => told.push(change.field), {
      since: 0,
      onSynced: (position) => told.push(position),
      onReset: () => told.push("reset"),
    });
    const since = { users: { epoch: "", version: 0 } };
    expect(socket.heard().slice(-1)).toMatchObject([{ type: "subscribe_fields", since }]);
    socket.says({ type: "field_change", change: field(5, "a") });
    const position = { epoch: "e1", version: 5 };
    socket.says({ type: "sync_fields_complete", entity: "users", ...position, reset: false });
    expect(told).toEqual(["a", position]);
  });

  it("tells a reset before what follows it", () => {
    const { client, socket } = open();
    const told: unknown[] = [];
    client.subscribe("users", (change) => told.push(change.version), {
      since: { epoch: "e0", version: 9 },
      onReset: () => told.push("reset"),
    });
    socket.says({ type: "change", change: record(2) });
    socket.says({ type: "sync_complete", entity: "users", epoch: "e1", version: 3, reset: true });
    expect(told).toEqual(["reset", 2]);
  });

  it("twice is one stream, which ends with its last listener", () => {
    const { client, socket } = open();
    const listener = vi.fn();
    const stops = [client.subscribe("users", listener), client.subscribe("users", listener)];
    socket.says({ type: "change", change: record(5) });
    expect(listener).toHaveBeenCalledTimes(2);
    stops[0]!();
    socket.says({ type: "change", change: record(6) });
    expect(listener).toHaveBeenCalledTimes(3);
    expect(socket.heard().map((each) => each.type)).toEqual(["hello", "subscribe"]);
  });

  it("twice with a place to start is refused in words", () => {
    const { client } = open();
    client.subscribe("users", () => {});
    expect(() => client.subscribe("users", () => {}, { since: 0 })).toThrow(/leave out 'since'/);
  });

  it("that is refused leaves nothing behind", () => {
    const { client } = open();
    expect(() => client.subscribe("\0", () => {})).toThrow(/NUL|string/);
    expect(() => client.subscribe("\0", () => {})).toThrow(/NUL|string/);
  });
});

describe("asking and writing", () => {
  it("validates a field, with the other values and the instance", async () => {
    const { client, socket } = open();
    const options = { values: { name: "Ada" }, formInstance: "2" };
    const asked = client.validateField("contact", "email", "nope", options);
    const [question] = socket.heard().slice(-1);
    expect(question).toMatchObject({
      type: "validate_field",
      form_instance: "2",
      values: [{ field: "name", value: "Ada" }],
    });
    const request_id = (question as { request_id: string }).request_id;
    const rest = { form: "contact", field: "email", valid: false, error: "no", metadata: null };
    socket.says({ type: "validation_result", request_id, ...rest });
    expect(await asked).toMatchObject({ valid: false, error: "no" });
  });

  it("validates a form", async () => {
    const { client, socket } = open();
    const asked = client.validateForm("contact", { email: "a" });
    const request_id = lastId(socket);
    const rest = { form: "contact", valid: true, errors: [] };
    socket.says({ type: "form_validation_result", request_id, ...rest });
    expect(await asked).toMatchObject({ valid: true });
  });

  it("deletes a record", () => {
    const { client, socket } = open();
    void client.delete("users", "1", { baseVersion: 7 });
    expect(socket.heard().slice(-1)).toMatchObject([
      { type: "push", action: "delete", data: null, base_version: 7 },
    ]);
  });

  it("writes fields and says what was in conflict", async () => {
    const { client, socket } = open();
    const timestamp = new Date("2026-11-22T10:00:00Z");
    const pushed = client.pushFields("users", "1", { a: 1 }, { delete: ["b"], timestamp });
    const time = "2026-11-22T10:00:00Z";
    expect(socket.heard().slice(-1)).toMatchObject([
      {
        type: "push_fields",
        fields: [
          { field: "a", value: 1, action: "update", timestamp: time },
          { field: "b", value: null, action: "delete", timestamp: time },
        ],
      },
    ]);
    const times = { server_timestamp: time, client_timestamp: time };
    const values = { server_value: 2, client_value: 1 };
    socket.says({ type: "field_conflict", ...place, field: "a", ...values, ...times, seq: 1 });
    socket.says({ type: "field_push_ack", ...place, applied: 1, conflicts: 1, seq: 1 });
    const { ack, conflicts } = await pushed;
    expect([ack.applied, conflicts.map((each) => each.field)]).toEqual([1, ["a"]]);
  });

  it("syncs: the latest of each record, in version order", async () => {
    const { client, socket } = open();
    const asked = client.sync("users", { epoch: "e1", version: 3 });
    const [question] = socket.heard().slice(-1);
    expect(question).toMatchObject({ type: "sync", since: 3, epoch: "e1" });
    const other = { ...record(5), entity_id: "2" };
    for (const change of [other, record(8), record(4)]) socket.says({ type: "change", change });
    const request_id = (question as { request_id: string }).request_id;
    const end = { entity: "users", epoch: "e1", version: 8, reset: false, request_id };
    socket.says({ type: "sync_complete", ...end });
    const result = await asked;
    expect(result.changes.map((each) => each.version)).toEqual([5, 8]);
    expect(result.position).toEqual({ epoch: "e1", version: 8 });
  });

  it("syncs fields from the beginning if not told otherwise", async () => {
    const { client, socket } = open();
    const asked = client.syncFields("users");
    const request_id = lastId(socket);
    socket.says({ type: "field_change", change: field(5, "a", true) });
    socket.says({ type: "field_change", change: field(5, "b") });
    const end = { entity: "users", epoch: "e1", version: 5, reset: false, request_id };
    socket.says({ type: "sync_fields_complete", ...end });
    expect((await asked).changes.map((each) => each.field)).toEqual(["a", "b"]);
  });

  it("presents a fresh token", async () => {
    const { client, socket } = open();
    const asked = client.authenticate("new");
    socket.says({ type: "authenticated", request_id: lastId(socket) });
    expect(await asked).toMatchObject({ type: "authenticated" });
  });

  it("rejects with what the server says", async () => {
    const { client, socket } = open();
    const pushed = client.push("users", "1", 1, { baseVersion: 0 });
    const details = { version: 3 };
    socket.says({ type: "error", message: "moved on", code: "conflict", seq: 1, details });
    await expect(pushed).rejects.toMatchObject({ code: "conflict", details });
  });

  it("rejects what cannot be sent", async () => {
    const { client } = open();
    const pushed = client.push("users", "1", new Date() as never);
    await expect(pushed).rejects.toMatchObject({ code: "bad_message" });
  });

  it("rejects everything that waits when it is closed, and everything after", async () => {
    const { client } = open();
    const waiting = client.validateForm("contact", {});
    client.close();
    await expect(waiting).rejects.toMatchObject({ code: "closed" });
    await expect(client.push("users", "1", 1)).rejects.toMatchObject({ code: "closed" });
  });
});

describe("what goes wrong and answers nothing", () => {
  const trouble: Message = { type: "error", message: "m", code: "internal", details: null };

  it("is told to whoever listens", () => {
    const { client, socket } = open();
    const listener = vi.fn();
    client.onError(listener);
    socket.says(trouble);
    expect(listener.mock.calls[0]).toMatchObject([{ code: "internal" }]);
  });

  it("is logged if nobody does", () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    open().socket.says(trouble);
    expect(log).toHaveBeenCalledOnce();
    log.mockRestore();
  });
});
