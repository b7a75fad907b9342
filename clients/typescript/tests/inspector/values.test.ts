import { expect, it } from "vitest";

import { asText, valueInWords } from "../../inspector/values.ts";

it("makes a text of any value", () => {
  expect([undefined, null, "", "a", true, 0].map(asText)).toEqual(["", "", "", "a", "true", "0"]);
  expect(asText([2n ** 53n + 1n])).toBe("[9007199254740993]");
});

it("says values as a reader would, and not all of a long one", () => {
  expect([undefined, null, "", "Tea", 7, false, { a: 1 }].map(valueInWords)).toEqual([
    "nothing",
    "nothing",
    "nothing",
    "“Tea”",
    "7",
    "false",
    '“{"a":1}”',
  ]);
  expect(valueInWords("x".repeat(201))).toBe(`“${"x".repeat(200)}…”`);
});
