import { describe, expect, it } from "vitest";
import type { ClientMessage } from "../../src/messages/types.ts";
import { checkFromClient, decode, decodeFromServer, encode } from "../../src/wire/index.ts";
import { envelope } from "../support/oracle.ts";
import { refusal } from "../support/refusal.ts";
import { bytes, frame, good, malformed, newer, outgoing } from "../support/vectors.ts";

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
  it.each(good)("as JSON: $name", ({ json, canonical }) => {
    expect(encode(decode(json, "json"), "json")).toBe(canonical);
  });

  it.each(good)("as protobuf: $name", ({ json, proto }) => {
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

describe("what a newer server says", () => {
  it.each(newer)("is read and noted: $format: $name", (vector) => {
    const notes = new Set<string>();
    const note = (...said: string[]) => notes.add(JSON.stringify(said));
    const message = decodeFromServer(frame(vector), vector.format, note);
    expect([...notes].sort()).toEqual(vector.notes.map((each) => JSON.stringify(each)).sort());
    if (vector.reads === null) expect(message).toBeUndefined();
    else expect(message).toEqual({ ...decode(vector.reads, "json"), ...vector.words });
  });

  it.each(newer)("is refused of a client: $format: $name", (vector) => {
    // Unless it is only a field, or a message that clients may send.
    const sent = vector.name.includes("only clients send");
    const known = sent || vector.notes.every(([, what]) => what.startsWith("field"));
    if (known) expect(decode(frame(vector), vector.format)).toBeDefined();
    else expect(refusal(() => decode(frame(vector), vector.format)).code).toBe("bad_message");
  });
});

describe("what a user gives for a message", () => {
  it.each(outgoing)(
    "may be sent, or is refused at the call as a server would: $name",
    ({ data, path }) => {
      const message = decode(data, "json") as ClientMessage;
      if (path === null) expect(checkFromClient(message)).toEqual(message);
      else {
        const { code, message: words } = refusal(() => checkFromClient(message));
        expect([code, words.slice(0, path.length + 2)]).toEqual(["bad_message", `${path}: `]);
      }
    },
  );
});
