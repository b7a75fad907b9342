import { afterEach, describe, expect, it, vi } from "vitest";
import type { Client } from "../../src/api/client.ts";
import type { Collection } from "../../src/api/collection.ts";
import { ERRORS } from "../../src/messages/tables.ts";
import { open, record, settle } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import type { FakeWebSocket } from "../support/sockets.ts";
import { WELCOME } from "../support/welcome.ts";

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
    await eventually(() =>
      expect(own).toEqual([
        [1, false],
        [2, true],
        [3, false],
      ]),
    );
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

  it("ends at once where the client is closed, offline too, and shows nothing more", async () => {
    await world();
    client.offline();
    const waiting = tasks.rows();
    await waiting.next();
    const next = waiting.next();
    client.close();
    expect((await next).done).toBe(true);
    for (const rows of [
      tasks.rows(),
      tasks[Symbol.asyncIterator](),
      client.collection<Task>("other").rows(),
    ]) {
      expect(await rows.next()).toEqual({ done: true, value: undefined });
    }
  });

  it.each([
    [ERRORS.bad_message.close, "bad_message"],
    [1008, "closed"],
  ])(
    "rejects where the server ends the client, with %i, and ends from then on",
    async (code, name) => {
      await world();
      const rows = tasks.rows();
      await rows.next();
      const waiting = rows.next();
      socket.ends(code);
      const message = expect.stringContaining("the server closed the connection for good");
      await expect(waiting).rejects.toMatchObject({ code: name, message });
      for (const each of [rows, tasks.rows()]) expect((await each.next()).done).toBe(true);
      client.close();
    },
  );

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

describe("a patch is based", () => {
  async function base(): Promise<unknown> {
    void tasks.patch("1", { m: 1 });
    await settle();
    const sent = socket.heard().filter(({ type }) => type === "push_fields");
    return (sent.at(-1) as { base_version?: number }).base_version;
  }

  it("on all that was received", async () => {
    await world();
    says(7, "2", { n: 2 });
    expect(await base()).toBe(7);
  });

  it("on what is shown, where the rest is still on its way", async () => {
    const opened = await open();
    ({ client } = opened);
    tasks = client.collection<Task>("tasks");
    socket = opened.socket();
    says(1, "1", { n: 1 });
    synced(1);
    client.offline();
    client.online();
    socket = opened.socket();
    socket.opens();
    socket.says(WELCOME);
    says(5, "1", { n: 5 });
    expect(client.info.positions).toEqual({ tasks: 1 });
    expect(await base()).toBe(1);
  });

  it("on nothing, where what is held is of another epoch, or nothing was received", async () => {
    const opened = await open();
    ({ client } = opened);
    tasks = client.collection<Task>("tasks");
    socket = opened.socket();
    expect(await base()).toBeUndefined();
    says(3, "1", { n: 1 });
    synced(3);
    client.offline();
    client.online();
    socket = opened.socket();
    socket.opens();
    socket.says({ ...WELCOME, epoch: "e2" });
    expect(client.info.positions).toEqual({ tasks: 0 });
    expect(await base()).toBeUndefined();
    expect(tasks.row("1")).toMatchObject({ version: 3 });
  });

  it("on what the caller says", async () => {
    await world();
    void tasks.patch("1", { m: 1 }, { baseVersion: 0 });
    await settle();
    expect(socket.heard().at(-1)).toMatchObject({ type: "push_fields", base_version: 0 });
  });
});

describe("`progress`", () => {
  const begins = {
    type: "sync_begin",
    entity: "tasks",
    epoch: "e1",
    reset: false,
    fields: false,
  } as const;

  it("says how far a long load is, if the server has said how much there is", async () => {
    const opened = await open();
    ({ client } = opened);
    socket = opened.socket();
    tasks = client.collection<Task>("tasks");
    expect(tasks.progress).toBeUndefined();
    socket.says({ ...begins, head: 2_000 });
    await settle();
    expect(tasks.progress).toEqual({ received: 0, expected: 2_000 });
    says(500, "1", { n: 1 });
    await settle();
    expect(tasks.progress).toEqual({ received: 500, expected: 2_000 });
    says(2_000, "2", { n: 1 });
    synced(2_000);
    await tasks.synced;
    expect(tasks.progress).toBeUndefined();
  });

  it("is not known of a short one", async () => {
    const opened = await open();
    ({ client } = opened);
    socket = opened.socket();
    tasks = client.collection<Task>("tasks");
    says(1, "1", { n: 1 });
    await settle();
    expect(tasks.progress).toBeUndefined();
  });
});

describe("a collection that is closed", () => {
  const unsubscribed = () => socket.heard().filter(({ type }) => type.startsWith("unsubscribe"));

  it("is read no longer, once, and shows what it held", async () => {
    await world();
    tasks.close();
    tasks.close();
    expect(unsubscribed()).toEqual([{ type: "unsubscribe", entities: ["tasks"] }]);
    says(2, "2", { n: 2 });
    expect(tasks.snapshot.map(({ id }) => id)).toEqual(["1"]);
    expect(await tasks.get("1")).toBe(tasks.row("1"));
  });

  it("with `using` is closed at the end of the block", async () => {
    await world();
    {
      using posts = client.collection("posts");
      expect(posts).toBe(client.collection("posts"));
      await settle();
      socket.says({
        type: "sync_complete",
        entity: "posts",
        epoch: "e1",
        version: 1,
        reset: false,
      });
    }
    expect(unsubscribed()).toEqual([{ type: "unsubscribe", entities: ["posts"] }]);
  });

  it("ends what listens to it, and nothing else", async () => {
    await world();
    const told = vi.fn();
    tasks.subscribe(told);
    tasks.onConflict(told);
    const stop = tasks.changes(told);
    const other = vi.fn();
    client.changes("tasks", other);
    const rows = tasks.rows();
    await rows.next();
    const waiting = rows.next();
    const calls = told.mock.calls.length;
    tasks.close();
    stop();
    expect(await waiting).toEqual({ done: true, value: undefined });
    says(2, "2", { n: 2 });
    await settle();
    expect(told).toHaveBeenCalledTimes(calls);
    // The entity is watched still: for the server nothing has changed.
    expect(other).toHaveBeenCalledOnce();
    expect(unsubscribed()).toEqual([]);
  });

  it("stops what it listens to when it is stopped before, once", async () => {
    await world();
    const ending = new AbortController();
    tasks.subscribe(() => {}, { signal: ending.signal });
    tasks.subscribe(() => {})();
    ending.abort();
    tasks.close();
    expect(unsubscribed()).toHaveLength(1);
  });

  it("refuses in words to be listened to", async () => {
    await world();
    tasks.close();
    const closed = { code: "closed", message: expect.stringContaining("'tasks' was closed") };
    expect(() => tasks.subscribe(() => {})).toThrow(expect.objectContaining(closed));
    expect(() => tasks.changes(() => {})).toThrow(expect.objectContaining(closed));
    expect(() => tasks.onConflict(() => {})).toThrow(expect.objectContaining(closed));
    await expect(tasks.rows().next()).rejects.toMatchObject(closed);
    expect(socket.heard().at(-1)!.type).toBe("unsubscribe");
  });

  it("still sends what was written, and what is written", async () => {
    await world();
    const written = [tasks.set("1", { n: 5 })];
    tasks.close();
    written.push(tasks.set("2", { n: 6 }));
    await settle();
    for (const seq of [1, 2]) {
      socket.says({
        type: "push_ack",
        entity: "tasks",
        entity_id: String(seq),
        version: seq + 1,
        seq,
      });
    }
    expect(await Promise.all(written)).toMatchObject([{ version: 2 }, { version: 3 }]);
  });

  it("is another one when it is asked for again, and goes on where it was", async () => {
    await world();
    tasks.close();
    const next = client.collection<Task>("tasks");
    expect(next).not.toBe(tasks);
    expect(next.snapshot.map(({ id }) => id)).toEqual(["1"]);
    socket.heard();
    socket.says({ type: "pong" });
    expect(socket.heard()).toMatchObject([{ type: "subscribe", since: { tasks: { version: 1 } } }]);
    synced(1);
    await next.synced;
    tasks.close();
    expect([client.collection("tasks"), unsubscribed()]).toEqual([next, []]);
  });

  it("may be read at the other granularity then, from the start", async () => {
    await world();
    tasks.close();
    const next = client.collection<Task>("tasks", { granularity: "fields" });
    socket.says({ type: "pong" });
    expect(socket.heard().at(-1)).toMatchObject({
      type: "subscribe_fields",
      since: { tasks: { version: 0 } },
    });
    expect(next.snapshot).toHaveLength(1);
  });
});

describe("`synced`", () => {
  const rejected = { type: "error", code: "unknown_entity", message: "no entity 'posts'" } as const;
  const details = { entity: "posts" };

  it("rejects if the server refuses, with what it says, and `onError` is told", async () => {
    await world();
    const told = vi.fn();
    client.onError(told);
    const posts = client.collection("posts");
    socket.says({ ...rejected, details });
    await expect(posts.synced).rejects.toMatchObject({ code: "unknown_entity" });
    await expect(client.collection("posts").synced).rejects.toThrow("no entity 'posts'");
    expect(told).toHaveBeenCalledOnce();
    expect(posts.snapshot).toEqual([]);
  });

  it("rejects for one too many, which is read once another is closed", async () => {
    const opened = await open(
      {},
      { limits: { message_bytes: 65_536, subscriptions: 2, requests: 64 } },
    );
    ({ client } = opened);
    socket = opened.socket();
    const told = vi.fn();
    client.onError(told);
    const all = ["a", "b", "c"].map((entity) => client.collection(entity));
    await expect(all[2]!.synced).rejects.toMatchObject({ code: "too_many_subscriptions" });
    await expect(all[2]!.synced).rejects.toThrow("'c' is not read: the server takes 2 entities");
    expect(told).toHaveBeenCalledOnce();
    socket.says({ type: "sync_complete", entity: "a", epoch: "e1", version: 0, reset: false });
    all[0]!.close();
    socket.says({ type: "sync_complete", entity: "c", epoch: "e1", version: 0, reset: false });
    await all[2]!.synced;
    expect(all[2]!.synced).toBe(all[2]!.synced);
  });

  it("rejects if the collection is closed before", async () => {
    await world();
    const posts = client.collection("posts");
    posts.close();
    await expect(posts.synced).rejects.toMatchObject({ code: "closed" });
  });

  it("rejects if the client is closed before, or the server ends it for good", async () => {
    await world();
    const posts = client.collection("posts");
    client.close();
    await expect(posts.synced).rejects.toMatchObject({ code: "closed" });
    await expect(client.collection("late").synced).rejects.toMatchObject({ code: "closed" });
    await world();
    const others = client.collection("posts");
    socket.ends(4504);
    await expect(others.synced).rejects.toMatchObject({ code: "forbidden" });
  });

  it("has resolved for good once it has caught up, whatever comes after", async () => {
    await world();
    const { synced: promise } = tasks;
    tasks.close();
    await promise;
    expect(tasks.synced).toBe(promise);
  });

  it("that nobody looks at is no uncaught error", async () => {
    // vitest fails a run in which a promise is rejected and nobody looks.
    await world();
    client.onError(() => {});
    client.collection("posts");
    socket.says({ ...rejected, details });
    client.collection("more").close();
    await settle();
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
