import { describe, expect, it } from "vitest";

import { conflictInWords, inWords, removedInWords, savedInWords } from "../../demo/words.ts";
import type { JsonValue, Winner } from "../../src/index.ts";

function conflict(field: string, theirs: JsonValue | undefined, mine: JsonValue, winner: Winner) {
  return conflictInWords({ entity: "tasks", id: "1", field, theirs, mine, winner, version: 2 });
}

it("says values as a reader would", () => {
  expect(inWords("title", "Tea")).toBe("“Tea”");
  expect(inWords("assignee", "")).toBe("nothing");
  expect(inWords("done", true)).toBe("done");
  expect(inWords("done", false)).toBe("not done");
  expect(inWords("title", 7)).toBe("“7”");
});

describe("a conflict", () => {
  it("names the field, whose value it has, and which value is gone", () => {
    expect(conflict("title", "Plums", "Pears", "client")).toBe(
      "Title: your “Pears” replaced “Plums”, which another window saved meanwhile.",
    );
    expect(conflict("assignee", "Ada", "Grace", "server")).toBe(
      "Assigned to: “Ada” from another window stays, not your “Grace”.",
    );
    expect(conflict("colour", "red", "blue", "client")).toMatch(/^colour: your “blue”/);
  });

  it("tells that the task was removed", () => {
    expect(conflict("title", undefined, "Pears", "client")).toBe(
      "Title: another window had removed the task; your “Pears” brought it back.",
    );
    expect(conflict("title", undefined, "Pears", "server")).toBe(
      "Title: “Pears” was not saved, because another window has removed the task.",
    );
  });
});

it("keeps the words of a task that went while they were written", () => {
  expect(removedInWords("A thought")).toContain("“A thought”");
});

it("counts what is not saved", () => {
  expect([0, 1, 2].map(savedInWords)).toEqual([
    "everything is saved",
    "1 change waits to be saved",
    "2 changes wait to be saved",
  ]);
});
