/** Memory after each operation; see `src/core/storage-ops.ts`. */
import { describe, expect, it } from "vitest";

import * as compose from "../../src/core/build-message.ts";
import { checkedName } from "../../src/core/part.ts";
import type { Op, State, Write } from "../../src/core/storage-ops.ts";
import {
  apply,
  applyAll,
  entityOf,
  QUEUE,
  REJECTED,
  RETELLABLE,
  renumber,
  stateOf,
  waiting,
} from "../../src/core/storage-ops.ts";
import { bySeq } from "../../src/core/write-order.ts";
import { write as made } from "../support/writes.ts";

const SETTLED = { version: 4, epoch: "e1" };

function write(id: string, seq?: number, more: Partial<Write> = {}): Write {
  const message = compose.push("users", "1", "update", id, {});
  return { id, seq, entity: "users", entityId: "1", message, since: 0, ...more };
}

const rejected = (id: string) => ({
  id,
  message: compose.push("users", "1", "update", 1, {}),
  code: "forbidden" as const,
  text: "no",
  details: null,
});

/** What an operation marks as changed. */
function changes(state: State, ...ops: Op[]): string[] {
  state.changed.clear();
  applyAll(state, ops);
  return [...state.changed];
}

it("begins empty, without an id, and nothing was numbered or changed", () => {
  expect(stateOf()).toEqual({
    entities: new Map(),
    writes: new Map(),
    rejected: new Map(),
    meta: { client_id: "", last: 0 },
    answered: 0,
    time: 0,
    changed: new Set(),
  });
});

it("the queue and what was rejected change under names that no entity has", () => {
  expect(new Set([QUEUE, REJECTED, ""]).size).toBe(3);
  for (const name of [QUEUE, REJECTED]) expect(() => checkedName(name)).toThrow("entities");
});

it("only records and places need not last: the server can tell them again", () => {
  const ops: Op[] = [
    ["record", "users", "1"],
    ["place", "users", { epoch: "e1", version: 1, fields: false }],
    ["write", "a"],
    ["rejected", "a"],
    ["client_id", "c"],
    ["secret", "s"],
    ["epoch", "e1"],
    ["leader", "l"],
    ["last", 1],
    ["renumber", 1],
  ];
  const lasting = ops.map(([name]) => name).filter((name) => !RETELLABLE.has(name));
  expect(lasting).toEqual(ops.slice(2).map(([name]) => name));
});

describe("a record", () => {
  it("is set, changed and deleted, and is looked at anew each time", () => {
    const state = stateOf();
    const { records, dirty } = entityOf(state, "users");
    expect(changes(state, ["record", "users", "1", { data: 1, version: 1 }])).toEqual(["users"]);
    expect(records).toEqual(new Map([["1", { data: 1, version: 1 }]]));
    expect(dirty).toEqual(new Set(["1"]));
    dirty.clear();
    expect(changes(state, ["record", "users", "1"])).toEqual(["users"]);
    expect([records.size, dirty]).toEqual([0, new Set(["1"])]);
  });

  it("is of one entity, and the entity stays the same object", () => {
    const state = stateOf([["record", "users", "1", { data: 1, version: 1 }]]);
    expect(entityOf(state, "posts").records.size).toBe(0);
    expect(entityOf(state, "users")).toBe(entityOf(state, "users"));
    expect(entityOf(state, "users").name).toBe("users");
  });
});

it("a place changes nothing that is shown", () => {
  const state = stateOf();
  const place = { epoch: "e1", version: 7, fields: true };
  expect(changes(state, ["place", "users", place])).toEqual([]);
  expect(entityOf(state, "users").places.get("users")).toBe(place);
});

describe("a write", () => {
  it("is in the queue until it leaves it, and shows in its record", () => {
    const state = stateOf();
    const { dirty, settled } = entityOf(state, "users");
    expect(changes(state, ["write", "a", write("a", 3)])).toEqual([QUEUE, "users"]);
    expect([[...state.writes.keys()], dirty, settled.size]).toEqual([["a"], new Set(["1"]), 0]);
    dirty.clear();
    expect(changes(state, ["write", "a"])).toEqual([QUEUE, "users"]);
    expect([state.writes.size, dirty]).toEqual([0, new Set(["1"])]);
  });

  it("that was not there and goes changes nothing", () => {
    expect(changes(stateOf(), ["write", "a"])).toEqual([]);
  });

  it("that moves to another record shows in both", () => {
    const state = stateOf([["write", "a", write("a", 1)]]);
    const moved = write("a", 1, { entity: "posts", entityId: "2" });
    expect(changes(state, ["write", "a", moved])).toEqual([QUEUE, "users", "posts"]);
    expect(entityOf(state, "posts").dirty).toEqual(new Set(["2"]));
  });

  it("is known as settled from its answer until its change has come", () => {
    const state = stateOf([["write", "a", write("a", 1)]]);
    const { settled } = entityOf(state, "users");
    applyAll(state, [["write", "a", write("a", 1, { settled: SETTLED })]]);
    expect(settled).toEqual(new Set(["a"]));
    applyAll(state, [["write", "a", write("a", 2)]]);
    expect(settled.size).toBe(0);
    applyAll(state, [
      ["write", "a", write("a", 1, { settled: SETTLED })],
      ["write", "a"],
    ]);
    expect(settled.size).toBe(0);
  });

  it("counts as a number that was given, a lower one after it does not", () => {
    const state = stateOf([
      ["write", "a", write("a", 3)],
      ["write", "b", write("b", 2)],
    ]);
    expect(state.meta.last).toBe(3);
    applyAll(state, [
      ["write", "a"],
      ["write", "c", write("c")],
    ]);
    expect(state.meta.last).toBe(3);
  });
});

describe("a rejected write", () => {
  it("is kept until it goes", () => {
    const state = stateOf();
    expect(changes(state, ["rejected", "a", rejected("a")])).toEqual([REJECTED]);
    expect(state.rejected.get("a")).toEqual(rejected("a"));
    expect(changes(state, ["rejected", "a"])).toEqual([REJECTED]);
    expect(state.rejected.size).toBe(0);
  });

  it("that was not there and goes changes nothing", () => {
    expect(changes(stateOf(), ["rejected", "a"])).toEqual([]);
  });
});

it("the last number only grows", () => {
  const state = stateOf([["last", 5]]);
  applyAll(state, [["last", 3]]);
  expect(state.meta.last).toBe(5);
});

it("what a client knows of itself is set by name", () => {
  const ops: Op[] = [
    ["client_id", "c"],
    ["secret", "s"],
    ["epoch", "e2"],
    ["leader", "l"],
  ];
  const meta = { client_id: "c", secret: "s", epoch: "e2", leader: "l", last: 0 };
  expect(stateOf(ops).meta).toEqual(meta);
});

it("what waits is what has a number and no answer, in its order", () => {
  const state = stateOf([
    ["write", "c", write("c", 3)],
    ["write", "none", write("none")],
    ["write", "done", write("done", 1, { settled: SETTLED })],
    ["write", "b", write("b", 2)],
  ]);
  expect(waiting(state).map(({ id }) => id)).toEqual(["b", "c"]);
});

it("settled writes take effect before all others, and those without a number last", () => {
  const all = [
    write("none"),
    write("two", 2),
    write("done", 9, { settled: SETTLED }),
    write("one", 1),
    write("neither"),
  ];
  const ids = [...all].sort(bySeq).map(({ id }) => id);
  expect(ids).toEqual(["done", "one", "two", "none", "neither"]);
});

describe("numbering anew", () => {
  it("keeps the order, begins after the given number, and goes for the next write", () => {
    const state = stateOf([
      ["write", "b", write("b", 8)],
      ["write", "a", write("a", 7)],
      ["write", "none", write("none")],
    ]);
    expect(changes(state, ["renumber", 2])).toEqual([QUEUE]);
    const seqs = [...state.writes].map(([id, { seq }]) => [id, seq]);
    expect(seqs).toEqual([
      ["b", 4],
      ["a", 3],
      ["none", undefined],
    ]);
    expect(state.meta.last).toBe(4);
  });

  it("leaves what was acknowledged below all that waits, in its own order", () => {
    const kept: Write[] = [];
    const [one, two] = [write("1", 5, { settled: SETTLED }), write("2", 6, { settled: SETTLED })];
    const last = renumber([two, write("3", 9), one], 9, 0, (each) => kept.push(each));
    expect(kept.map(({ id, seq }) => [id, seq])).toEqual([
      ["1", -5],
      ["2", -4],
      ["3", 1],
    ]);
    expect([...kept].sort(bySeq)).toEqual(kept);
    expect(last).toBe(1);
  });

  it("of nothing gives the number it begins after", () => {
    const state = stateOf([
      ["last", 7],
      ["renumber", 3],
    ]);
    expect(state.meta.last).toBe(3);
  });
});

const settled = { version: 1, epoch: "e1" };
const numbers = (state: ReturnType<typeof stateOf>) =>
  Object.fromEntries([...state.writes].map(([id, { seq }]) => [id, seq]));

/** One that is settled, two that wait, in the wrong order, one without a number. */
const WAITING: Op[] = [
  ["write", "b", made("b", { seq: 6 })],
  ["write", "new", made("new")],
  ["write", "a", made("a", { seq: 5 })],
  ["write", "done", made("done", { seq: 4, settled })],
];

describe("memory", () => {
  it("numbers anew what has a number, in its order, and nothing else", () => {
    const state = stateOf(WAITING);
    apply(state, ["renumber", 9]);
    expect(numbers(state)).toEqual({ done: -3, a: 10, b: 11, new: undefined });
    expect(state.meta.last).toBe(11);
    apply(state, ["renumber", 0]);
    expect(numbers(state)).toEqual({ done: -15, a: 1, b: 2, new: undefined });
  });

  it("that is numbered anew twice after the same number is as after once, for what waits", () => {
    const [once, twice] = [stateOf(WAITING), stateOf(WAITING)];
    apply(once, ["renumber", 9]);
    applyAll(twice, [
      ["renumber", 9],
      ["renumber", 9],
    ]);
    expect(waiting(twice)).toEqual(waiting(once));
  });

  it("has settled writes first, then those with a number, then those without", () => {
    const all = [...stateOf(WAITING).writes.values()].sort(bySeq);
    expect(all.map(({ id }) => id)).toEqual(["done", "a", "b", "new"]);
    expect(waiting(stateOf(WAITING)).map(({ id }) => id)).toEqual(["a", "b"]);
  });
});
