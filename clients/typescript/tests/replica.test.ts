import { describe, expect, it } from "vitest";

import { begin, changed, synced } from "../src/replica.ts";
import { apply, entityOf, stateOf } from "../src/store.ts";
import type { ChangeLog, FieldChangeLog, JsonValue } from "../src/messages/types.ts";
import type { Replica } from "../src/replica.ts";
import type { Op } from "../src/store.ts";

const TIME = "2026-11-22T10:00:00Z";

function world(fields: boolean) {
  const state = stateOf();
  const keeper = { state, epoch: "e1", emit: (op: Op) => apply(state, op) };
  const replica: Replica = { entity: "t", fields, live: false, since: 0, stale: new Map(), batch: [] };
  const say = (log: ChangeLog | FieldChangeLog) => changed(replica, keeper, log);
  return {
    keeper,
    begin: (epoch = "e1") => {
      keeper.epoch = epoch;
      begin(replica, keeper, false);
    },
    record: (id: string, version: number, data: JsonValue = version) => {
      const action = data === null ? "delete" : "update";
      say({ entity: "t", entity_id: id, version, action, data, created_at: TIME });
    },
    field: (id: string, field: string, version: number, value: JsonValue, more?: true) => {
      const action = value === null ? "delete" : "update";
      say({ entity: "t", entity_id: id, field, version, action, value, timestamp: TIME, more });
    },
    synced: (version: number, reset = false) => synced(replica, keeper, { version, reset }),
    held: () =>
      Object.fromEntries([...entityOf(state, "t").records].map(([id, { data }]) => [id, data])),
    position: () => entityOf(state, "t").place,
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

  it("fields that a snapshot does not have go at its end", () => {
    const w = world(true);
    w.begin();
    w.field("1", "a", 1, 1, true);
    w.field("1", "b", 1, 1);
    w.field("2", "a", 2, 2);
    w.synced(2);
    w.begin("e2");
    w.field("1", "b", 1, 5, true);
    w.synced(1);
    expect(w.held()).toEqual({ "1": { b: 5 } });
  });

  it("old fields in a catch-up begin nothing: they may follow new ones of the same snapshot", () => {
    const w = world(true);
    w.begin();
    w.field("1", "a", 5, 5);
    w.synced(5);
    w.begin();
    w.field("2", "a", 6, 6, true);
    w.field("1", "a", 5, 5, true);
    expect(w.synced(6, true)).toBe(true);
    expect(w.held()).toEqual({ "1": { a: 5 }, "2": { a: 6 } });
  });

  it("what was read by record is read anew", () => {
    const w = world(false);
    w.begin();
    w.record("1", 3, "text");
    w.synced(3);
    const fields: Replica = { entity: "t", fields: true, live: false, since: 0, stale: new Map(), batch: [] };
    begin(fields, w.keeper, false);
    expect(w.position()).toEqual({ epoch: "e1", version: 0, fields: true });
    synced(fields, w.keeper, { version: 3, reset: false });
    expect(w.held()).toEqual({});
  });
});
