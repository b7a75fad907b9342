import { expect, it } from "vitest";

import { describe, NO_SCHEMA } from "../../inspector/describe.ts";
import * as words from "../../inspector/words.ts";
import type { Push, PushFields, Transaction } from "../../src/index.ts";

const SCHEMA = describe({
  "x-rhtmx": { entities: { tasks: { $ref: "#/$defs/Task" } } },
  $defs: {
    Task: {
      properties: {
        title: { title: "Title", type: "string" },
        assignee: { title: "Assigned to", type: "string", "x-rhtmx": { merge: "server_wins" } },
        pin: { title: "PIN", type: "string", "x-rhtmx": { secret: true } },
      },
    },
  },
});
const timestamp = "2026-01-01T00:00:00Z";
const place = { entity: "tasks", entity_id: "1" };
const update = { action: "update", timestamp } as const;
const FIELDS: PushFields = {
  type: "push_fields",
  ...place,
  fields: [
    { field: "title", value: "Tea", ...update },
    { field: "assignee", value: null, action: "delete", timestamp },
    { field: "pin", value: "1234", ...update },
    { field: "colour", value: 7, ...update },
  ],
};
const RECORD: Push = { type: "push", ...place, action: "update", data: { title: "Tea", pin: "1" } };

it("says what a write does, with labels, and no value that is secret", () => {
  expect(words.writeInWords(FIELDS, SCHEMA)).toBe(
    "tasks/1: Title “Tea”, Assigned to removed, PIN •••, colour 7",
  );
  expect(words.writeInWords(RECORD, SCHEMA)).toBe("tasks/1: Title “Tea”, PIN •••");
  expect(words.writeInWords({ ...RECORD, data: [1] }, SCHEMA)).toBe("tasks/1: “[1]”");
  const gone: Push = { ...RECORD, action: "delete", data: null };
  expect(words.writeInWords(gone, SCHEMA)).toBe("tasks/1: deleted");
  const both = { type: "transaction", writes: [RECORD, gone] } as unknown as Transaction;
  expect(words.writeInWords(both, SCHEMA)).toBe("tasks/1: Title “Tea”, PIN •••; tasks/1: deleted");
});

it("calls fields as records have them, as long as there is no schema", () => {
  expect(words.writeInWords(RECORD, NO_SCHEMA)).toBe("tasks/1: title “Tea”, pin “1”");
  expect(words.mergesInWords(FIELDS, NO_SCHEMA)).toBe("");
});

it("says of an answer what it answers", () => {
  const fields = [{ field: "$12", value: null, action: "delete", timestamp: "" }] as const;
  const answer = { type: "push_fields", entity: "$conflicts/tasks", entity_id: "7", fields };
  expect(words.writeInWords(answer as PushFields, SCHEMA)).toBe("tasks/7: a conflict answered");
});

it("says how what a write says is merged, each once", () => {
  const fields = FIELDS.fields.slice(0, 2);
  expect(words.mergesInWords({ ...FIELDS, fields: [...fields, fields[0]!] }, SCHEMA)).toBe(
    "Title: the last write wins; Assigned to: who was first, stays",
  );
  expect(words.mergesInWords(RECORD, SCHEMA)).toBe("");
});

it("says what is wrong with a field, or with what is in it, or with the record", () => {
  const said = (field: string) =>
    words.violationInWords({ field, message: "is too long" }, (name) =>
      words.labelOf(SCHEMA, "tasks", name),
    );
  expect(said("assignee")).toBe("Assigned to is too long.");
  expect(said("title[2].text")).toBe("Title[2].text is too long.");
  expect(said("")).toBe("The record is too long.");
});

it("says why a write was rejected", () => {
  expect(words.rejectionInWords("conflict", "at version 7")).toBe(
    "Somebody else was first (conflict): at version 7.",
  );
  expect(words.rejectionInWords("invalid", "Title is required.")).toBe(
    "It would not be valid (invalid): Title is required.",
  );
  expect(words.rejectionInWords("valueOf", "no")).toBe("The server rejected it (valueOf): no.");
});

it("says of a conflict both values and the rule that decided, its own or that of the field", () => {
  const clash = { ...place, field: "assignee", mine: "Ada", theirs: undefined };
  expect(words.valuesInWords(clash, SCHEMA)).toBe("Yours: “Ada”. Theirs: nothing.");
  expect(words.valuesInWords({ ...clash, field: "pin" }, SCHEMA)).toBe(
    "Yours: •••. Theirs: nothing.",
  );
  expect(words.decidedInWords(clash, SCHEMA)).toBe("who was first, stays");
  expect(words.decidedInWords({ ...clash, strategy: "keep_both" }, SCHEMA)).toBe(
    "both are kept until somebody decides",
  );
  expect(words.decidedInWords({ entity: "tasks" }, SCHEMA)).toBe("");
});

it("says bytes roughly", () => {
  expect([7, 1499, 2_345_678].map(words.bytesInWords)).toEqual(["7 bytes", "1 kB", "2.3 MB"]);
});
