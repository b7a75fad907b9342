import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import * as text from "../../src/schema/text.ts";

interface Case {
  readonly read: string;
  readonly text: string | null;
  readonly value?: unknown;
  readonly digits?: string;
  readonly error?: string;
  readonly words?: readonly string[];
  readonly offset_minutes?: number | null;
}

const path = new URL("../../../../tests/vectors/form_text.json", import.meta.url);
const cases = JSON.parse(readFileSync(path, "utf8")) as Case[];

/** What a text is read as; what is absent is null in the vectors. */
function read(each: Case): unknown {
  const given = each.text as string;
  switch (each.read) {
    case "trim":
      return text.trim(given);
    case "int":
      return text.toInt(given);
    case "float":
      return text.toFloat(given);
    case "bool":
      return text.toBool(each.text ?? undefined);
    case "word":
      return text.toWord(given, each.words!);
    case "timestamp":
      return text.toTimestamp(given, each.offset_minutes ?? undefined);
    case "day":
      return text.toDay(given);
    case "duration":
      return text.toDuration(given);
    case "bytes":
      return text.toBytes(given);
    default:
      throw new Error(`no reader ${each.read}`);
  }
}

describe("what was entered", () => {
  it.each(cases)("$read $text is read as the vector says", (each) => {
    if (each.error !== undefined) {
      expect(() => read(each)).toThrow(new text.TextError(each.error));
    } else if (each.digits !== undefined) {
      const value = read(each) as number | bigint;
      expect(value.toString()).toBe(each.digits);
      expect(typeof value).toBe(Number.isSafeInteger(Number(each.digits)) ? "number" : "bigint");
    } else {
      expect(read(each) ?? null).toBe(each.value);
    }
  });

  it("space is what the language trims, and U+0085", () => {
    const codes = Array.from({ length: 0x1_0000 }, (_, code) => String.fromCharCode(code));
    const white = codes.filter((each) => each.trim() === "");
    expect([...text.SPACE].sort()).toEqual([...white, "\x85"].sort());
  });

  it("space within a text is no work at its ends", () => {
    const began = performance.now();
    expect(text.trim(`a${" ".repeat(200_000)}b`).length).toBe(200_002);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it("a zero has no sign", () => {
    expect([text.toInt("-0"), text.toFloat("-0.0")]).toEqual([0, 0]);
  });

  it("digits are read as the number that they write, and no safe one is a bigint", () => {
    fc.assert(
      fc.property(fc.bigInt(), (number) => {
        const found = text.toInt(`${number}`)!;
        expect(BigInt(found)).toBe(number);
        expect(typeof found === "bigint").toBe(!Number.isSafeInteger(Number(found)));
      }),
    );
  });

  it("an offset of a day or more is a mistake of the program", () => {
    for (const offset of [-1_440, 1_440, Number.NaN]) {
      expect(() => text.toTimestamp("", offset)).toThrow(RangeError);
    }
  });
});
