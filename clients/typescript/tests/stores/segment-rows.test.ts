import { expect, it } from "vitest";
import type { Segment } from "../../src/stores/segment-rows.ts";
import { rowOf, segmentIn } from "../../src/stores/segment-rows.ts";

const SEGMENT: Segment = [
  ["record", "tasks", "1", { data: { title: "a", parts: [1, null, "\u2028"] }, version: 3 }],
  ["record", "tasks", "2", undefined],
  ["record", "tasks", "1", { data: null, version: 0 }],
];

it("a row is text, and has all operations in their order", () => {
  const row = rowOf(SEGMENT);
  expect(row).toBeTypeOf("string");
  expect(segmentIn(row)).toEqual(SEGMENT);
});

it("operations on several entities stand by entity, each in its order", () => {
  const [first, second, third] = SEGMENT;
  const note = ["record", "notes", "1", { data: 7, version: 4 }] as const;
  const row = rowOf([first!, note, second!, third!]);
  expect(segmentIn(row)).toEqual([first, second, third, note]);
});

it("an integer that is no JavaScript number is kept to the digit", () => {
  const exact: Segment = [["record", "tasks", "1", { data: { at: 2n ** 64n }, version: 1 }]];
  expect(segmentIn(structuredClone(rowOf(exact)))).toEqual(exact);
});

it("what version 4 has stored is read as it is", () => {
  expect(segmentIn(SEGMENT)).toBe(SEGMENT);
});
