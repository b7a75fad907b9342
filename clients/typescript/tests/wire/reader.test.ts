import { describe, expect, it } from "vitest";

import { noteTo } from "../../src/wire/check.ts";
import { CLIENT, EITHER, SERVER } from "../../src/wire/plan.ts";
import { readEnvelope } from "../../src/wire/reader.ts";
import { refusal } from "../support/refusal.ts";

const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
const SYNC = 12;
const PING = 6;

const message = (number: number, ...fields: number[]) => [
  ...(number < 16 ? [(number << 3) | 2] : [((number << 3) & 0x7f) | 0x82, number >> 4]),
  fields.length,
  ...fields,
];
const envelope = (bytes: number[], sides = EITHER) => readEnvelope(Uint8Array.from(bytes), sides);
/** What is read of the fields of one message. */
const read = (number: number, ...fields: number[]) => envelope(message(number, ...fields))![1];
const refused = (bytes: number[]) => {
  const error = refusal(() => envelope(bytes));
  expect(error.code).toBe("bad_message");
  expect(error.message).toMatch(/^message: /);
  return error;
};

describe("an integer", () => {
  const since = (...encoded: number[]) => read(SYNC, 0x10, ...encoded).since;

  it.each([
    [[0x00], 0],
    [[0x7f], 127],
    [[0x80, 0x01], 128],
    [[0x80, 0x80, 0x80, 0x80, 0x01], 2 ** 28],
    [[0x80, 0x80, 0x80, 0x80, 0x10], 2 ** 32],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], 2 ** 53 - 1],
    [minusOne, -1],
    [[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0xf0, 0xff, 0x01], -(2 ** 53 - 1)],
    [[0x80, 0x00], 0],
  ])("of bytes %j is %d", (encoded, value) => {
    expect(since(...encoded)).toBe(value);
  });

  it("beyond 2^53 stays beyond, so that the check refuses it", () => {
    expect(Number.isSafeInteger(since(0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10))).toBe(false);
  });

  it("of eleven bytes is refused", () => {
    refused(message(SYNC, 0x10, ...Array<number>(10).fill(0x80), 0x00));
  });
});

describe("what is cut off or too long is refused:", () => {
  it.each([
    ["a number", message(SYNC, 0x10, 0x80)],
    ["a text", message(SYNC, 0x0a, 0x05, 0x61)],
    ["a text with a negative length", message(SYNC, 0x0a, ...minusOne)],
    ["a text with an overlong length", message(SYNC, 0x0a, ...Array<number>(5).fill(0x80), 0)],
    ["a message", [0x62, 0x02, 0x0a]],
    ["a message longer than the one around it", message(14, 0x0a, 0x05, 0x0a, 0x01, 0x61)],
    ["four bytes", message(PING, 0x0d, 0, 0, 0)],
    ["eight bytes", message(PING, 0x09, 0, 0, 0, 0, 0, 0, 0)],
    ["a group", message(PING, 0x0b, 0x10, 0x01)],
  ])("%s", (_, bytes) => {
    refused(bytes);
  });
});

describe("a tag", () => {
  it.each([
    ["with field number 0", [0x02, 0x00]],
    ["beyond 32 bits", [0xff, 0xff, 0xff, 0xff, 0x1f]],
    ["longer than five bytes", [0x8a, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00]],
  ])("%s is refused", (_, encoded) => {
    expect(refused(encoded).details).toBeNull();
    refused(message(PING, ...encoded));
  });
});

describe("an unknown field", () => {
  const text = [0x0a, 0x01, 0x61];

  it.each([
    ["varint", [0x78, 0x96, 0x01]],
    ["64 bits", [0x79, 1, 2, 3, 4, 5, 6, 7, 8]],
    ["length", [0x7a, 0x02, 0xff, 0xff]],
    ["group in a group", [0x7b, 0x73, 0x10, 0x01, 0x74, 0x7c]],
    ["32 bits", [0x7d, 1, 2, 3, 4]],
    ["a known number with another wire type", [0x08, 0x01]],
    ["groups 100 deep", [...Array<number>(100).fill(0x7b), ...Array<number>(100).fill(0x7c)]],
  ])("of type %s is passed over", (_, encoded) => {
    const bytes = [...encoded, ...text];
    const [, fields] = envelope([0x62, bytes.length | 0x80, bytes.length >> 7, ...bytes])!;
    expect(fields).toEqual({ entity: "a" });
  });

  it.each([
    ["the end of a group that never began", [0x7c]],
    ["the end of another group", [0x7b, 0x74]],
    ["a wire type that does not exist", [0x7e]],
    ["groups 101 deep", [...Array<number>(101).fill(0x7b), ...Array<number>(101).fill(0x7c)]],
  ])("that is %s is refused", (_, encoded) => {
    refused([...encoded, ...message(PING)]);
  });
});

describe("text", () => {
  it.each([
    ["an overlong form", [0xc0, 0x80]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a stray byte", [0xff]],
  ])("that is not UTF-8 is refused: %s", (_, encoded) => {
    refused(message(SYNC, 0x0a, encoded.length, ...encoded));
  });

  it("keeps a byte order mark", () => {
    expect(read(SYNC, 0x0a, 0x03, 0xef, 0xbb, 0xbf)).toEqual({ entity: "\ufeff" });
  });
});

it("JSON stays as it came, to be parsed where its place is known", () => {
  expect(read(15, 0x22, 0x01, 0x7b)).toEqual({ data: Uint8Array.of(0x7b) });
});

it("an enum is its spelling, or its number if it has none", () => {
  expect(read(15, 0x18, 0x02)).toEqual({ action: "update" });
  expect(read(15, 0x18, 0x00)).toEqual({ action: 0 });
  expect(read(15, 0x18, 0x09)).toEqual({ action: 9 });
  expect(read(15, 0x18, ...minusOne)).toEqual({ action: -1 });
});

it("an enum has 32 bits, and what is above is cut off", () => {
  expect(read(15, 0x18, 0x82, 0x80, 0x80, 0x80, 0x10)).toEqual({ action: "update" });
});

it("any bit makes a boolean true", () => {
  expect(read(13, 0x20, 0x00)).toEqual({ reset: false });
  expect(read(13, 0x20, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01)).toEqual({ reset: true });
});

it("a time is its seconds and nanoseconds", () => {
  const expires = { seconds: 1, nanos: 2 };
  expect(read(4, 0x0a, 0x04, 0x08, 0x01, 0x10, 0x02)).toEqual({ expires });
});

it("a message inside another that comes twice adds to itself", () => {
  expect(read(14, 0x0a, 0x03, 0x0a, 0x01, 0x61, 0x0a, 0x03, 0x12, 0x01, 0x62)).toEqual({
    change: { entity: "a", entity_id: "b" },
  });
});

it("a time that comes twice adds to itself, as any message does", () => {
  const expires = { seconds: 1, nanos: 2 };
  expect(read(4, 0x0a, 0x02, 0x10, 0x02, 0x0a, 0x02, 0x08, 0x01)).toEqual({ expires });
});

it("an item of a list that comes twice is two", () => {
  expect(read(11, 0x0a, 0x01, 0x61, 0x0a, 0x01, 0x61)).toEqual({ entities: ["a", "a"] });
});

describe("an entry of a map", () => {
  const since = (...entries: number[][]) =>
    read(10, ...entries.flatMap((entry) => [0x12, entry.length, ...entry])).since;

  it("may lack its key, its value, or both", () => {
    expect(since([])).toEqual({ "": {} });
    expect(since([0x0a, 0x01, 0x6b], [0x18, 0x01])).toEqual({ k: {}, "": {} });
    expect(since([0x0a, 0x01, 0x6b, 0x12, 0x02, 0x10, 0x05])).toEqual({ k: { version: 5 } });
  });

  it("never reaches a prototype by its key, and the last of two wins", () => {
    const key = [0x0a, 0x09, ...new TextEncoder().encode("__proto__")];
    const found = since([...key, 0x12, 0x02, 0x10, 0x01], [...key, 0x12, 0x02, 0x10, 0x02]);
    expect(Object.entries(found as object)).toEqual([["__proto__", { version: 2 }]]);
  });
});

describe("the envelope", () => {
  const unsubscribe = (text: number) => message(11, 0x0a, 0x01, text);
  const fields = (...bytes: number[]) => {
    const [plan, found] = envelope(bytes)!;
    return { type: plan.type, ...found };
  };

  it("holds the last case", () => {
    expect(fields(...message(PING), ...unsubscribe(0x62))).toEqual({
      type: "unsubscribe",
      entities: ["b"],
    });
  });

  it("adds a case that comes again to itself, unless another came between", () => {
    const [a, b, c] = [unsubscribe(0x61), unsubscribe(0x62), unsubscribe(0x63)];
    expect(fields(...a, ...b)).toEqual({ type: "unsubscribe", entities: ["a", "b"] });
    expect(fields(...a, ...message(PING), ...c)).toEqual({ type: "unsubscribe", entities: ["c"] });
  });

  it.each([
    [[], 0],
    [message(8), 8],
    [message(100), 100],
    [[0x08, 0x01], 1],
    [message(900), 900],
    [message(1000), 1000],
  ])("with nothing that is known is refused, or noted: %j", (bytes, number) => {
    expect(refused(bytes).message).toBe(`message: unknown message ${number}`);
    const noted: string[][] = [];
    noteTo((...said) => noted.push(said));
    try {
      expect(envelope(bytes)).toBeUndefined();
    } finally {
      noteTo();
    }
    expect(noted).toEqual([["message", `message ${number}`]]);
  });

  it("is read by who may have sent it", () => {
    expect(envelope(message(11), CLIENT)![0].type).toBe("unsubscribe");
    expect(refusal(() => envelope(message(11), SERVER)).message).toMatch(/unknown message 11$/);
  });

  it("with a known number of another wire type is not that case", () => {
    expect(fields(0x30, 0x01, ...unsubscribe(0x62))).toMatchObject({ type: "unsubscribe" });
  });
});
