/** Facts about `src/schema/entered.ts`. */
import { expect, test } from "vitest";
import { entered } from "../../src/schema/entered.ts";
import { TextError } from "../../src/schema/text.ts";
import * as s from "../../src/schema.ts";

const LEVEL = s.enumOf({ low: 1, high: 2 });

test.each<[string, s.Kind, string[], unknown]>([
  ["a text is as it is", s.STRING, [" a "], " a "],
  ["an empty text is nothing", s.STRING, [""], undefined],
  ["a whole number", s.UINT32, [" 007 "], 7],
  [
    "a long one that JSON has as a text",
    s.textOf(s.INT64),
    ["9007199254740993"],
    "9007199254740993",
  ],
  ["a number", s.DOUBLE, [".5"], 0.5],
  ["the last of several controls counts", s.BOOL, ["false", "on"], true],
  ["a word", LEVEL, ["high"], "high"],
  ["a time", s.TIMESTAMP, ["2026-01-31T10:30:00+01:00"], "2026-01-31T09:30:00Z"],
  ["a duration", s.DURATION, ["1.5s"], "1.500s"],
  ["a list has what is not empty", s.listOf(s.INT32), ["1", "", "2"], [1, 2]],
  ["a list of nothing is nothing", s.listOf(s.INT32), [""], undefined],
])("%s", (_, kind, texts, value) => expect(entered(kind, texts)).toEqual(value));

test.each<[s.Kind, string, string]>([
  [s.INT32, "1.5", "must be a whole number"],
  [s.FLOAT, "1,5", "must be a number"],
  [LEVEL, "medium", "must be one of: low, high"],
  [s.TIMESTAMP, "2026-01-31T10:30", "must have a time zone"],
])("what stands for no value is refused in words", (kind, text, words) => {
  expect(() => entered(kind, [text])).toThrow(TextError);
  expect(() => entered(kind, [text])).toThrow(words);
});
