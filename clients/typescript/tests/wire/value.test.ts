import { describe, expect, it } from "vitest";

import {
  checkJson,
  entriesOf,
  isText,
  MAX_DEPTH,
  parseJson,
  writeJson,
} from "../../src/wire/value.ts";
import { refusal } from "../support/refusal.ts";

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 ? [value] : { a: value };
  return value;
}

describe("a JSON value", () => {
  it("passes as a copy, which nobody else can change", () => {
    const value = { a: [1, -2.5, "ü😀", true, null], b: {} };
    const copy = checkJson(value, "x") as typeof value;
    expect(copy).toEqual(value);
    value.a.push(2);
    expect(copy.a).toHaveLength(5);
  });

  it("is what the server will send back", () => {
    const frame = new Proxy({ a: [-0], b: undefined, c: 5n, [Symbol("s")]: 1 }, {});
    const copy = checkJson(frame, "x") as object;
    expect(Object.entries(copy)).toEqual([
      ["a", [0]],
      ["c", 5],
    ]);
    expect(JSON.parse(JSON.stringify(copy))).toEqual(copy);
  });

  it.each([2 ** 53, -(2 ** 53) - 2, 2 ** 64, 12345678901234567000, 1e20])(
    "with the unsafe integer %s is refused, naming the place",
    (value) => {
      expect(refusal(() => checkJson({ votes: value }, "push.data")).message).toBe(
        `push.data.votes: ${value} cannot be written exactly by JavaScript: use a bigint or a string`,
      );
    },
  );

  it.each([
    [2 ** 53 - 1],
    [1e21],
    [Number.MAX_VALUE],
    [5e-324],
    [2n ** 53n],
    [-(2n ** 70n)],
    [BigInt(Number.MAX_VALUE)],
  ])("may hold the number %s", (value) => {
    expect(checkJson([value], "x")).toEqual([value]);
    expect(writeJson([value])).toBe(`[${value}]`);
  });

  it("has no integer that is too large for a double, which the server refuses", () => {
    const { message } = refusal(() => checkJson([10n ** 309n], "x"));
    expect(message).toBe("x.0: not a JSON value: bigint");
  });

  it.each([
    [{ a: { b: [1, { "c d": Number.NaN }] } }, "x.a.b.1.c d: not a JSON value: NaN"],
    [{ a: 1, b: { $b1: undefined, c: () => 1 } }, "x.b.c: not a JSON value: function"],
    [[[], [new Date(0)]], "x.1.0: not a plain object"],
    [{ first: { deep: 1 }, last: Symbol("s") }, "x.last: not a JSON value: symbol"],
    [["a\0"], "x.0: not a JSON value: string"],
    [[-Infinity], "x.0: not a JSON value: -Infinity"],
  ])("names the place of what is wrong: %j", (value, words) => {
    expect(refusal(() => checkJson(value, "x")).message).toBe(words);
  });

  it("that holds itself is refused", () => {
    const value: { self?: unknown } = {};
    value.self = value;
    expect(refusal(() => checkJson(value, "x")).message).toBe("x: nested deeper than 32 levels");
  });

  it("may be nested 32 deep and not 33", () => {
    expect(checkJson(nested(MAX_DEPTH), "x")).toBeDefined();
    expect(refusal(() => checkJson(nested(MAX_DEPTH + 1), "x")).message).toMatch(/^x: nested/);
  });

  it("nested 100,000 deep is refused without exhausting the stack", () => {
    expect(refusal(() => checkJson(nested(100_000), "x")).code).toBe("bad_message");
  });

  it.each([
    ["NaN", Number.NaN],
    ["infinity", JSON.parse("1e400")],
    ["a lone surrogate", "\ud800"],
    ["a swapped pair", "\udc00\ud800"],
    ["NUL", "a\0b"],
    ["a symbol", Symbol("s")],
    ["a function", () => 1],
    ["a Date", new Date(0)],
    ["a Map", new Map()],
    ["undefined", undefined],
    ["undefined in an array", [undefined]],
    ["a hole in an array", Array(1)],
    ["an instance of a class", new (class Point {})()],
  ])("that is or holds %s is refused", (_, value) => {
    expect(refusal(() => checkJson(value, "push.data")).message).toMatch(/^push\.data(\.0)?: /);
    expect(refusal(() => checkJson({ deep: [value] }, "push.data")).code).toBe("bad_message");
  });

  it.each(["__proto__", "constructor", "prototype", "a\0", "\udfff"])(
    "with the key %j is refused, also deep inside",
    (key) => {
      const value = JSON.parse(`[{"a": {${JSON.stringify(key)}: 1}}]`);
      const words = /^x\.0\.a: the key .* is not allowed/;
      expect(refusal(() => checkJson(value, "x")).message).toMatch(words);
    },
  );

  it("may have undefined members, which are not sent", () => {
    expect(JSON.stringify(checkJson({ a: undefined }, "x"))).toBe("{}");
  });

  it("may be an object without a prototype", () => {
    expect(checkJson(Object.create(null), "x")).toEqual({});
  });
});

it("text is a string with whole characters only", () => {
  expect(isText("ü😀")).toBe(true);
  expect(isText(5)).toBe(false);
  expect(isText("\ud83d")).toBe(false);
});

describe("the entries", () => {
  it("of an object are its own, and of an array its items with its holes", () => {
    expect(entriesOf({ toString: 1 }, "x")).toEqual([["toString", 1]]);
    expect(entriesOf([, 2], "x")).toEqual([
      ["0", undefined],
      ["1", 2],
    ]);
  });

  it("have no key that reaches a prototype", () => {
    const { message } = refusal(() => entriesOf(JSON.parse('{"__proto__": 1}'), "x"));
    expect(message).toBe('x: the key "__proto__" is not allowed');
  });
});

describe("JSON", () => {
  it("is parsed from text and from bytes", () => {
    expect(parseJson('{"a":"ü"}', "x")).toEqual({ a: "ü" });
    expect(parseJson(new TextEncoder().encode('{"a":"ü"}'), "x")).toEqual({ a: "ü" });
  });

  it.each(["", "{", '{"a":1} x', "\ufeff1", Uint8Array.of(0x22, 0xff, 0x22), new Uint8Array()])(
    "%j is not",
    (data) => {
      expect(refusal(() => parseJson(data, "x")).message).toBe("x: not JSON in UTF-8");
    },
  );
});
