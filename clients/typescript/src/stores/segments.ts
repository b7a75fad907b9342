/**
 * Records in a table of IndexedDB, as a log of segments.
 *
 * Knows how operations on records are appended, read and compacted. Must not know transactions: it
 * is called within one, and waits for nothing but its requests.
 *
 * A segment is one row: operations that were stored together, some at most. What comes later counts.
 * (Measured in Chromium 156: a row costs the page 20 µs and a record in a segment 1 µs, to read
 * them 5 µs and 1 µs.) The price is that what was replaced stays for a while. So when there are
 * many small segments, they become few; and when most of what is there was replaced, it goes. Up to
 * the segment whose key lies under `END` all is compact.
 *
 * A record that is gone may be one that this client must not have any more: it is taken out of all
 * segments at once. So is what was replaced when all was told anew, as after a change of rights.
 * Which segments may have it is known by four bytes for each of their operations; those of other
 * tabs are read for it. A key stands for one segment for ever, which at most becomes a smaller one.
 *
 * Nothing here takes long at a time: between two requests the browser does something else.
 */

import { entityIn } from "../core/part.ts";
import type { Op, Place } from "../core/storage-ops.ts";
import type { Table } from "./database.ts";
import { result } from "./database.ts";
import type { RecordOp, Row, Segment } from "./segment-rows.ts";
import { rowOf, segmentIn } from "./segment-rows.ts";

/** The name of the table, whose keys begin at 1. */
export const SEGMENTS = "segments";
/** The key under which that of the last compact segment lies; 0 for none. */
const END = 0;
/** The key under which the parts lie that are told anew; see `placed`. */
const RENEWED = -1;
/** Operations in a segment at most: with more, each costs as much. */
const MOST = 128;
/** The same where records may be large: Chromium 156 puts no row above 127 MiB. */
const FEW = 8;
/** Segments that are read or put before the page has its turn: 2,000 records, some milliseconds. */
const SLICE = 16;
/** So many small segments are put together. */
const SMALL_ONES = 500;
/** So much that was replaced stays in any case. */
const REPLACED = 1_000;

/** Whether an operation belongs here. */
export function isOnRecord(op: Op): op is RecordOp {
  return op[0] === "record";
}

/** The log of one database, as far as this page knows it; others may have compacted it since. */
export class Segments {
  /** Operations, those that were replaced among them. */
  #all = 0;
  /** Segments with less than half of what they may have, after the compact ones. */
  #small = 0;
  /** Records that are gone, and may still be in some segment. */
  readonly #gone = new Set<string>();
  /** The hashes of the ids in a segment, by its key. */
  readonly #hashes = new Map<number, Int32Array>();
  /** Entities of which there is something. */
  readonly #entities = new Set<string>();
  /** How far each part has come, as it is stored. */
  readonly #places = new Map<string, Place>();
  /** Parts that are told anew, over what is there. */
  #renewed = new Set<string>();

  /**
   * Puts operations behind all others.
   *
   * @param isCautious they may be too large to be put together.
   */
  append(table: Table, ops: Segment, isCautious = false): void {
    for (const each of slices(ops, isCautious ? FEW : MOST)) {
      this.#put(table, each);
      this.#count(each);
      this.#miss(each);
    }
  }

  /**
   * Notes a part that is told anew, be it by other rights, over what is there: once all has come,
   * what that replaced goes. To be called where its place is stored, before `append`; the note
   * lies in the table, since another page may lead by the time that all has come.
   */
  renew(table: Table, name: string, place: Place): void {
    const before = this.#places.get(name);
    // All of it may be stored at one go: then its beginning is not seen.
    const isOther = before?.version && !isSamePast(before, place);
    if ((isOther || !place.version) && this.#entities.has(entityIn(name))) this.#renewed.add(name);
    // Each time: the transaction that noted it may have failed.
    if (this.#renewed.size) table(SEGMENTS).put([...this.#renewed], RENEWED);
  }

  /** The place of a part is stored. */
  placed(name: string, place: Place): void {
    this.#places.set(name, place);
  }

  /** Gives all operations to `take`, in their order. */
  async read(table: Table, take: (op: RecordOp) => void): Promise<void> {
    const renewed = table(SEGMENTS).get(RENEWED);
    const end = await endOf(table);
    this.#renewed = new Set(renewed.result);
    this.#all = this.#small = 0;
    await this.#visit(table, await keysAfter(table, END), SLICE, (each, key) => {
      if (key > end) this.#count(each);
      else this.#all += each.length;
      this.#miss(each);
      each.forEach(take);
    });
  }

  /**
   * Whether `compact` is worth its time.
   *
   * @param records how many there are.
   */
  isDue(records: number): boolean {
    return this.#gone.size > 0 || this.#isCrowded(records);
  }

  /**
   * Puts small segments together; if most of what is there was replaced, all of them. If that is
   * not due, takes out what is gone.
   *
   * @param isCautious what is there may be too large to be put together.
   * @returns what to call once that is kept: until then nothing is known to be done.
   */
  async compact(table: Table, records: number, isCautious = false): Promise<() => void> {
    if (!this.#isCrowded(records)) return this.#takeOut(table);
    const segments = table(SEGMENTS);
    const isWhole = this.#isMostlyReplaced(records);
    const end = isWhole ? END : await endOf(table);
    const last = new Map<string, RecordOp>();
    let count = 0;
    await this.#visit(table, await keysAfter(table, end), SLICE, (each) => {
      count += each.length;
      for (const op of each) last.set(recordOf(op), op);
    });
    segments.delete(IDBKeyRange.lowerBound(end, true));
    // What is gone has to be said of what may lie before.
    const left = [...last.values()].filter((op) => !isWhole || op[3]);
    let key: IDBValidKey = end;
    for (const some of slices(slices(left, isCautious ? FEW : MOST), SLICE)) {
      const puts = some.map((each) => this.#put(table, each));
      key = await result(puts.at(-1)!);
    }
    segments.put(key, END);
    const renewed = new Set([...this.#renewed].filter((name) => !isWhole || !this.#isShown(name)));
    segments.put([...renewed], RENEWED);
    return () => {
      if (isWhole) this.#gone.clear();
      this.#renewed = renewed;
      this.#small = 0;
      this.#all = left.length + (isWhole ? 0 : this.#all - count);
    };
  }

  /** Takes records that are gone out of all segments. */
  async #takeOut(table: Table): Promise<() => void> {
    const gone = new Set(this.#gone);
    const last = new Map<string, RecordOp>();
    const found: [key: number, segment: Segment][] = [];
    const keys = this.#keysOf(gone, await keysAfter(table, END));
    await this.#visit(table, keys, 1, (each, key) => {
      const some = each.filter((op) => gone.has(recordOf(op)));
      for (const op of some) last.set(recordOf(op), op);
      if (some.length) found.push([key, each]);
    });
    let taken = 0;
    for (const [key, segment] of found) {
      // One that came back has a value by now.
      const left = segment.filter(
        (op) => !gone.has(recordOf(op)) || (op[3] && last.get(recordOf(op)) === op),
      );
      if (left.length) table(SEGMENTS).put(rowOf(left), key);
      else table(SEGMENTS).delete(key);
      taken += segment.length - left.length;
    }
    return () => {
      for (const each of gone) this.#gone.delete(each);
      this.#all -= taken;
    };
  }

  /** The keys, of all that there are, of the segments which may have some of these records. */
  #keysOf(records: ReadonlySet<string>, all: readonly number[]): number[] {
    const there = new Set(all);
    for (const key of this.#hashes.keys()) if (!there.has(key)) this.#hashes.delete(key);
    const hashes = new Set([...records].map((each) => hashOf(each.split("\0")[1]!)));
    return all.filter((key) => this.#hashes.get(key)?.some((hash) => hashes.has(hash)) ?? true);
  }

  /** Gives the segments with these keys, read so many at a time, to `take`, each with its own key. */
  async #visit(
    table: Table,
    keys: readonly number[],
    most: number,
    take: (segment: Segment, key: number) => void,
  ): Promise<void> {
    // All are asked for at once: each answer is a task of its own.
    const asked = slices(keys, most).map((some) => {
      const range = IDBKeyRange.bound(some[0], some.at(-1));
      return [some, table(SEGMENTS).getAll(range)] as const;
    });
    for (const [some, request] of asked) {
      const found = await result<Row[]>(request);
      found.map(segmentIn).forEach((each, at) => {
        this.#hashes.set(some[at]!, hashesOf(each));
        take(each, some[at]!);
      });
    }
  }

  #put(table: Table, segment: Segment): IDBRequest<IDBValidKey> {
    const segments = table(SEGMENTS);
    const request = segments.put(rowOf(segment));
    // If this is aborted, the key will be that of another one.
    segments.transaction.addEventListener("complete", () =>
      this.#hashes.set(request.result as number, hashesOf(segment)),
    );
    return request;
  }

  #miss(segment: Segment): void {
    for (const op of segment) {
      if (!op[3]) this.#gone.add(recordOf(op));
      this.#entities.add(op[1]);
    }
  }

  #isShown(name: string): boolean {
    return !!this.#places.get(name)?.shown;
  }

  #isCrowded(records: number): boolean {
    return this.#small > SMALL_ONES || this.#isMostlyReplaced(records);
  }

  #isMostlyReplaced(records: number): boolean {
    const isRenewed = [...this.#renewed].some((name) => this.#isShown(name));
    return isRenewed || this.#all > 2 * records + REPLACED;
  }

  #count({ length }: Segment): void {
    this.#all += length;
    if (2 * length < MOST) this.#small += 1;
  }
}

/** Whether what was told up to these places is of one log, and by the same rights. */
function isSamePast(one: Place, other: Place): boolean {
  return one.epoch === other.epoch && one.scope === other.scope;
}

function recordOf([, entity, id]: RecordOp): string {
  return `${entity}\0${id}`;
}

function hashesOf(segment: Segment): Int32Array {
  return Int32Array.from(segment, ([, , id]) => hashOf(id));
}

/** The same for equal texts; of two others that share one, a segment is read for nothing. */
function hashOf(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = (31 * hash + text.charCodeAt(at)) | 0;
  return hash;
}

async function endOf(table: Table): Promise<number> {
  return (await result(table(SEGMENTS).get(END))) ?? END;
}

async function keysAfter(table: Table, key: number): Promise<number[]> {
  return (await result(table(SEGMENTS).getAllKeys(IDBKeyRange.lowerBound(key, true)))) as number[];
}

/** A list as several, each of so many at most. */
export function slices<T>(all: readonly T[], most: number): T[][] {
  const count = Math.ceil(all.length / most);
  return Array.from({ length: count }, (_, at) => all.slice(at * most, (at + 1) * most));
}
