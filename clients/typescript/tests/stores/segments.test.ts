import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Op, Place } from "../../src/core/storage-ops.ts";
import { Database, result } from "../../src/stores/database.ts";
import { IndexedStore } from "../../src/stores/indexeddb.ts";
import { isOnRecord, SEGMENTS, Segments, slices } from "../../src/stores/segments.ts";
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
    ["record", "tasks", "2"],
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
  await database.run(false, (table) => next.compact(table, 501));
  expect(next.isDue(501)).toBe(false);
  const last = new Segments();
  await readBy(database, last);
  expect(last.isDue(501)).toBe(false);
});

const compact = (database: Database, segments: Segments, records: number) =>
  database.run(false, (table) => segments.compact(table, records));
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

it("once all has been told anew, nothing is left of what it was before", async () => {
  const [database, segments] = [opened(), new Segments()];
  segments.placed(told({}));
  await append(database, segments, set("a", 1));
  segments.placed(told({ version: 1, shown: true }));
  expect(segments.isDue(1), "the first time there is nothing before").toBe(false);
  segments.placed(told({}));
  await append(database, segments, set("a", 2));
  expect(segments.isDue(1)).toBe(false);
  segments.placed(told({ version: 2, shown: true }));
  expect(segments.isDue(1)).toBe(true);
  await compact(database, segments, 1);
  expect(segments.isDue(1)).toBe(false);
  expect(await readBy(database)).toEqual([set("a", 2)]);
});

it("when most of it was replaced, nothing of that is left", async () => {
  const [database, segments] = [opened(), new Segments()];
  await append(database, segments, set("gone", 1));
  for (let at = 0; at < 11; at += 1)
    await append(database, segments, ...Array.from({ length: 100 }, (_, id) => set(`${id}`, at)));
  await append(database, segments, ["record", "tasks", "gone"]);
  expect(segments.isDue(40)).toBe(true);
  await database.run(false, (table) => segments.compact(table, 40));
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

it("a store that cannot compact goes on with all that is there, and does not try again", async () => {
  const store = new IndexedStore("app", () => "made");
  await store.load();
  const run = vi.spyOn(Segments.prototype, "compact").mockImplementation(async () => {
    throw new DOMException("full", "QuotaExceededError");
  });
  await replace(store, 504);
  expect(run).toHaveBeenCalledOnce();
  expect((await contentsOf(store)).records).toEqual([["tasks", "1", { data: 504, version: 504 }]]);
  store.close();
});
