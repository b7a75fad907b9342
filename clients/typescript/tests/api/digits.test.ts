/**
 * What a client shows and what it sends: every digit of an integer, and nothing that JSON
 * cannot hold.
 */
import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Client } from "../../src/api/client.ts";
import type { Collection } from "../../src/api/collection.ts";
import type { OpenConflict } from "../../src/core/options.ts";
import type { JsonValue, Push, PushFields } from "../../src/messages/types.ts";
import { decode } from "../../src/wire/index.ts";
import type { Opened } from "../support/client.ts";
import { open, record, settle, start } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import type { FakeWebSocket } from "../support/sockets.ts";
import { TIME, WELCOME } from "../support/welcome.ts";

type Any = Collection<JsonValue>;

const BIG = 2n ** 53n + 1n;
const DIGITS = "9007199254740993";

const clients: Client[] = [];

beforeEach(() => void (globalThis.indexedDB = new IDBFactory()));
afterEach(() => clients.splice(0).forEach((client) => client.close()));

/** A client that has read record 1, in which there is a big integer at each depth. */
async function world(options: Parameters<typeof open>[0] = {}): Promise<Opened & { tasks: Any }> {
  const opened = await open(options);
  clients.push(opened.client);
  const tasks: Any = opened.client.collection("tasks");
  const data = { name: "a", votes: BIG, deep: [{ votes: -BIG }] };
  opened.socket().says({ type: "change", change: record("1", 1, data) });
  opened
    .socket()
    .says({ type: "sync_complete", entity: "tasks", epoch: "e1", version: 1, reset: false });
  return { ...opened, tasks };
}

/** What was written last, as a message and as the text of its frame. */
async function lastWrite(
  socket: FakeWebSocket,
): Promise<{ message: Push | PushFields; text: string }> {
  await settle();
  const messages = socket.sent.map((frame) => decode(frame, socket.format));
  const at = messages.map(({ type }) => /^push/.test(type)).lastIndexOf(true);
  const frame = socket.sent[at]!;
  const text = typeof frame === "string" ? frame : new TextDecoder().decode(frame);
  return { message: messages[at] as Push | PushFields, text };
}

describe.each(["json", "proto"] as const)("a big integer that was read, in %s,", (format) => {
  it("is written back to the digit by who spreads its record", async () => {
    const { tasks, socket } = await world({ format });
    const { data } = tasks.row("1")!;
    expect(data).toEqual({ name: "a", votes: BIG, deep: [{ votes: -BIG }] });
    void tasks.set("1", { ...(data as object), name: "b" });
    expect(tasks.row("1")!.data).toEqual({ ...(data as object), name: "b" });
    const { message, text } = await lastWrite(socket());
    expect((message as Push).data).toEqual({ ...(data as object), name: "b" });
    expect(text).toContain(`"votes":${DIGITS}`);
    expect(text).toContain(`"votes":-${DIGITS}`);
  });

  it("is not touched by a patch of another field, and may be one's value", async () => {
    const { tasks, socket } = await world({ format });
    void tasks.patch("1", { votes: BIG + 1n });
    const { message, text } = await lastWrite(socket());
    expect(message).toMatchObject({ fields: [{ field: "votes", value: BIG + 1n }] });
    expect(text).toContain("9007199254740994");
    expect(tasks.row("1")!.data).toMatchObject({ votes: BIG + 1n, deep: [{ votes: -BIG }] });
  });

  it("is kept by the store, in the queue too, until there is a connection again", async () => {
    const storage = "digits";
    const first = await world({ format, storage });
    first.client.offline();
    void first.tasks.set("1", { ...(first.tasks.row("1")!.data as object), name: "b" });
    await settle();
    first.client.close();
    const next = await start({ format, storage });
    clients.push(next.client);
    const tasks: Any = next.client.collection("tasks");
    await eventually(() => expect(tasks.row("1")?.data).toMatchObject({ votes: BIG, name: "b" }));
    await eventually(() => expect(next.sockets).not.toEqual([]));
    next.socket().opens();
    next.socket().says(WELCOME);
    await eventually(async () => expect((await lastWrite(next.socket())).text).toContain(DIGITS));
  });

  it("is what a refused write, and the answer to its conflict, have", async () => {
    const { client, tasks, socket } = await world({ format });
    const conflicts: OpenConflict[] = [];
    client.onConflict((each) => conflicts.push(each));
    const mine = { votes: BIG + 2n };
    void tasks.set("1", mine, { baseVersion: 1 });
    await lastWrite(socket());
    const now = record("1", 2, { votes: BIG }) as unknown as JsonValue;
    socket().says({ type: "error", message: "no", code: "conflict", seq: 1, details: now });
    expect(conflicts).toMatchObject([{ mine, theirs: { votes: BIG } }]);
    expect(client.rejected).toMatchObject([
      { message: { data: mine }, details: { data: { votes: BIG } } },
    ]);
    void conflicts[0]!.keepMine();
    const { message } = await lastWrite(socket());
    expect(message).toMatchObject({ data: mine, base_version: 2, seq: 2 });
    socket().says({ type: "error", message: "no", code: "forbidden", seq: 2, details: null });
    void client.rejected[0]!.retry();
    expect(await lastWrite(socket())).toMatchObject({ message: { data: mine, seq: 3 } });
  });

  it("is told to those who watch", async () => {
    const { client, socket } = await world({ format });
    const seen: unknown[] = [];
    client.changes("prices", (change) => seen.push(change?.data));
    await settle();
    const place = { entity: "prices", version: 1 };
    socket().says({ type: "sync_complete", ...place, epoch: "e1", reset: false });
    const change = { ...record("1", 2, BIG), entity: "prices" };
    socket().says({ type: "change", change });
    expect(seen).toEqual([BIG]);
  });
});

it("fields that are read one by one keep their digits", async () => {
  const { client, socket } = await open();
  clients.push(client);
  const tasks: Any = client.collection("tasks", { granularity: "fields" });
  const change = {
    entity: "tasks",
    entity_id: "1",
    action: "update",
    timestamp: TIME,
    version: 1,
  } as const;
  socket().says({ type: "field_change", change: { ...change, field: "votes", value: BIG } });
  socket().says({
    type: "sync_fields_complete",
    entity: "tasks",
    epoch: "e1",
    version: 1,
    reset: false,
  });
  void tasks.patch("1", { name: "b" });
  expect(tasks.row("1")!.data).toEqual({ votes: BIG, name: "b" });
  expect((await lastWrite(socket())).text).not.toContain(DIGITS);
});

describe("what is written", () => {
  it.each([
    [
      "a number that is no safe integer",
      { a: { b: [2 ** 53 + 2] } },
      "push.data.a.b.0: 9007199254740994 cannot",
    ],
    ["NaN", { x: Number.NaN }, "push.data.x: not a JSON value: NaN"],
    ["infinity", Infinity, "push.data: not a JSON value: Infinity"],
    ["undefined", undefined, "push.data: not a JSON value: undefined"],
    ["undefined in a list", [undefined], "push.data.0: not a JSON value: undefined"],
    ["a function", { x: () => 1 }, "push.data.x: not a JSON value: function"],
    ["a symbol", { x: Symbol("s") }, "push.data.x: not a JSON value: symbol"],
    ["a date", { x: new Date(0) }, "push.data.x: not a plain object"],
    ["a map", { x: new Map() }, "push.data.x: not a plain object"],
    [
      "an instance that can write itself",
      {
        x: new (class {
          toJSON() {
            return 1;
          }
        })(),
      },
      "push.data.x: not a plain object",
    ],
  ])("is refused at once, in words, and not shown: %s", async (_, data, words) => {
    const { client, tasks } = await world();
    for (const done of [tasks.set("2", data as never), client.push("tasks", "2", data as never)]) {
      await expect(done).rejects.toMatchObject({
        code: "bad_message",
        message: expect.stringContaining(words),
      });
    }
    expect(tasks.row("2")).toBeUndefined();
    expect(client.queue).toEqual([]);
  });

  it("leaves out what is undefined, here as there", async () => {
    const { tasks, socket } = await world();
    void tasks.patch("1", { name: undefined, votes: null, more: { a: undefined, b: -0 } } as never);
    const shown = tasks.row("1")!.data as Record<string, unknown>;
    expect(shown).toEqual({ name: "a", votes: null, deep: [{ votes: -BIG }], more: { b: 0 } });
    expect(Object.keys(shown.more as object)).toEqual(["b"]);
    const { text } = await lastWrite(socket());
    expect(text).not.toContain("name");
    expect(text).toContain('"value":{"b":0}');
  });

  it.each([{}, { name: undefined }])("is something: a patch of %j is refused", async (fields) => {
    const { client, tasks } = await world();
    for (const done of [
      tasks.patch("2", fields as never),
      client.pushFields("tasks", "2", fields as never),
    ]) {
      await expect(done).rejects.toMatchObject({ code: "bad_message" });
    }
    expect(tasks.row("2")).toBeUndefined();
    await Promise.race([tasks.patch("1", fields as never, { delete: ["name"] }), settle()]);
    expect(tasks.row("1")!.data).not.toHaveProperty("name");
  });

  it("is what it was at the call, also before the store is loaded", async () => {
    const { client } = await start({ storage: "slow" });
    clients.push(client);
    const tasks: Any = client.collection("slow");
    const data = { list: [1] };
    const fields = { list: [1] };
    void tasks.set("1", data);
    void tasks.patch("2", fields);
    void client.push("slow", "3", data);
    data.list.push(2);
    fields.list.push(2);
    await tasks.ready;
    await settle();
    for (const id of ["1", "2", "3"]) expect(tasks.row(id)?.data).toEqual({ list: [1] });
  });

  it.each([-5, -0.5, -1e300, -BIG, "-5", [-5]])("may be below zero: %s", async (value) => {
    const { client, tasks, socket } = await world();
    void tasks.set("2", value);
    expect((await lastWrite(socket())).message).toMatchObject({ data: value });
    void client.push("tasks", "3", value);
    expect((await lastWrite(socket())).message).toMatchObject({ entity_id: "3", data: value });
    void tasks.patch("1", { votes: value });
    expect((await lastWrite(socket())).message).toMatchObject({
      fields: [{ field: "votes", value }],
    });
    expect([tasks.row("2")?.data, tasks.row("1")?.data]).toMatchObject([value, { votes: value }]);
  });

  it("may be an object that watches its own changes", async () => {
    const { tasks } = await world();
    void tasks.set("2", new Proxy({ list: new Proxy([1], {}) }, {}));
    expect(tasks.row("2")!.data).toEqual({ list: [1] });
  });
});
