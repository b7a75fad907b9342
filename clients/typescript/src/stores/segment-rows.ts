/**
 * How a segment lies in its row.
 *
 * Knows the forms of rows. Must not know where they lie, nor what comes of them.
 *
 * A row is text: what all operations on an entity have in common stands there once, and the rest in
 * columns. So a page reads it in half the time that the browser takes to copy as many objects, and
 * less is stored. What JSON cannot write, as an integer that is no JavaScript number, lies there as it
 * is; so does what version 4 of the database has stored.
 */
import type { Held, Op } from "../core/storage-ops.ts";

/** What a segment has in it. */
export type RecordOp = Extract<Op, readonly ["record", ...unknown[]]>;
export type Segment = readonly RecordOp[];

/** The operations on one entity; those without a version, null as JSON, are on what is gone. */
type Columns = [
  entity: string,
  ids: string[],
  versions: (number | null | undefined)[],
  data: (Held["data"] | undefined)[],
];

/** What lies in a table. */
export type Row = string | Segment;

/** A segment as it is put into a table: of each entity its operations in their order. */
export function rowOf(segment: Segment): Row {
  const all = new Map<string, Columns>();
  for (const [, entity, id, held] of segment) {
    const columns = all.get(entity) ?? [entity, [], [], []];
    all.set(entity, columns);
    columns[1].push(id);
    columns[2].push(held?.version);
    columns[3].push(held?.data);
  }
  try {
    return JSON.stringify([...all.values()]);
  } catch {
    return segment;
  }
}

/** What a table has in a row. */
export function segmentIn(row: Row): Segment {
  return typeof row === "string" ? (JSON.parse(row) as Columns[]).flatMap(operationsIn) : row;
}

function operationsIn([entity, ids, versions, data]: Columns): RecordOp[] {
  return ids.map((id, at) => {
    const version = versions[at];
    return ["record", entity, id, version == null ? undefined : { data: data[at]!, version }];
  });
}
