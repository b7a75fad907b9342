import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import * as formats from "../../src/schema/formats.ts";

interface Case {
  readonly function: string;
  readonly arguments: readonly (number | boolean)[];
  readonly text: string;
  readonly valid: boolean;
}

function load(name: string): unknown {
  const path = new URL(`../../../../tests/vectors/${name}`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8"));
}

const own = load("formats.json") as Case[];
const suite = (load("formats_conformance.json") as { readonly cases: Case[] }).cases;

type Judge = (text: string, ...given: readonly (number | boolean)[]) => boolean;
const judges = new Map(Object.entries(formats) as [string, Judge][]);

/** The function of a case, whose name is Python's there. */
function judge({ function: name, text, arguments: given }: Case): boolean {
  return judges.get(name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()))!(
    text,
    ...given,
  );
}

describe("forms of text", () => {
  it("every function has vectors of both verdicts", () => {
    const asked = new Set([...own, ...suite].map((each) => `${each.function} ${each.valid}`));
    expect(asked.size).toBe(2 * judges.size);
  });

  it.each(own)("$function of $text is judged as the vector says", (each) => {
    expect(judge(each)).toBe(each.valid);
  });

  it("the verdicts are those of the conformance suite of protovalidate", () => {
    expect(suite.length).toBeGreaterThan(700);
    expect(suite.filter((each) => judge(each) !== each.valid)).toEqual([]);
  });

  it("a long text takes no longer than its length", () => {
    const long = 200_000;
    const texts = [
      "a".repeat(long),
      "a.".repeat(long),
      `a@${"a-".repeat(long)}`,
      `a@${"a.".repeat(long)}!`,
      `${"a:".repeat(long)} `,
      ":".repeat(long),
      `a:${"%41".repeat(long)}%`,
      `//${"@".repeat(long)}`,
      `http://${"a.".repeat(long)}!`,
      `http://h:${"0".repeat(long)}`,
      "[".repeat(long),
      `${"0".repeat(long)}/${"0".repeat(long)}`,
      `::1%${"a".repeat(long)}`,
      "1:".repeat(long),
    ];
    for (const [name, each] of judges) {
      for (const text of texts) {
        const began = performance.now();
        each(text, ...(name === "isHostAndPort" ? [true] : []));
        expect(performance.now() - began, `${name} ${text.slice(0, 9)}`).toBeLessThan(1_000);
      }
    }
  });
});
