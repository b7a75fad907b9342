import { inspect, isDeepStrictEqual } from "node:util";
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

/** A list of so many rows. */
function listed(count: number) {
  const history = new History<Row<number>>();
  history.change(byId(many().slice(0, count)));
  return history.rows;
}

describe("a list that nothing has become another one in", () => {
  it.each([3, MANY])("of %i rows is the same array", (count) => {
    const history = new History<Row<number>>();
    history.change(byId(many().slice(0, count)));
    const before = history.rows;
    history.change(new Map([["x", undefined]]));
    history.change(byId([before[1]!]));
    expect(history.rows).toBe(before);
  });
});

describe("where rows come and go around the size of a chunk", () => {
  const steps = fc.array(fc.integer({ min: 4_080, max: 4_110 }), { minLength: 1, maxLength: 20 });

  it("a list has the rows that a Map has, and one of a chunk's size is an array of the engine", () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 12 }), (all) => {
        const history = new History<Row<number>>();
        const pick = filtering(isOdd);
        const model = byId(many().slice(0, 4_095));
        history.change(new Map(model));
        for (const places of all) {
          // What is there goes, and what is not comes.
          const changes = new Map(
            places.map(numbered).map((each) => [each.id, model.has(each.id) ? undefined : each]),
          );
          for (const [id, each] of changes) {
            if (each) model.set(id, each);
            else model.delete(id);
          }
          history.change(changes);
          const ids = history.rows.map(({ id }) => id);
          expect(ids).toEqual([...model.keys()].sort());
          expect(isCloned(history.rows)).toBe(ids.length <= 4_096);
          const odd = pick(history.rows).map(({ id }) => id);
          expect(odd).toEqual(ids.filter((id) => Number(id) % 2));
        }
      }),
      { numRuns: 20 },
    );
  });

  it("of few that are left there is one, wherever they were", () => {
    const history = new History<Row<number>>();
    history.change(byId(many()));
    const left = [3, 5_000, 10_000, 19_999].map(numbered);
    const rest = many().filter(({ id }) => !left.some((each) => each.id === id));
    for (let at = 0; at < rest.length; at += 700) {
      history.change(new Map(rest.slice(at, at + 700).map(({ id }) => [id, undefined])));
    }
    expect(history.rows).toEqual(left);
    expect(isCloned(history.rows)).toBe(true);
  });
});

/** Whether the engine clones it by itself. */
function isCloned(rows: readonly unknown[]): boolean {
  try {
    return structuredClone(rows).length === rows.length;
  } catch {
    return false;
  }
}

describe("what a page does to a list that it was given", () => {
  it.each([4, MANY])("concerns nothing that follows from it: %i rows", (count) => {
    const history = new History<Row<number>>();
    history.change(byId(many().slice(0, count)));
    const given = history.rows as Row<number>[];
    given.sort((one, other) => other.data - one.data);
    given.splice(1, 2);
    expect(history.find("000001")).toEqual(numbered(1));
    expect(filtering(isOdd)(given)).toEqual(many().slice(0, count).filter(isOdd));
    expect(new History(given).find("000001")).toEqual(numbered(1));
    history.change(byId([row("000003", 0)]));
    expect(history.rows).toEqual([
      ...many().slice(0, 3),
      row("000003", 0),
      ...many().slice(4, count),
    ]);
  });

  it("does nothing to a list without rows, which all have", () => {
    expect(() => (NOTHING as never[]).push(1 as never)).toThrow(TypeError);
  });
});

describe("an array of many rows", () => {
  it.each<[string, (rows: readonly Row<number>[]) => unknown]>([
    ["its length", (rows) => rows.length],
    ["a row by its place", (rows) => rows[9_000]],
    ["that there is none", (rows) => [rows[MANY], rows[-1], rows[2 ** 32], rows[0.5]]],
    ["its methods", (rows) => rows.map(({ data }) => data).slice(5, 9)],
    ["iterating", (rows) => [...rows].length],
    ["taking the first apart", ([first, , third, ...rest]) => [first, third, rest.length]],
    ["its keys", (rows) => Object.keys(rows).length],
    ["all that it owns", (rows) => [Reflect.ownKeys(rows).length, Reflect.ownKeys(rows).at(-1)]],
    ["its entries", (rows) => Object.entries(rows).slice(0, 3)],
    ["what is said of a place", (rows) => Object.getOwnPropertyDescriptor(rows, 1)],
    ["what is said of its length", (rows) => Object.getOwnPropertyDescriptor(rows, "length")],
    ["whether it has a place", (rows) => [9 in rows, MANY in rows, "map" in rows]],
    ["going through its places", (rows) => placesOf(rows).length],
    ["joining", (rows) => ([] as unknown[]).concat(rows).length],
    ["JSON", (rows) => JSON.stringify({ rows }).length],
    ["what it is", (rows) => [Array.isArray(rows), rows.constructor, `${rows}`.length]],
    ["its kind", (rows) => [Object.getPrototypeOf(rows), Object.prototype.toString.call(rows)]],
    ["being frozen", (rows) => Object.isFrozen(Object.freeze(rows)) && rows.length],
    ["being sealed", (rows) => [Object.isSealed(Object.seal(rows)), rows.length]],
    ["a copy", (rows) => [Array.from(rows).length, Object.assign([], rows).length]],
    ["a copy for another thread", (rows) => structuredClone([...rows]).length],
    ["being a promise's value", async (rows) => (await rows).length],
    ["its words in Node", (rows) => inspect(rows)],
    [
      "comparing in Node",
      (rows) => [isDeepStrictEqual(rows, many()), isDeepStrictEqual(many(), rows)],
    ],
  ])("is as any array for %s", async (_, look) => {
    expect(await look(listed(MANY))).toEqual(await look(many()));
  });

  const isLast = ({ data }: Row<number>) => data === MANY - 1;
  const byDigits = (one: Row<number>, other: Row<number>) =>
    (one.data % 10) - (other.data % 10) || one.data - other.data;
  /** What each method is called with. */
  const CALLS: Record<string, unknown[]> = {
    ...{ at: [-1], concat: [[one], two], copyWithin: [0, 9, 12], entries: [], every: [isLast] },
    ...{ fill: [one, 3, 7], filter: [isOdd], find: [isLast], findIndex: [isLast] },
    ...{ findLast: [isLast], findLastIndex: [isLast], flat: [], flatMap: [() => [1, 2]] },
    ...{ forEach: [() => {}], includes: [one], indexOf: [one], join: [","], keys: [] },
    ...{ lastIndexOf: [one], map: [isOdd], pop: [], push: [one, two], reduce: [Math.max, 0] },
    ...{ reduceRight: [Math.max, 0], reverse: [], shift: [], slice: [-5, -2], some: [isLast] },
    ...{ sort: [byDigits], splice: [5, 2, one], toLocaleString: [], toReversed: [] },
    ...{ toSorted: [byDigits], toSpliced: [5, 2, one], toString: [], unshift: [one], values: [] },
    ...{ with: [4, one], [Symbol.iterator as never]: [] },
  };
  const METHODS = (Reflect.ownKeys(Array.prototype) as string[]).filter((name) => {
    return name !== "constructor" && typeof Array.prototype[name as never] === "function";
  });

  it("has each method of an array, which does what it does to any", () => {
    expect(METHODS.filter((name) => !(name in CALLS))).toEqual([]);
    for (const name of METHODS) {
      const lists = [listed(5_000), many().slice(0, 5_000)];
      const [made, expected] = lists.map((each) => {
        const method = each[name as never] as unknown as (...what: unknown[]) => unknown;
        return [unrolled(method.apply(each, CALLS[name]!)), each];
      });
      // Of so many `expect` takes seconds.
      expect(isDeepStrictEqual(made, expected), name).toBe(true);
    }
  });

  it.each<[string, (rows: Row<number>[]) => unknown]>([
    ["put", (rows) => (rows[5] = one)],
    ["put at its end", (rows) => (rows[MANY] = one)],
    ["taken out", (rows) => delete rows[5]],
    ["defined", (rows) => Object.defineProperty(rows, "5", { value: one }).length],
    ["cut off", (rows) => (rows.length = 5)],
    ["taken away", (rows) => (rows.length = 0)],
  ])("is as any array where something is %s", (_, write) => {
    const [rows, plain] = [listed(MANY) as Row<number>[], many()];
    expect(write(rows)).toEqual(write(plain));
    expect(rows).toEqual(plain);
    expect(Object.keys(rows)).toEqual(Object.keys(plain));
  });
});

/** What a method gives: all of it, if it is an iterator. */
function unrolled(made: unknown): unknown {
  return typeof (made as Iterator<unknown>)?.next === "function"
    ? [...(made as Iterable<unknown>)]
    : made;
}

function placesOf(rows: readonly unknown[]): string[] {
  const all: string[] = [];
  for (const place in rows) all.push(place);
  return all;
}
