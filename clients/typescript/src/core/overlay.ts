/**
 * What is shown: what the server told, and on top of it what was written here.
 *
 * Knows how a write changes a record. Must not know how either travels.
 *
 * A row is the same object as long as nothing about its record changed, and a
 * list is the same array as long as none of its rows changed.
 */

import type { FieldUpdate, JsonValue } from "../messages/types.ts";
import { apply, isOperation } from "./operations.ts";
import { History } from "./row-list.ts";
import type { Entity, Held, RecordWrite, Write } from "./storage-ops.ts";
import { partsAt } from "./storage-ops.ts";
import { inOrder, sameSince } from "./write-order.ts";

/** One record as it is shown. */
export interface Row<T = JsonValue> {
  /** The record. */
  readonly id: string;
  /** The whole of it, own writes included. Do not change it: write to the collection instead. */
  readonly data: T;
  /** The version of it that the server told last; 0 for none. */
  readonly version: number;
  /** Something that was written here has no answer yet. */
  readonly pending: boolean;
}

/** What the writes to one record have made of it. */
interface Overlaid {
  /** What was beneath them. */
  readonly held: Held | undefined;
  /** How many there were. */
  readonly count: number;
  readonly data: JsonValue | undefined;
}

/** The rows of one entity. */
export class View {
  readonly #history = new History<Row>();
  /** What the next list will have. */
  #news = new Map<string, Row | undefined>();
  /** By the writes to a record, as long as there are any. */
  readonly #overlaid = new WeakMap<object, Overlaid>();

  /** All rows, by id. */
  list(entity: Entity): readonly Row[] {
    for (const id of entity.dirty) this.#refresh(entity, id);
    entity.dirty.clear();
    this.#history.change(this.#news);
    if (this.#news.size) this.#news = new Map();
    return this.#history.rows;
  }

  /** One of them; no list is made for it. */
  row(entity: Entity, id: string): Row | undefined {
    if (entity.dirty.delete(id)) this.#refresh(entity, id);
    return this.#known(id);
  }

  /** Has all of them looked at anew. */
  doubt({ dirty }: Entity): void {
    for (const { id } of this.#history.rows) dirty.add(id);
    for (const id of this.#news.keys()) dirty.add(id);
  }

  #known(id: string): Row | undefined {
    return this.#news.has(id) ? this.#news.get(id) : this.#history.find(id);
  }

  /** Looks at a record anew. */
  #refresh(entity: Entity, id: string): void {
    const { records, writes } = entity;
    const [held, own] = [records.get(id), writes.get(id)];
    const data = own ? this.#dataOf(entity, id, held, own) : held?.data;
    const before = this.#known(id);
    if (data === undefined) return void (before && this.#news.set(id, undefined));
    const version = held?.version ?? 0;
    // Those that are settled come first.
    const pending = !!own && !inOrder(own).at(-1)!.settled;
    const same = before?.version === version && before.pending === pending;
    const row = same && alike(before.data, data) ? before : { id, data, version, pending };
    if (row !== before) this.#news.set(id, row);
    // What is shown as it is held is there once.
    if (held && !own) records.set(id, row);
  }

  /** What is shown of a record: of its writes only those that have come since are looked at. */
  #dataOf(
    entity: Entity,
    id: string,
    held: Held | undefined,
    writes: ReadonlyMap<string, Write>,
  ): JsonValue | undefined {
    const same = sameSince(writes);
    const known = this.#overlaid.get(writes);
    const goesOn = known && known.held === held && known.count <= same;
    const all = inOrder(writes);
    const data = all
      .slice(goesOn ? known.count : 0)
      .flatMap((write) => partsAt(write, entity.name, id))
      .reduce(written, goesOn ? known.data : held?.data);
    this.#overlaid.set(writes, { held, count: all.length, data });
    return data;
  }
}

/** What was there, if what is there now is the same all through: whoever compares sees no change. */
export function steady<T>(before: T, now: T): T {
  return alike(before, now) ? before : now;
}

/** Whether two values are the same all through, though they may be copies. */
function alike(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((each, at) => alike(each, other[at]));
  if (!isObject(one) || !isObject(other) || Array.isArray(one) || Array.isArray(other))
    return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => Object.hasOwn(other, key) && alike(one[key], other[key]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && !!value;
}

/** What a record is after a write; undefined for gone. */
export function written(
  data: JsonValue | undefined,
  { message, settled }: RecordWrite,
): JsonValue | undefined {
  let made: JsonValue | undefined;
  if (message.type !== "push") made = withFields(Array.isArray(data) ? null : data, message.fields);
  else if (message.action !== "delete") made = message.data;
  const { prepared } = settled ?? {};
  return prepared ? { ...(made as object), ...(prepared as object) } : made;
}

/** A record with other values in some fields; whatever it was, it has fields then. */
export function withFields(data: JsonValue | undefined, fields: readonly FieldUpdate[]) {
  const all: { [field: string]: JsonValue } =
    typeof data === "object" ? { ...(data as object) } : {};
  for (const { field, action, value } of fields) {
    if (action === "delete") delete all[field];
    else {
      const held = Object.hasOwn(all, field) ? all[field] : undefined;
      const made = isOperation(action) ? apply(action, held, value) : value;
      // Where it cannot be applied, the server will reject it.
      if (made !== undefined) all[field] = made;
    }
  }
  return all;
}
