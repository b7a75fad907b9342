import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Client } from "../../src/api/client.ts";
import { inc } from "../../src/core/operations.ts";
import type { ConnectOptions } from "../../src/core/options.ts";
import * as s from "../../src/schema.ts";
import { IndexedStore } from "../../src/stores/indexeddb.ts";
import { open, settle, start } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { Reading, Task } from "../support/sample.ts";
import type { FakeWebSocket } from "../support/sockets.ts";
import { FakeStorage } from "../support/storage.ts";
import { WELCOME } from "../support/welcome.ts";

/** The program of now: the sample is of version 2. */
const schema: s.SchemaVersion = { version: 5, oldest: 2, hash: "5e" };
const RED = { title: "Write it down", team: "red" };
const Old = s.entity<{ a: string }, { a: string }, { a?: string }, never>("tasks", {
  rules: { name: "Old", fields: [["a", s.STRING]] },
});

const clients: Client[] = [];

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  vi.stubGlobal("localStorage", new FakeStorage());
});
afterEach(() => {
  for (const each of clients.splice(0)) each.close();
  vi.unstubAllGlobals();
});

/** All that was sent on a socket. */
function said(socket: FakeWebSocket): Record<string, unknown>[] {
  return socket.sent.map((frame) => JSON.parse(frame as string));
}

async function welcomed(options: ConnectOptions = {}, welcome: Partial<typeof WELCOME> = {}) {
  const opened = await open(options, welcome);
  clients.push(opened.client);
  return opened;
}

it("hello says which schema the program has, and welcome which one the server has", async () => {
  const theirs = { version: 6, oldest: 4, hash: "6f" };
  const { client, socket } = await welcomed({ schema }, { app_schema: theirs });
  expect(said(socket())[0]).toMatchObject({ type: "hello", app_schema: schema });
  expect(client.serverSchema).toEqual(theirs);
  const other = await welcomed();
  expect(said(other.socket())[0]).not.toHaveProperty("app_schema");
  expect(other.client.serverSchema).toBeUndefined();
});

it("every typed write says under which version it was made", async () => {
  const { client, socket } = await welcomed();
  const [tasks, readings, old] = [client.of(Task), client.of(Reading), client.of(Old)];
  void tasks.create(RED, "1");
  void tasks.edit("1", { votes: inc(1) });
  void tasks.delete("1");
  void readings.create({ degrees: 1, station: "a" }, "1");
  void client.transaction((writes) => {
    writes.set("others", "1", 1);
    writes.patch(tasks, "1", { title: "Read it" });
  });
  await settle();
  const sent = said(socket()).filter((each) => "seq" in each);
  expect(sent.map((each) => each.schema_version)).toEqual([2, 2, 2, 2, 2]);
  tasks.close();
  void old;
});

it("of a schema that never changed it is the first", async () => {
  const { client, socket } = await welcomed();
  void client.of(Old).create({ a: "b" }, "1");
  await settle();
  expect(said(socket()).at(-1)).toMatchObject({ type: "push", schema_version: 1 });
});

it("all others say that of the program, if it was given", async () => {
  for (const given of [schema, undefined]) {
    const { client, socket } = await welcomed({ schema: given });
    void client.push("tasks", "1", 1);
    void client.pushFields("tasks", "1", { a: 1 });
    void client.delete("tasks", "1");
    void client.collection("tasks").set("1", 1);
    void client.transaction((writes) => writes.set("tasks", "1", 1));
    await settle();
    const sent = said(socket()).filter((each) => "seq" in each);
    expect(sent.map((each) => each.schema_version)).toEqual(Array(5).fill(given?.version));
  }
});

it("a write is sent as it was made, by whichever program finds it", async () => {
  const before = await start({ storage: "app" });
  clients.push(before.client);
  await before.client.of(Task).ready;
  before.client.offline();
  void before.client
    .of(Task)
    .create(RED, "1")
    .catch(() => {});
  await eventually(() => expect(before.client.queue[0]?.seq).toBe(1));
  before.client.close();
  const after = await start({ storage: "app", schema });
  clients.push(after.client);
  await eventually(() => expect(after.sockets).not.toEqual([]));
  after.socket().opens();
  after.socket().says(WELCOME);
  await eventually(() => {
    const push = said(after.socket()).find((each) => each.type === "push");
    expect(push).toMatchObject({ entity_id: "1", seq: 1, schema_version: 2 });
  });
});

it("what the server had is known before it says so again", async () => {
  const before = await welcomed({ storage: "other" }, { app_schema: schema });
  const store = new IndexedStore("other", () => "made");
  await vi.waitFor(async () => expect((await store.load()).meta).toMatchObject({ schema }));
  store.close();
  before.client.close();
  const after = await start({ storage: "other" });
  clients.push(after.client);
  await eventually(() => expect(after.client.serverSchema).toEqual(schema));
});

it("what needs an upgrade is kept as it was written", async () => {
  const { client, socket } = await welcomed();
  const writing = client.of(Task).create(RED, "1");
  writing.catch(() => {});
  await settle();
  socket().says({
    type: "error",
    message: "too old",
    code: "upgrade_required",
    seq: 1,
    details: null,
  });
  await expect(writing).rejects.toMatchObject({ code: "upgrade_required" });
  expect(client.rejected).toMatchObject([
    { code: "upgrade_required", message: { schema_version: 2, entity_id: "1" } },
  ]);
  void client.rejected[0]!.retry().catch(() => {});
  await settle();
  expect(said(socket()).at(-1)).toMatchObject({ seq: 2, schema_version: 2 });
});
