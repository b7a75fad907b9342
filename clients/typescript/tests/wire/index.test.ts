import { describe, expect, it } from "vitest";

import {
  checkFromClient,
  decode,
  decodeFromServer,
  encode,
  encodeFromClient,
  SUBPROTOCOLS,
} from "../../src/wire/index.ts";
import { refusal } from "../support/refusal.ts";

it("each format has its subprotocol", () => {
  expect(SUBPROTOCOLS).toEqual({ json: "rhtmx.v1.json", proto: "rhtmx.v1.proto" });
});

it("text on a binary connection is refused", () => {
  expect(refusal(() => decode('{"type":"ping"}', "proto")).message).toBe("message: not binary");
});

it.each(["", "{", "[]", "null", '"ping"', "1", '{"type":"ping"} x'])("%j is no message", (text) => {
  expect(refusal(() => decode(text, "json")).message).toMatch(/^message: /);
});

it("JSON is read from text and from bytes", () => {
  const text = '{"type":"authenticate","token":"ü"}';
  const message = { type: "authenticate", token: "ü" };
  expect(decode(text, "json")).toEqual(message);
  expect(decode(new TextEncoder().encode(text), "json")).toEqual(message);
});

describe("each side", () => {
  it("writes what it may send", () => {
    expect(encodeFromClient({ type: "ping" }, "json")).toBe('{"type":"ping"}');
    const push = { type: "push_ack", entity: "users", entity_id: "1", version: 1 } as const;
    expect(refusal(() => encodeFromClient(push as never, "json")).message).toMatch(/^type: /);
  });

  it("reads what the other may send", () => {
    expect(decodeFromServer('{"type":"pong"}', "json")).toEqual({ type: "pong" });
    const subscribe = encode({ type: "subscribe", entities: [] }, "proto");
    expect(refusal(() => decodeFromServer(subscribe, "proto")).code).toBe("bad_message");
  });
});

describe("a message of an unknown type can be told from a broken one", () => {
  it.each([
    ["json", '{"type":"hologram"}'],
    ["proto", Uint8Array.of(0xc2, 0x3e, 0x00)],
  ] as const)("in %s", (format, data) => {
    const { details } = refusal(() => decodeFromServer(data, format));
    expect(details).toEqual({ unknown_type: true });
  });

  it("and a broken one has no such mark", () => {
    expect(refusal(() => decodeFromServer('{"type":7}', "json")).details).toBeNull();
  });
});

describe("what is written", () => {
  it("has the fields of the schema, in its order, and no others", () => {
    const message = { extra: 1, version: 2, epoch: "e", type: "unsubscribe", entities: ["a"] };
    expect(encode(message as never, "json")).toBe('{"type":"unsubscribe","entities":["a"]}');
  });

  it("is refused if the other side would refuse it", () => {
    const broken = { type: "sync", entity: "users", since: 1.5 } as const;
    expect(refusal(() => encode(broken, "json")).message).toMatch(/^sync\.since: /);
    expect(refusal(() => encode(broken, "proto")).message).toMatch(/^sync\.since: /);
  });

  it("leaves the message as it was", () => {
    const message = Object.freeze({ type: "sync", entity: "users", since: 1 } as const);
    expect(checkFromClient(message)).toEqual(message);
  });
});
