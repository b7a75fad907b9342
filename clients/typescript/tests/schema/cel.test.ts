import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as s from "../../src/schema/cel.ts";
import { rules } from "./cel-rules.ts";

interface Row {
  readonly rule: string;
  readonly said: readonly string[];
}

interface Case {
  readonly name: string;
  readonly arguments: unknown[];
  readonly gives: unknown;
}

function revive(_key: string, value: unknown): unknown {
  if (!value || typeof value !== "object" || !("$" in value)) return value;
  const { $: tag, v: found } = value as unknown as { $: string; v: string };
  if (tag === "n" || tag === "t") return BigInt(found);
  if (tag === "d") return Number(found);
  if (tag === "m") return new Map(found as unknown as [unknown, unknown][]);
  return Uint8Array.from(Buffer.from(found, "base64"));
}

function vectors(name: string): unknown {
  const file = new URL(`../../../../tests/vectors/${name}`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8"), revive);
}

function verdict(judge: () => boolean | string): string {
  try {
    const answer = judge();
    return typeof answer === "string" ? `=${answer}` : String(answer);
  } catch (error) {
    if (error instanceof s.CelError) return "error";
    throw error;
  }
}

describe("a rule that was compiled", () => {
  const { records, rules: rows } = vectors("cel.json") as { records: unknown[]; rules: Row[] };
  const now = BigInt(Date.now()) * 1_000_000n;

  it.each(rows.map((row, at) => [row.rule, row, at] as const))(
    "says of %s what protovalidate has said",
    (_rule, row, at) => {
      const said = records.map((record) => verdict(() => rules[at]!(record, now)));
      expect(said).toEqual(row.said);
    },
  );
});

describe("a helper", () => {
  const cases = vectors("cel_helpers.json") as Case[];
  const helpers = s as unknown as Record<string, (...values: unknown[]) => unknown>;
  const named = cases.filter(({ name }) => camel(name) in helpers);

  it.each(named.map((each, at) => [each.name, at, each] as const))(
    "%s gives what vector %i says",
    (name, _at, { arguments: values, gives }) => {
      const helper = helpers[camel(name)]!;
      if (gives === "error") expect(() => helper(...values)).toThrow(s.CelError);
      else expect(helper(...values)).toEqual(gives);
    },
  );

  it("is there for every vector", () => {
    expect(named.length).toBe(cases.length);
  });
});

function camel(name: string): string {
  return `cel_${name}`.replace(/_(.)/g, (_all, letter: string) => letter.toUpperCase());
}

describe("order and errors", () => {
  it("orders texts by code points", () => {
    const ordered = [
      "",
      "a",
      "aa",
      "b",
      "é",
      "\ue000",
      "\uffff",
      "\u{10000}",
      "\u{1f642}",
      "\u{1f642}a",
      "\u{1f643}",
    ];
    for (const [at, one] of ordered.entries()) {
      for (const [other, text] of ordered.entries()) {
        expect(Math.sign(s.celCompare(one, text))).toBe(Math.sign(at - other));
      }
    }
  });

  it("orders bytes", () => {
    const bytes = (...values: number[]) => Uint8Array.from(values);
    expect(s.celCompareBytes(bytes(1, 2), bytes(1, 2))).toBe(0);
    expect(s.celCompareBytes(bytes(1), bytes(1, 0))).toBeLessThan(0);
    expect(s.celCompareBytes(bytes(255), bytes(1, 2))).toBeGreaterThan(0);
    expect(s.celBytesAt(bytes(1, 2), bytes(1, 2, 3), -1)).toBe(false);
    expect(s.celBytesHave(bytes(1, 2, 3), bytes(2, 3))).toBe(true);
    expect(s.celBytesHave(bytes(1, 2, 3), bytes())).toBe(true);
    expect(s.celJoinBytes(bytes(1), bytes(2))).toEqual(bytes(1, 2));
  });

  it("absorbs an error from either side, but only a CelError", () => {
    const err = (): boolean => {
      throw new s.CelError("no");
    };
    expect(s.celAnyOf(err, () => true)).toBe(true);
    expect(s.celAllOf(err, () => false)).toBe(false);
    expect(() => s.celAnyOf(err, () => false)).toThrow(s.CelError);
    expect(() => s.celAllOf(() => true, err)).toThrow(s.CelError);
    const wrong = (): boolean => {
      throw new TypeError("wrong");
    };
    expect(() => s.celAnyOf(wrong, () => true)).toThrow(TypeError);
  });

  it("keeps whole numbers as numbers while they are exact", () => {
    expect(s.celAdd(2 ** 53 - 1, 1)).toBe(9007199254740992n);
    expect(s.celSubtract(9007199254740992n, 1)).toBe(2 ** 53 - 1);
    expect(s.celMultiply(2 ** 52, 4)).toBe(18014398509481984n);
    expect(Object.is(s.celMultiply(0, -5), 0)).toBe(true);
  });
});
