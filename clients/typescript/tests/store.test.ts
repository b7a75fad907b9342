import { describe, expect, it } from "vitest";

import { apply, applyAll, bySeq, stateOf, waiting } from "../src/store.ts";
import { write } from "./support/writes.ts";
import type { Op } from "../src/store.ts";

const settled = { version: 1, epoch: "e1" };
const numbers = (state: ReturnType<typeof stateOf>) =>
  Object.fromEntries([...state.writes].map(([id, { seq }]) => [id, seq]));

/** One that is settled, two that wait, in the wrong order, one without a number. */
const QUEUE: Op[] = [
  ["write", "b", write("b", { seq: 6 })],
  ["write", "new", write("new")],
  ["write", "a", write("a", { seq: 5 })],
  ["write", "done", write("done", { seq: 4, settled })],
];

describe("memory", () => {
  it("numbers anew what has a number, in its order, and nothing else", () => {
    const state = stateOf(QUEUE);
    apply(state, ["renumber", 9]);
    expect(numbers(state)).toEqual({ done: -3, a: 10, b: 11, new: undefined });
    expect(state.meta.last).toBe(11);
    apply(state, ["renumber", 0]);
    expect(numbers(state)).toEqual({ done: -15, a: 1, b: 2, new: undefined });
  });

  it("that is numbered anew twice after the same number is as after once, for what waits", () => {
    const [once, twice] = [stateOf(QUEUE), stateOf(QUEUE)];
    apply(once, ["renumber", 9]);
    applyAll(twice, [["renumber", 9], ["renumber", 9]]);
    expect(waiting(twice)).toEqual(waiting(once));
  });

  it("has settled writes first, then those with a number, then those without", () => {
    const all = [...stateOf(QUEUE).writes.values()].sort(bySeq);
    expect(all.map(({ id }) => id)).toEqual(["done", "a", "b", "new"]);
    expect(waiting(stateOf(QUEUE)).map(({ id }) => id)).toEqual(["a", "b"]);
  });
});
