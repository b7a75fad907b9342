/** An operation makes of a field what the server makes of it, and a wrong one is refused at once. */
import { describe, expect, it } from "vitest";

import {
  add,
  append,
  apply,
  deleteKey,
  inc,
  max,
  min,
  Operation,
  remove,
  setKey,
} from "../../src/core/operations.ts";
import type { JsonValue, Push } from "../../src/messages/types.ts";
import { decode } from "../../src/wire/index.ts";
import { refusal } from "../support/refusal.ts";
import { operations } from "../support/vectors.ts";

/** A value as it comes over the wire: to the digit. */
function read(text: string | null | undefined): JsonValue | undefined {
  if (text == null) return undefined;
  const push = `{"type":"push","entity":"e","entity_id":"1","action":"update","data":${text}}`;
  return (decode(push, "json") as Push).data;
}

const make = ({ action, operand }: (typeof operations)[number]) =>
  new Operation(action, read(operand));

describe("what comes of an operation is what the server says:", () => {
  const right = operations.filter(({ error }) => !error);
  it.each(right)("$action: $name", ({ action, stored, operand, result }) => {
    expect(apply(action, read(stored), read(operand)!)).toEqual(read(result));
  });

  it("there are vectors of every action", () => {
    expect(new Set(right.map(({ action }) => action)).size).toBe(8);
  });

  it("and it can be asked for", () => {
    for (const vector of right) expect(make(vector).value).toEqual(read(vector.operand));
  });
});

describe("what a field cannot take changes nothing:", () => {
  const wrong = operations.filter(({ error }) => error === "invalid_data");
  it.each(wrong)("$action: $name", ({ action, stored, operand }) => {
    expect(apply(action, read(stored), read(operand)!)).toEqual(read(stored));
  });
});

describe("an operand that no field can take is refused where it is made:", () => {
  const wrong = operations.filter(({ error }) => error === "bad_message");
  it.each(wrong)("$action: $name", (vector) => {
    const { code, message } = refusal(() => make(vector));
    expect([code, message.split(":")[0]]).toEqual(["bad_message", vector.action]);
  });
});

it("each has a name of its own", () => {
  const made = [
    ...[inc(1), inc("0.50"), add("a", 1, true), remove("a"), max("a"), min(2n)],
    ...[append({ a: [1] }, null), setKey({ a: 1, b: null }), deleteKey("a")],
  ];
  expect(made.map(({ action, value }) => [action, value])).toEqual([
    ["increment", 1],
    ["increment", "0.50"],
    ["add", ["a", 1, true]],
    ["remove", ["a"]],
    ["max", "a"],
    ["min", 2],
    ["append", [{ a: [1] }, null]],
    ["set_key", { a: 1, b: null }],
    ["delete_key", ["a"]],
  ]);
});

it("a fraction is refused in words that say what to write instead", () => {
  expect(refusal(() => inc(0.5)).message).toBe(
    'increment: not an integer below 2^53, or a text like "0.50"',
  );
  expect(refusal(() => inc(2 ** 53)).message).toMatch(/^increment: .*exactly/);
});

it("it is what it was made as, whatever becomes of what it was made of", () => {
  const keys = { a: [1] };
  const made = setKey(keys);
  keys.a.push(2);
  expect(made.value).toEqual({ a: [1] });
});

it("what is no JSON is refused with its place", () => {
  const { code, message } = refusal(() => append(1, () => {}));
  expect([code, message]).toEqual(["bad_message", "append.1: not a JSON value: function"]);
  expect(refusal(() => setKey({ ["__proto__"]: 1 })).code).toBe("bad_message");
});

it("an action of another version changes nothing", () => {
  expect(apply("halve" as never, 4, 2)).toBe(4);
});

it("strings are in the order of their code points, wherever their surrogates stand", () => {
  const texts = ["", "a", "a\u{1f600}", "a\uffff", "\ud7ff", "\ue000", "\uffff", "\uffff\ue000"];
  const all = [...texts, "\u{10000}", "\uffff\u{10000}", "\u{10ffff}", "\u{10000}a"];
  const points = (text: string) => [...text].map((each) => each.codePointAt(0)!);
  const compared = (one: number[], other: number[]): number => {
    const at = one.findIndex((each, index) => each !== other[index]);
    if (at < 0) return one.length - other.length;
    return at >= other.length ? 1 : one[at]! - other[at]!;
  };
  const sorted = [...all].sort((one, other) => compared(points(one), points(other)));
  expect(apply("add", undefined, all)).toEqual(sorted);
});
