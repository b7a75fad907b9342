import { describe, expect, it } from "vitest";

import { Column, type Task } from "../../demo/schema/index.ts";
import { fieldInWords, NO_TASK, reasonInWords, taskOf, wrongWith } from "../../demo/task.ts";
import { RhtmxError } from "../../src/index.ts";

const TEA: Task = { title: "Tea", assignee: "Ada", notes: "Black", column: "doing" };

describe("a task", () => {
  it("is read from the fields of its record", () => {
    const row = { id: "1", data: { ...TEA, colour: "red" }, version: 7, pending: true };
    expect(taskOf(row)).toEqual({ id: "1", ...TEA, version: 7, pending: true });
  });

  it("in a column that only a newer schema has is shown in the first one", () => {
    const data: Task = { ...TEA, column: "__proto__" as Column };
    const row = { id: "1", data, version: 7, pending: false };
    expect(taskOf(row).column).toBe(Column.TODO);
  });

  it("is judged by the rules of the schema, field by field", () => {
    const long = { ...TEA, title: "x".repeat(201), assignee: "x".repeat(101) };
    expect(wrongWith(TEA, "title")).toBe("");
    expect(wrongWith(long, "title")).toBe("Title must have at most 200 characters.");
    expect(wrongWith(long, "assignee")).toBe("Assigned to must have at most 100 characters.");
    expect(wrongWith(long, "notes")).toBe("");
    expect(wrongWith(NO_TASK, "title")).toBe("Title is required.");
  });

  it("whose notes say nothing new is told so, as a whole", () => {
    const words = "The task has notes that only repeat its title.";
    expect(wrongWith({ ...TEA, notes: "Tea" }, "notes")).toBe(words);
    expect(wrongWith({ ...TEA, notes: "Tea" }, "title")).toBe(words);
    expect(wrongWith({ ...TEA, notes: "Tea" }, "assignee")).toBe("");
  });
});

it("calls fields as the schema does, also those that it does not have", () => {
  expect(["assignee", "colour", "constructor"].map(fieldInWords)).toEqual([
    "Assigned to",
    "colour",
    "constructor",
  ]);
});

it("says why something was not done: by the rules, or as the error says it", () => {
  const violations = [
    { field: "title", code: "required", message: "is required" },
    { field: "", code: "notes_say_more", message: "repeats itself" },
  ];
  const error = new RhtmxError("invalid", "title: is required", { details: { violations } });
  expect(reasonInWords(error)).toBe("Title is required. The task repeats itself.");
  expect(reasonInWords(new Error("no disk"))).toBe("no disk");
});
