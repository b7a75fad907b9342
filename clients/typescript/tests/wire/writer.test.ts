import { describe, expect, it } from "vitest";

import { Reader } from "../../src/wire/reader.ts";
import { Writer } from "../../src/wire/writer.ts";

function written(write: (to: Writer) => void): number[] {
  const to = new Writer();
  write(to);
  return [...to.finish()];
}

describe("an integer", () => {
  it.each([
    0,
    1,
    127,
    128,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53 - 1,
    -1,
    -128,
    -(2 ** 32),
    -(2 ** 53 - 1),
  ])("%d comes back", (value) => {
    const from = new Reader(Uint8Array.from(written((to) => to.int(1, value))));
    expect(from.tag()).toBe(8);
    expect(from.int()).toBe(value);
    expect(from.tag()).toBe(0);
  });
});

it("what is undefined is left out", () => {
  const nothing = written((to) => {
    to.int(1, undefined);
    to.flag(2, undefined);
    to.text(3, undefined);
    to.json(4, null);
    to.time(5, undefined);
    to.message(6, () => {}, undefined);
    to.map(7, () => {}, undefined);
  });
  expect(nothing).toEqual([]);
});

it("an empty text and a false flag that are there are written", () => {
  expect(written((to) => to.text(3, ""))).toEqual([0x1a, 0x00]);
  expect(written((to) => to.flag(2, false))).toEqual([0x10, 0x00]);
});

it("a field number above 15 takes two bytes", () => {
  expect(written((to) => to.text(33, ""))).toEqual([0x8a, 0x02, 0x00]);
});

it("a message longer than its first buffer is whole", () => {
  const long = "x".repeat(100_000);
  const encoded = written((to) => to.message(1, (inner, text) => inner.text(1, text), long));
  const from = new Reader(Uint8Array.from(encoded));
  expect(from.tag()).toBe(0x0a);
  expect(encoded.length).toBe(100_000 + 2 * 4);
});

describe("a text", () => {
  const read = (encoded: number[]) => {
    const from = new Reader(Uint8Array.from(encoded));
    expect(from.tag()).toBe(0x0a);
    return from.text();
  };

  it("of any length comes back, across the edges of the length and of the buffer", () => {
    const lengths = Array.from({ length: 300 }, (_, index) => index);
    for (const length of [...lengths, 16_383, 16_384, 2_097_151, 2_097_152]) {
      const value = "x".repeat(length);
      expect(read(written((to) => to.text(1, value)))).toBe(value);
    }
  });

  it("comes back wherever its first character beyond ASCII is", () => {
    for (let before = 0; before < 70; before++) {
      for (const odd of ["é", "€", "😀", "😀😀é"]) {
        const value = `${"x".repeat(before)}${odd}y`;
        expect(read(written((to) => to.text(1, value)))).toBe(value);
      }
    }
  });
});

it("messages in messages are whole, across the edges of the length and of the buffer", () => {
  for (let length = 0; length < 300; length++) {
    const value = "x".repeat(length);
    const encoded = written((to) => {
      to.message(1, (one, text) => one.message(2, (two, inner) => two.text(3, inner), text), value);
      to.int(4, 5);
    });
    const from = new Reader(Uint8Array.from(encoded));
    expect(from.tag()).toBe(0x0a);
    from.message((one) => {
      expect(one.tag()).toBe(0x12);
      return one.message((two) => {
        expect(two.tag()).toBe(0x1a);
        expect(two.text()).toBe(value);
        return {};
      });
    });
    expect([from.tag(), from.int(), from.tag()]).toEqual([0x20, 5, 0]);
  }
});

it("a time is seconds and nanoseconds, each left out when zero", () => {
  expect(written((to) => to.time(1, "1970-01-01T00:00:00Z"))).toEqual([0x0a, 0x00]);
  expect(written((to) => to.time(1, "1970-01-01T00:00:01.000001Z"))).toEqual([
    0x0a, 0x05, 0x08, 0x01, 0x10, 0xe8, 0x07,
  ]);
});

it("a map is one message of key and value for each entry", () => {
  const encoded = written((to) => to.map(2, (inner, value: number) => inner.int(1, value), { k: 5 }));
  expect(encoded).toEqual([0x12, 0x07, 0x0a, 0x01, 0x6b, 0x12, 0x02, 0x08, 0x05]);
});
