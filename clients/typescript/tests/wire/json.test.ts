import { expect, it } from "vitest";

import { checkMessage, readJson } from "../../src/wire/json.ts";
import { refusal } from "../support/refusal.ts";

const checks = { ping: () => ({ type: "ping" }) as const } as never;

it("an object is read from text and from bytes", () => {
  expect(readJson('{"type":"ping"}')).toEqual({ type: "ping" });
  expect(readJson(new TextEncoder().encode('{"a":"ü"}'))).toEqual({ a: "ü" });
});

it.each(["", "{", "[]", "null", '"ping"', "1", '{"a":1} x'])("%j is no message", (text) => {
  expect(refusal(() => readJson(text)).message).toMatch(/^message: /);
});

it("bytes that are not UTF-8 are refused", () => {
  expect(refusal(() => readJson(Uint8Array.of(0x22, 0xff, 0x22))).message).toMatch(/^message: /);
});

it.each([undefined, null, 7, "toString", "__proto__", "pong"])("%j is no type", (type) => {
  expect(refusal(() => checkMessage({ type }, checks)).message).toMatch(/^type: /);
});
