import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Op, Place } from "../../src/core/storage-ops.ts";
import { Database, result } from "../../src/stores/database.ts";
import { IndexedStore } from "../../src/stores/indexeddb.ts";
import { segmentIn } from "../../src/stores/segment-rows.ts";
import { isOnRecord, SEGMENTS, Segments, slices } from "../../src/stores/segments.ts";
import { settle } from "../support/client.ts";
import { contentsOf } from "../support/contents.ts";
import { foreignWaits } from "../support/foreign.ts";
import { write } from "../support/writes.ts";

/** Of all transactions here. */
const foreign = foreignWaits();

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});
afterEach(() => {
  vi.restoreAllMocks();
  expect(foreign.splice(0), "a transaction waits for nothing but its requests").toEqual([]);
});

function opened(): Database {
  const upgrade = ({ db }: IDBTransaction) =>
    void db.createObjectStore(SEGMENTS, { autoIncrement: true });
  return new Database({ name: "db", version: 1, tables: [SEGMENTS], upgrade });
}

function set(id: string, version: number): Op {
  return ["record", "tasks", id, { data: version, version }];
}

async function append(database: Database, segments: Segments, ...ops: Op[]): Promise<void> {
  await database.run(false, async (table) => segments.append(table, ops.filter(isOnRecord)));
}

/** What a page that comes later reads. */
async function readBy(database: Database, segments = new Segments()): Promise<Op[]> {
  const found: Op[] = [];
  await database.run(false, (table) => segments.read(table, (op) => found.push(op)));
  return found;
}

function count(database: Database): Promise<number> {
  return database.run(false, (table) => result(table(SEGMENTS).count()));
}

it("what was stored together is a row, and is read in the order in which it was stored", async () => {
  const [database, segments] = [opened(), new Segments()];
  await append(database, segments, set("1", 1), set("2", 2));
  await append(database, segments, set("1", 3), ["record", "tasks", "2"]);
  expect(await count(database)).toBe(2);
  expect(await readBy(database)).toEqual([
    set("1", 1),
    set("2", 2),
    set("1", 3),
    ["record", "tasks", "2", undefined],
  ]);
});

it("much that is stored together is read in slices, all of it", async () => {
  const [database, segments] = [opened(), new Segments()];
  const many = Array.from({ length: 5_000 }, (_, at) => set(`${at}`, at));
  await append(database, segments, ...many);
  const read = vi.spyOn(IDBObjectStore.prototype, "getAll");
  expect(await readBy(database)).toEqual(many);
  expect(read).toHaveBeenCalledTimes(3);
});

it("is due once there are many small segments, and not for large ones", async () => {
  const [database, segments] = [opened(), new Segments()];
  await append(
    database,
    segments,
    ...Array.from({ length: 128 * 501 }, (_, at) => set(`${at}`, 1)),
  );
  expect(segments.isDue(128 * 501)).toBe(false);
  for (let at = 0; at <= 500; at += 1) await append(database, segments, set(`${at}`, 2));
  expect(segments.isDue(128 * 501)).toBe(true);
});

it("a page that comes later knows whether it is due", async () => {
  const [database, segments] = [opened(), new Segments()];
  for (let at = 0; at <= 500; at += 1) await append(database, segments, set(`${at}`, 1));
  const next = new Segments();
  await readBy(database, next);
  expect(next.isDue(501)).toBe(true);
  await compact(database, next, 501);
  expect(next.isDue(501)).toBe(false);
  const last = new Segments();
  await readBy(database, last);
  expect(last.isDue(501)).toBe(false);
});

async function compact(database: Database, segments: Segments, records: number): Promise<void> {
  const done = await database.run(false, (table) => segments.compact(table, records));
  done();
}
const gone = (id: string): Op => ["record", "tasks", id];
const told = (more: object): Place => ({ epoch: "e", version: 0, fields: false, ...more });

it("what is gone is taken out of every segment at once, and nothing else", async () => {
  const [database, segments] = [opened(), new Segments()];
  await append(database, segments, set("old", 1), set("gone", 1));
  await append(database, segments, set("gone", 2));
  await append(database, segments, set("new", 2));
  await append(database, segments, gone("gone"), set("old", 3));
  expect(segments.isDue(2)).toBe(true);
  await compact(database, segments, 2);
  expect(segments.isDue(2)).toBe(false);
  expect(await readBy(database)).toEqual([set("old", 1), set("new", 2), set("old", 3)]);
});

/** What one removal of a record reads. */
async function removing(database: Database, segments: Segments, id: string): Promise<unknown[]> {
  await append(database, segments, gone(id));
  const read = vi.spyOn(IDBObjectStore.prototype, "getAll");
  await compact(database, segments, 1_000_000);
  const ranges = read.mock.calls.map(([range]) => (range as IDBKeyRange).upper);
  read.mockRestore();
  return ranges;
}

const many = (from: number) => Array.from({ length: 1_000 }, (_, at) => set(`${from + at}`, 1));

it("to take out what is gone, only the segments are read in which it was", async () => {
  const [database, segments] = [opened(), new Segments()];
  await append(database, segments, ...many(0));
  await append(database, segments, set("7", 2));
  expect(await removing(database, segments, "7")).toEqual([1, 9, 10]);
  const next = new Segments();
  await readBy(database, next);
  expect(await removing(database, next, "999")).toEqual([8, 11]);
  expect(await readBy(database)).toHaveLength(998);
});

it("of what another page has stored since, all is read once", async () => {
  const [database, segments, other] = [opened(), new Segments(), new Segments()];
  await append(database, segments, set("a", 1), set("b", 1));
  await append(database, other, set("a", 2));
  await append(database, other, set("c", 1));
  expect(await removing(database, segments, "a")).toEqual([1, 2, 3, 4]);
  expect(await removing(database, segments, "c")).toEqual([3, 5]);
  expect(await readBy(database)).toEqual([set("b", 1)]);
});

it("what another page has put together is read under its new keys", async () => {
  const [database, segments, other] = [opened(), new Segments(), new Segments()];
  await append(database, segments, ...many(0));
  await readBy(database, other);
  await come(database, other, told({}));
  await come(database, other, told({ version: 1, shown: true }));
  await compact(database, other, 1_000);
  expect(await removing(database, segments, "999")).toHaveLength(9);
  expect(await readBy(database)).toHaveLength(999);
});

it("a key that was taken back with its transaction is that of another segment", async () => {
  const [database, segments] = [opened(), new Segments()];
  const failed = database.run(false, async (table) => {
    segments.append(table, [["record", "tasks", "x", { data: 1, version: 1 }]]);
    await result(table(SEGMENTS).count());
    throw new DOMException("full", "QuotaExceededError");
  });
  await expect(failed).rejects.toThrow();
  await append(database, new Segments(), set("a", 1));
  expect(await removing(database, segments, "a")).toEqual([1, 2]);
  expect(await readBy(database)).toEqual([]);
});

it("of one that came back, what it was before is gone", async () => {
  const [database, segments] = [opened(), new Segments()];
  await append(database, segments, set("a", 1), gone("a"), set("a", 3));
  await compact(database, segments, 1);
  expect(await readBy(database)).toEqual([set("a", 3)]);
});

it("what a page left behind that is gone, the next one takes out", async () => {
  const [database, segments] = [opened(), new Segments()];
  await append(database, segments, set("a", 1), set("b", 1), gone("a"));
  const next = new Segments();
  await readBy(database, next);
  expect(next.isDue(1)).toBe(true);
  await compact(database, next, 1);
  expect(await readBy(database)).toEqual([set("b", 1)]);
});

it("small segments are put together, and then what is gone is taken out of those before", async () => {
  const [database, segments] = [opened(), new Segments()];
  for (let at = 0; at <= 500; at += 1) await append(database, segments, set(`${at}`, 1));
  await compact(database, segments, 501);
  await append(database, segments, gone("3"));
  for (let at = 0; at <= 500; at += 1) await append(database, segments, set(`new ${at}`, 1));
  await compact(database, segments, 1001);
  expect(segments.isDue(1001)).toBe(true);
  await compact(database, segments, 1001);
  expect(segments.isDue(1001)).toBe(false);
  expect(await readBy(database)).toHaveLength(1001);
});

/** A part has come so far, and what was told until then is stored at once with that. */
async function come(database: Database, segments: Segments, at: Place, ...ops: Op[]) {
  await partCame("tasks", database, segments, at, ...ops);
}

async function partCame(
  name: string,
  database: Database,
  segments: Segments,
  at: Place,
  ...ops: Op[]
) {
  await database.run(false, async (table) => {
    segments.renew(table, name, at);
    segments.append(table, ops.filter(isOnRecord));
  });
  segments.placed(name, at);
}

it("once all has been told anew, nothing is left of what it was before", async () => {
  const [database, segments] = [opened(), new Segments()];
  await come(database, segments, told({}));
  await come(database, segments, told({ version: 1, shown: true }), set("a", 1));
  expect(segments.isDue(1), "the first time there is nothing before").toBe(false);
  await come(database, segments, told({}), set("a", 2));
  expect(segments.isDue(1)).toBe(false);
  await come(database, segments, told({ version: 2, shown: true }));
  expect(segments.isDue(1)).toBe(true);
  await compact(database, segments, 1);
  expect(segments.isDue(1)).toBe(false);
  expect(await readBy(database)).toEqual([set("a", 2)]);
});

it("what is told anew, and stored at one go, leaves nothing of what was before either", async () => {
  const [database, segments] = [opened(), new Segments()];
  await come(database, segments, told({ version: 1, shown: true, scope: "one" }), set("a", 1));
  await come(database, segments, told({ version: 2, shown: true, scope: "one" }), set("a", 2));
  expect(segments.isDue(1), "by the same rights").toBe(false);
  await come(database, segments, told({ version: 3, shown: true, scope: "other" }), set("a", 3));
  expect(segments.isDue(1)).toBe(true);
  await compact(database, segments, 1);
  expect(await readBy(database)).toEqual([set("a", 3)]);
});

it("whoever leads when all has been told anew knows that it was, by the table", async () => {
  const [database, before, next] = [opened(), new Segments(), new Segments()];
  await come(database, before, told({ version: 1, shown: true }), set("a", 1));
  await come(database, before, told({}));
  await readBy(database, next);
  expect(next.isDue(1)).toBe(false);
  await come(database, next, told({ version: 2, shown: true }), set("a", 2));
  expect(next.isDue(1)).toBe(true);
  const last = new Segments();
  await readBy(database, last);
  last.placed("tasks", told({ version: 2, shown: true }));
  expect(last.isDue(1), "and who comes after that").toBe(true);
  await compact(database, last, 1);
  const none = new Segments();
  expect(await readBy(database, none)).toEqual([set("a", 2)]);
  none.placed("tasks", told({ version: 2, shown: true }));
  expect(none.isDue(1)).toBe(false);
});

it("one part that is shown does not end what is told anew of another", async () => {
  const [database, segments] = [opened(), new Segments()];
  const other = (version: number) =>
    partCame("tasks\0{}", database, segments, told({ version, shown: version > 0 }));
  await come(database, segments, told({ version: 1, shown: true }), set("a", 1));
  await come(database, segments, told({}));
  await other(0);
  expect(segments.isDue(1)).toBe(false);
  await other(2);
  expect(segments.isDue(1)).toBe(true);
  await compact(database, segments, 1);
  expect(segments.isDue(1)).toBe(false);
  await come(database, segments, told({ version: 2, shown: true }), set("a", 2));
  expect(segments.isDue(1)).toBe(true);
});

it.each(["what is gone", "what was replaced"])(
  "%s is taken out the next time where the transaction that did so was aborted",
  async (what) => {
    const [database, segments] = [opened(), new Segments()];
    await come(database, segments, told({ version: 1, shown: true }), set("a", 1));
    if (what === "what is gone") await append(database, segments, gone("a"));
    else await come(database, segments, told({ version: 2, scope: "s", shown: true }), set("a", 2));
    const aborted = database.run(false, async (table) => {
      await segments.compact(table, 2);
      throw new Error("the page went");
    });
    await expect(aborted).rejects.toThrow("the page went");
    expect(segments.isDue(2)).toBe(true);
    await compact(database, segments, 2);
    expect(JSON.stringify(await readBy(database))).not.toContain('"version":1');
  },
);

it("when most of it was replaced, nothing of that is left", async () => {
  const [database, segments] = [opened(), new Segments()];
  await append(database, segments, set("gone", 1));
  for (let at = 0; at < 11; at += 1)
    await append(database, segments, ...Array.from({ length: 100 }, (_, id) => set(`${id}`, at)));
  await append(database, segments, ["record", "tasks", "gone"]);
  expect(segments.isDue(40)).toBe(true);
  await compact(database, segments, 40);
  expect(await readBy(database)).toEqual(Array.from({ length: 100 }, (_, id) => set(`${id}`, 10)));
  expect(segments.isDue(40)).toBe(false);
});

it("a list is cut into parts of so many at most", () => {
  expect(slices([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(slices([], 2)).toEqual([]);
});

/** Changes one record so often that most of what is stored was replaced. */
async function replace(store: IndexedStore, last: number): Promise<void> {
  for (let at = 1; at <= last; at += 1) await store.apply([set("1", at)]);
}

it("a store compacts what was replaced, and a write does not wait for that", async () => {
  const store = new IndexedStore("app", () => "made");
  await store.load();
  const run = vi.spyOn(Segments.prototype, "compact");
  await replace(store, 502);
  expect(run).toHaveBeenCalledOnce();
  expect(await store.add(write("a"))).toBe(1);
  await run.mock.results[0]!.value;
  expect((await contentsOf(store)).records).toEqual([["tasks", "1", { data: 502, version: 502 }]]);
  store.close();
});

/** No row may have more than so many operations, as where records are large. */
function refusesMoreThan(most: number) {
  const put = IDBObjectStore.prototype.put;
  return vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (
    this: IDBObjectStore,
    ...args
  ) {
    const row: unknown = args[0];
    const count = this.name === SEGMENTS && typeof row === "string" ? segmentIn(row).length : 0;
    if (count > most) throw new DOMException("too large", "UnknownError");
    return put.apply(this, args);
  });
}

it("records that are too large to be put together are stored, and compacted, in smaller segments", async () => {
  const store = new IndexedStore("app", () => "made");
  await store.load();
  refusesMoreThan(8);
  const many = (version: number) => Array.from({ length: 600 }, (_, id) => set(`${id}`, version));
  for (let version = 1; version <= 3; version += 1) await store.apply(many(version));
  await settle();
  store.close();
  const next = new IndexedStore("app", () => "made");
  const { entities } = await next.load();
  const versions = [...entities.get("tasks")!.records.values()].map(({ version }) => version);
  expect(versions).toEqual(Array(600).fill(3));
  next.close();
  const db: IDBDatabase = await result(indexedDB.open("app"));
  const rows = await result(db.transaction(SEGMENTS).objectStore(SEGMENTS).getAll());
  const left = rows.filter((row) => typeof row === "string").flatMap(segmentIn);
  expect(left, "nothing that was replaced").toHaveLength(600);
  db.close();
});

it("a page that is opened takes out what the one before it left", async () => {
  const before = new IndexedStore("app", () => "made");
  await before.load();
  vi.spyOn(Segments.prototype, "isDue").mockReturnValue(false);
  await before.apply([set("1", 1), set("2", 2)]);
  await before.apply([gone("1")]);
  vi.restoreAllMocks();
  before.close();
  const next = new IndexedStore("app", () => "made");
  await next.load();
  await settle();
  next.close();
  const db: IDBDatabase = await result(indexedDB.open("app"));
  const left = await result(db.transaction(SEGMENTS).objectStore(SEGMENTS).getAll());
  expect(left.map(segmentIn)).toEqual([[set("2", 2)]]);
  db.close();
});

it("a store that cannot compact goes on with all that is there, and tries again later", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const store = new IndexedStore("app", () => "made");
  await store.load();
  const run = vi.spyOn(Segments.prototype, "compact").mockImplementation(async () => {
    throw new DOMException("full", "QuotaExceededError");
  });
  await replace(store, 504);
  expect(run).toHaveBeenCalledOnce();
  expect((await contentsOf(store)).records).toEqual([["tasks", "1", { data: 504, version: 504 }]]);
  vi.restoreAllMocks();
  await vi.advanceTimersByTimeAsync(60_000);
  await settle();
  vi.useRealTimers();
  store.close();
  const db: IDBDatabase = await result(indexedDB.open("app"));
  const left = await result(db.transaction(SEGMENTS).objectStore(SEGMENTS).count());
  expect(left, "one segment, where it ends, and what is told anew").toBe(3);
  db.close();
});
