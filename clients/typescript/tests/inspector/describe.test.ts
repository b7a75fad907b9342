import { readFileSync } from "node:fs";
import { expect, describe as group, it } from "vitest";

import { describe, fieldOf, NO_SCHEMA } from "../../inspector/describe.ts";
import type { JsonValue } from "../../src/index.ts";

const SAMPLE = describe(
  JSON.parse(readFileSync(new URL("../support/sample.schema.json", import.meta.url), "utf8")),
);

/** A document with one entity, `things`, of which this is said. */
function things(said: { readonly [key: string]: JsonValue }) {
  const { entities } = describe({
    "x-rhtmx": {
      version: 1,
      oldest: 0,
      hash: "h",
      entities: { things: { $ref: "#/$defs/Thing" } },
    },
    $defs: { Thing: { properties: {}, "x-rhtmx": { entity: { name: "things" } }, ...said } },
  });
  return entities[0]!;
}

group("a schema", () => {
  it("has a version, and all that is declared in it", () => {
    expect(SAMPLE.version).toMatch(
      /^version 2, writes of version 1 and later are taken, hash [0-9a-f]{16}$/,
    );
    const names = (of: readonly { readonly name: string }[]) => of.map(({ name }) => name);
    expect(names(SAMPLE.entities)).toEqual(["tasks", "reading"]);
    expect(names(SAMPLE.forms)).toEqual(["signup"]);
    expect(names(SAMPLE.parts)).toEqual(["Person", "TaskStep"]);
  });

  it("that says less than one may expect is shown as far as it goes", () => {
    expect(describe(null)).toEqual({
      ...NO_SCHEMA,
      version: "version undefined, hash undefined",
    });
    const odd = { "x-rhtmx": { entities: { tasks: 7 } }, $defs: { Task: { properties: [] } } };
    expect(describe(odd).entities[0]!.fields).toEqual([]);
  });
});

group("an entity", () => {
  it("says how it is kept, and who may do what", () => {
    const [tasks, reading] = SAMPLE.entities;
    expect(tasks!.about).toBe("One thing that somebody has to do.");
    expect(tasks!.traits).toEqual([
      "divided by team",
      "divided by team, done",
      "read, create, update: those whose teams is its team",
      "delete: role “admin”",
    ]);
    expect(reading!.traits).toEqual([
      "written and read as a whole",
      "writes that lost are not kept",
    ]);
  });

  it("says who may do what in any way that there is", () => {
    const access = [
      { actions: ["read"], who: "owner", field: "by" },
      { actions: ["read"], who: "equal", field: "public", value: true },
      { actions: ["read"], who: "anyone" },
      { actions: ["read"], who: "signed_in" },
      { actions: ["read"], who: "backend" },
      { actions: ["read"], who: "newer" },
    ];
    const properties = { by: { title: "Made by", type: "string" } };
    const { traits } = things({ properties, "x-rhtmx": { entity: { access } } });
    expect(traits).toEqual([
      "read: whom Made by names",
      "read: everybody, if public is true",
      "read: everybody",
      "read: everybody who is signed in",
      "read: services of the application",
      "read: newer",
    ]);
  });

  it("says the rules across its fields, with their labels", () => {
    expect(SAMPLE.entities[0]!.rules).toEqual([
      "only one of url, ticket, person",
      "due_after_start (due, start), otherwise “must not be before the start”",
    ]);
    const one = { oneOf: [{ required: ["a"] }, { required: ["b"] }] };
    const { rules } = things({
      allOf: [one, {}],
      properties: { a: { title: "First" } },
      "x-rhtmx": { rules: [{ id: "says_itself" }], server_rules: ["later"] },
    });
    expect(rules).toEqual([
      "exactly one of First, b",
      "says_itself",
      "later: only the server judges it",
    ]);
  });
});

group("a field", () => {
  it("says how it is merged: by itself, or as its entity", () => {
    const merge = (key: string) => fieldOf(SAMPLE, "tasks", key)!.merge;
    expect(merge("title")).toBe("both are kept until somebody decides");
    expect(merge("votes")).toBe("it is counted: no write is lost");
    expect(merge("labels")).toBe("a set: what is added and removed is merged");
    expect(merge("cost")).toBe("it is counted: no write is lost, with 2 decimals");
    expect(fieldOf(SAMPLE, "reading", "degrees")!.merge, "a whole has no fields to merge").toBe("");
    const { fields } = things({ properties: { a: {}, b: { "x-rhtmx": { merge: "newer" } } } });
    expect(fields.map((each) => each.merge)).toEqual(["the last write wins", "newer"]);
  });

  it("says who writes it, and what it begins as", () => {
    const traits = (key: string) => fieldOf(SAMPLE, "tasks", key)!.traits;
    expect(traits("owner")).toEqual([
      "only the server writes it",
      "begins as who creates the record",
    ]);
    expect(traits("team")).toEqual(["written once, with the record"]);
    expect(traits("tally")).toEqual(["no longer to be used"]);
    expect(traits("url")).toEqual(["one of the fields of source"]);
    const extras = {
      async: true,
      deliverable: true,
      default: { value: 7 },
      normalize: ["trim", "newer"],
    };
    const { fields } = things({ properties: { a: { "x-rhtmx": extras } } });
    expect(fields[0]!.traits).toEqual([
      "the server is asked, too",
      "the server sees whether mail could arrive",
      "begins as 7",
      "judged without the space around it",
      "normalised: newer",
    ]);
  });

  it("that is secret does not even tell what it begins as", () => {
    const extras = { secret: true, default: { value: "hunter2" } };
    const { fields } = things({ properties: { a: { "x-rhtmx": extras } } });
    expect(fields[0]).toMatchObject({ isEditable: false });
    expect(JSON.stringify(fields)).not.toContain("hunter2");
  });

  it("is found by its key and by its name, and has a label", () => {
    expect(fieldOf(SAMPLE, "tasks", "place")).toBe(fieldOf(SAMPLE, "tasks", "location"));
    expect(fieldOf(SAMPLE, "tasks", "toString")).toBeUndefined();
    expect(fieldOf(SAMPLE, "toString", "title")).toBeUndefined();
    const { fields } = things({
      properties: { a: { title: "First", "x-rhtmx": { help: "Help" } } },
    });
    expect(fields[0]).toMatchObject({ key: "a", label: "First", about: "Help" });
  });
});
