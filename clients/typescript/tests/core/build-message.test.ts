import { describe, expect, it } from "vitest";

import * as compose from "../../src/core/build-message.ts";
import { add, deleteKey, inc, max, setKey } from "../../src/core/operations.ts";
import { stateOf } from "../../src/core/storage-ops.ts";
import type { Push } from "../../src/messages/types.ts";
import { checkFromClient } from "../../src/wire/index.ts";
import { refusal } from "../support/refusal.ts";

const MORNING = Date.parse("2026-11-22T10:00:00.5Z") * 1000;

const set = (data: unknown): compose.Draft => {
  return { entity: "users", entityId: "1", action: "update", data: data as never, options: {} };
};

const timeOf = (at: number, timestamp?: Date) =>
  compose.pushFields("users", "1", { a: 1 }, { timestamp }, at).fields[0]?.timestamp;

it("fields are written with the time of the write, to the microsecond, if no other is given", () => {
  const { fields } = compose.pushFields("users", "1", { a: 1 }, {}, MORNING + 7);
  expect(fields).toEqual([
    { field: "a", value: 1, action: "update", timestamp: "2026-11-22T10:00:00.500007Z" },
  ]);
  expect(timeOf(MORNING - 500_000)).toBe("2026-11-22T10:00:00Z");
  expect(timeOf(MORNING + 499_999)).toBe("2026-11-22T10:00:00.999999Z");
  expect(timeOf(MORNING, new Date("2026-01-01T00:00:00.25Z"))).toBe("2026-01-01T00:00:00.250000Z");
  expect(timeOf(MORNING, new Date(-1))).toBe("1969-12-31T23:59:59.999000Z");
  expect(timeOf(MORNING, new Date("9999-12-31T23:59:59.999Z"))).toBe("9999-12-31T23:59:59.999000Z");
});

it.each([
  ["of no time", new Date(NaN)],
  ["of the year 10000", new Date("+010000-01-01T00:00:00Z")],
  ["of the year 0", new Date("0000-12-31T23:59:59Z")],
  ["that is a text", "2026-01-01T00:00:00Z" as never],
])("a time %s is refused with its path, as everything that cannot be sent", (_, timestamp) => {
  const message = compose.pushFields("users", "1", { a: 1 }, { timestamp }, MORNING);
  expect(() => checkFromClient(message)).toThrow(
    /^push_fields\.fields\[0\]\.timestamp: not an RFC/,
  );
});

it("an operation is its own action, with its operand for a value", () => {
  const fields = { n: inc(-1), tags: add("a"), text: "b", keys: deleteKey("k") };
  const { fields: made } = compose.pushFields("u", "1", fields, { delete: ["x"] }, MORNING);
  expect(made.map(({ field, action, value }) => [field, action, value])).toEqual([
    ["n", "increment", -1],
    ["tags", "add", ["a"]],
    ["text", "update", "b"],
    ["keys", "delete_key", ["k"]],
    ["x", "delete", null],
  ]);
});

it("an operation is none of a whole record", () => {
  expect(refusal(() => compose.makeWrite("w1", set({ n: inc(1) }), 0, stateOf())).message).toBe(
    "push.data.n: not a plain object",
  );
});

it("a draft that is kept has its operations", () => {
  const draft = { entity: "u", entityId: "1", values: { n: inc(1), m: 2 }, options: {} };
  const state = stateOf();
  const write = compose.makeWrite("w1", draft, 0, state);
  const again = compose.makeWrite("w1", compose.kept(draft, write), 0, state);
  expect(again.message).toMatchObject({
    fields: [{ action: "increment", value: 1 }, { action: "update" }],
  });
});

it("everything that is made can be sent", () => {
  const made = [
    compose.pushFields("users", "1", { n: inc("0.50"), m: max(1), keys: setKey("a", 1) }, {}, 0),
    compose.push("users", "1", "update", { a: 1 }, { baseVersion: 3 }),
    compose.pushFields("users", "1", { a: 1 }, { delete: ["b"] }, MORNING),
  ];
  for (const message of made)
    expect(checkFromClient(message)).toMatchObject({ type: message.type });
});

describe("values are taken as they are at the call:", () => {
  it("a copy, without what is undefined", () => {
    const data = { a: 1, b: undefined, c: [1] };
    const { message } = compose.makeWrite("w1", set(data), 0, stateOf()) as { message: Push };
    data.c.push(2);
    expect(Object.entries(message.data as object)).toEqual([
      ["a", 1],
      ["c", [1]],
    ]);
  });

  it("a field that is undefined is left out, and null is null", () => {
    const { fields } = compose.pushFields(
      "u",
      "1",
      { a: undefined, b: null } as never,
      {},
      MORNING,
    );
    expect(fields).toMatchObject([{ field: "b", value: null, action: "update" }]);
  });

  it.each([undefined, () => 1, Symbol("s"), Number.NaN])("%s is no record", (data) => {
    const error = refusal(() => compose.makeWrite("w1", set(data), 0, stateOf()));
    expect(error.code).toBe("bad_message");
    expect(error.message).toMatch(/^push\.data: not a JSON value: /);
  });

  it("a value that is none is named by its place", () => {
    const fields = { skipped: undefined, a: 1, b: { c: [2 ** 53] } };
    const { message } = refusal(() => compose.pushFields("u", "1", fields as never, {}, MORNING));
    expect(message).toMatch(/^push_fields\.fields\.b\.c\.0: 9007199254740992 cannot/);
  });

  it.each([{}, { a: undefined }])(
    "%j is nothing to write, unless there is something to delete",
    (none) => {
      const fields = none as compose.Fields;
      const error = refusal(() => compose.pushFields("users", "1", fields, {}, MORNING));
      expect(error.code).toBe("bad_message");
      expect(error.message).toBe("push_fields.fields: nothing to write");
      const deletes = compose.pushFields("users", "1", fields, { delete: ["a"] }, MORNING);
      expect(deletes.fields).toMatchObject([{ field: "a", action: "delete" }]);
    },
  );

  it("a time that is none is refused in words", () => {
    const message = compose.pushFields("u", "1", { a: 1 }, { timestamp: new Date(Number.NaN) }, 0);
    expect(refusal(() => checkFromClient(message)).message).toMatch(
      /timestamp: not an RFC 3339 time$/,
    );
  });
});
