import { describe, expect, it } from "vitest";

import * as compose from "../../src/core/build-message.ts";
import type { Conflict, LoggedConflict } from "../../src/core/conflict.ts";
import {
  decide,
  isAnswer,
  isDeleted,
  ofField,
  ofLog,
  ofRecord,
  settle,
} from "../../src/core/conflict.ts";
import { inc, setKey } from "../../src/core/operations.ts";
import type { RecordWrite } from "../../src/core/storage-ops.ts";
import { stateOf } from "../../src/core/storage-ops.ts";
import { RhtmxError } from "../../src/errors.ts";
import type {
  FieldAction,
  FieldConflict,
  JsonValue,
  PushFields,
} from "../../src/messages/types.ts";
import { answerable } from "../../src/runtime/conflict-actions.ts";

const TIME = "2026-11-22T10:00:00Z";

function write(message: RecordWrite["message"]): RecordWrite {
  return { id: "w1", entity: "tasks", entityId: "1", message, since: 0 };
}

function told(more: Partial<FieldConflict>): FieldConflict {
  const place = { type: "field_conflict", entity: "tasks", entity_id: "1", field: "a" } as const;
  const times = { server_timestamp: TIME, client_timestamp: TIME };
  return { ...place, ...times, server_value: 1, client_value: 2, ...more };
}

const made = (draft: compose.Draft) => compose.makeWrite("w2", draft, 0, stateOf()).message;

describe("a conflict of a field", () => {
  const patch = write(compose.pushFields("tasks", "1", { a: 2 }, { delete: ["b"] }, 0));

  it("has both values, and the version that an answer builds on", () => {
    expect(ofField(told({ version: 3, winner: "client" }), patch, 9)).toMatchObject({
      id: "1",
      field: "a",
      mine: 2,
      theirs: 1,
      winner: "client",
      version: 3,
    });
    expect(ofField(told({}), patch, 9)).toMatchObject({ version: 9, winner: "server" });
  });

  it("tells a deletion from a value that is null", () => {
    expect(ofField(told({ field: "b", client_value: null }), patch, 9).mine).toBeUndefined();
    const nothing = write(compose.pushFields("tasks", "1", { a: null }, {}, 0));
    expect(ofField(told({ client_value: null }), nothing, 9).mine).toBeNull();
    expect(ofField(told({ server_value: null }), patch, 9).theirs).toBeUndefined();
  });

  it("is told what was deleted by a server that can tell", () => {
    const nothing = { conflict: 7, server_value: null, client_value: null };
    expect(ofField(told({ ...nothing }), patch, 9)).toMatchObject({ theirs: null, mine: null });
    const gone = { ...nothing, server_deleted: true, client_deleted: true };
    expect(ofField(told(gone), patch, 9).theirs).toBeUndefined();
    expect(ofField(told(gone), patch, 9).mine).toBeUndefined();
    expect([{}, { server_deleted: false }].map((each) => isDeleted(told(each)))).toEqual([
      false,
      false,
    ]);
    expect(isDeleted(told({ server_value: null }))).toBe(true);
    expect(isDeleted(told({ server_value: null, server_deleted: false }))).toBe(false);
  });

  it("has both sides: who wrote what, when, and which of them stands", () => {
    const theirs = { server_client_id: "c2", conflict: 7, winner: "client" } as const;
    const conflict = ofField(told(theirs), patch, 9);
    const stored = { value: 1, action: "update", timestamp: TIME, client_id: "c2" };
    const pushed = { value: 2, action: "update", timestamp: TIME };
    expect(conflict).toEqual(
      expect.objectContaining({ number: 7, stands: "mine", stored, pushed, lost: stored }),
    );
    expect(conflict.standing).toBe(conflict.pushed);
    const lost = ofField(told({ winner: "server" }), patch, 9);
    expect([lost.stands, lost.lost, lost.standing]).toEqual(["theirs", lost.pushed, lost.stored]);
    expect(ofField(told({ winner: "both" as never }), patch, 9).stands).toBeUndefined();
  });

  it("is decided by a write of that field, or its deletion", () => {
    const conflict = ofField(told({ version: 3 }), patch, 9);
    expect(made(decide(conflict, 5))).toMatchObject({
      type: "push_fields",
      base_version: 3,
      fields: [{ field: "a", value: 5, action: "update" }],
    });
    expect(made(decide(conflict, undefined))).toMatchObject({
      fields: [{ field: "a", action: "delete" }],
    });
  });
});

describe("a conflict of an operation", () => {
  const values = { a: inc(2), b: setKey({ k: 1, l: 2 }) };
  const patch = write(compose.pushFields("tasks", "1", values, {}, 0));
  const lost = { version: 3, server_value: null, client_value: 2 };
  const ofKey = { field: "b", key: "k", server_value: 0, client_value: 1 };

  it("that has lost says which, and what is to stand is what comes of it", async () => {
    const conflict = ofField(told(lost), patch, 9);
    expect(conflict).toMatchObject({ mine: 2, operation: "increment", theirs: undefined });
    const written: compose.Draft[] = [];
    const by = { write: async (draft: compose.Draft) => written.push(draft) as never, commit() {} };
    await answerable(by, conflict).keepMine();
    await answerable(by, conflict).merge(inc(5));
    const fields = written.map((each) => (made(each) as PushFields).fields[0]);
    expect(fields).toMatchObject([
      { field: "a", action: "increment", value: 2 },
      { field: "a", action: "increment", value: 5 },
    ]);
  });

  it("about a key has its values, and an answer writes that key", () => {
    const conflict = ofField(told({ ...ofKey, winner: "client" }), patch, 9);
    expect(conflict).toMatchObject({ key: "k", mine: 1, theirs: 0, operation: undefined });
    expect(made(decide(conflict, 5))).toMatchObject({
      fields: [{ field: "b", action: "set_key", value: { k: 5 } }],
    });
    expect(made(decide(conflict, undefined))).toMatchObject({
      fields: [{ field: "b", action: "delete_key", value: ["k"] }],
    });
    expect(made(decide(conflict, setKey("l", 3)))).toMatchObject({
      fields: [{ field: "b", action: "set_key", value: { l: 3 } }],
    });
  });
});

describe("a conflict of the log", () => {
  const side = (value: JsonValue, client_id: string, action: FieldAction = "update") => {
    return { value, action, timestamp: TIME, client_id };
  };
  const logged = { field: "a", strategy: "last_write_wins", version: 5 } as const;
  const open = (more: Partial<LoggedConflict> = {}, client = "c2") => {
    const sides = { stored: side(1, "c1"), pushed: side(2, "c2"), winner: "client" } as const;
    return ofLog("tasks", "1", 12, { ...logged, ...sides, ...more }, client);
  };
  const removal = {
    entity: "$conflicts/tasks",
    entity_id: "1",
    base_version: 12,
    if_unchanged: true,
    fields: [{ field: "$12", action: "delete" }],
  };

  /** Answers, and what they write. */
  async function answers(conflict: Conflict) {
    const written: unknown[] = [];
    const by = {
      write: async (draft: compose.Draft) => written.push(made(draft)) as never,
      commit: () => expect.unreachable(),
    };
    const { keepMine, takeTheirs, merge } = answerable(by, conflict);
    await keepMine();
    await takeTheirs();
    await merge(3);
    return written;
  }

  const both = (update: object) => ({
    type: "transaction",
    writes: [{ entity: "tasks", entity_id: "1", base_version: 5, fields: [update] }, removal],
  });

  it("is whoever's it is: of neither of two others' what has lost counts as one's own", () => {
    expect(open()).toMatchObject({ mine: 2, theirs: 1, stands: "mine" });
    expect(open({}, "c1")).toMatchObject({ mine: 1, theirs: 2, stands: "theirs" });
    expect(open({}, "c3")).toMatchObject({ mine: 1, theirs: 2, stands: "theirs" });
    const lost = { winner: "server" } as const;
    expect(open(lost)).toMatchObject({ mine: 2, theirs: 1, stands: "theirs" });
    expect(open(lost, "c1")).toMatchObject({ mine: 1, theirs: 2, stands: "mine" });
    expect(open(lost, "c3")).toMatchObject({ mine: 2, theirs: 1, stands: "theirs" });
    const own = { stored: side(1, "c2"), ...lost };
    expect(open(own)).toMatchObject({ mine: 2, theirs: 1, stands: "theirs" });
  });

  it("is answered by one write, with what is to stand where that does not yet", async () => {
    const update = (value: number) => ({ field: "a", value, action: "update" });
    expect(await answers(open())).toMatchObject([removal, both(update(1)), both(update(3))]);
    expect(await answers(open({}, "c1"))).toMatchObject([
      both(update(1)),
      removal,
      both(update(3)),
    ]);
  });

  it("tells a value that is null from a deletion, which an answer makes again", async () => {
    expect(open({ stored: side(null, "c1") }).theirs).toBeNull();
    const gone = open({ stored: side(null, "c1", "delete") });
    expect(gone.theirs).toBeUndefined();
    const [, taken] = await answers(gone);
    expect(taken).toMatchObject(both({ field: "a", action: "delete" }));
  });

  it("about a key has its values, whatever was done to the field", async () => {
    const stored = side(null, "c1", "delete_key");
    const conflict = open({ key: "k", stored, pushed: side(2, "c2", "set_key") });
    expect(conflict).toMatchObject({ mine: 2, theirs: undefined, operation: undefined });
    const [, taken] = await answers(conflict);
    expect(taken).toMatchObject(both({ field: "a", action: "delete_key", value: ["k"] }));
  });

  it("of an operation that has lost against a deletion applies it, whoever's it is", async () => {
    const stored = side(null, "c1", "delete");
    const lost = { stored, pushed: side(2, "c2", "increment"), winner: "server" } as const;
    const applied = both({ field: "a", action: "increment", value: 2 });
    expect((await answers(open(lost)))[0]).toMatchObject(applied);
    expect((await answers(open(lost, "c1")))[1]).toMatchObject(applied);
  });

  it("that somebody else has answered says so", async () => {
    const late = new RhtmxError("conflict", "was written");
    const other = new RhtmxError("forbidden", "no");
    for (const error of [late, other]) {
      const by = { write: () => Promise.reject(error), commit() {} };
      const message = error === late ? /^this conflict is not open any more/ : /^no$/;
      await expect(answerable(by, open()).takeTheirs()).rejects.toMatchObject({
        code: error.code,
        message: expect.stringMatching(message),
      });
    }
  });

  it("leaves what stands and writes what has lost, whoever's that is; of a newer server's word, either", async () => {
    const written: unknown[] = [];
    const by = {
      write: async (draft: compose.Draft) => written.push(made(draft)) as never,
      commit: () => expect.unreachable(),
    };
    for (const winner of ["client", "both"]) {
      const { keepLost, keepStanding } = answerable(by, open({ winner }, "c1"));
      await keepLost();
      await keepStanding();
    }
    const update = (value: number) => both({ field: "a", value, action: "update" });
    expect(written).toMatchObject([update(1), removal, update(2), update(1)]);
  });

  it("is told from a write of an application", () => {
    const answer = made(settle(open()));
    expect(isAnswer(answer)).toBe(true);
    expect(isAnswer(made(decide(open(), 1)))).toBe(false);
    expect(isAnswer(compose.push("tasks", "1", "update", 1, {}))).toBe(false);
  });
});

describe("a conflict of a record", () => {
  const push = write(compose.push("tasks", "1", "update", { n: 1 }, { baseVersion: 1 }));
  const now = { entity: "tasks", entity_id: "1", version: 4, created_at: TIME };

  it("has both, and is decided by a write of the whole", () => {
    const conflict = ofRecord(push, { ...now, action: "update", data: { n: 2 } });
    expect(conflict).toMatchObject({
      mine: { n: 1 },
      theirs: { n: 2 },
      version: 4,
      rejected: "w1",
    });
    expect(made(decide(conflict, { n: 3 }))).toMatchObject({
      type: "push",
      data: { n: 3 },
      base_version: 4,
    });
    expect(made(decide(conflict, undefined))).toMatchObject({ action: "delete", base_version: 4 });
  });

  it("with what was deleted, or never was, has nothing on their side", () => {
    expect(ofRecord(push, { ...now, action: "delete", data: null }).theirs).toBeUndefined();
    expect(ofRecord(push, null)).toMatchObject({ theirs: undefined, version: 0 });
    const gone = write(compose.push("tasks", "1", "delete", null, { baseVersion: 1 }));
    expect(ofRecord(gone, { ...now, action: "update", data: 1 }).mine).toBeUndefined();
  });
});
