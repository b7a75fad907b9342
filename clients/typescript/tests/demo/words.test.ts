import { describe, expect, it } from "vitest";

import { conflictInWords, inWords, removedInWords, savedInWords } from "../../demo/words.ts";
import type { FieldConflict, JsonValue, Winner } from "../../src/index.ts";

function conflict(field: string, server: JsonValue, client: JsonValue, winner: Winner) {
  const made: FieldConflict = {
    type: "field_conflict",
    entity: "tasks",
    entity_id: "1",
    field,
    server_value: server,
    server_timestamp: "2026-01-01T00:00:00Z",
    client_value: client,
    client_timestamp: "2026-01-01T00:00:01Z",
    winner,
  };
  return conflictInWords(made);
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
    expect(conflict("title", null, "Pears", "client")).toBe(
      "Title: another window had removed the task; your “Pears” brought it back.",
    );
    expect(conflict("title", null, "Pears", "server")).toBe(
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
