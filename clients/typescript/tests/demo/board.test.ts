import { describe, expect, it } from "vitest";

import { Board } from "../../demo/board.ts";
import type { FieldChangeLog, JsonValue } from "../../src/index.ts";

const NOTHING = new Set<string>();

function log(field: string, value: JsonValue, version: number, entity_id = "1"): FieldChangeLog {
  const timestamp = "2026-01-01T00:00:00Z";
  return { entity: "tasks", entity_id, field, value, action: "update", version, timestamp };
}

function gone(field: string, version: number): FieldChangeLog {
  return { ...log(field, null, version), action: "delete" };
}

function board(...logs: FieldChangeLog[]): Board {
  const made = new Board();
  for (const each of logs) made.apply(each);
  return made;
}

describe("what the server tells", () => {
  it("becomes a task, field by field", () => {
    const tasks = board(log("title", "Tea", 1), log("done", true, 1), log("assignee", "Ada", 2));
    expect(tasks.task("1")).toEqual({ id: "1", title: "Tea", assignee: "Ada", done: true });
    expect(tasks.versionOf("1")).toBe(2);
    expect(tasks.version).toBe(2);
  });

  it("is a task no more when its last field is gone", () => {
    const tasks = board(log("title", "Tea", 1), gone("title", 2));
    expect(tasks.task("1")).toBeUndefined();
    expect(tasks.versionOf("1")).toBe(2);
  });

  it("makes a text of whatever stands where a text is expected", () => {
    const odd = board(log("title", { a: [1] }, 1), log("assignee", null, 1), log("done", "yes", 1));
    expect(odd.task("1")).toEqual({ id: "1", title: '{"a":[1]}', assignee: "", done: false });
  });

  it("is forgotten when the server starts anew", () => {
    const tasks = board(log("title", "Tea", 7));
    tasks.reset();
    expect(tasks.task("1")).toBeUndefined();
    expect(tasks.version).toBe(0);
  });
});

describe("what this window writes", () => {
  const edit = { id: "1", fields: { title: "Coffee" } };

  it("shows at once, over what the server told", () => {
    const tasks = board(log("title", "Tea", 1), log("done", true, 1));
    tasks.begin(edit);
    tasks.apply(log("title", "Milk", 2));
    expect(tasks.task("1")).toMatchObject({ title: "Coffee", done: true });
    expect(tasks.waiting).toBe(1);
  });

  it("stays when it is durable, whether or not the server has told it yet", () => {
    const tasks = board(log("title", "Tea", 1));
    tasks.begin(edit);
    tasks.settle(edit, 2, NOTHING);
    expect(tasks.task("1")?.title).toBe("Coffee");
    tasks.apply(log("title", "Coffee", 2));
    expect(tasks.task("1")?.title).toBe("Coffee");
    expect(tasks.waiting).toBe(0);
  });

  it("gives way to what was written after it, though the answer comes late", () => {
    const tasks = board(log("title", "Tea", 1));
    tasks.begin(edit);
    tasks.apply(log("title", "Milk", 3));
    tasks.settle(edit, 2, NOTHING);
    expect(tasks.task("1")?.title).toBe("Milk");
  });

  it("goes where it lost", () => {
    const tasks = board(log("title", "Tea", 2));
    tasks.begin(edit);
    tasks.settle(edit, 2, new Set(["title"]));
    expect(tasks.task("1")?.title).toBe("Tea");
  });

  it("goes when it failed", () => {
    const tasks = board(log("title", "Tea", 1));
    tasks.begin(edit);
    tasks.drop(edit);
    expect(tasks.task("1")?.title).toBe("Tea");
  });

  it("may be a task that the server does not know yet", () => {
    const tasks = board();
    tasks.begin({ id: "2", fields: { title: "New" } });
    expect(tasks.task("2")?.title).toBe("New");
    expect(tasks.ids).toEqual(["2"]);
    expect(tasks.versionOf("2")).toBe(0);
  });

  it("may be a removal, which an answer to an older write does not undo", () => {
    const tasks = board(log("title", "Tea", 1));
    const removal = { id: "1" };
    tasks.begin(edit);
    tasks.begin(removal);
    expect(tasks.task("1")).toBeUndefined();
    tasks.settle(removal, 3, NOTHING);
    tasks.settle(edit, 2, NOTHING);
    expect(tasks.task("1")).toBeUndefined();
  });

  it("survives a reset", () => {
    const tasks = board(log("title", "Tea", 1));
    tasks.begin(edit);
    tasks.reset();
    expect(tasks.task("1")?.title).toBe("Coffee");
  });
});
