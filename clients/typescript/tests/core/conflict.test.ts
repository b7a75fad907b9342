import { describe, expect, it } from "vitest";

import * as compose from "../../src/core/build-message.ts";
import { decide, ofField, ofRecord } from "../../src/core/conflict.ts";
import { inc, setKey } from "../../src/core/operations.ts";
import type { RecordWrite } from "../../src/core/storage-ops.ts";
import { stateOf } from "../../src/core/storage-ops.ts";
import type { FieldConflict, PushFields } from "../../src/messages/types.ts";
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
