import { expect, it } from "vitest";

import { fail, refuse, show, unknownType } from "../../src/wire/fail.ts";
import { refusal } from "../support/refusal.ts";

it.each([
  ["text", '"text"'],
  ["a\nb", '"a\\nb"'],
  [5, "5"],
  [true, "true"],
  [[1], "an array"],
  [{}, "an object"],
  ["x".repeat(41), `"${"x".repeat(40)}…"`],
])("%j is shown as %s", (value, shown) => {
  expect(show(value)).toBe(shown);
});

it("a refusal names the place, what was expected and what came", () => {
  expect(refusal(() => refuse("push.data", "no")).message).toBe("push.data: no");
  expect(refusal(() => fail("a", "a string", 5)).message).toBe("a: a string expected, got 5");
  expect(refusal(() => fail("a", "a string", null)).message).toBe("a: missing, a string expected");
});

it("an unknown type carries its mark", () => {
  expect(refusal(() => unknownType("type", "m")).details).toEqual({ unknown_type: true });
});
