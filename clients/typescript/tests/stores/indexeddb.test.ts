import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Client } from "../../src/api/client.ts";
import { add, inc } from "../../src/core/operations.ts";
import { partName } from "../../src/core/part.ts";
import type { Op, Store } from "../../src/core/storage-ops.ts";
import { applyAll, stateOf } from "../../src/core/storage-ops.ts";
import { Database, result } from "../../src/stores/database.ts";
import { IndexedStore } from "../../src/stores/indexeddb.ts";
import { Journal } from "../../src/stores/journal.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import type { Row } from "../../src/stores/segment-rows.ts";
import { segmentIn } from "../../src/stores/segment-rows.ts";
import { open, settle, start } from "../support/client.ts";
import { contentsOf } from "../support/contents.ts";
import { eventually } from "../support/eventually.ts";
import { foreignWaits } from "../support/foreign.ts";
import { FakeStorage } from "../support/storage.ts";
import { TIME, WELCOME } from "../support/welcome.ts";
import { write } from "../support/writes.ts";

const stores: Store[] = [];
/** Of all transactions here. */
const foreign = foreignWaits();

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  vi.stubGlobal("localStorage", new FakeStorage());
});
afterEach(() => {
  stores.splice(0).forEach((store) => store.close());
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  expect(foreign.splice(0), "a transaction waits for nothing but its requests").toEqual([]);
});

function made(name = "db", clientId?: string): IndexedStore {
  const store = new IndexedStore(name, () => "made", clientId);
  stores.push(store);
  return store;
}

const rejected = {
  id: "w1",
  message: write("w1").message,
  code: "forbidden",
  text: "no",
  details: null,
} as const;

it.each(["before", "after"])(
  "a transaction that waits for something foreign %s it asks is noticed",
  async (when) => {
    const upgrade = ({ db }: IDBTransaction) => void db.createObjectStore("t");
    const database = new Database({ name: "db", version: 1, tables: ["t"], upgrade });
    let goOn = () => {};
    const running = database.run(false, async (table) => {
      if (when === "after") await result(table("t").get(1));
      await new Promise<void>((resolve) => (goOn = resolve));
    });
    await settle();
    goOn();
    await running;
    database.close();
    expect(foreign.splice(0)).toHaveLength(1);
  },
);

describe.each([
  ["IndexedDB", () => made()],
  ["memory", () => new MemoryStore("made", "made")],
] as const)("a store in %s", (_, make) => {
  it("is empty at first, and has made an id", async () => {
    expect(await contentsOf(make())).toEqual({
      records: [],
      places: [],
      writes: [],
      rejected: [],
      meta: { client_id: "made", last: 0, secret: "made" },
    });
  });

  it("numbers what is added, however many are added at a time", async () => {
    const store = make();
    const seqs = await Promise.all(["a", "b", "c"].map((id) => store.add(write(id))));
    expect(seqs).toEqual([1, 2, 3]);
    const { writes, meta } = await contentsOf(store);
    expect(writes.map(({ id, seq }) => [id, seq])).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]);
    expect(meta.last).toBe(3);
  });

  it("gives one that is added again a fresh number, and takes the rejected one that it replaces away", async () => {
    const store = make();
    await store.add(write("a"));
    await store.apply([["rejected", "w1", rejected]]);
    expect(await store.add(write("a", { seq: 1 }), "w1")).toBe(2);
    expect(await contentsOf(store)).toMatchObject({ writes: [{ id: "a", seq: 2 }], rejected: [] });
  });

  it("gives a fresh number only to one that has still the number it was asked about", async () => {
    const store = make();
    await store.add(write("a"));
    await store.add(write("b"));
    expect(await store.add(write("a", { seq: 1 }))).toBe(3);
    expect(await store.add(write("a", { seq: 1 })), "asked twice").toBe(3);
    await store.apply([["renumber", 4]]);
    expect(await store.add(write("a", { seq: 3 })), "all were counted anew").toBe(6);
    await store.apply([["write", "a"]]);
    expect(await store.add(write("a", { seq: 6 })), "it is done with").toBe(0);
    const { writes } = await contentsOf(store);
    expect(writes).toMatchObject([{ id: "b", seq: 5 }]);
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
      ["rejected", "w1", rejected],
      ["epoch", "e1"],
    ]);
    expect(await contentsOf(store)).toMatchObject({
      records: [
        ["tasks", "2", { data: null, version: 3 }],
        ["users", "1", { data: "x", version: 2 }],
      ],
      places: [["tasks", place]],
      rejected: [rejected],
      meta: { epoch: "e1" },
    });
    await store.apply([["rejected", "w1"]]);
    expect(await contentsOf(store)).toMatchObject({ rejected: [] });
  });

  it("numbers anew what waits, in its order, and not what is settled", async () => {
    const store = make();
    for (const id of ["c", "b", "a"]) await store.add(write(id));
    const settled = { version: 1, epoch: "e1" };
    const ops: Op[] = [
      ["write", "c", write("c", { seq: 1, settled })],
      ["renumber", 7],
    ];
    await store.apply(ops);
    const { writes, meta } = await contentsOf(store);
    expect(Object.fromEntries(writes.map(({ id, seq }) => [id, seq]))).toEqual({
      c: -3,
      b: 8,
      a: 9,
    });
    expect(meta.last).toBe(9);
  });

  it("knows the last number that was given when nothing waits", async () => {
    const store = make();
    for (const id of ["a", "b"]) await store.add(write(id));
    await store.apply([
      ["write", "b"],
      ["write", "a"],
    ]);
    expect(await contentsOf(store)).toMatchObject({ writes: [], meta: { last: 2 } });
    expect(await store.add(write("c"))).toBe(3);
  });

  it("changes a write, and leaves it its number", async () => {
    const store = make();
    for (const id of ["a", "b"]) await store.add(write(id));
    await store.apply([["write", "a", write("a", { seq: 1, since: 5 })]]);
    const { writes } = await contentsOf(store);
    expect(writes.map(({ id, seq, since }) => [id, seq, since])).toEqual([
      ["a", 1, 5],
      ["b", 2, 0],
    ]);
  });

  it("does not touch what waits when the last number is raised to one of its numbers", async () => {
    const store = make();
    for (const id of ["a", "b"]) await store.add(write(id));
    await store.apply([["last", 1]]);
    expect(await contentsOf(store)).toMatchObject({
      writes: [
        { id: "a", seq: 1 },
        { id: "b", seq: 2 },
      ],
    });
    expect(await store.add(write("c"))).toBe(3);
  });

  it("raises the last number, and never lowers it but to number anew", async () => {
    const store = make();
    await store.apply([["last", 5]]);
    await store.apply([["last", 3]]);
    expect(await store.add(write("a"))).toBe(6);
    await store.apply([
      ["write", "a"],
      ["renumber", 2],
    ]);
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
    expect(await meta(made("db", "given"))).toMatchObject({ client_id: "given", secret: "made" });
    expect(await meta(made("db", "made"))).toMatchObject({ client_id: "made", secret: "made" });
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
    expect(begun.mock.calls.map(([, , options]) => options?.durability)).toEqual([
      "strict",
      "relaxed",
      "strict",
    ]);
  });

  /** What is put fails as on a full disk, if it is such a write. */
  function full(isLarge: (value: { id?: string }) => boolean = () => true) {
    const put = IDBObjectStore.prototype.put;
    return vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (
      this: IDBObjectStore,
      ...args
    ) {
      if (isLarge(args[0])) throw new DOMException("full", "QuotaExceededError");
      return put.apply(this, args);
    });
  }

  it("a full disk is told as `storage_full`, and nothing of that transaction is kept", async () => {
    const store = made();
    await store.apply([["rejected", "w1", rejected]]);
    full();
    await expect(store.add(write("a"), "w1")).rejects.toMatchObject({ code: "storage_full" });
    vi.restoreAllMocks();
    expect(await contentsOf(store)).toMatchObject({
      writes: [],
      rejected: [rejected],
      meta: { last: 0 },
    });
    expect(await store.add(write("b"))).toBe(1);
  });

  it("a full disk can be read", async () => {
    await made().add(write("a"));
    await made().load();
    full();
    expect(await contentsOf(made())).toMatchObject({ writes: [{ id: "a", seq: 1 }] });
  });

  it("a full disk can be read though another page left something, which waits for room", async () => {
    await made().add(write("a"));
    await made().load();
    made().hold(write("left"), "");
    full();
    expect((await contentsOf(made())).writes).toMatchObject([{ id: "a" }]);
    vi.restoreAllMocks();
    expect((await contentsOf(made())).writes).toMatchObject([{ id: "a" }, { id: "left" }]);
  });

  it.each(["load", "probe"] as const)(
    "%s fails where its turn never comes: another page may hold it up for ever",
    async (call) => {
      const store = made();
      await store.load();
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      vi.spyOn(IDBObjectStore.prototype, "get").mockReturnValue({} as IDBRequest);
      const failed = expect(store[call]()).rejects.toThrow("it does not answer");
      await settle();
      await vi.advanceTimersByTimeAsync(10_000);
      await failed;
      vi.useRealTimers();
      // What it waits for is no request at all.
      foreign.splice(0);
    },
  );

  it("one write that is too large takes none with it", async () => {
    const store = made();
    await store.load();
    full(({ id }) => id === "b");
    const all = await Promise.allSettled(["a", "b", "c"].map((id) => store.add(write(id))));
    expect(all).toMatchObject([{ value: 1 }, { reason: { code: "storage_full" } }, { value: 2 }]);
    expect((await contentsOf(store)).writes).toMatchObject([{ id: "a" }, { id: "c" }]);
  });

  it("where there is no room for all, half of it is tried, and so on", async () => {
    const store = made();
    await store.load();
    full(({ id }) => id === "w3");
    const begun = vi.spyOn(IDBDatabase.prototype, "transaction");
    const all = await Promise.allSettled(
      Array.from({ length: 64 }, (_, n) => store.add(write(`w${n}`))),
    );
    expect(all.filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect(begun.mock.calls.length).toBeLessThan(20);
    const { writes } = await contentsOf(store);
    expect(writes.map(({ id }) => id)).toEqual(
      Array.from({ length: 64 }, (_, n) => `w${n}`).filter((id) => id !== "w3"),
    );
    expect(writes.map(({ seq }) => seq)).toEqual(Array.from({ length: 63 }, (_, n) => n + 1));
  });

  it("what is written before the database is open shares a transaction, too", async () => {
    const store = made();
    const begun = vi.spyOn(IDBDatabase.prototype, "transaction");
    const all = Array.from({ length: 50 }, (_, n) => store.add(write(`w${n}`)));
    expect(await Promise.all(all)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    // The first of them makes the tables.
    expect(begun.mock.calls.filter(([tables]) => [...tables].length)).toHaveLength(1);
  });

  it("a write waits for no table of records", async () => {
    const store = made();
    await store.load();
    const begun = vi.spyOn(IDBDatabase.prototype, "transaction");
    await store.add(write("a"));
    expect(begun.mock.calls.map(([tables]) => tables)).toEqual([["rejected", "meta", "queue"]]);
  });

  it("large records of version 3 are moved few at a time: no browser puts a row of any size", async () => {
    const opening = indexedDB.open("db", 3);
    opening.onupgradeneeded = () => {
      for (const each of ["record", "place", "rejected", "meta"])
        opening.result.createObjectStore(each);
      const queue = opening.result.createObjectStore("queue", { autoIncrement: true });
      queue.createIndex("id", "id", { unique: true });
    };
    const db = await result(opening);
    const records = db.transaction("record", "readwrite").objectStore("record");
    for (let id = 0; id < 200; id += 1) records.put({ data: id, version: 1 }, ["tasks", `${id}`]);
    db.close();
    const put = IDBObjectStore.prototype.put;
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (
      this: IDBObjectStore,
      ...args
    ) {
      const row: unknown = args[0];
      if (this.name === "segments" && segmentIn(row as Row).length > 8)
        throw new DOMException("too large", "UnknownError");
      return put.apply(this, args);
    });
    expect((await contentsOf(made())).records).toHaveLength(200);
  });

  it("the records of version 3, a row each, are all there", async () => {
    const request = indexedDB.open("db", 3);
    request.onupgradeneeded = () => {
      for (const each of ["record", "place", "rejected", "meta"])
        request.result.createObjectStore(each);
      request.result
        .createObjectStore("queue", { autoIncrement: true })
        .createIndex("id", "id", { unique: true });
      for (let n = 0; n < 300; n += 1)
        request.transaction!.objectStore("record").put({ data: n, version: n }, ["tasks", `${n}`]);
      request.transaction!.objectStore("queue").put(write("a"), 7);
    };
    (await result(request)).close();
    const store = made();
    const found = await contentsOf(store);
    expect(found.records).toHaveLength(300);
    expect(found.records).toContainEqual(["tasks", "299", { data: 299, version: 299 }]);
    expect(found.writes).toMatchObject([{ id: "a", seq: 7 }]);
    await store.apply([["record", "tasks", "299", { data: 0, version: 300 }]]);
    expect((await contentsOf(made())).records).toContainEqual([
      "tasks",
      "299",
      { data: 0, version: 300 },
    ]);
  });

  describe("what comes together", () => {
    async function counted() {
      const store = made();
      await store.load();
      const begun = vi.spyOn(IDBDatabase.prototype, "transaction");
      return { store, begun };
    }

    it("is stored in one transaction, which is begun with the first of it and commits by itself", async () => {
      const { store, begun } = await counted();
      const commit = vi.spyOn(IDBTransaction.prototype, "commit");
      const first = store.add(write("w0"));
      expect(begun).toHaveBeenCalledOnce();
      const rest = Array.from({ length: 299 }, (_, n) => store.add(write(`w${n + 1}`)));
      // Before the turn of the event loop ends.
      for (let microtask = 0; microtask < 3; microtask += 1) await Promise.resolve();
      expect(commit).toHaveBeenCalledOnce();
      expect(await Promise.all([first, ...rest])).toEqual(
        Array.from({ length: 300 }, (_, n) => n + 1),
      );
      expect(begun).toHaveBeenCalledOnce();
    });

    it("is what comes while others are being stored, too", async () => {
      const { store, begun } = await counted();
      const all = [store.add(write("a"))];
      for (let n = 0; n < 10; n += 1) {
        await Promise.resolve();
        all.push(store.add(write(`later ${n}`)));
      }
      await Promise.all(all);
      expect(begun).toHaveBeenCalledTimes(2);
      expect((await contentsOf(store)).writes.map(({ id }) => id).slice(0, 3)).toEqual([
        "a",
        "later 0",
        "later 1",
      ]);
    });

    it("of two tabs has numbers of its own each", async () => {
      const [one, two] = [made(), made()];
      await Promise.all([one.load(), two.load()]);
      const seqs = await Promise.all([
        one.add(write("a")),
        two.add(write("b")),
        one.add(write("c")),
      ]);
      expect([...seqs].sort()).toEqual([1, 2, 3]);
    });
  });

  it("a write of which nobody knows whether it is there is there once", async () => {
    const store = made();
    await store.add(write("a"));
    expect(await store.add(write("a"))).toBe(1);
    expect((await contentsOf(store)).writes).toHaveLength(1);
  });

  it("a write of which nobody knows whether it was there, and which was sent since, is not added again", async () => {
    const store = made();
    await Promise.all([store.add(write("a")), store.add(write("b"))]);
    await store.apply([["write", "a"]]);
    expect(await Promise.all(["a", "b", "c"].map((id) => store.add(write(id))))).toEqual([0, 2, 3]);
    await store.apply([
      ["renumber", 0],
      ["write", "c"],
      ["last", 5],
    ]);
    expect(await Promise.all(["a", "b", "c"].map((id) => store.add(write(id))))).toEqual([0, 1, 0]);
    // Whoever comes late changes it no more.
    await store.apply([
      ["write", "a", write("a", { seq: 1 })],
      ["write", "a"],
    ]);
    expect((await contentsOf(store)).writes).toMatchObject([{ id: "b", seq: 1 }]);
  });

  it("a write that was sent is found for the next thousand of them, and then forgotten", async () => {
    const store = made();
    const ids = Array.from({ length: 1_001 }, (_, at) => `w${at + 1}`);
    await Promise.all(ids.map((id) => store.add(write(id))));
    const end = (id: string): Op => ["write", id];
    await store.apply(ids.slice(0, 1_000).map(end));
    expect(await store.add(write("w1"))).toBe(0);
    await store.apply(ids.slice(1_000).map(end));
    expect(await store.add(write("w2"))).toBe(0);
    expect(await store.add(write("w1"))).toBe(1_002);
  });

  it("a write is in doubt when the database is taken away as it is stored, until it is stored or that is gone", async () => {
    for (const end of ["stored", "gone", "replaced"]) {
      globalThis.indexedDB = new IDBFactory();
      const store = made();
      await store.load();
      const commits = vi.spyOn(IDBTransaction.prototype, "commit");
      commits.mockImplementationOnce(function (this: IDBTransaction) {
        commits.mockRestore();
        // It is there, but the page hears of that no more.
        this.commit();
        this.db.dispatchEvent(new IDBVersionChangeEvent("close"));
        if (end === "replaced") globalThis.indexedDB = new IDBFactory();
        opens.mockImplementation(() => {
          throw new DOMException("it does not work", "UnknownError");
        });
      });
      const opens = vi.spyOn(indexedDB, "open");
      await expect(store.add(write("a"))).rejects.toMatchObject({ code: "storage_failed" });
      expect([store.isInDoubt("a"), store.isInDoubt("b")]).toEqual([end !== "replaced", false]);
      opens.mockRestore();
      if (end === "gone") store.refuse("no locks");
      else if (end === "stored") expect(await store.add(write("a"))).toBe(1);
      expect(store.isInDoubt("a")).toBe(false);
    }
  });

  it("a write is in doubt when what was kept for other pages is cleared: one may have stored it", async () => {
    const store = made();
    store.hold(write("a"), "");
    expect(store.isInDoubt("a")).toBe(false);
    vi.stubGlobal("localStorage", new FakeStorage());
    expect(store.isInDoubt("a")).toBe(true);
    await store.add(write("a"));
    expect(store.isInDoubt("a")).toBe(false);
  });

  it.each(["stays", "goes, and comes back"])(
    "writes of version 1, which kept the number in the write, keep it, if the page %s meanwhile",
    async (does) => {
      const request = indexedDB.open("db", 1);
      const old = ["record", "place", "write", "refused", "meta"];
      request.onupgradeneeded = () => old.forEach((each) => request.result.createObjectStore(each));
      await new Promise((resolve) => (request.onsuccess = resolve));
      const transaction = request.result.transaction(old, "readwrite");
      const put = (table: string, value: unknown, key: string) =>
        transaction.objectStore(table).put(value, key);
      put("meta", "made before", "client_id");
      put("meta", 9, "last");
      put("refused", rejected, "w1");
      put("write", write("b", { seq: 7 }), "b");
      put("write", write("a", { seq: 8 }), "a");
      put("write", write("s", { seq: 6, settled: { version: 1, epoch: "e1" } }), "s");
      await new Promise((resolve) => (transaction.oncomplete = resolve));
      request.result.close();
      const page = new EventTarget();
      vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
      const store = made();
      if (does !== "stays") {
        const reads = vi.spyOn(IDBObjectStore.prototype, "getAll");
        const moving = store.load();
        while (!reads.mock.calls.length) await new Promise((resolve) => setImmediate(resolve));
        page.dispatchEvent(new Event("pagehide"));
        page.dispatchEvent(new Event("pageshow"));
        await moving;
      }
      const { writes, meta, rejected: found } = await contentsOf(store);
      expect(found).toEqual([rejected]);
      expect(Object.fromEntries(writes.map(({ id, seq }) => [id, seq]))).toEqual({
        b: 7,
        a: 8,
        s: 6,
      });
      expect(meta).toMatchObject({ client_id: "made before", last: 9 });
      expect(await store.add(write("c"))).toBe(10);
    },
  );

  it("all of version 2 is there, also what was rejected, which it had under another name", async () => {
    const request = indexedDB.open("db", 2);
    request.onupgradeneeded = () => {
      for (const each of ["record", "place", "refused", "meta"])
        request.result.createObjectStore(each);
      const queue = request.result.createObjectStore("queue", { autoIncrement: true });
      queue.createIndex("id", "id", { unique: true });
      const put = (table: string, value: unknown, key: IDBValidKey) =>
        request.transaction!.objectStore(table).put(value, key);
      put("meta", "made before", "client_id");
      put("refused", rejected, "w1");
      put("refused", { ...rejected, id: "w2" }, "w2");
      put("queue", write("a"), 7);
      put("record", { data: 1, version: 1 }, ["tasks", "1"]);
    };
    await new Promise((resolve) => (request.onsuccess = resolve));
    request.result.close();
    const store = made();
    const found = await contentsOf(store);
    expect(found.rejected).toEqual([rejected, { ...rejected, id: "w2" }]);
    expect(found.writes).toMatchObject([{ id: "a", seq: 7 }]);
    expect(found.records).toEqual([["tasks", "1", { data: 1, version: 1 }]]);
    await store.apply([["rejected", "w1"]]);
    expect((await contentsOf(store)).rejected).toEqual([{ ...rejected, id: "w2" }]);
    expect(await store.add(write("b"), "w2")).toBe(8);
    expect((await contentsOf(store)).rejected).toEqual([]);
  });

  it("what is stored on top of what is there is decided when that is known, at once with it", async () => {
    const store = made();
    await store.add(write("a"));
    const seen: unknown[] = [];
    const { writes } = await store.load((found) => {
      seen.push([...found.writes.keys()]);
      return [
        ["write", "a"],
        ["rejected", "w1", rejected],
      ];
    });
    expect([seen, [...writes]]).toEqual([[["a"]], []]);
    expect(await contentsOf(store)).toMatchObject({ writes: [], rejected: [rejected] });
  });

  it("who is looked for finds whose it is", async () => {
    expect(await made().probe()).toBe("");
    await made().load();
    expect(await made().probe()).toBe("made");
  });

  it("one that takes the place of a lost one is not written to, until it is loaded as another", async () => {
    const store = made();
    await store.add(write("a"));
    await store.load();
    globalThis.indexedDB = new IDBFactory();
    vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementationOnce(() => {
      throw new DOMException("the connection was closed", "InvalidStateError");
    });
    await expect(store.apply([["epoch", "e1"]])).rejects.toThrow("another one is in its place");
    await expect(store.add(write("b"))).rejects.toMatchObject({ code: "storage_failed" });
    await expect(store.load()).rejects.toMatchObject({ code: "storage_failed" });
    expect((await store.load(() => [])).writes.size).toBe(0);
    expect(await store.add(write("b"))).toBe(1);
  });

  describe("when a page ends", () => {
    const page = new EventTarget();

    beforeEach(() => {
      vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    });

    it("what waited for others to be stored is begun at once", async () => {
      const store = made();
      await store.load();
      const begun = vi.spyOn(IDBDatabase.prototype, "transaction");
      const all = [store.add(write("a"))];
      await Promise.resolve();
      await Promise.resolve();
      all.push(store.add(write("b")));
      expect(begun).toHaveBeenCalledOnce();
      page.dispatchEvent(new Event("pagehide"));
      expect(begun).toHaveBeenCalledTimes(2);
      expect(await Promise.all(all)).toEqual([1, 2]);
    });

    it("what is not stored yet is found by the next one, once, with its rejected one", async () => {
      const gone = made();
      await gone.load();
      await gone.apply([["rejected", "w1", rejected]]);
      // It never gets to it.
      vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(() => {
        throw new DOMException("the page is going", "InvalidStateError");
      });
      vi.spyOn(indexedDB, "open").mockImplementation(() => ({}) as IDBOpenDBRequest);
      void gone.add(write("before"), "w1").catch(() => {});
      page.dispatchEvent(new Event("pagehide"));
      void gone.add(write("after")).catch(() => {});
      vi.restoreAllMocks();
      const next = made();
      expect(await contentsOf(next)).toMatchObject({
        writes: [
          { id: "before", seq: 1 },
          { id: "after", seq: 2 },
        ],
        rejected: [],
      });
      await next.apply([
        ["write", "before"],
        ["write", "after"],
      ]);
      expect(await contentsOf(made())).toMatchObject({ writes: [], meta: { last: 2 } });
    });

    it("what is stored all the same is not stored twice", async () => {
      const gone = made();
      await gone.load();
      const added = gone.add(write("a"));
      page.dispatchEvent(new Event("pagehide"));
      const next = made();
      await next.load();
      expect(await added).toBe(1);
      expect((await contentsOf(next)).writes).toHaveLength(1);
      await next.apply([["write", "a"]]);
      expect((await contentsOf(made())).writes).toEqual([]);
    });

    it("what was rejected for want of room is not found by the next one", async () => {
      const store = made();
      await store.load();
      full();
      const added = store.add(write("a"));
      page.dispatchEvent(new Event("pagehide"));
      page.dispatchEvent(new Event("pageshow"));
      await expect(added).rejects.toMatchObject({ code: "storage_full" });
      vi.restoreAllMocks();
      vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
      expect((await contentsOf(made())).writes).toEqual([]);
    });

    it("what another page is storing is not refused for want of room", async () => {
      const [store, next] = [made(), made()];
      await Promise.all([store.load(), next.load()]);
      full();
      const added = store.add(write("a"));
      page.dispatchEvent(new Event("pagehide"));
      // It is about to store it.
      new Journal("db").take();
      page.dispatchEvent(new Event("pageshow"));
      expect(await added).toBe(0);
      vi.restoreAllMocks();
      expect([...(await next.load()).writes.keys()]).toEqual(["a"]);
    });

    it.each([
      [["pagehide"], ["pageshow"]],
      [["freeze"], ["resume"]],
      [
        ["pagehide", "freeze"],
        ["resume", "pageshow"],
      ],
    ])(
      "(%s) what was being read does not hold up other pages, and is read when it comes back (%s)",
      async (goes, comes) => {
        const gone = made();
        vi.stubGlobal("addEventListener", undefined);
        const next = made();
        await gone.load();
        const begun = vi.spyOn(IDBDatabase.prototype, "transaction");
        const reading = gone.load();
        while (!begun.mock.calls.length) await Promise.resolve();
        for (const event of goes) page.dispatchEvent(new Event(event));
        expect(await next.add(write("a"))).toBe(1);
        for (const event of comes) page.dispatchEvent(new Event(event));
        expect([...(await reading).writes.keys()]).toEqual(["a"]);
      },
    );

    it("and comes back, what is written then lies in the database only", async () => {
      const store = made();
      await store.load();
      page.dispatchEvent(new Event("pagehide"));
      page.dispatchEvent(new Event("pageshow"));
      const hold = vi.spyOn(localStorage, "setItem");
      await store.add(write("a"));
      expect(hold).not.toHaveBeenCalled();
    });

    it("and runs all the same, what was being read is read, though nothing says that it is back", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const store = made();
      await store.load();
      page.dispatchEvent(new Event("freeze"));
      const reading = store.load();
      await vi.advanceTimersByTimeAsync(5_000);
      vi.useRealTimers();
      expect((await reading).meta.client_id).toBe("made");
    });

    it("and is closed, what is written then is found by the next one all the same", async () => {
      const store = made();
      await store.load();
      store.close();
      await expect(store.add(write("a"))).rejects.toMatchObject({ code: "storage_failed" });
      expect((await contentsOf(made())).writes).toMatchObject([{ id: "a", seq: 1 }]);
    });
  });

  it("is not closed before what was written is stored", async () => {
    const store = made();
    await store.load();
    const added = [store.add(write("a"))];
    await Promise.resolve();
    await Promise.resolve();
    added.push(store.add(write("b")));
    store.close();
    expect(await Promise.all(added)).toEqual([1, 2]);
    expect((await contentsOf(made())).writes).toHaveLength(2);
  });

  it("what another page has found and stored is not added again", async () => {
    const [slow, next] = [made(), made()];
    slow.hold(write("a"), "");
    await next.load();
    expect(await slow.add(write("a"))).toBe(0);
    expect((await contentsOf(next)).writes).toMatchObject([{ id: "a", seq: 1 }]);
    expect(slow.release("a")).toBe(false);
  });

  it("what another page has found, stored and sent while this one was away is not added again", async () => {
    const page = new EventTarget();
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    const away = made();
    await away.load();
    vi.stubGlobal("addEventListener", undefined);
    vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementationOnce(() => {
      throw new DOMException("the page goes", "InvalidStateError");
    });
    const added = away.add(write("a"));
    page.dispatchEvent(new Event("pagehide"));
    await settle();
    const next = made();
    expect([...(await next.load()).writes.keys()]).toEqual(["a"]);
    await next.apply([["write", "a"]]);
    page.dispatchEvent(new Event("pageshow"));
    expect(await added).toBe(0);
    expect((await contentsOf(next)).writes, "it would take effect twice").toEqual([]);
  });

  it("what a page stores and keeps for the next one while that begins to read is there once", async () => {
    const [going, next] = [made(), made()];
    await going.load();
    // The other page stores it in its last moment, is gone, and the write is sent.
    const answer = vi.spyOn(indexedDB, "open").mockImplementationOnce((...which) => {
      answer.mockRestore();
      going.hold(write("a"), "");
      return indexedDB.open(...which);
    });
    expect([...(await next.load()).writes.keys()]).toEqual(["a"]);
    await next.apply([["write", "a"]]);
    expect((await contentsOf(made())).writes).toEqual([]);
  });

  it("one whose client has another id by now is the same database", async () => {
    const memory = stateOf();
    const store = new IndexedStore("db", () => "made", undefined, undefined, memory);
    stores.push(store);
    Object.assign(memory, await store.load());
    const ops: Op[] = [["client_id", "another"]];
    await store.apply(ops);
    applyAll(memory, ops);
    vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementationOnce(() => {
      throw new DOMException("the connection was closed", "InvalidStateError");
    });
    expect(await store.apply([["epoch", "e1"]])).toBe(true);
  });

  it("what a page is about to store is not sent by the one that kept it, though its store fails", async () => {
    const [slow, next] = [made(), made()];
    await next.load();
    slow.hold(write("a"), "");
    const puts = vi.spyOn(IDBObjectStore.prototype, "put");
    const loading = next.load();
    while (!puts.mock.calls.length) await new Promise((resolve) => setImmediate(resolve));
    expect(slow.release("a")).toBe(false);
    expect([...(await loading).writes.keys()]).toEqual(["a"]);
  });

  it("what could not be stored for want of room is sent by the page that kept it", async () => {
    const [slow, next] = [made(), made()];
    await next.load();
    slow.hold(write("a"), "");
    full();
    expect((await next.load()).writes.size).toBe(0);
    expect(slow.release("a")).toBe(true);
  });

  it("what was kept for the next page and goes another way is not found by it", async () => {
    const store = made();
    store.hold(write("a"), "");
    expect(store.release("a")).toBe(true);
    expect((await contentsOf(made())).writes).toEqual([]);
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
    first
      .socket()
      .says({ type: "change", change: { ...change, action: "update", data: { n: 1 } } });
    first
      .socket()
      .says({ type: "sync_complete", entity: "tasks", epoch: "e1", version: 1, reset: false });
    void tasks.patch("1", { m: 2 });
    await eventually(() => expect(first.socket().heard().at(-1)).toMatchObject({ seq: 1 }));
    first.client.close();

    const second = await start({ storage: "app" });
    clients.push(second.client);
    const again = second.client.collection("tasks");
    expect(again.snapshot).toEqual([]);
    expect(await again.get("1")).toEqual({
      id: "1",
      data: { n: 1, m: 2 },
      version: 1,
      pending: true,
    });
    await eventually(() => expect(second.sockets.length).toBe(1));
    second.socket().opens();
    second.socket().says(WELCOME);
    expect(second.socket().heard()).toMatchObject([
      { type: "hello", epoch: "e1", confirmed_seq: 0 },
      { type: "subscribe", since: { tasks: { epoch: "e1", version: 1 } } },
      { type: "push_fields", seq: 1, base_version: 1 },
    ]);
  });

  it("shows operations after a reload on what it had, and sends them as they were", async () => {
    const first = await opened();
    const tasks = first.client.collection<{ n: number; tags: string[] }>("tasks");
    const change = { entity: "tasks", entity_id: "1", version: 1, created_at: TIME };
    const data = { n: 1, tags: ["b"] };
    first.socket().says({ type: "change", change: { ...change, action: "update", data } });
    first
      .socket()
      .says({ type: "sync_complete", entity: "tasks", epoch: "e1", version: 1, reset: false });
    void tasks.patch("1", { n: inc(2) });
    void tasks.patch("1", { n: inc(-1), tags: add("a") });
    await eventually(() => expect(first.socket().heard().at(-1)).toMatchObject({ seq: 2 }));
    first.client.close();

    const second = await start({ storage: "app" });
    clients.push(second.client);
    const again = second.client.collection("tasks");
    expect(await again.get("1")).toMatchObject({ data: { n: 2, tags: ["a", "b"] }, version: 1 });
    await eventually(() => expect(second.sockets.length).toBe(1));
    second.socket().opens();
    second.socket().says(WELCOME);
    expect(second.socket().heard().slice(2)).toMatchObject([
      { seq: 1, fields: [{ action: "increment", value: 2 }] },
      { seq: 2, fields: [{ action: "increment" }, { action: "add", value: ["a"] }] },
    ]);
  });

  it("without a database that works says so, shows what the server tells, and sends what is written", async () => {
    vi.spyOn(indexedDB, "open").mockImplementation(() => {
      throw new DOMException("not in private windows", "InvalidStateError");
    });
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const { client, socket } = await opened();
    expect(log.mock.calls).toMatchObject([[{ code: "storage_failed" }]]);
    expect(client.info).toMatchObject({
      stored: false,
      clientId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    const tasks = client.collection("tasks");
    const change = { entity: "tasks", entity_id: "1", version: 1, created_at: TIME };
    socket().says({ type: "change", change: { ...change, action: "update", data: 1 } });
    await settle();
    expect(tasks.snapshot).toMatchObject([{ data: 1 }]);
    const written = tasks.set("2", 2);
    await eventually(() => expect(socket().heard().at(-1)).toMatchObject({ type: "push", seq: 1 }));
    socket().says({ type: "push_ack", entity: "tasks", entity_id: "2", seq: 1, version: 2 });
    expect(await written).toMatchObject({ version: 2 });
  });

  it("whose database opens later stores what it showed and wrote meanwhile, and shows it on", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const open = vi.spyOn(indexedDB, "open").mockImplementation(() => {
      throw new DOMException("busy", "UnknownError");
    });
    vi.spyOn(console, "error").mockImplementation(() => {});
    const { client, socket } = await opened();
    const tasks = client.collection("tasks");
    await vi.advanceTimersByTimeAsync(1);
    const change = { entity: "tasks", entity_id: "1", version: 1, created_at: TIME };
    socket().says({ type: "change", change: { ...change, action: "update", data: 1 } });
    socket().says({
      type: "sync_complete",
      entity: "tasks",
      epoch: "e1",
      version: 1,
      reset: false,
    });
    client.offline();
    void tasks.set("2", 2);
    const own = client.info.clientId;
    const shown: number[] = [];
    tasks.subscribe((rows) => shown.push(rows.length));
    open.mockRestore();
    await vi.advanceTimersByTimeAsync(5_000);
    await settle();
    vi.useRealTimers();
    await eventually(() => expect(client.queue).toMatchObject([{ seq: 1 }]));
    expect(client.info.stored).toBe(true);
    expect(client.info.clientId).not.toBe(own);
    expect(
      shown.every((each) => each === 2),
      "nothing flickers",
    ).toBe(true);
    expect(await contentsOf(made("app"))).toMatchObject({
      records: [["tasks", "1", { data: 1, version: 1 }]],
      writes: [{ entityId: "2", seq: 1 }],
      meta: { client_id: client.info.clientId },
    });
  });

  it("keeps what is written before its database is open, and closed at once", async () => {
    const { client } = await opened();
    const after = await start({ storage: "app" });
    const write = after.client.collection("tasks").set("2", 2);
    after.client.close();
    await expect(write).rejects.toMatchObject({ code: "closed" });
    client.close();
    // What says that nobody has cleared it stays.
    await eventually(() => expect(Object.keys(localStorage)).toEqual(["rhtmx app "]));
    expect((await contentsOf(made("app"))).writes).toMatchObject([{ entityId: "2", seq: 1 }]);
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
    expect((await contentsOf(made("app"))).records).toEqual([
      ["tasks", "1", { data: 1, version: 1 }],
    ]);
    expect(told).toHaveBeenCalledOnce();
  });
});

describe("a database from before there were parts", () => {
  const place = { epoch: "e1", version: 4, fields: false };

  /** As it was written then: the key of a position is the name of its entity. */
  async function before(): Promise<void> {
    const opening = indexedDB.open("db", 2);
    opening.onupgradeneeded = () => {
      for (const each of ["record", "place", "refused", "meta", "queue"]) {
        const table = opening.result.createObjectStore(each, { autoIncrement: each === "queue" });
        if (each === "queue") table.createIndex("id", "id", { unique: true });
      }
    };
    const db = await result(opening);
    const transaction = db.transaction(["record", "place", "meta", "queue"], "readwrite");
    transaction.objectStore("record").put({ data: { n: 1 }, version: 3 }, ["tasks", "1"]);
    transaction.objectStore("place").put(place, "tasks");
    transaction.objectStore("meta").put("c1", "client_id");
    const { seq, ...queued } = write("w1");
    transaction.objectStore("queue").put(queued);
    await new Promise((resolve) => (transaction.oncomplete = resolve));
    db.close();
  }

  it("keeps what it has, and a position of the whole is stored as it was", async () => {
    await before();
    const store = made();
    expect(await contentsOf(store)).toMatchObject({
      records: [["tasks", "1", { data: { n: 1 }, version: 3 }]],
      places: [["tasks", place]],
      writes: [{ id: "w1", seq: 1 }],
      meta: { client_id: "c1" },
    });
    await store.apply([["place", "tasks", { ...place, version: 5 }]]);
    const db = await result(indexedDB.open("db"));
    const table = db.transaction("place").objectStore("place");
    expect(await result(table.get("tasks"))).toStrictEqual({ ...place, version: 5 });
    db.close();
  });

  it("takes positions of parts beside it, with their scopes, for the next page", async () => {
    await before();
    const store = made();
    await store.load();
    const name = partName("tasks", { team: "red", size: 9007199254740993n });
    const part = { ...place, version: 7, scope: "s1" };
    await store.apply([["place", name, part]]);
    store.close();
    expect((await contentsOf(made())).places).toEqual([
      ["tasks", place],
      [name, part],
    ]);
  });
});
