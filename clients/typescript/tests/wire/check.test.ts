import { describe, expect, it } from "vitest";

import { checkMessage, checkTyped, nested } from "../../src/wire/check.ts";
import type { Fields } from "../../src/wire/plan.ts";
import { EITHER, PLANS } from "../../src/wire/plan.ts";
import { refusal } from "../support/refusal.ts";

/** Checks a message of the protocol, given as its fields. */
const check = (type: string, fields: Fields, binary = false) =>
  checkMessage(PLANS.find((each) => each.type === type)!, fields, binary);
const why = (type: string, fields: Fields, binary = false) => {
  const error = refusal(() => check(type, fields, binary));
  expect(error.code).toBe("bad_message");
  return error.message;
};

const UPDATE = { field: "f", value: 1, action: "update", timestamp: "2026-01-01T00:00:00Z" };
const PUSH = { entity: "users", entity_id: "1", action: "update" };

describe("every kind of field names its place and what it may hold:", () => {
  const wrong = Symbol("wrong");
  it.each([
    ["a string", "push", { ...PUSH, entity: wrong }, "push.entity: not a string"],
    ["an integer", "sync", { entity: "u", since: wrong }, "sync.since: not an integer below 2^53"],
    ["a boolean", "error", { message: "", retryable: wrong }, "error.retryable: not true or false"],
    ["a time", "authenticated", { expires: wrong }, "authenticated.expires: not an RFC 3339 time"],
    ["JSON", "push", { ...PUSH, data: wrong }, "push.data: not a JSON value: symbol"],
    ["an enum", "push", { ...PUSH, action: wrong }, "push.action: not one of create update delete"],
    ["a message", "change", { change: wrong }, "change.change: not an object"],
    ["a list", "subscribe", { entities: wrong }, "subscribe.entities: not an array"],
    ["a map", "subscribe", { entities: [], since: wrong }, "subscribe.since: not an object"],
  ])("%s", (_, type, fields, message) => {
    expect(why(type, fields)).toBe(message);
  });
});

it.each([
  ["push", {}, "push.entity: not a string"],
  ["push", { entity: null }, "push.entity: not a string"],
  ["change", {}, "change.change: not an object"],
  ["subscribe", {}, "subscribe.entities: not an array"],
])("%s with the fields %j lacks one", (type, fields, message) => {
  expect(why(type, fields)).toBe(message);
});

const TYPES = [undefined, null, 7, "toString", "__proto__", "pongs", "", "Limits"];
it.each(TYPES)("%j is no type", (type) => {
  expect(refusal(() => checkTyped({ type }, EITHER)).message).toMatch(/^type: /);
});

it("no more than forty characters of an unknown type are repeated", () => {
  const { message } = refusal(() => checkTyped({ type: "x".repeat(1000) }, EITHER));
  expect(message).toContain("x".repeat(40));
  expect(message).not.toContain("x".repeat(41));
});

it.each([1.5, 2 ** 53, -(2 ** 53), Number.NaN, "1", true, null, 1n])(
  "%s is no protocol integer",
  (since) => {
    expect(why("sync", { entity: "u", since })).toMatch(/^sync\.since: /);
  },
);

it("the largest integers that JavaScript holds exactly pass, and -0 is 0", () => {
  for (const since of [2 ** 53 - 1, -(2 ** 53 - 1)]) {
    expect(check("sync", { entity: "u", since }).since).toBe(since);
  }
  expect(Object.is(check("sync", { entity: "u", since: -0 }).since, 0)).toBe(true);
});

it.each(["toString", "__proto__", "Create", "", 1, ["create"]])(
  "%j is no spelling of an enum",
  (action) => {
    expect(why("push", { ...PUSH, action })).toMatch(/^push\.action: not one of create/);
  },
);

it("an empty text, zero and false are values", () => {
  const fields = { entity: "", version: 0, epoch: "", reset: false };
  expect(check("sync_complete", fields)).toEqual({ type: "sync_complete", ...fields });
});

it("an item of a list is named by its index", () => {
  const fields = [UPDATE, { ...UPDATE, timestamp: "now" }];
  expect(why("push_fields", { entity: "u", entity_id: "1", fields })).toBe(
    "push_fields.fields[1].timestamp: not an RFC 3339 time",
  );
});

it("a hole in a list is refused, and null is no item", () => {
  expect(why("subscribe", { entities: Array(1) })).toBe("subscribe.entities[0]: not a string");
  expect(why("subscribe", { entities: [null] })).toBe("subscribe.entities[0]: not a string");
});

it("an empty list or map that may be left out is", () => {
  const form = { request_id: "r", form: "f", field: "f", value: "v" };
  const value = { field: "a", value: "b" };
  expect(check("validate_field", { ...form, values: [] }).values).toBeUndefined();
  expect(check("validate_field", form).values).toBeUndefined();
  expect(check("validate_field", { ...form, values: [value] }).values).toEqual([value]);
  expect(check("subscribe", { entities: [], since: {} }).since).toBeUndefined();
  expect(check("subscribe", { entities: [] }).entities).toEqual([]);
});

it("an entry of a map is named by its key", () => {
  const since = { users: { epoch: "e", version: "1" } };
  expect(why("subscribe", { entities: [], since })).toBe(
    'subscribe.since["users"].version: not an integer below 2^53',
  );
  expect(why("subscribe", { entities: [], since: { users: null } })).toBe(
    'subscribe.since["users"]: not an object',
  );
});

it("a key of a map that reaches a prototype is refused", () => {
  const since = JSON.parse('{"__proto__": {"epoch": "e", "version": 1}}');
  expect(why("subscribe", { entities: [], since })).toBe(
    'subscribe.since: the key "__proto__" is not allowed',
  );
});

it("null is the same as absent for what may be absent, and absent JSON is null", () => {
  const checked = check("push", { ...PUSH, request_id: null, seq: undefined });
  expect(checked).toEqual({ type: "push", ...PUSH, data: null });
});

it("only the fields of the schema are kept, in its order", () => {
  const checked = check("push", { ...PUSH, extra: 1, data: 2, type: "other" });
  const kept = Object.keys(JSON.parse(JSON.stringify(checked)) as object);
  expect(kept).toEqual(["type", "entity", "entity_id", "action", "data"]);
});

describe("what was read from protobuf", () => {
  it("has the zeros that it lacks, lists too, but no message, time or enum", () => {
    expect(check("sync_complete", {}, true)).toEqual({
      type: "sync_complete",
      entity: "",
      version: 0,
      epoch: "",
      reset: false,
    });
    expect(check("subscribe", {}, true)).toEqual({ type: "subscribe", entities: [] });
    expect(why("push", {}, true)).toMatch(/^push\.action: /);
    expect(why("change", {}, true)).toMatch(/^change\.change: /);
    expect(why("change", { change: { action: "create" } }, true)).toMatch(
      /^change\.change\.created_at: /,
    );
  });

  it("has JSON as bytes and a time as seconds and nanoseconds", () => {
    const data = new TextEncoder().encode('{"a":1}');
    expect(check("push", { action: "create", data }, true).data).toEqual({ a: 1 });
    expect(check("authenticated", { expires: { seconds: 1 } }, true).expires).toBe(
      "1970-01-01T00:00:01Z",
    );
    expect(why("push", { action: "create", data: Uint8Array.of(0x22, 0xff, 0x22) }, true)).toBe(
      "push.data: not JSON in UTF-8",
    );
    expect(why("authenticated", { expires: { nanos: -1 } }, true)).toBe(
      "authenticated.expires: not an RFC 3339 time",
    );
  });
});

it("an array is no object, and an object no array", () => {
  expect(nested([], "x", true)).toEqual([]);
  expect(refusal(() => nested([], "x")).message).toBe("x: not an object");
  expect(refusal(() => nested({}, "x", true)).message).toBe("x: not an array");
});
