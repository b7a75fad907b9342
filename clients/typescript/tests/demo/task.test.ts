import { describe, expect, it } from "vitest";

import { asText, newId, newTask, taskOf } from "../../demo/task.ts";
import type { JsonValue } from "../../src/index.ts";

function read(data: JsonValue) {
  return taskOf({ id: "1", data, version: 7, pending: true });
}

describe("a task", () => {
  it("is read from the fields of its record", () => {
    const fields = { title: "Tea", assignee: "Ada", notes: "Black", column: "doing" };
    expect(read(fields)).toEqual({ id: "1", ...fields, version: 7, pending: true });
  });

  it("is made to fit, whatever others wrote", () => {
    expect(
      read({ title: { a: [1] }, assignee: null, notes: 7, column: "elsewhere" }),
    ).toMatchObject({
      title: '{"a":[1]}',
      assignee: "",
      notes: "7",
      column: "todo",
    });
    expect(read("not an object").title).toBe("not an object");
    expect(read([1, 2]).title).toBe("[1,2]");
    expect(read(null).title).toBe("");
    expect(read({ column: "__proto__" }).column).toBe("todo");
  });

  it("begins as something to do", () => {
    expect(read(newTask("Tea"))).toMatchObject({ title: "Tea", column: "todo", assignee: "" });
  });
});

it("makes a text of any value", () => {
  expect([undefined, null, "", "a", true, 0].map(asText)).toEqual(["", "", "", "a", "true", "0"]);
  expect(asText([2n ** 53n + 1n])).toBe("[9007199254740993]");
});

it("makes ids that sort by time and differ by chance", () => {
  expect(newId(1000, [1, 2]) < newId(2 ** 40, [0, 0])).toBe(true);
  expect(newId(1000, [1, 2])).not.toBe(newId(1000, [1, 3]));
});
