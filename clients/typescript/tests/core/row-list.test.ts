import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Row } from "../../src/core/overlay.ts";
import { deriving, filtering, History, keptRows, NOTHING } from "../../src/core/row-list.ts";

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

const MANY = 20_000;
const numbered = (at: number) => row(String(at).padStart(6, "0"), at);
const many = () => Array.from({ length: MANY }, (_, at) => numbered(at));
const byId = <R extends { readonly id: string }>(rows: readonly R[]) =>
  new Map(rows.map((each) => [each.id, each]));

/** The rows after some changes, made in the plainest way. */
function plain(
  rows: readonly Row<number>[],
  changes: ReadonlyMap<string, Row<number> | undefined>,
) {
  const all = new Map([...byId(rows), ...changes]);
  return [...all.values()]
    .filter((each) => each !== undefined)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

describe("a list that follows from another", () => {
  const changes = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 30 }), fc.option(fc.nat(9), { nil: undefined })),
    { maxLength: 40 },
  );

  it("has what changed in its place, whatever comes and goes, and so has what is made of it", () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 25 }), (steps) => {
        const history = new History<Row<number>>();
        const pick = filtering(isOdd);
        const negate = deriving((each: Row<number>) => ({ id: each.id, minus: -each.data }));
        let rows: readonly Row<number>[] = [];
        steps.forEach((step, at) => {
          const now = new Map(
            step.map(([id, data]) => [
              `${id}`,
              data === undefined ? undefined : row(`${id}`, data),
            ]),
          );
          rows = plain(rows, now);
          history.change(now);
          expect(history.rows).toEqual(rows);
          // It has missed some of them.
          if (at % 3) expect(pick(history.rows)).toEqual(rows.filter(isOdd));
          const minus = rows.map(({ id, data }) => ({ id, minus: -data }));
          expect(negate(history.rows)).toEqual(minus);
        });
      }),
    );
  });

  it("of many rows leaves those before it as they were, and finds each row", () => {
    const history = new History<Row<number>>();
    history.change(byId(many()));
    const before = history.rows;
    const [changed, added] = [numbered(7), row("009999+", 1)];
    history.change(new Map([...byId([changed, added]), ["000003", undefined]]));
    expect(before).toEqual(many());
    expect(history.rows).toEqual(
      plain(many(), byId([changed, added])).filter(({ id }) => id !== "000003"),
    );
    expect(history.find("000007")).toBe(changed);
    expect(history.find("000003")).toBeUndefined();
    expect(history.find("x")).toBeUndefined();
    history.change(new Map(many().map(({ id }) => [id, undefined])));
    expect(history.rows).toEqual([added]);
  });

  it("has only what has changed looked at", () => {
    const history = new History<Row<number>>();
    history.change(byId(many()));
    let asked = 0;
    const pick = filtering<Row<number>>(({ data }) => data >= 0 && ++asked > 0);
    const first = pick(history.rows);
    expect([asked, first.length]).toEqual([MANY, MANY]);
    for (const at of [5, 6]) history.change(byId([numbered(at)]));
    pick(history.rows);
    expect(asked).toBe(MANY + 2);
  });

  it("is unknown after too many others: all of it is looked at again", () => {
    const history = new History<Row<number>>();
    const pick = filtering(isOdd);
    history.change(byId([one]));
    pick(history.rows);
    for (let at = 0; at < 50; at += 1) history.change(byId([row("3", at)]));
    expect(pick(history.rows)).toEqual([one, row("3", 49)]);
  });

  it("that comes before the one that was asked about last is looked at as it is", () => {
    const history = new History<Row<number>>();
    const pick = filtering(isOdd);
    history.change(byId([one]));
    const before = history.rows;
    history.change(byId([three]));
    expect(pick(history.rows)).toEqual([one, three]);
    expect(pick(before)).toEqual([one]);
  });
});

describe("an array of many rows", () => {
  const array = () => {
    const history = new History<Row<number>>();
    history.change(byId(many()));
    return history.rows;
  };

  it.each<[string, (rows: readonly Row<number>[]) => unknown]>([
    ["its length", (rows) => rows.length],
    ["a row by its place", (rows) => rows[9_000]],
    ["that there is none", (rows) => [rows[MANY], rows[-1]]],
    ["its methods", (rows) => rows.map(({ data }) => data).slice(5, 9)],
    ["iterating", (rows) => [...rows].length],
    ["its keys", (rows) => Object.keys(rows).length],
    ["whether it has a place", (rows) => [9 in rows, MANY in rows]],
    ["joining", (rows) => ([] as unknown[]).concat(rows).length],
    ["JSON", (rows) => JSON.stringify(rows).length],
    ["what it is", (rows) => [Array.isArray(rows), rows.constructor]],
    ["being frozen", (rows) => Object.isFrozen(Object.freeze(rows)) && rows.length],
    ["a copy for another thread", (rows) => structuredClone([...rows]).length],
  ])("is as any array for %s", (_, look) => {
    expect(look(array())).toEqual(look(many()));
  });
});
