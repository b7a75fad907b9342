/** `LatestOps` of `src/runtime/leader.ts`. */
import { expect, it } from "vitest";

import type { Op } from "../../src/core/storage-ops.ts";
import { LatestOps } from "../../src/runtime/leader.ts";

function after(...all: Op[]): LatestOps {
  const ops = new LatestOps();
  for (const op of all) ops.add(op);
  return ops;
}

const record = (entity: string, id: string, version: number): Op => [
  "record",
  entity,
  id,
  { data: version, version },
];
const place = (name: string, version: number): Op => [
  "place",
  name,
  { epoch: "e", version, fields: false },
];

it("has the last operation on each record and on each position", () => {
  const ops = after(
    record("tasks", "1", 1),
    place("tasks", 1),
    record("notes", "1", 2),
    ["record", "tasks", "1"],
    place("tasks", 3),
  );
  expect(ops.list()).toEqual([
    ["record", "tasks", "1"],
    record("notes", "1", 2),
    place("tasks", 3),
  ]);
});

it("takes no two records for one, whatever is in their names", () => {
  expect(after(record("a\0b", "c", 1), record("a", "b\0c", 2)).list()).toHaveLength(2);
});

it("has what has to last in the order in which it was said last", () => {
  const ops = after(["last", 7], ["write", "a"], ["renumber", 4], ["write", "a"], ["epoch", "e"]);
  expect(ops.list()).toEqual([
    ["last", 7],
    ["renumber", 4],
    ["write", "a"],
    ["epoch", "e"],
  ]);
});

it("is empty at first", () => {
  expect(after().list()).toEqual([]);
});
