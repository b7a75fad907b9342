import { describe, expect, it } from "vitest";
import type { Fields } from "../../src/wire/plan.ts";
import { EITHER } from "../../src/wire/plan.ts";
import { readEnvelope } from "../../src/wire/reader.ts";
import { writeEnvelope } from "../../src/wire/writer.ts";

const write = (type: string, fields: Fields) => writeEnvelope({ type, ...fields });
/** The bytes of the fields of one short message, without the envelope. */
const written = (type: string, fields: Fields): number[] => {
  const bytes = [...write(type, fields)];
  const head = bytes[0]! < 0x80 ? 2 : 3;
  expect(bytes[head - 1]).toBe(bytes.length - head);
  return bytes.slice(head);
};
const read = (bytes: Uint8Array) => readEnvelope(bytes, EITHER)![1];

describe("an integer", () => {
  it.each([
    1,
    127,
    128,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53 - 1,
    -1,
    -128,
    -129,
    -(2 ** 32),
    -(2 ** 53 - 1),
  ])("%d comes back", (since) => {
    expect(read(write("sync", { since }))).toEqual({ since });
  });

  it("below zero takes ten bytes", () => {
    expect(written("sync", { since: -1 })).toEqual([0x10, ...Array<number>(9).fill(0xff), 0x01]);
  });
});

it("what is absent, null, or zero where a field is never absent, is left out", () => {
  expect(written("push", { entity: "", data: null, seq: undefined })).toEqual([]);
  expect(written("sync_complete", { version: 0, reset: false })).toEqual([]);
  expect(written("subscribe", { entities: [], since: undefined })).toEqual([]);
  expect(written("authenticated", { expires: undefined })).toEqual([]);
});

it("a zero is written where a field may be absent, and in a list", () => {
  expect(written("hello", { client_id: "", confirmed_seq: 0 })).toEqual([0x0a, 0x00, 0x28, 0x00]);
  expect(written("error", { retryable: false })).toEqual([0x28, 0x00]);
  expect(written("subscribe", { entities: [""] })).toEqual([0x0a, 0x00]);
});

it("true is 1, and an enum its number", () => {
  expect(written("sync_complete", { reset: true })).toEqual([0x20, 0x01]);
  expect(written("push", { action: "delete" })).toEqual([0x18, 0x03]);
  expect(written("error", { code: "not_found" })).toEqual([0x10, 22]);
});

it("JSON is its text, whatever it holds", () => {
  expect(written("push", { data: 0 })).toEqual([0x22, 0x01, 0x30]);
  expect(written("push", { data: "" })).toEqual([0x22, 0x02, 0x22, 0x22]);
  expect(written("push", { data: false })).toEqual([0x22, 0x05, ...Buffer.from("false")]);
});

it("the number of a message above 15 takes two bytes", () => {
  expect([...write("form_validation_result", { errors: [] })]).toEqual([0x8a, 0x02, 0x00]);
});

it("the items of a list and the fields are in order", () => {
  const since = { k: { epoch: "", version: 5 }, l: { epoch: "", version: 0 } };
  expect(written("subscribe", { entities: ["a", "b"], since })).toEqual([
    ...[0x0a, 0x01, 0x61, 0x0a, 0x01, 0x62],
    ...[0x12, 0x07, 0x0a, 0x01, 0x6b, 0x12, 0x02, 0x10, 0x05],
    ...[0x12, 0x05, 0x0a, 0x01, 0x6c, 0x12, 0x00],
  ]);
});

describe("a text", () => {
  it("of any length comes back, across the edges of the length", () => {
    const lengths = Array.from({ length: 300 }, (_, index) => index);
    for (const length of [...lengths, 16_383, 16_384, 2_097_151, 2_097_152]) {
      const value = { client_id: "x".repeat(length) };
      expect(read(write("hello", value))).toEqual(value);
    }
  });

  it("is UTF-8", () => {
    const value = { client_id: "é€😀" };
    expect(read(write("hello", value))).toEqual(value);
  });
});

it("messages in messages are whole, across the edges of the length", () => {
  for (let length = 0; length < 300; length++) {
    const error = "x".repeat(length);
    const errors = [
      { field: "f", error },
      { field: "g", error: "e" },
    ];
    const [first, second] = read(write("form_validation_result", { errors })).errors as Fields[];
    expect(first!.error ?? "").toBe(error);
    expect(second).toEqual({ field: "g", error: "e" });
  }
});

it("a time is seconds and nanoseconds, each left out when zero", () => {
  expect(written("authenticated", { expires: "1970-01-01T00:00:00Z" })).toEqual([0x0a, 0x00]);
  expect(written("authenticated", { expires: "1970-01-01T00:00:01.000001Z" })).toEqual([
    0x0a, 0x05, 0x08, 0x01, 0x10, 0xe8, 0x07,
  ]);
});
