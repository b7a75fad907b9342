import { expect, it } from "vitest";

import { readProto, writeProto } from "../../src/wire/proto.ts";
import { refusal } from "../support/refusal.ts";
import { append } from "../../src/wire/reader.ts";
import type { Read } from "../../src/wire/reader.ts";
import type { Authenticate } from "../../src/messages/types.ts";

/** A case whose field 1 is a list of texts. */
const named =
  (type: string): Read =>
  (from, to = { type, all: [] }) => {
    for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
      if (tag === 10) append(to, "all", from.text());
      else from.skip(tag);
    }
    return to;
  };
const reads = { 1: named("one"), 2: named("two") };

const one = (text: number) => [0x0a, 0x03, 0x0a, 0x01, text];
const two = (text: number) => [0x12, 0x03, 0x0a, 0x01, text];
const read = (...bytes: number[]) => readProto(Uint8Array.from(bytes), reads);

it("the last case wins", () => {
  expect(read(...one(0x61), ...two(0x62))).toEqual({ type: "two", all: ["b"] });
});

it("a case that comes again adds to itself, unless another came between", () => {
  expect(read(...one(0x61), ...one(0x62))).toEqual({ type: "one", all: ["a", "b"] });
  expect(read(...one(0x61), ...two(0x62), ...one(0x63))).toEqual({ type: "one", all: ["c"] });
});

it("an envelope with nothing that is known is refused", () => {
  expect(refusal(() => read()).message).toMatch(/^message: the envelope is empty/);
  expect(refusal(() => read(0x1a, 0x00)).message).toMatch(/^message: the envelope is empty/);
});

it("a known number with another wire type is not that case", () => {
  expect(read(0x08, 0x01, ...two(0x62))).toMatchObject({ type: "two" });
});

it("an envelope is written around the message", () => {
  const writes = { authenticate: [3, (to: never, from: Authenticate) => write(to, from)] };
  const write = (to: { text(field: number, value: string): void }, from: Authenticate) =>
    to.text(1, from.token);
  const message: Authenticate = { type: "authenticate", token: "t" };
  expect(writeProto(message, writes as never)).toEqual(Uint8Array.of(0x1a, 0x03, 0x0a, 0x01, 0x74));
});
