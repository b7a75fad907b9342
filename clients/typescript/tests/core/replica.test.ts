import { describe, expect, it } from "vitest";

import * as compose from "../../src/core/build-message.ts";
import type { Replica } from "../../src/core/replica.ts";
import { absorb, begin, changed, has, synced } from "../../src/core/replica.ts";
import type { Op, RecordWrite } from "../../src/core/storage-ops.ts";
import { apply, entityOf, stateOf } from "../../src/core/storage-ops.ts";
import type { ChangeLog, FieldChangeLog, JsonValue } from "../../src/messages/types.ts";
import { replicaOf } from "../support/replica.ts";

const TIME = "2026-11-22T10:00:00Z";

function world(fields: boolean) {
  const state = stateOf();
  const keeper = { state, epoch: "e1", emit: (op: Op) => apply(state, op) };
  const replica = replicaOf("t", fields);
  const say = (log: ChangeLog | FieldChangeLog) => changed([replica], keeper, log);
  return {
    keeper,
    begin: (epoch = "e1") => {
      keeper.epoch = epoch;
      begin(replica, keeper, false);
    },
    restart: () => begin(replica, keeper, true),
    record: (id: string, version: number, data: JsonValue = version) => {
      const action = data === null ? "delete" : "update";
      say({ entity: "t", entity_id: id, version, action, data, created_at: TIME });
    },
    field: (id: string, field: string, version: number, value: JsonValue, more?: true) => {
      const action = value === null ? "delete" : "update";
      say({ entity: "t", entity_id: id, field, version, action, value, timestamp: TIME, more });
    },
    synced: (version: number, reset = false) => synced(replica, keeper, { version, reset }),
    /** A write of this client that was acknowledged, and is shown on top. */
    settle: (id: string, version: number, epoch = "e1") => {
      const message = compose.push("t", id, "update", version, {});
      const settled = { version, epoch };
      const write = {
        id: `w${id}-${version}`,
        seq: version,
        entity: "t",
        entityId: id,
        message,
        since: 0,
      };
      apply(state, ["write", write.id, { ...write, settled }]);
    },
    /** Those of them that still are. */
    shown: () => [...state.writes.keys()],
    has: (id: string, version: number, epoch: string) =>
      has(replica, keeper, id, { version, epoch }),
    held: () =>
      Object.fromEntries([...entityOf(state, "t").records].map(([id, { data }]) => [id, data])),
    position: () => entityOf(state, "t").places.get("t"),
  };
}

describe("by record", () => {
  it("a load of nothing moves with each change; a catch-up moves at its end", () => {
    const w = world(false);
    w.begin();
    w.record("1", 3);
    expect(w.position()).toEqual({ epoch: "e1", version: 3, fields: false });
    w.begin();
    w.record("2", 7);
    expect(w.position()?.version).toBe(3);
    expect(w.synced(9)).toBe(false);
    expect(w.position()?.version).toBe(9);
    w.record("2", 10, null);
    expect(w.held()).toEqual({ "1": 3 });
    expect(w.position()?.version).toBe(10);
  });

  it("another epoch starts over; what is not told again goes at its end, and not before", () => {
    const w = world(false);
    w.begin();
    w.record("1", 1);
    w.record("2", 2);
    w.synced(2);
    w.begin("e2");
    expect(w.position()).toEqual({ epoch: "e2", version: 0, fields: false });
    w.record("1", 5);
    expect(w.held()).toEqual({ "1": 5, "2": 2 });
    expect(w.position()?.version).toBe(0);
    w.synced(5);
    expect(w.held()).toEqual({ "1": 5 });
  });

  it("while it is live, a change from before begins a snapshot in place", () => {
    const w = world(false);
    w.begin();
    w.record("1", 1);
    w.record("2", 2);
    w.synced(4);
    w.record("2", 2);
    expect(w.position()?.version).toBe(0);
    expect(w.synced(6, true)).toBe(false);
    expect(w.held()).toEqual({ "2": 2 });
    expect(w.position()?.version).toBe(6);
  });

  it("a reset that nobody saw begin is to be started again", () => {
    const w = world(false);
    w.begin();
    w.synced(4);
    expect(w.synced(5, true)).toBe(true);
    w.begin();
    expect(w.synced(6, true)).toBe(true);
  });

  it("the first snapshot of all may be called a reset", () => {
    const w = world(false);
    w.begin();
    w.record("1", 1);
    expect(w.synced(1, true)).toBe(false);
    expect(w.held()).toEqual({ "1": 1 });
  });
});

describe("what a write did", () => {
  it("has not arrived with a record of another epoch, nor with one from before a snapshot", () => {
    const w = world(false);
    w.begin();
    w.record("1", 9);
    expect([w.has("1", 9, "e1"), w.has("1", 10, "e1"), w.has("2", 9, "e1")]).toEqual([
      true,
      false,
      false,
    ]);
    w.begin("e2");
    expect(w.has("1", 2, "e2")).toBe(false);
    w.record("1", 2);
    expect(w.has("1", 2, "e2")).toBe(true);
    w.synced(3);
    expect([w.has("2", 3, "e2"), w.has("2", 4, "e2"), w.has("2", 4, "e1")]).toEqual([
      true,
      false,
      true,
    ]);
  });
});

describe("by field", () => {
  it("a record changes whole: what is cut off in its middle was not there", () => {
    const w = world(true);
    w.begin();
    w.field("1", "a", 1, 1, true);
    expect(w.held()).toEqual({});
    w.begin();
    w.field("1", "a", 1, 1, true);
    w.field("1", "b", 1, 1);
    expect(w.held()).toEqual({ "1": { a: 1, b: 1 } });
    expect(w.position()?.version).toBe(1);
  });

  it("a record without fields is none", () => {
    const w = world(true);
    w.begin();
    w.field("1", "a", 1, 1);
    w.synced(1);
    w.field("1", "a", 2, null);
    expect(w.held()).toEqual({});
  });

  it("a snapshot tells a record as a whole: fields that it does not have are gone", () => {
    const w = world(true);
    w.begin();
    w.field("1", "a", 1, 1, true);
    w.field("1", "b", 1, 1);
    w.field("2", "a", 2, 2);
    w.synced(2);
    w.begin("e2");
    w.field("1", "b", 1, 5, true);
    w.field("3", "c", 2, 6, true);
    expect(w.held()).toEqual({ "1": { b: 5 }, "2": { a: 2 } });
    w.synced(2);
    expect(w.held()).toEqual({ "1": { b: 5 }, "3": { c: 6 } });
  });

  it("a field from before the position shows that a snapshot has begun", () => {
    const w = world(true);
    w.begin();
    w.field("1", "a", 5, 5);
    w.field("2", "a", 6, 6);
    w.synced(6);
    w.begin();
    w.field("1", "a", 5, 7, true);
    expect(w.position()).toEqual({ epoch: "e1", version: 0, fields: true });
    expect(w.synced(6, true)).toBe(false);
    expect(w.held()).toEqual({ "1": { a: 7 } });
  });

  it("what was not complete when it was started over is no part of the snapshot", () => {
    const w = world(true);
    w.begin();
    w.field("1", "a", 1, 1, true);
    w.field("1", "b", 1, 1);
    w.synced(1);
    w.field("1", "a", 2, 2, true);
    w.restart();
    expect(w.held()).toEqual({ "1": { a: 1, b: 1 } });
    w.field("2", "a", 1, 3, true);
    w.field("1", "b", 2, 1);
    w.synced(2);
    expect(w.held()).toEqual({ "1": { b: 1 }, "2": { a: 3 } });
  });

  it("what was read by record is read anew", () => {
    const w = world(false);
    w.begin();
    w.record("1", 3, "text");
    w.synced(3);
    const fields = replicaOf("t", true);
    begin(fields, w.keeper, false);
    expect(w.position()).toEqual({ epoch: "e1", version: 0, fields: true });
    synced(fields, w.keeper, { version: 3, reset: false });
    expect(w.held()).toEqual({});
  });
});

describe("an acknowledged write stays on top", () => {
  it("until its own change has come: not with an older one, nor one of another record", () => {
    const w = world(false);
    w.begin();
    w.synced(1);
    w.settle("1", 5);
    w.begin();
    w.record("2", 5);
    w.record("1", 4);
    expect(w.shown()).toEqual(["w1-5"]);
    w.record("1", 5);
    expect(w.shown()).toEqual([]);
  });

  it("in a catch-up until its record is told or the catch-up ends", () => {
    const w = world(false);
    w.begin();
    w.record("9", 1);
    w.synced(1);
    w.settle("1", 5);
    w.begin();
    w.record("2", 8);
    expect(w.shown()).toEqual(["w1-5"]);
    w.synced(8);
    expect(w.shown()).toEqual([]);
  });

  it("while a load moves on with each change", () => {
    const w = world(false);
    w.begin();
    w.settle("1", 2);
    w.record("2", 3);
    expect([w.position()?.version, w.shown()]).toEqual([3, ["w1-2"]]);
    w.synced(3);
    expect(w.shown()).toEqual([]);
  });

  it("where nothing was ever read of its entity", () => {
    expect(world(false).has("1", 1, "e1")).toBe(false);
  });
});

describe("by record, a deletion", () => {
  it("leaves no record behind", () => {
    const w = world(false);
    w.begin();
    w.record("1", 1);
    w.record("1", 2, null);
    expect([...entityOf(w.keeper.state, "t").records]).toEqual([]);
  });
});

describe("a write to an entity that nobody reads now", () => {
  const write = (message: RecordWrite["message"]): RecordWrite => {
    return { id: "w", seq: 1, entity: "t", entityId: message.entity_id, message, since: 0 };
  };
  const set = (data: JsonValue) => write(compose.push("t", "1", "update", data, {}));
  const gone = write(compose.push("t", "1", "delete", null, {}));
  const drop = (...fields: string[]) =>
    write(compose.pushFields("t", "1", {}, { delete: fields }, 0));

  /** What is held of record 1, of version 3 at position 4, after a write. */
  function after(fields: boolean, made: RecordWrite, version = 5, epoch = "e1") {
    const { keeper } = world(fields);
    const { records } = entityOf(keeper.state, "t");
    apply(keeper.state, ["place", "t", { epoch: "e1", version: 4, fields }]);
    apply(keeper.state, ["record", "t", "1", { data: { a: 1 }, version: 3 }]);
    absorb(keeper, made, { version, epoch });
    return records.get("1");
  }

  it("is held with its version", () => {
    expect(after(false, set({ b: 2 }))).toEqual({ data: { b: 2 }, version: 5 });
    expect(after(true, drop("z"))).toEqual({ data: { a: 1 }, version: 5 });
  });

  it("that deletes leaves nothing", () => {
    expect(after(false, gone)).toBeUndefined();
    expect(after(true, gone)).toBeUndefined();
  });

  it("leaves no record without fields where it is read by field, and an empty one otherwise", () => {
    expect(after(true, drop("a"))).toBeUndefined();
    expect(after(true, set({}))).toBeUndefined();
    expect(after(true, set(null))).toBeUndefined();
    expect(after(false, drop("a"))).toEqual({ data: {}, version: 5 });
    expect(after(false, set(null))).toEqual({ data: null, version: 5 });
  });

  it("is held already at its position, and unknown in another epoch", () => {
    const before = { data: { a: 1 }, version: 3 };
    expect(after(false, set(2), 4)).toEqual(before);
    expect(after(false, set(2), 3)).toEqual(before);
    expect(after(false, set(2), 5, "e2")).toEqual(before);
    const { keeper } = world(false);
    absorb(keeper, set(2), { version: 1, epoch: "e1" });
    expect(entityOf(keeper.state, "t").records.size).toBe(0);
  });
});

describe("a part that is not read, and what other rights bring", () => {
  const A = { team: "a" };

  /** The part was read to version 5, with record 1, which is at version 2. */
  function kept() {
    const state = stateOf();
    const keeper = { state, epoch: "e1", emit: (op: Op) => apply(state, op) };
    const part = replicaOf("t", false, A);
    const whole = replicaOf("t");
    const hear = (replica: Replica, id: string, version: number, data: JsonValue) => {
      const log = { entity: "t", entity_id: id, version, data, created_at: TIME } as const;
      changed([replica], keeper, { ...log, action: data === null ? "delete" : "update" });
    };
    begin(part, keeper, false, "few");
    hear(part, "1", 2, A);
    synced(part, keeper, { version: 5, reset: false, scope: "few" });
    part.live = false;
    const held = () => [...entityOf(state, "t").records.keys()];
    const resumes = () => {
      begin(part, keeper, false);
      return part.since;
    };
    begin(whole, keeper, false);
    return { keeper, part, whole, hear, held, resumes };
  }

  it("is read anew if it should have had a record that comes now", () => {
    const { whole, hear, resumes } = kept();
    hear(whole, "2", 4, A);
    expect(resumes()).toBe(0);
  });

  it("is read anew if a record that it has cannot be read any more", () => {
    const { keeper, whole, held, resumes } = kept();
    synced(whole, keeper, { version: 6, reset: false });
    expect(held()).toEqual([]);
    expect(resumes()).toBe(0);
  });

  it.each([
    ["that it has", "1", 2, A],
    ["that is newer", "2", 6, A],
    ["of another part", "2", 4, { team: "b" }],
    ["that is deleted", "1", 6, null],
  ])("is resumed after a record %s", (_, id, version, data) => {
    const { whole, hear, resumes } = kept();
    hear(whole, id, version, data);
    expect(resumes()).toBe(5);
  });

  it("loses what is newer than its position, and does not come again", () => {
    const { keeper, part, whole, hear, held, resumes } = kept();
    for (const id of ["2", "3", "4"]) hear(whole, id, 7, A);
    expect(resumes()).toBe(5);
    hear(part, "2", 7, A);
    hear(part, "3", 6, null);
    synced(part, keeper, { version: 9, reset: false, scope: "few" });
    expect(held()).toEqual(["1", "2"]);
  });

  it("keeps what is newer where it is read by field: of that only the changes come", () => {
    const w = world(true);
    w.begin();
    w.field("1", "a", 2, 2);
    w.synced(2);
    w.keeper.emit(["record", "t", "1", { data: { a: 2, b: 3 }, version: 3 }]); // an own write
    w.begin();
    w.field("1", "b", 3, 3);
    w.synced(4);
    expect(w.held()).toEqual({ "1": { a: 2, b: 3 } });
  });
});
