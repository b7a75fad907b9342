import { afterEach, describe, expect, it, vi } from "vitest";

import { open, record, settle } from "./support/client.ts";
import { eventually } from "./support/eventually.ts";
import type { Collection } from "../src/collection.ts";
import type { Client } from "../src/client.ts";
import type { FakeWebSocket } from "./support/sockets.ts";

interface Task {
  readonly n: number;
  readonly m?: number;
}

let client: Client;
let socket: FakeWebSocket;
let tasks: Collection<Task>;

async function world(): Promise<void> {
  const opened = await open();
  client = opened.client;
  socket = opened.socket();
  tasks = client.collection<Task>("tasks");
  says(1, "1", { n: 1 });
  synced(1);
}

function says(version: number, id: string, data: Task): void {
  socket.says({ type: "change", change: record(id, version, data as never) });
}

function synced(version: number): void {
  socket.says({ type: "sync_complete", entity: "tasks", epoch: "e1", version, reset: false });
}

afterEach(() => client.close());

describe("rows", () => {
  it("are sorted by id, and are the same objects until something about them changes", async () => {
    await world();
    says(2, "0", { n: 2 });
    const before = tasks.snapshot;
    expect(before.map(({ id }) => id)).toEqual(["0", "1"]);
    expect(tasks.snapshot).toBe(before);
    says(3, "1", { n: 3 });
    expect(tasks.snapshot[0]).toBe(before[0]);
    expect(tasks.snapshot[1]).toEqual({ id: "1", data: { n: 3 }, version: 3, pending: false });
    expect(tasks.row("1")).toBe(tasks.snapshot[1]);
    expect(await tasks.where(({ data }) => data.n > 2)).toEqual([tasks.row("1")]);
    expect(await tasks.get("1")).toBe(tasks.row("1"));
    expect(await tasks.get("9")).toBeUndefined();
  });

  it("say what has no answer yet", async () => {
    await world();
    void tasks.set("2", { n: 2 });
    expect(tasks.row("2")).toEqual({ id: "2", data: { n: 2 }, version: 0, pending: true });
    await settle();
    socket.says({ type: "push_ack", entity: "tasks", entity_id: "2", version: 2, seq: 1 });
    expect(tasks.row("2")).toMatchObject({ pending: false });
  });

  it("do not change with what was written, when the caller changes that later", async () => {
    await world();
    const data = { n: 2 };
    void tasks.set("2", data);
    data.n = 3;
    expect(tasks.row("2")).toMatchObject({ data: { n: 2 } });
  });
});

describe("a subscription", () => {
  it("is called at once when it is loaded, then once for all that comes together", async () => {
    await world();
    const seen: number[] = [];
    const stop = tasks.subscribe((rows) => seen.push(rows.length));
    await settle();
    expect(seen).toEqual([1]);
    says(2, "2", { n: 2 });
    says(3, "3", { n: 3 });
    await eventually(() => expect(seen).toEqual([1, 3]));
    stop();
    says(4, "4", { n: 4 });
    await settle();
    expect(seen).toEqual([1, 3]);
  });

  it("is called with what is written here before the call returns", async () => {
    await world();
    const seen = vi.fn();
    tasks.subscribe(seen);
    await settle();
    void tasks.patch("1", { m: 5 });
    expect(seen.mock.lastCall![0]).toMatchObject([{ data: { n: 1, m: 5 }, pending: true }]);
  });

  it("is told what was written in this tab, and what was not", async () => {
    await world();
    const own: unknown[] = [];
    tasks.subscribe((rows, mine) => own.push([rows.length, mine]));
    await settle();
    void tasks.set("2", { n: 2 });
    await settle();
    says(2, "3", { n: 3 });
    await eventually(() => expect(own).toEqual([[1, false], [2, true], [3, false]]));
  });

  it("is called twice for many writes in one go: with the first at once, with all before anything else", async () => {
    await world();
    const seen: number[] = [];
    tasks.subscribe((rows) => seen.push(rows.length));
    await settle();
    for (let n = 0; n < 100; n += 1) void tasks.set(`new ${n}`, { n });
    expect(tasks.snapshot.length).toBe(101);
    await Promise.resolve();
    expect(seen).toEqual([1, 2, 101]);
  });

  it("with a test is called only when its rows change, and ends with its signal", async () => {
    await world();
    const ending = new AbortController();
    const seen: number[] = [];
    const where = ({ data }: { data: Task }) => data.n > 1;
    tasks.subscribe((rows) => seen.push(rows.length), { where, signal: ending.signal });
    await settle();
    void tasks.set("2", { n: 2 });
    void tasks.set("3", { n: 0 });
    expect(seen).toEqual([0, 1]);
    ending.abort();
    void tasks.set("4", { n: 4 });
    expect(seen).toEqual([0, 1]);
    tasks.subscribe(() => seen.push(99), { signal: ending.signal });
    await settle();
    expect(seen).toEqual([0, 1]);
  });

  it("is not stopped by an error in another one", async () => {
    await world();
    const thrown: unknown[] = [];
    const take = (error: unknown) => thrown.push(error);
    process.prependOnceListener("uncaughtException", take);
    const others = process.listeners("uncaughtException").filter((each) => each !== take);
    const handlers = others.map((each) => [each, process.off("uncaughtException", each)] as const);
    await settle();
    const seen = vi.fn();
    const off = tasks.subscribe(() => {
      throw new Error("mine");
    });
    tasks.subscribe(seen);
    void tasks.set("2", { n: 2 });
    off();
    await settle();
    for (const [each] of handlers) process.on("uncaughtException", each);
    expect(seen).toHaveBeenCalled();
  });
});

describe("iterating", () => {
  it("gives each new snapshot, skips for a slow reader, and ends with the client", async () => {
    await world();
    const rows = tasks[Symbol.asyncIterator]();
    expect((await rows.next()).value).toHaveLength(1);
    void tasks.set("2", { n: 2 });
    void tasks.set("3", { n: 3 });
    await Promise.resolve(); // the second one is told after the first
    expect((await rows.next()).value).toHaveLength(3);
    const waiting = rows.next();
    client.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it("ends with its signal, also while it waits", async () => {
    await world();
    const ending = new AbortController();
    const rows = tasks.rows({ signal: ending.signal });
    await rows.next();
    const waiting = rows.next();
    ending.abort();
    expect((await waiting).done).toBe(true);
  });
});

describe("a collection", () => {
  it("is the same one each time, at one granularity", async () => {
    await world();
    expect(client.collection("tasks")).toBe(tasks);
    expect(() => client.collection("tasks", { granularity: "fields" })).toThrow("granularity");
  });

  it("says when it has caught up, also to those who come later", async () => {
    await world();
    await tasks.synced;
    await client.collection("tasks").synced;
  });

  it("tells its own conflicts, which can be answered", async () => {
    await world();
    const told = vi.fn();
    tasks.onConflict(told);
    client.collection("users").onConflict(() => expect.unreachable());
    void tasks.patch("1", { n: 5 });
    await settle();
    const time = "2026-11-22T10:00:00Z";
    const place = { entity: "tasks", entity_id: "1", seq: 1, version: 3 };
    const values = { field: "n", server_value: 4, client_value: 5, winner: "server" } as const;
    const times = { server_timestamp: time, client_timestamp: time };
    socket.says({ type: "field_conflict", ...place, ...values, ...times, strategy: "server_wins" });
    socket.says({ type: "field_push_ack", ...place, applied: 0, conflicts: 1 });
    const conflict = told.mock.calls[0]![0];
    expect(conflict).toMatchObject({ field: "n", mine: 5, theirs: 4, strategy: "server_wins" });
    socket.heard();
    void conflict.keepMine();
    await settle();
    expect(socket.heard()).toMatchObject([{ type: "push_fields", base_version: 3, seq: 2 }]);
  });
});
