import { describe, expect, it } from "vitest";

import * as check from "../../src/wire/check.ts";
import { refusal } from "../support/refusal.ts";
import type { CheckMessage, Fields } from "../../src/wire/check.ts";

const point: CheckMessage<{ x: number }> = (from, at) => ({ x: check.integer(from, at, "x") });

describe("every check names the place of what it refuses:", () => {
  const wrong = { a: Symbol("wrong") };
  it.each([
    ["text", () => check.text(wrong, "m", "a")],
    ["integer", () => check.integer(wrong, "m", "a")],
    ["flag", () => check.flag(wrong, "m", "a")],
    ["time", () => check.time(wrong, "m", "a")],
    ["json", () => check.json(wrong, "m", "a")],
    ["spelled", () => check.spelled(wrong, "m", "a", { on: 1 })],
    ["message", () => check.message(wrong, "m", "a", point)],
    ["list", () => check.list(wrong, "m", "a", check.text)],
    ["map", () => check.map(wrong, "m", "a", point)],
  ])("%s", (_, act) => {
    const error = refusal(act);
    expect(error.code).toBe("bad_message");
    expect(error.message).toMatch(/^m\.a: .* expected, got Symbol/);
  });
});

it("what is missing is called missing", () => {
  expect(refusal(() => check.text({}, "push", "entity")).message).toBe(
    "push.entity: missing, a string expected",
  );
});

it("no more than forty characters of the input are repeated", () => {
  const error = refusal(() => check.integer({ a: "x".repeat(1000) }, "m", "a"));
  expect(error.message).toContain("x".repeat(40));
  expect(error.message).not.toContain("x".repeat(41));
});

it.each([1.5, 2 ** 53, -(2 ** 53), Number.NaN, "1", true, null, 1n])(
  "%s is no protocol integer",
  (value) => {
    expect(refusal(() => check.integer({ a: value }, "m", "a")).code).toBe("bad_message");
  },
);

it("the largest integers that JavaScript holds exactly pass, and -0 is 0", () => {
  for (const a of [2 ** 53 - 1, -(2 ** 53 - 1)]) expect(check.integer({ a }, "m", "a")).toBe(a);
  expect(Object.is(check.integer({ a: -0 }, "m", "a"), 0)).toBe(true);
});

it.each(["toString", "__proto__", "Create", ""])("%j is no spelling of an enum", (value) => {
  expect(refusal(() => check.spelled({ a: value }, "m", "a", { create: 1 })).message).toMatch(
    /one of create expected/,
  );
});

it("an item of a list is named by its index", () => {
  const from: Fields = { fields: [{ x: 1 }, { x: "1" }] };
  const act = () => check.list(from, "push", "fields", check.message, point);
  expect(refusal(act).message).toMatch(/^push\.fields\[1\]\.x: /);
});

it("a hole in a list is refused", () => {
  expect(refusal(() => check.list({ a: Array(1) }, "m", "a", check.text)).message).toMatch(
    /^m\.a\[0\]: missing/,
  );
});

it("an empty list or map that may be left out is", () => {
  expect(check.optionalList({ a: [] }, "m", "a", check.text)).toBeUndefined();
  expect(check.optionalList({}, "m", "a", check.text)).toBeUndefined();
  expect(check.optionalList({ a: ["x"] }, "m", "a", check.text)).toEqual(["x"]);
  expect(check.map({ a: {} }, "m", "a", point)).toBeUndefined();
});

it("an entry of a map is named by its key", () => {
  const act = () => check.map({ since: { users: { x: "1" } } }, "subscribe", "since", point);
  expect(refusal(act).message).toMatch(/^subscribe\.since\["users"\]\.x: /);
});

it("a key of a map that reaches a prototype is refused", () => {
  const from = JSON.parse('{"since": {"__proto__": {"x": 1}}}');
  expect(refusal(() => check.map(from, "subscribe", "since", point)).message).toMatch(
    /^subscribe\.since: the key "__proto__"/,
  );
});

it("null is the same as absent for what may be absent", () => {
  expect(check.optional({ a: null }, "m", "a", check.text)).toBeUndefined();
  expect(check.optional({ a: "x" }, "m", "a", check.text)).toBe("x");
  expect(check.json({}, "m", "a")).toBeNull();
});
