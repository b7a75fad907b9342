import { expect, it } from "vitest";
import type { Row } from "../../src/core/overlay.ts";
import { filtering, keptRows, NOTHING } from "../../src/core/row-list.ts";

const row = (id: string, data: number): Row<number> => ({ id, data, version: 1, pending: false });
const [one, two, three] = [row("1", 1), row("2", 2), row("3", 3)];
const isOdd = ({ data }: Row<number>) => data % 2 === 1;

it("without a condition all rows are keptRows: the array itself", () => {
  const rows = [one, two];
  expect(filtering(undefined, keptRows<Row<number>>())(rows)).toBe(rows);
});

it("the same array is keptRows as long as the rows in it are the same", () => {
  const pick = filtering(isOdd, keptRows<Row<number>>());
  const first = pick([one, two]);
  expect(first).toEqual([one]);
  expect(pick([one])).toBe(first);
  expect(pick([one, two, row("4", 4)])).toBe(first);
  expect(pick([one, two, three])).toEqual([one, three]);
  expect(pick([row("1", 1)])).not.toBe(first);
});

it("the same array is keptRows by another function that picks the same", () => {
  const last = keptRows<Row<number>>();
  const rows = [one, two, three];
  const first = filtering(isOdd, last)(rows);
  expect(filtering<Row<number>>((each) => isOdd(each), last)(rows)).toBe(first);
  expect(filtering<Row<number>>(() => false, last)(rows)).toEqual([]);
});

it("no rows are the same as none before", () => {
  expect(filtering(isOdd, keptRows<Row<number>>())([two])).toBe(NOTHING);
});

it("a row is asked about once for each array", () => {
  let asked = 0;
  const pick = filtering<Row<number>>(() => Boolean(++asked), keptRows());
  const rows = [one, two];
  pick(rows);
  pick(rows);
  expect(asked).toBe(2);
});
