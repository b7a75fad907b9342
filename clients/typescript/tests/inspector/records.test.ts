import { readFileSync } from "node:fs";
import { expect, describe as group, it } from "vitest";

import { describe, type FieldFacts } from "../../inspector/describe.ts";
import { cellsOf, changesOf, entered, entryText, found } from "../../inspector/records.ts";
import { countInWords } from "../../inspector/records-view.ts";

const SAMPLE = describe(
  JSON.parse(readFileSync(new URL("../support/sample.schema.json", import.meta.url), "utf8")),
);
const TASKS = SAMPLE.entities[0]!;
const field = (key: string): FieldFacts => TASKS.fields.find((each) => each.key === key)!;
const PIN = describe({
  "x-rhtmx": { entities: { e: { $ref: "#/$defs/E" } } },
  $defs: { E: { properties: { pin: { type: "string", "x-rhtmx": { secret: true } } } } },
}).entities[0]!.fields;

group("a row", () => {
  it("has a text for each field, whatever the record is", () => {
    const fields = ["title", "votes", "labels", "done"].map(field);
    const data = { title: "Tea", votes: 2n ** 60n, labels: ["a"], other: 1 };
    expect(cellsOf(fields, data)).toEqual(["Tea", "1152921504606846976", '["a"]', ""]);
    expect(cellsOf(fields, "no object")).toEqual(["", "", "", ""]);
  });

  it("does not show what is secret, and is not found by it", () => {
    const records = [
      { id: "1", data: { pin: "1234" } },
      { id: "2", data: { pin: "" } },
    ];
    expect(records.map(({ data }) => cellsOf(PIN, data))).toEqual([["•••"], [""]]);
    expect(found(records, PIN, "1234")).toEqual([]);
    expect(PIN[0]!.isEditable).toBe(false);
  });

  it("is found by its id and by what it has, however that is written", () => {
    const records = [
      { id: "a1", data: { title: "Tea" } },
      { id: "b2", data: { title: "Milk" } },
    ];
    const ids = (wanted: string) => found(records, TASKS.fields, wanted).map(({ id }) => id);
    expect(ids(" ")).toEqual(["a1", "b2"]);
    expect(ids("TEA")).toEqual(["a1"]);
    expect(ids("B2")).toEqual(["b2"]);
  });
});

group("what is entered", () => {
  it("is read by the type of its field", () => {
    expect(entered(field("title"), " Tea ")).toBe(" Tea ");
    expect(entered(field("votes"), "7")).toBe(7);
    expect(entered(field("weight"), "0.5")).toBe(0.5);
    expect(entered(field("done"), "true")).toBe(true);
    expect(entered(field("done"), "false")).toBe(false);
    expect(entered(field("priority"), "on-fire")).toBe("on-fire");
    expect(entered(field("labels"), '["a"]')).toEqual(["a"]);
    expect(entered(field("start"), "2026-01-01T00:00:00Z")).toBe("2026-01-01T00:00:00Z");
    expect(entered(field("foreign_id"), "9007199254740993")).toBe("9007199254740993");
  });

  it("is left as it is where it is no such value: the server says what is wrong", () => {
    expect(entered(field("votes"), "many")).toBe("many");
    expect(entered(field("votes"), "9007199254740993")).toBe("9007199254740993");
  });

  it("and is empty, stands for nothing, but of a text for an empty one", () => {
    expect(["votes", "done", "priority", "labels"].map((key) => entered(field(key), ""))).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect(entered(field("title"), "")).toBe("");
  });

  it("is written where it is another text than before, and is JSON where that is needed", () => {
    const data = { title: "Tea", votes: 1, labels: ["a"] };
    const fields = ["title", "votes", "labels"].map(field);
    const texts = new Map(fields.map((each) => [each.key, entryText(each, data)]));
    expect(changesOf(fields, data, texts)).toEqual({ values: {}, wrong: [] });
    texts.set("votes", "2").set("labels", "a, b");
    expect(changesOf(fields, data, texts)).toEqual({
      values: { votes: 2 },
      wrong: [{ field: "labels", message: "must be JSON" }],
    });
  });
});

it("says which fields can be changed in a record that is there", () => {
  const fixed = TASKS.fields.filter(({ isEditable }) => !isEditable).map(({ key }) => key);
  expect(fixed).toEqual(["team", "owner"]);
  expect(field("priority").choices).toEqual(["unspecified", "low", "high", "on-fire"]);
  expect(field("title").choices).toEqual([]);
});

it("counts records", () => {
  expect([
    countInWords(0, 0),
    countInWords(1, 1),
    countInWords(7, 2),
    countInWords(900, 300),
  ]).toEqual([
    "No records.",
    "1 record.",
    "7 records, 2 with what you look for.",
    "900 records, 300 with what you look for; the first 200 are shown.",
  ]);
});
