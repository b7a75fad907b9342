import { describe, expect, it } from "vitest";

import { checkJson, entriesOf, isText, MAX_DEPTH, parseJson } from "../../src/wire/value.ts";
import { refusal } from "../support/refusal.ts";

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 ? [value] : { a: value };
  return value;
}

describe("a JSON value", () => {
  it("passes unchanged", () => {
    const value = { a: [1, -2.5, "ü😀", true, null], b: {} };
    expect(checkJson(value, "x")).toBe(value);
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
    ["a bigint", 1n],
    ["a Date", new Date(0)],
    ["a Map", new Map()],
    ["undefined", undefined],
    ["undefined in an array", [undefined]],
    ["a hole in an array", Array(1)],
    ["an instance of a class", new (class Point {})()],
  ])("that is or holds %s is refused", (_, value) => {
    expect(refusal(() => checkJson(value, "push.data")).message).toMatch(/^push\.data: /);
    expect(refusal(() => checkJson({ deep: [value] }, "push.data")).code).toBe("bad_message");
  });

  it.each(["__proto__", "constructor", "prototype", "a\0", "\udfff"])(
    "with the key %j is refused, also deep inside",
    (key) => {
      const value = JSON.parse(`[{"a": {${JSON.stringify(key)}: 1}}]`);
      expect(refusal(() => checkJson(value, "x")).message).toMatch(/^x: the key .* is not allowed/);
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
