import { describe, expect, it } from "vitest";
import type { ClientMessage, Push, ValidateForm } from "../../src/messages/types.ts";
import type { Format } from "../../src/wire/index.ts";
import {
  checkFromClient,
  decode,
  decodeFromServer,
  encode,
  encodeFromClient,
  SUBPROTOCOLS,
} from "../../src/wire/index.ts";
import { refusal } from "../support/refusal.ts";

const fails = (...noted: string[]) => expect(noted).toEqual([]);

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
    expect(decodeFromServer('{"type":"pong"}', "json", fails)).toEqual({ type: "pong" });
    const subscribe = encode({ type: "subscribe", entities: [] }, "proto");
    expect(decodeFromServer(subscribe, "proto", () => {})).toBeUndefined();
  });
});

it.each([
  '{"type":7}',
  '{"type":"error","message":"m","code":7}',
  '{"type":"error","message":"m","code":""}',
  '{"type":"error","message":"m","code":"a\\u0000"}',
  '{"type":"change","change":{"entity":"t","entity_id":"1","version":1}}',
  '{"type":"authenticated","expires":"2026-02-30T10:00:00Z"}',
])("what is broken is not taken for new: %s", (data) => {
  expect(refusal(() => decodeFromServer(data, "json", () => {})).code).toBe("bad_message");
  // Nor is the next one read otherwise for it.
  const late = '{"type":"error","message":"m","code":"later"}';
  expect(refusal(() => decode(late, "json")).message).toMatch(/^error\.code: /);
});

describe("an integer that a number cannot hold", () => {
  const frame = (data: string) =>
    `{"type":"push","entity":"n","entity_id":"1","action":"update","data":${data}}`;
  const read = (data: string, format: Format) => {
    const json = decode(frame(data), "json");
    return (decode(encode(json, format), format) as Push).data;
  };

  it.each(["json", "proto"] as const)("is a bigint, and stays so to the digit, in %s", (format) => {
    const text = '{"a":9007199254740993,"b":[-9007199254740993,{"c":18446744073709551616}],"d":1}';
    const data = { a: 2n ** 53n + 1n, b: [-(2n ** 53n) - 1n, { c: 2n ** 64n }], d: 1 };
    expect(read(text, format)).toEqual(data);
    expect(read("9".repeat(308), format)).toBe(BigInt("9".repeat(308)));
  });

  it.each([
    ["9007199254740991", 2 ** 53 - 1],
    ["9007199254740992", 2n ** 53n],
    ["1e16", 10n ** 16n],
    ["9007199254740994.0", 2n ** 53n + 2n],
    ["123456789012345678e-2", 1234567890123456.8],
    ["0.12345678901234567890", 0.12345678901234568],
    ["1e21", 1e21],
    ["1.7976931348623157e308", Number.MAX_VALUE],
    ["1000000000000000000000", 10n ** 21n],
    ['"9007199254740993"', "9007199254740993"],
    ['"\\\\u00009007199254740993"', "\\u00009007199254740993"],
    ['{"9007199254740993":1}', { "9007199254740993": 1 }],
  ])("%s is read beside one as %s", (text, value) => {
    expect(read(`[9007199254740993,${text}]`, "json")).toEqual([2n ** 53n + 1n, value]);
    expect(read(text, "proto")).toEqual(value);
  });

  it("does not make anything else of what is unknown beside it", () => {
    const data = '9007199254740993,"later":"\\u0000x","also":"\\u00005"';
    expect((decode(frame(data), "json") as Push).data).toBe(2n ** 53n + 1n);
  });

  it("is none of the protocol's", () => {
    const sync = '{"type":"sync","entity":"n","since":9007199254740993}';
    expect(refusal(() => decode(sync, "json")).message).toMatch(/^sync\.since: /);
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

describe("the name of an entity", () => {
  const named = (entity: string): ClientMessage[] => [
    { type: "subscribe", entities: [entity] },
    { type: "unsubscribe", entities: ["a", entity] },
    { type: "unsubscribe_fields", entities: [entity] },
    { type: "sync", entity, since: 0 },
    { type: "push", entity, entity_id: "1", action: "delete", data: null },
  ];

  it.each(named("__proto__"))("is no key of every object, in $type", (message) => {
    const { code, message: words } = refusal(() => checkFromClient(message));
    expect([code, words]).toEqual([
      "bad_message",
      expect.stringMatching(/: the key "__proto__" is not/),
    ]);
  });

  it.each(named("protos"))("may be any other, in $type", (message) => {
    expect(checkFromClient(message)).toEqual(message);
  });

  it("is not what a control of a form is called", () => {
    const field = { type: "validate_field", request_id: "r", form: "f", value: "" } as const;
    expect(() => checkFromClient({ ...field, field: "constructor" })).not.toThrow();
  });
});

describe("a list that is longer than any server takes", () => {
  const message = (length: number): ValidateForm => {
    return {
      type: "validate_form",
      request_id: "r",
      form: "f",
      fields: Array(length).fill({ field: "a", value: "" }),
    };
  };

  it("is refused where it is given, with its path", () => {
    const { code, message: words } = refusal(() => checkFromClient(message(4097)));
    expect([code, words]).toEqual([
      "bad_message",
      "validate_form.fields: 0 to 4096 items expected, got 4097",
    ]);
    expect(checkFromClient(message(4096)).fields).toHaveLength(4096);
  });
});
