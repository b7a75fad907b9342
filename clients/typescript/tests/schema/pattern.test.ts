import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { matches } from "../../src/schema/pattern.ts";

interface Vector {
  readonly pattern: string;
  readonly table: string;
  readonly yes: readonly string[];
  readonly no: readonly string[];
}

const path = new URL("../../../../tests/vectors/patterns.json", import.meta.url);
const vectors = JSON.parse(readFileSync(path, "utf8")) as Vector[];

/** The table of a pattern of the vectors. */
function table(pattern: string): string {
  return vectors.find((each) => each.pattern === pattern)!.table;
}

describe("a pattern", () => {
  it.each(vectors)("$pattern matches what it should", ({ table, yes, no }) => {
    expect(yes.filter((text) => !matches(table, text))).toEqual([]);
    expect(no.filter((text) => matches(table, text))).toEqual([]);
  });

  it("looks at each character once, whatever is written", () => {
    expect(matches(table("^(a+)+$"), `${"a".repeat(1_000_000)}!`)).toBe(false);
  });

  it("takes half a surrogate pair for a character of its own", () => {
    expect(matches(table("(?s)^.$"), "\ud83d")).toBe(true);
    expect(matches(table("(?s)^.$"), "\ude42\ud83d")).toBe(false);
  });
});
