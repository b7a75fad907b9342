/**
 * What lies in the tables of a store in IndexedDB.
 *
 * Knows which operation changes what. Must not know transactions: it is called within one, and
 * waits for nothing but its requests.
 *
 * The number of a write is its key, which the database gives when it is put, plus `shift`,
 * which changes when all are numbered anew: so a write can be put without reading anything.
 * A settled write has a number no more, but a place among others: that it keeps itself.
 *
 * A write that left the queue leaves its id behind, under its key made negative, for a while: a page
 * that does not know whether it has stored that puts it again, and no id can be there twice.
 */

import type { Op, State, Write } from "../core/storage-ops.ts";
import { apply, applyAll, renumber, stateOf } from "../core/storage-ops.ts";
import type { Table } from "./database.ts";
import { result } from "./database.ts";
import { isOnRecord, SEGMENTS, Segments } from "./segments.ts";

/** What a write needs. They are in `queue`; their key is a number, or the id of one that was settled elsewhere. */
export const WRITE_TABLES = ["rejected", "meta", "queue"];
export const TABLES = [SEGMENTS, "place", ...WRITE_TABLES];
/** The ids of so many of the last writes that left the queue are there. */
const REMEMBERED = 1_000;

/** Makes the tables. */
export function upgrade(transaction: IDBTransaction): void {
  const { db } = transaction;
  for (const each of TABLES) {
    if (db.objectStoreNames.contains(each)) continue;
    const autoIncrement = each === "queue" || each === SEGMENTS;
    const table = db.createObjectStore(each, { autoIncrement });
    if (each === "queue") table.createIndex("id", "id", { unique: true });
  }
  const moved = move((name) => transaction.objectStore(name), db);
  // All or nothing. If it has ended already, the request that opens the database fails.
  moved.catch(() => transaction.abort()).catch(() => {});
}

/** Moves what earlier versions left. */
async function move(table: Table, db: IDBDatabase): Promise<void> {
  const names = db.objectStoreNames;
  // Version 3 had a row for each record.
  if (names.contains("record")) {
    const all = await rows(table("record"));
    const ops = all.map(([key, held]): Op => ["record", ...(key as [string, string]), held]);
    new Segments().append(table, ops.filter(isOnRecord), true);
    db.deleteObjectStore("record");
  }
  // Version 2 had another name for what was rejected.
  if (names.contains("refused")) {
    for (const [key, each] of await rows(table("refused"))) table("rejected").put(each, key);
    db.deleteObjectStore("refused");
  }
  // Version 1 kept the number in the write.
  if (!names.contains("write")) return;
  const writes: Write[] = await result(table("write").getAll());
  const last = (await result(table("meta").get("last"))) ?? 0;
  for (const each of writes) table("queue").put(bare(each), each.settled ? each.id : each.seq);
  await applied(table, ["last", last]);
  db.deleteObjectStore("write");
}

type Rows = [key: IDBValidKey, value: never][];

async function rows(table: IDBObjectStore, from?: IDBKeyRange): Promise<Rows> {
  const [keys, values] = [table.getAllKeys(from), table.getAll(from)];
  await result(values);
  return keys.result.map((key, at) => [key, values.result[at] as never]);
}

/** All that is in the queue, without what has left it. */
function queued(table: Table): Promise<Rows> {
  return rows(table("queue"), IDBKeyRange.lowerBound(0));
}

/** Everything, as it lies in the tables. */
export async function read(table: Table, segments: Segments): Promise<State> {
  const state = stateOf();
  const [places, rejected, meta, queue] = await Promise.all([
    ...["place", "rejected", "meta"].map((name) => rows(table(name))),
    queued(table),
    segments.read(table, (op) => apply(state, op)),
  ]);
  const { shift = 0, ...known } = Object.fromEntries(meta!) as { [key: string]: never };
  const writes = queue!.map((row) => numbered(row, shift));
  applyAll(state, [
    ...places!.map(([name, place]): Op => ["place", name as string, place]),
    ...rejected!.map(([id, each]): Op => ["rejected", id as string, each]),
    ...(Object.entries(known) as never as Op[]),
    ...writes.map((each): Op => ["write", each.id, each]),
  ]);
  return state;
}

/** A write as it lies in the table: its key is its number, unless it is settled and none counts. */
export function bare(write: Write): Write {
  const { seq, ...rest } = write;
  return write.settled ? write : rest;
}

function numbered([key, write]: Rows[number], shift: number): Write {
  const seq = (key as number) + shift;
  return (write as Write).settled ? write : { ...(write as Write), seq };
}

/**
 * Puts a write that may be there already; one that has still this number gets another one.
 *
 * @returns its number; 0 if it was there, and has left.
 */
export async function put(table: Table, write: Write, instead: string): Promise<number> {
  const queue = table("queue");
  const key = await result(queue.index("id").getKey(write.id));
  if (isLeft(key)) return 0;
  const shift = await shiftOf(table);
  const seq = key === undefined ? key : (key as number) + shift;
  if (seq !== write.seq) return seq ?? 0;
  if (key !== undefined) queue.delete(key);
  table("rejected").delete(instead);
  return ((await result(queue.put(bare(write)))) as number) + shift;
}

/** Whether a key is that of a write that has left the queue. */
function isLeft(key: IDBValidKey | undefined): boolean {
  return typeof key === "number" && key < 0;
}

async function shiftOf(table: Table): Promise<number> {
  return (await result(table("meta").get("shift"))) ?? 0;
}

/**
 * Applies operations in their order; what they do to records depends on no other.
 *
 * @param isCautious records may be too large to be put together.
 */
export async function appliedAll(
  table: Table,
  segments: Segments,
  ops: readonly Op[],
  isCautious: boolean,
): Promise<void> {
  for (const op of ops) if (op[0] === "place") segments.renew(table, op[1], op[2]);
  segments.append(table, ops.filter(isOnRecord), isCautious);
  for (const op of ops) await applied(table, op);
}

/** Applies an operation on anything but records; nothing has to be waited for but what reads. */
async function applied(table: Table, op: Op): Promise<void> {
  switch (op[0]) {
    case "record":
      return;
    case "place":
    case "rejected":
      return set(table(op[0]), op[1], op[2]);
    case "write":
      return rewrite(table, op[1], op[2]);
    case "last": {
      const key = op[1] - (await shiftOf(table));
      await raise(table, op[1]);
      if (await result(table("queue").count(key))) break;
      // The next key that the database gives is above each that was ever there.
      table("queue").put(0, key);
      table("queue").delete(key);
      break;
    }
    case "renumber":
      return renumbered(table, op[1]);
    default:
      table("meta").put(op[1], op[0]);
  }
}

function set(table: IDBObjectStore, key: IDBValidKey, value: unknown): void {
  if (value) table.put(value, key);
  else table.delete(key);
}

/** A write changes, or leaves the queue. */
async function rewrite(table: Table, id: string, write: Write | undefined): Promise<void> {
  const queue = table("queue");
  const key = await result(queue.index("id").getKey(id));
  if (write?.settled) queue.put(write, key ?? id);
  else if (key === undefined || isLeft(key)) return;
  else if (write) queue.put(bare(write), key);
  else {
    queue.delete(key);
    if (typeof key !== "number") return;
    queue.put({ id }, -key);
    queue.delete(IDBKeyRange.bound(Math.min(REMEMBERED - key, 0), 0));
    // What was given last has to be known when nothing waits.
    await raise(table, key + (await shiftOf(table)));
  }
}

async function raise(table: Table, last: number): Promise<void> {
  const meta = table("meta");
  meta.put(Math.max(last, (await result(meta.get("last"))) ?? 0), "last");
}

async function renumbered(table: Table, last: number): Promise<void> {
  const [queue, meta] = [table("queue"), table("meta")];
  const shift = await shiftOf(table);
  const all = await queued(table);
  const keys = new Map(all.map(([key, write]) => [(write as Write).id, key]));
  // What is put without a key from here on has the next ones.
  const key = (await result(queue.put(0))) as number;
  queue.delete(key);
  meta.put(last - key, "shift");
  meta.put(last, "last");
  const writes = all.map((row) => numbered(row, shift));
  renumber(writes, key + shift - 1, last, (each) => {
    if (each.settled) return void queue.put(each, keys.get(each.id));
    queue.delete(keys.get(each.id)!);
    queue.put(bare(each));
  });
}
