import { describe, expect, it } from "vitest";

import { makeWrite } from "../../src/core/build-message.ts";
import type { RecordCommit } from "../../src/core/history.ts";
import { commitsOf, historyOf, notKept, undoing } from "../../src/core/history.ts";
import { stateOf } from "../../src/core/storage-ops.ts";
import type { ChangeAction, JsonValue } from "../../src/messages/types.ts";
import { checkFromClient } from "../../src/wire/index.ts";
import { refusal } from "../support/refusal.ts";
import { TIME } from "../support/welcome.ts";

function commit(
  version: number,
  data: JsonValue,
  changed: readonly string[] = [],
  action: ChangeAction = "update",
): RecordCommit {
  return { entity: "tasks", entity_id: "1", action, data, version, created_at: TIME, changed };
}

const gone = (version: number) => commit(version, null, [], "delete");

function undo(version: number, ...commits: RecordCommit[]) {
  const draft = undoing("tasks", "1", version, { commits, complete: false });
  return makeWrite("w1", draft, 0, stateOf()).message;
}

describe("what is asked", () => {
  it("is up to a time, of a clock here or of the server", () => {
    const until = (time: Date | string) =>
      checkFromClient(historyOf("tasks", "1", { until: time, limit: 1 })).until;
    expect(until(new Date("2026-11-22T10:00:00.250Z"))).toBe("2026-11-22T10:00:00.250000Z");
    expect(until("2026-11-22T10:00:00.123456Z")).toBe("2026-11-22T10:00:00.123456Z");
    expect(refusal(() => until(new Date(Number.NaN))).code).toBe("bad_message");
    expect(refusal(() => until("yesterday")).code).toBe("bad_message");
  });
});

describe("what is answered", () => {
  it("is a list of commits, each in one piece", () => {
    const { changed, ...change } = commit(3, { a: 1 }, ["a"]);
    const told = { change, changed, subject: "ann" };
    const answer = commitsOf({ type: "history_result", commits: [told], complete: true });
    expect(answer).toEqual({ commits: [{ ...change, changed, subject: "ann" }], complete: true });
  });
});

describe("undoing a commit", () => {
  it("sets the fields back that it changed, and takes those away that were not there", () => {
    const before = commit(2, { a: 1, b: 2, c: null });
    expect(undo(4, commit(4, { a: 5, b: 2, d: 4 }, ["a", "c", "d"]), before)).toMatchObject({
      type: "push_fields",
      base_version: 4,
      if_unchanged: true,
      fields: [
        { field: "a", value: 1, action: "update" },
        { field: "c", value: null, action: "update" },
        { field: "d", action: "delete" },
      ],
    });
  });

  it("deletes what it has created, also where something else had been there before", () => {
    const removal = { type: "push", action: "delete", base_version: 4 };
    expect(undo(4, commit(4, { a: 1 }, ["a"], "create"))).toMatchObject(removal);
    expect(undo(4, commit(4, { a: 1 }, ["a"], "create"), gone(3))).toMatchObject(removal);
  });

  it("creates anew what it has deleted", () => {
    expect(undo(4, gone(4), commit(3, { a: 1 }))).toMatchObject({
      type: "push",
      action: "create",
      data: { a: 1 },
      base_version: 4,
    });
  });

  it("of a record that has no fields, before or after it, writes the whole", () => {
    for (const [then, now] of [
      [[1], [2]],
      [{ a: 1 }, "text"],
      [null, { a: 1 }],
    ] as const) {
      expect(undo(4, commit(4, now), commit(3, then))).toMatchObject({
        type: "push",
        action: "update",
        data: then,
        base_version: 4,
      });
    }
  });

  it("is refused in words where it is not kept, or has changed nothing", () => {
    const why = (...given: Parameters<typeof undo>) => refusal(() => undo(...given));
    expect(why(4, commit(3, { a: 1 }))).toMatchObject({ code: "not_found" });
    expect(why(4)).toMatchObject({
      code: "not_found",
      message: "'tasks/1' has no commit of version 4, or it is not kept any more",
    });
    expect(why(4, commit(4, { a: 1 }, ["a"]))).toMatchObject({
      code: "not_found",
      message: "'tasks/1' is not kept any more, or may not be read, as it was before version 4",
    });
    expect(why(4, commit(4, { a: 1 }), commit(3, { a: 1 })).code).toBe("invalid_data");
    // It came back from where it may not be read, after it had left or was deleted.
    expect(why(4, commit(4, { a: 1 }, ["a"]), gone(3)).code).toBe("not_found");
    expect(notKept("tasks", "1", "at noon").code).toBe("not_found");
  });

  it("takes a field away though every object has something of that name", () => {
    const none = [{ field: "toString", action: "delete" }];
    const now = commit(4, { toString: 1 }, ["toString"]);
    expect(undo(4, now, commit(3, {}))).toMatchObject({ fields: none });
  });
});
