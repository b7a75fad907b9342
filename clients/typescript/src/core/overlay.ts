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
import type { Entity, Held, RecordWrite, Write } from "./storage-ops.ts";
import { bySeq, partsOf } from "./storage-ops.ts";

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

/** No rows: what everybody sees until there are some, so that nobody takes it for a change. */
export const NOTHING: readonly never[] = [];

/** The rows of one entity. */
export class View {
  /** By id, as of the last call of `list`. */
  readonly rows = new Map<string, Row>();
  #list: readonly Row[] = NOTHING;

  /** All rows, by id. */
  list(entity: Entity, writes: ReadonlyMap<string, Write>): readonly Row[] {
    const { dirty, records } = entity;
    if (!dirty.size) return this.#list;
    const byId = writesOf(entity, writes);
    const added: Row[] = [];
    let changed = false;
    for (const id of dirty) {
      changed = this.#refresh(id, records.get(id), byId.get(id), added) || changed;
    }
    dirty.clear();
    if (changed) {
      const known = this.#list.flatMap(({ id }) => this.rows.get(id) ?? []);
      // In order but for its end, which sorting makes use of.
      this.#list = [...known, ...added].sort((a, b) => (a.id < b.id ? -1 : 1));
    }
    return this.#list;
  }

  /** Looks at a record anew; returns whether its row is another one. */
  #refresh(id: string, held: Held | undefined, writes: RecordWrite[] = [], added: Row[]): boolean {
    const before = this.rows.get(id);
    const data = writes.sort(bySeq).reduce<JsonValue | undefined>(written, held?.data);
    if (data === undefined) return this.rows.delete(id);
    const version = held?.version ?? 0;
    const pending = writes.some((each) => !each.settled);
    const same = before?.version === version && before.pending === pending;
    if (same && alike(before.data, data)) return false;
    const row = { id, data, version, pending };
    this.rows.set(id, row);
    if (!before) added.push(row);
    return true;
  }
}

/** What was there, if what is there now is the same all through: whoever compares sees no change. */
export function steady<T>(before: T, now: T): T {
  return alike(before, now) ? before : now;
}

/** Whether two values are the same all through, though they may be copies. */
function alike(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!isObject(one) || !isObject(other) || Array.isArray(one) !== Array.isArray(other))
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

/** The writes to the records that have to be looked at. */
function writesOf(
  { name, dirty }: Entity,
  writes: ReadonlyMap<string, Write>,
): Map<string, RecordWrite[]> {
  const found = new Map<string, RecordWrite[]>();
  for (const write of [...writes.values()].flatMap(partsOf)) {
    if (write.entity !== name || !dirty.has(write.entityId)) continue;
    const list = found.get(write.entityId);
    if (list) list.push(write);
    else found.set(write.entityId, [write]);
  }
  return found;
}
