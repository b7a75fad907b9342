import { expect, describe as group, it } from "vitest";

import { describe } from "../../inspector/describe.ts";
import { cellsOf, found } from "../../inspector/records.ts";
import { valuesInWords, writeInWords } from "../../inspector/words.ts";
import type { PushFields } from "../../src/index.ts";

const LOGIN = { $ref: "#/$defs/Login" };
const SCHEMA = describe({
  "x-rhtmx": { entities: { users: { $ref: "#/$defs/User" } } },
  $defs: {
    User: {
      properties: {
        pin: { type: "string", "x-rhtmx": { secret: true } },
        login: { anyOf: [{ type: "null" }, { title: "Login", allOf: [LOGIN] }] },
        older: { type: "array", items: LOGIN },
        sites: { type: "object", additionalProperties: LOGIN },
        name: { type: "string" },
        within: { $ref: "#/$defs/User" },
      },
    },
    Login: {
      properties: {
        name: { type: "string" },
        key: { type: "string", "x-rhtmx": { secret: true } },
      },
    },
  },
});
const USERS = SCHEMA.entities[0]!;
const login = { name: "ada", key: "s3cret" };
const DATA = {
  pin: "s3cret",
  login,
  older: [login],
  sites: { "a b": login, __proto: login },
  name: "Ada",
  within: { pin: "s3cret", name: "Eve" },
  unknown: { key: 1 },
};
const SHOWN = {
  login: '{"name":"ada","key":"•••"}',
  within: '{"pin":"•••","name":"Eve"}',
};

group("what is secret within a value", () => {
  it("is in no cell, and nothing is found by it", () => {
    const cells = cellsOf(USERS.fields, DATA);
    expect(cells.join()).not.toContain("s3cret");
    expect(cells).toEqual([
      "•••",
      SHOWN.login,
      `[${SHOWN.login}]`,
      `{"a b":${SHOWN.login},"__proto":${SHOWN.login}}`,
      "Ada",
      SHOWN.within,
    ]);
    expect(found([{ id: "1", data: DATA }], USERS.fields, "s3cret")).toEqual([]);
  });

  it("is not in a control, from which it could be read", () => {
    const editable = USERS.fields.filter(({ isEditable }) => isEditable);
    expect(editable.map(({ key }) => key)).toEqual(["name"]);
  });

  it("is in no word about a write or a conflict, also of the record as a whole", () => {
    const place = { entity: "users", entity_id: "1" };
    const timestamp = "2026-01-01T00:00:00Z";
    const write: PushFields = {
      type: "push_fields",
      ...place,
      fields: [
        { field: "login", action: "update", value: login, timestamp },
        { field: "older", action: "append", value: [login], timestamp },
        { field: "sites", action: "set_key", value: { a: login }, timestamp },
      ],
    };
    expect(writeInWords(write, SCHEMA)).not.toContain("s3cret");
    const conflict = { entity: "users", mine: DATA, theirs: DATA };
    expect(valuesInWords(conflict, SCHEMA)).not.toContain("s3cret");
    expect(valuesInWords(conflict, SCHEMA)).toContain('"pin":"•••"');
    const field = { entity: "users", field: "login", mine: login, theirs: undefined };
    expect(valuesInWords(field, SCHEMA)).toBe(`Yours: “${SHOWN.login}”. Theirs: nothing.`);
  });
});
