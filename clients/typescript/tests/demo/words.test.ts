import { describe, expect, it } from "vitest";

import * as words from "../../demo/words.ts";
import type { Conflict, JsonValue, Open, Winner } from "../../src/index.ts";

/** As it is told to who has pushed; with `own`, to who had written what was stored. */
function conflict(
  field: string,
  theirs: JsonValue | undefined,
  winner: Open<Winner>,
  own = false,
  mine: JsonValue | undefined = "Tea",
): string {
  const side = (winner === "client") === own ? "theirs" : "mine";
  const stands = winner === "both" ? undefined : side;
  return words.conflictInWords({ field, mine, theirs, winner, stands } as Conflict);
}

it("says values as a reader would", () => {
  expect(words.inWords("title", "Tea")).toBe("“Tea”");
  expect(words.inWords("assignee", "")).toBe("nothing");
  expect(words.inWords("assignee", undefined)).toBe("nothing");
  expect(words.inWords("column", "doing")).toBe("“Doing”");
  expect(words.inWords("column", "toString")).toBe("“toString”");
  expect(words.inWords("title", "doing")).toBe("“doing”");
});

describe("a conflict", () => {
  it("says whose value the field has", () => {
    expect(conflict("title", "Plums", "client")).toBe(
      "Title: yours replaced what another window saved meanwhile.",
    );
    expect(conflict("assignee", "Ada", "server")).toBe(
      "Assigned to: another window was first, so theirs stays.",
    );
  });

  it("that was decided in a way which is not known says so", () => {
    const how = "another window changed it, too; the server decided: “both”.";
    expect(conflict("title", "Plums", "both")).toBe(`Title: ${how}`);
    expect(conflict("title", undefined, "both")).toBe(`Title: ${how}`);
  });

  it("tells that the task was removed", () => {
    expect(conflict("title", undefined, "client")).toBe(
      "Title: another window had removed the task; yours brought it back.",
    );
    expect(conflict("title", undefined, "server")).toBe(
      "Title: yours was not saved, because another window has removed the task.",
    );
  });

  it("is told to the one who was there first, and to who has neither value written", () => {
    expect(conflict("title", "Plums", "client", true)).toBe(
      "Title: another window replaced yours.",
    );
    expect(conflict("title", "Plums", "server", true)).toBe(
      "Title: yours stays, though another window wrote something else.",
    );
    const removed = { field: "title", theirs: "Plums", winner: "client", stands: "theirs" };
    expect(words.conflictInWords(removed as Conflict)).toBe(
      "Title: you had removed the task; another window brought it back.",
    );
    expect(words.conflictInWords({ ...removed, mine: "Tea" } as Conflict, false)).toBe(
      "Title: two other windows wrote different values.",
    );
  });

  it("may be about a whole record", () => {
    const whole = { mine: {}, theirs: {}, winner: "server", stands: "theirs" };
    expect(words.conflictInWords(whole as Conflict)).toBe(
      "The record: another window was first, so theirs stays.",
    );
  });
});

it("says who has written something, as far as that is known", () => {
  expect(words.authorInWords({ client_id: "me", subject: "ann" }, "me")).toBe("you");
  expect(words.authorInWords({ client_id: "abcdef", subject: "ann" }, "me")).toBe("ann");
  expect(words.authorInWords({ client_id: "abcdef" }, "me")).toBe("another window (abcd)");
  expect(words.authorInWords({}, "me")).toBe("the server");
});

it("keeps the words of a task that went while they were written", () => {
  expect(words.removedInWords("A thought")).toContain("“A thought”");
});

it("counts what is not saved", () => {
  expect([0, 1, 2].map(words.savedInWords)).toEqual([
    "everything is saved",
    "1 change waits to be saved",
    "2 changes wait to be saved",
  ]);
});
