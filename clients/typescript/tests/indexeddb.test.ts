import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { IndexedStore } from "../src/indexeddb.ts";
import { MemoryStore } from "../src/memory.ts";
import { contentsOf } from "./support/contents.ts";
import { open, settle, start } from "./support/client.ts";
import { TIME, WELCOME } from "./support/welcome.ts";
import { eventually } from "./support/eventually.ts";
import type { Client } from "../src/client.ts";
import type { Op, Store, Write } from "../src/store.ts";

const stores: Store[] = [];

beforeEach(() => void (globalThis.indexedDB = new IDBFactory()));
afterEach(() => {
  stores.splice(0).forEach((store) => store.close());
  vi.restoreAllMocks();
});

function made(name = "db", clientId?: string): IndexedStore {
  const store = new IndexedStore(name, () => "made", clientId);
  stores.push(store);
  return store;
}

function write(id: string, more: Partial<Write> = {}): Write {
  const message = { type: "push", entity: "tasks", entity_id: "1", action: "update", data: 1 } as const;
  return { id, entity: "tasks", entityId: "1", message, since: 0, ...more };
}

const refused = { id: "w1", message: write("w1").message, code: "forbidden", text: "no", details: null } as const;

describe.each([
  ["IndexedDB", () => made()],
  ["memory", () => new MemoryStore("made")],
] as const)("a store in %s", (_, make) => {
  it("is empty at first, and has made an id", async () => {
    expect(await contentsOf(make())).toEqual({
      records: [],
      places: [],
      writes: [],
      refused: [],
      meta: { client_id: "made", last: 0, secret: "" },
    });
  });

  it("numbers what is added, however many are added at a time", async () => {
    const store = make();
    const seqs = await Promise.all(["a", "b", "c"].map((id) => store.add(write(id))));
    expect(seqs).toEqual([1, 2, 3]);
    const { writes, meta } = await contentsOf(store);
    expect(writes.map(({ id, seq }) => [id, seq])).toEqual([["a", 1], ["b", 2], ["c", 3]]);
    expect(meta.last).toBe(3);
  });

  it("gives one that is added again a fresh number, and takes the refused one that it replaces away", async () => {
    const store = make();
    await store.add(write("a"));
    await store.apply([["refused", "w1", refused]]);
    expect(await store.add(write("a"), "w1")).toBe(2);
    expect(await contentsOf(store)).toMatchObject({ writes: [{ id: "a", seq: 2 }], refused: [] });
  });

  it("keeps what operations set, and forgets what they take away", async () => {
    const store = make();
    const place = { epoch: "e1", version: 3, fields: false };
    await store.apply([
      ["record", "tasks", "1", { data: { n: 1 }, version: 1 }],
      ["record", "tasks", "2", { data: null, version: 3 }],
      ["record", "users", "1", { data: "x", version: 2 }],
      ["record", "tasks", "1"],
      ["place", "tasks", place],
      ["refused", "w1", refused],
      ["epoch", "e1"],
    ]);
    expect(await contentsOf(store)).toMatchObject({
      records: [
        ["tasks", "2", { data: null, version: 3 }],
        ["users", "1", { data: "x", version: 2 }],
      ],
      places: [["tasks", place]],
      refused: [refused],
      meta: { epoch: "e1" },
    });
    await store.apply([["refused", "w1"]]);
    expect(await contentsOf(store)).toMatchObject({ refused: [] });
  });

  it("numbers anew what waits, in its order, and not what is settled", async () => {
    const store = make();
    for (const id of ["c", "b", "a"]) await store.add(write(id));
    const settled = { version: 1, epoch: "e1" };
    const ops: Op[] = [["write", "c", write("c", { seq: 1, settled })], ["renumber", 7]];
    await store.apply(ops);
    const { writes, meta } = await contentsOf(store);
    expect(Object.fromEntries(writes.map(({ id, seq }) => [id, seq]))).toEqual({ c: -3, b: 8, a: 9 });
    expect(meta.last).toBe(9);
  });

  it("raises the last number, and never lowers it but to number anew", async () => {
    const store = make();
    await store.apply([["last", 5]]);
    await store.apply([["last", 3]]);
    expect(await store.add(write("a"))).toBe(6);
    await store.apply([["write", "a"], ["renumber", 2]]);
    expect(await store.add(write("b"))).toBe(3);
  });

  it("does nothing for one that does not lead", async () => {
    const store = make();
    await store.apply([["leader", "one"]]);
    await store.apply([["leader", "two"]]);
    expect(await store.apply([["epoch", "e1"]], "one")).toBe(false);
    expect((await contentsOf(store)).meta.epoch).toBeUndefined();
    expect(await store.apply([["epoch", "e2"]], "two")).toBe(true);
    expect((await contentsOf(store)).meta.epoch).toBe("e2");
  });
});

describe("in IndexedDB", () => {
  it("the id stays, unless the application gives one", async () => {
    await made().load();
    const again = new IndexedStore("db", () => "another");
    stores.push(again);
    expect((await contentsOf(again)).meta.client_id).toBe("made");
    expect((await contentsOf(made("db", "given"))).meta.client_id).toBe("given");
    expect((await contentsOf(again)).meta.client_id).toBe("given");
  });

  it("the secret stays with its id, and goes with it", async () => {
    const first = made();
    await first.load();
    await first.apply([["secret", "hush"]]);
    const meta = async (store: IndexedStore) => (await contentsOf(store)).meta;
    expect(await meta(made())).toMatchObject({ client_id: "made", secret: "hush" });
    expect(await meta(made("db", "made"))).toMatchObject({ secret: "hush" });
    expect(await meta(made("db", "given"))).toMatchObject({ client_id: "given", secret: "" });
    expect(await meta(made("db", "made"))).toMatchObject({ client_id: "made", secret: "" });
    const chosen = new IndexedStore("db", () => "another", "made", "mine");
    stores.push(chosen);
    expect(await meta(chosen)).toMatchObject({ client_id: "made", secret: "mine" });
    expect(await meta(made())).toMatchObject({ client_id: "made", secret: "mine" });
  });

  it("writes are on the disk before they count, and what the server can tell again is not waited for", async () => {
    const store = made();
    await store.load();
    const begun = vi.spyOn(IDBDatabase.prototype, "transaction");
    await store.add(write("a"));
    await store.apply([["record", "tasks", "1", { data: 1, version: 1 }]]);
    await store.apply([["write", "a"]]);
    expect(begun.mock.calls.map(([, , options]) => options?.durability)).toEqual(["strict", "relaxed", "strict"]);
  });

  it("a full disk is told as `storage_full`, and nothing of that transaction is kept", async () => {
    const store = made();
    await store.load();
    const full = new DOMException("full", "QuotaExceededError");
    const put = IDBObjectStore.prototype.put;
    let puts = 0;
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, ...args) {
      if ((puts += 1) === 2) throw full;
      return put.apply(this, args);
    });
    await expect(store.add(write("a"))).rejects.toMatchObject({ code: "storage_full" });
    vi.restoreAllMocks();
    expect(await contentsOf(store)).toMatchObject({ writes: [], meta: { last: 0 } });
    expect(await store.add(write("b"))).toBe(1);
  });

  it("what cannot be opened fails every call, with words", async () => {
    vi.spyOn(indexedDB, "open").mockImplementation(() => {
      throw new DOMException("not in private windows", "InvalidStateError");
    });
    const store = made();
    await expect(store.load()).rejects.toMatchObject({ code: "storage_failed" });
    await expect(store.add(write("a"))).rejects.toThrow("not in private windows");
  });

  it("when it is deleted it lets go, says so, and keeps nothing more", async () => {
    const store = made();
    const told = vi.fn();
    store.onlost = told;
    await store.load();
    const request = indexedDB.deleteDatabase("db");
    await new Promise((resolve) => (request.onsuccess = resolve));
    expect(told).toHaveBeenCalledWith(expect.objectContaining({ code: "storage_failed" }));
    await expect(store.add(write("a"))).rejects.toMatchObject({ code: "storage_failed" });
  });

  it("ranges are those of the same implementation", () => expect(IDBKeyRange).toBeDefined());
});

describe("a client on IndexedDB", () => {
  const clients: Client[] = [];
  afterEach(() => clients.splice(0).forEach((client) => client.close()));

  async function opened() {
    const result = await open({ storage: "app" });
    clients.push(result.client);
    return result;
  }

  it("shows after a reload what it had, and sends what was not answered, under the same number", async () => {
    const first = await opened();
    const tasks = first.client.collection("tasks");
    const change = { entity: "tasks", entity_id: "1", version: 1, created_at: TIME };
    first.socket().says({ type: "change", change: { ...change, action: "update", data: { n: 1 } } });
    first.socket().says({ type: "sync_complete", entity: "tasks", epoch: "e1", version: 1, reset: false });
    void tasks.patch("1", { m: 2 });
    await eventually(() => expect(first.socket().heard().at(-1)).toMatchObject({ seq: 1 }));
    first.client.close();

    const second = await start({ storage: "app" });
    clients.push(second.client);
    const again = second.client.collection("tasks");
    expect(again.snapshot).toEqual([]);
    expect(await again.get("1")).toEqual({ id: "1", data: { n: 1, m: 2 }, version: 1, pending: true });
    await eventually(() => expect(second.sockets.length).toBe(1));
    second.socket().opens();
    second.socket().says(WELCOME);
    expect(second.socket().heard()).toMatchObject([
      { type: "hello", epoch: "e1", confirmed_seq: 0 },
      { type: "subscribe", since: { tasks: { epoch: "e1", version: 1 } } },
      { type: "push_fields", seq: 1, base_version: 1 },
    ]);
  });

  it("without a database that works says so, shows what the server tells, and takes no writes", async () => {
    vi.spyOn(indexedDB, "open").mockImplementation(() => {
      throw new DOMException("not in private windows", "InvalidStateError");
    });
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const { client, socket } = await opened();
    expect(log.mock.calls[0]![0]).toMatchObject({ code: "storage_failed" });
    const tasks = client.collection("tasks");
    const change = { entity: "tasks", entity_id: "1", version: 1, created_at: TIME };
    socket().says({ type: "change", change: { ...change, action: "update", data: 1 } });
    await settle();
    expect(tasks.snapshot).toMatchObject([{ data: 1 }]);
    await expect(tasks.set("2", 2)).rejects.toMatchObject({ code: "storage_failed" });
    expect(tasks.snapshot).toHaveLength(1);
  });

  it("goes on in memory when what the server tells cannot be stored, and stores it later", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { client, socket } = await opened();
    const told = vi.fn();
    client.onError(told);
    const tasks = client.collection("tasks");
    await vi.advanceTimersByTimeAsync(1);
    await settle();
    const put = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    const change = { entity: "tasks", entity_id: "1", version: 1, created_at: TIME };
    socket().says({ type: "change", change: { ...change, action: "update", data: 1 } });
    await vi.advanceTimersByTimeAsync(1);
    await settle();
    expect(tasks.snapshot).toMatchObject([{ data: 1 }]);
    expect(told.mock.calls).toMatchObject([[{ code: "storage_full" }]]);
    put.mockRestore();
    await vi.advanceTimersByTimeAsync(5_000);
    await settle();
    vi.useRealTimers();
    expect((await contentsOf(made("app"))).records).toEqual([["tasks", "1", { data: 1, version: 1 }]]);
    expect(told).toHaveBeenCalledOnce();
  });
});
