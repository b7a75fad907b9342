import { describe, expect, it } from "vitest";

import { decode, encode } from "../../src/wire/index.ts";
import { envelope } from "../support/oracle.ts";
import { refusal } from "../support/refusal.ts";
import { bytes, frame, good, malformed } from "../support/vectors.ts";

const exact = good.filter((each) => !each.lossy_in_javascript);
const seen = malformed.filter((each) => !each.unseen_by_javascript);
const unseen = malformed.filter((each) => each.unseen_by_javascript);

it("every case of the envelope has a vector", () => {
  const cases = new Set(good.map((each) => each.case));
  expect([...cases].sort()).toEqual(envelope.fields.map((field) => field.name).sort());
});

describe("a good message is read", () => {
  it.each(good)("from JSON: $name", ({ json, canonical, case: type }) => {
    const message = decode(json, "json");
    expect(message.type).toBe(type);
    expect(message).toEqual(decode(canonical, "json"));
  });

  it.each(good)("from JSON in bytes: $name", ({ json }) => {
    expect(decode(new TextEncoder().encode(json), "json")).toEqual(decode(json, "json"));
  });

  it.each(good)("from protobuf: $name", ({ json, proto, proto_given }) => {
    expect(decode(bytes(proto), "proto")).toEqual(decode(json, "json"));
    if (proto_given) expect(decode(bytes(proto_given), "proto")).toEqual(decode(json, "json"));
  });
});

describe("a good message is written", () => {
  it.each(exact)("as JSON: $name", ({ json, canonical }) => {
    expect(encode(decode(json, "json"), "json")).toBe(canonical);
  });

  it.each(exact)("as protobuf: $name", ({ json, proto }) => {
    const written = encode(decode(json, "json"), "proto") as Uint8Array;
    expect(Buffer.from(written).toString("hex")).toBe(proto);
  });
});

describe("a malformed message is refused with its place", () => {
  it.each(seen)("$format: $name", (vector) => {
    const error = refusal(() => decode(frame(vector), vector.format));
    expect(error.code).toBe(vector.code);
    expect(error.message).toContain(vector.path);
  });
});

describe("what JSON.parse hides", () => {
  it("is a key that occurs twice, and nothing else", () => {
    for (const { name } of unseen) expect(name).toMatch(/twice/);
  });

  it.each(unseen)("cannot be refused: $format: $name", (vector) => {
    expect(decode(frame(vector), vector.format)).toBeDefined();
  });
});
