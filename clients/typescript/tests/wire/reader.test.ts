import { describe, expect, it } from "vitest";

import { append, put, Reader } from "../../src/wire/reader.ts";
import { refusal } from "../support/refusal.ts";
import type { Fields } from "../../src/wire/check.ts";
import type { Read } from "../../src/wire/reader.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const reader = (...values: number[]): Reader => new Reader(bytes(...values));
const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];

/** Collects field 1 as text. */
const texts: Read = (from, to = { all: [] }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 0x0a) append(to, "all", from.text());
    else from.skip(tag);
  }
  return to;
};

describe("an integer", () => {
  it.each([
    [[0x00], 0],
    [[0x7f], 127],
    [[0x80, 0x01], 128],
    [[0x80, 0x80, 0x80, 0x80, 0x10], 2 ** 32],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], 2 ** 53 - 1],
    [minusOne, -1],
    [[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0xf0, 0xff, 0x01], -(2 ** 53 - 1)],
    [[0x80, 0x00], 0],
  ])("of bytes %j is %d", (encoded, value) => {
    expect(reader(...encoded).int()).toBe(value);
  });

  it("beyond 2^53 stays beyond, so that the check refuses it", () => {
    const beyond = reader(0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10).int();
    expect(Number.isSafeInteger(beyond)).toBe(false);
  });

  it("of eleven bytes is refused", () => {
    expect(refusal(() => reader(...Array(10).fill(0x80), 0x00).int()).message).toMatch(/ten bytes/);
  });

  it("of 32 bits keeps the low ones", () => {
    expect(reader(...minusOne).int32()).toBe(-1);
  });
});

describe("what is cut off or too long is refused:", () => {
  it.each([
    ["a number", (from: Reader) => from.int(), [0x80]],
    ["a text", (from: Reader) => from.text(), [0x05, 0x61]],
    ["a text with a negative length", (from: Reader) => from.text(), minusOne],
    ["a text with an overlong length", (from: Reader) => from.text(), [...Array(5).fill(0x80), 0]],
    ["a message", (from: Reader) => from.message(texts), [0x02, 0x0a]],
    ["four bytes", (from: Reader) => from.skip(0x0d), [0, 0, 0]],
    ["eight bytes", (from: Reader) => from.skip(0x09), [0, 0, 0, 0, 0, 0, 0]],
    ["a group", (from: Reader) => from.skip(0x0b), [0x10, 0x01]],
  ])("%s", (_, read, encoded) => {
    expect(refusal(() => read(reader(...encoded))).code).toBe("bad_message");
  });
});

describe("a tag", () => {
  it.each([
    ["with field number 0", [0x02]],
    ["beyond 32 bits", [0xff, 0xff, 0xff, 0xff, 0x1f]],
    ["longer than five bytes", [0x8a, 0x80, 0x80, 0x80, 0x80, 0x00]],
  ])("%s is refused", (_, encoded) => {
    expect(refusal(() => reader(...encoded).tag()).code).toBe("bad_message");
  });

  it("is 0 at the end", () => {
    expect(reader().tag()).toBe(0);
  });
});

describe("an unknown field", () => {
  it.each([
    ["varint", [0x10, 0x96, 0x01]],
    ["64 bits", [0x11, 1, 2, 3, 4, 5, 6, 7, 8]],
    ["length", [0x12, 0x02, 0xff, 0xff]],
    ["group in a group", [0x13, 0x1b, 0x10, 0x01, 0x1c, 0x14]],
    ["32 bits", [0x15, 1, 2, 3, 4]],
  ])("of type %s is passed over", (_, encoded) => {
    expect(texts(reader(...encoded, 0x0a, 0x01, 0x61))).toEqual({ all: ["a"] });
  });

  it.each([
    ["the end of a group that never began", [0x14]],
    ["the end of another group", [0x13, 0x1c]],
    ["a wire type that does not exist", [0x16]],
    ["groups 101 deep", [...Array(101).fill(0x13), ...Array(101).fill(0x14)]],
  ])("that is %s is refused", (_, encoded) => {
    expect(refusal(() => texts(reader(...encoded))).code).toBe("bad_message");
  });
});

describe("text", () => {
  it.each([
    ["an overlong form", [0x02, 0xc0, 0x80]],
    ["a surrogate", [0x03, 0xed, 0xa0, 0x80]],
    ["a stray byte", [0x01, 0xff]],
  ])("that is not UTF-8 is refused: %s", (_, encoded) => {
    expect(refusal(() => reader(...encoded).text()).message).toMatch(/UTF-8/);
  });

  it("keeps a byte order mark", () => {
    expect(reader(0x03, 0xef, 0xbb, 0xbf).text()).toBe("\ufeff");
  });
});

it("JSON that cannot be read is no JSON value", () => {
  expect(reader(0x01, 0x31).json()).toBe(1);
  expect(typeof reader(0x01, 0x7b).json()).toBe("symbol");
  expect(typeof reader(0x00).json()).toBe("symbol");
  expect(typeof reader(0x03, 0x22, 0xff, 0x22).json()).toBe("symbol");
});

it("a spelling that does not exist is left as its number", () => {
  const spellings = { create: 1, update: 2 };
  expect(reader(0x02).spelled(spellings)).toBe("update");
  expect(reader(0x09).spelled(spellings)).toBe(9);
});

it("any bit makes a flag true", () => {
  expect(reader(0x00).flag()).toBe(false);
  expect(reader(0x80, 0x80, 0x80, 0x80, 0x80, 0x01).flag()).toBe(true);
});

it("a timestamp out of range is no time", () => {
  expect(reader(0x00).time()).toBe("1970-01-01T00:00:00Z");
  const yearTenThousand = [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20];
  expect(typeof reader(0x07, ...yearTenThousand).time()).toBe("symbol");
});

it("a message that comes twice adds to itself", () => {
  const first = reader(0x03, 0x0a, 0x01, 0x61).message(texts);
  expect(reader(0x03, 0x0a, 0x01, 0x62).message(texts, first)).toEqual({ all: ["a", "b"] });
});

it("an entry of a map has defaults for what it lacks", () => {
  expect(reader(0x00).entry(texts)).toEqual(["", { all: [] }]);
  expect(reader(0x03, 0x0a, 0x01, 0x6b).entry(texts)).toEqual(["k", { all: [] }]);
  expect(reader(0x02, 0x18, 0x01).entry(texts)).toEqual(["", { all: [] }]);
});

it("a key of a map never reaches a prototype", () => {
  const to: Fields = {};
  put(to, "since", ["__proto__", 1]);
  put(to, "since", ["__proto__", 2]);
  expect(Object.entries(to.since as object)).toEqual([["__proto__", 2]]);
});
