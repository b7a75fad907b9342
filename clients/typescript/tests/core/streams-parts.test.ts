/** Streams of several parts of one entity, side by side. */
import { beforeEach, describe, expect, it } from "vitest";

import type { Event } from "../../src/core/events.ts";
import { partName } from "../../src/core/part.ts";
import { apply, stateOf } from "../../src/core/storage-ops.ts";
import type { Core } from "../../src/core/streams.ts";
import { Streams } from "../../src/core/streams.ts";
import type {
  ChangeLog,
  ClientMessage,
  FieldChangeLog,
  JsonValue,
  Subscribe,
} from "../../src/messages/types.ts";
import { TIME } from "../support/welcome.ts";

const SEVEN = partName("orders", { customer: "7" });
const EIGHT = partName("orders", { customer: "8" });
const BOTH = partName("orders", { customer: ["7", "8"] });
const WHERE: { readonly [name: string]: JsonValue } = {
  [SEVEN]: { customer: "7" },
  [EIGHT]: { customer: "8" },
  [BOTH]: { customer: ["7", "8"] },
};

let sent: ClientMessage[];
let told: Event[];
let streams: Streams;
let core: Core;
let fences: (() => void)[];

beforeEach(() => {
  [sent, told, fences] = [[], [], []];
  const memory = stateOf();
  core = {
    state: memory,
    epoch: "e1",
    unstored: undefined,
    emit: (op) => apply(memory, op),
    send: (each) => sent.push(each),
    tell: (each) => told.push(each),
    fence: (act) => fences.push(act),
  };
  streams = new Streams(core);
});

/** A record of a customer; without one it is deleted. */
function change(id: string, version: number, customer?: string, left?: true): ChangeLog {
  const common = { entity: "orders", entity_id: id, version, created_at: TIME };
  if (!customer) return { ...common, action: "delete", data: null, ...(left && { left }) };
  return { ...common, action: "update", data: { customer, at: version } };
}

function synced(
  name: string,
  version: number,
  more: { reset?: boolean; scope?: string } = {},
): void {
  const { epoch } = core;
  const where = WHERE[name];
  const all = {
    entity: "orders",
    epoch,
    version,
    reset: false,
    where,
    ...(where !== undefined && { scope: "s" }),
    ...more,
  };
  streams.synced({ type: "sync_complete", ...all });
}

function field(id: string, version: number, name: string, value: JsonValue, more?: true): void {
  const action = value === null ? "delete" : "update";
  const log = {
    entity: "orders",
    entity_id: id,
    version,
    field: name,
    value,
    action,
    more,
  } as const;
  streams.changed({ ...log, timestamp: TIME });
}

function syncedFields(customer: string, version: number): void {
  const end = {
    type: "sync_fields_complete",
    entity: "orders",
    epoch: "e1",
    reset: false,
  } as const;
  streams.synced({ ...end, version, where: { customer } });
}

/** It is read from here on. */
function began(name: string, more: { reset?: boolean; scope?: string; fields?: boolean }): void {
  const what = { entity: "orders", epoch: core.epoch, where: WHERE[name], scope: "s" };
  streams.began({ type: "sync_begin", ...what, reset: false, fields: false, ...more });
}

const PLACE = { epoch: "e1", fields: false };

/** Streams that are live at a version. */
function live(version: number, ...names: string[]): void {
  for (const name of names) streams.open(name, false, "t1");
  streams.begin(128);
  for (const name of names) synced(name, version);
  sent = [];
}

const since = () => sent.map((each) => (each as Subscribe).since?.orders);
const orders = () => core.state.entities.get("orders")!;
const records = () => [...orders().records.keys()].sort();
const places = (...names: string[]) => names.map((name) => orders().places.get(name)?.version);
const seen = (name: string) =>
  told.flatMap((each) => (each.type === "seen" && each.entity === name ? [each.change] : []));

describe("a part", () => {
  it("is subscribed to, and ended, with what was asked for, at either granularity", () => {
    streams.begin(128);
    streams.open(SEVEN, true, "t1");
    syncedFields("7", 1);
    streams.shut(SEVEN, "t1");
    const part = { entities: ["orders"], where: { orders: { customer: "7" } } };
    const since = { orders: { epoch: "e1", version: 0 } };
    expect(sent).toEqual([
      { type: "subscribe_fields", ...part, since },
      { type: "unsubscribe_fields", ...part },
    ]);
  });

  it("is resumed from its own position, with the scope that came with it", () => {
    live(4, SEVEN, EIGHT);
    expect(orders().places.get(SEVEN)).toEqual({
      epoch: "e1",
      version: 4,
      fields: false,
      scope: "s",
      shown: true,
    });
    streams.shut(EIGHT, "t1");
    streams.changed(change("1", 6, "7"));
    fences.shift()!();
    streams.lost();
    streams.open(EIGHT, false, "t1");
    sent = [];
    streams.begin(128);
    expect(since()).toEqual([
      { epoch: "e1", version: 6, scope: "s" },
      { epoch: "e1", version: 4, scope: "s" },
    ]);
  });

  it("is read from its beginning, field by field, where another one is held", () => {
    streams.open(SEVEN, true, "t1");
    streams.begin(128);
    syncedFields("7", 2);
    const reconnect = () => {
      streams.lost();
      sent = [];
      streams.begin(128);
      return since().map((each) => each?.version);
    };
    expect(reconnect(), "alone").toEqual([2]);
    streams.open(EIGHT, true, "t1");
    expect(reconnect(), "beside one that was never read").toEqual([2, 0]);
    syncedFields("7", 3);
    syncedFields("8", 3);
    expect(reconnect()).toEqual([0, 0]);
    syncedFields("7", 4);
    syncedFields("8", 4);
    streams.shut(SEVEN, "t1");
    expect(reconnect(), "beside one that is not read now").toEqual([0]);
  });

  it("is known by what comes back, whatever the order of its fields", () => {
    const name = partName("orders", { open: true, customer: "7" });
    streams.open(name, false, "t1");
    streams.begin(128);
    const where = { open: true, customer: "7" };
    streams.synced({
      type: "sync_complete",
      entity: "orders",
      epoch: "e1",
      version: 3,
      reset: false,
      where,
    });
    expect(told).toEqual([{ type: "synced", entity: name }]);
  });

  it("that is refused says which it is, and leaves the others alone", () => {
    streams.open(SEVEN, false, "t1");
    streams.open(EIGHT, false, "t1");
    streams.begin(128);
    const details = { entity: "orders", where: { customer: "8" } };
    const error = { code: "not_supported", message: "no", details } as const;
    expect(streams.refused("orders", error)).toBe(true);
    expect(told).toEqual([{ type: "rejected", entity: EIGHT, fields: false, error }]);
    synced(SEVEN, 3);
    expect(told.at(-1)).toEqual({ type: "synced", entity: SEVEN });
    expect(streams.refused("orders", { ...error, details: null })).toBe(false);
  });

  it("of which there are too many is named with what was asked for", () => {
    streams.begin(1);
    streams.open(SEVEN, false, "t1");
    streams.open(EIGHT, false, "t1");
    expect(told).toMatchObject([
      {
        type: "rejected",
        error: { message: expect.stringContaining(`'orders where {"customer":"8"}'`) },
      },
    ]);
  });

  it("is of the granularity of its entity, until nobody reads that", () => {
    streams.begin(128);
    streams.open(SEVEN, false, "t1");
    streams.open(EIGHT, true, "t2");
    streams.watch(partName("orders", { customer: "9" }), "t3");
    expect(told).toMatchObject([{ type: "rejected", entity: EIGHT, fields: true }]);
    synced(SEVEN, 1);
    const where = { customer: "9" };
    const end = { type: "sync_complete", entity: "orders", epoch: "e1", reset: false } as const;
    streams.synced({ ...end, version: 1, where });
    streams.unwatch(partName("orders", where), "t3");
    for (const fence of fences.splice(0)) fence();
    streams.shut(SEVEN, "t1");
    for (const fence of fences.splice(0)) fence();
    expect(sent.at(-1)).toMatchObject({
      type: "subscribe_fields",
      where: { orders: { customer: "8" } },
    });
  });

  it("that only tells how far it is does not tell again that it has caught up", () => {
    live(4, SEVEN);
    told = [];
    synced(SEVEN, 9);
    expect([told, places(SEVEN)]).toEqual([[], [9]]);
  });
});

describe("a position", () => {
  it("moves with each change while all of its entity are live", () => {
    live(4, SEVEN, EIGHT);
    streams.changed(change("1", 6, "7"));
    expect(places(SEVEN, EIGHT)).toEqual([6, 6]);
  });

  it("moves with none while another one catches up, and to the end of that", () => {
    live(4, SEVEN);
    streams.open(EIGHT, false, "t1");
    streams.changed(change("1", 6, "7"));
    streams.changed(change("2", 3, "8"));
    expect(places(SEVEN, EIGHT)).toEqual([4, 0]);
    synced(EIGHT, 8);
    expect(places(SEVEN, EIGHT)).toEqual([8, 8]);
    streams.changed(change("1", 9, "7"));
    expect(places(SEVEN, EIGHT)).toEqual([9, 9]);
    expect(records()).toEqual(["1", "2"]);
  });

  it("never moves back, and takes its scope with it", () => {
    live(9, SEVEN);
    streams.open(EIGHT, false, "t1");
    synced(EIGHT, 8, { scope: "other" });
    expect(places(SEVEN, EIGHT)).toEqual([9, 8]);
    expect(orders().places.get(SEVEN)!.scope).toBe("s");
    expect(orders().places.get(EIGHT)!.scope).toBe("other");
  });

  it("of a part that loads does not move before its scope is known", () => {
    streams.open(SEVEN, false, "t1");
    streams.begin(128);
    streams.changed(change("1", 3, "7"));
    expect(places(SEVEN)).toEqual([0]);
  });

  it("of a part that loads moves with each change once its scope is known, and is resumed", () => {
    streams.open(SEVEN, false, "t1");
    streams.begin(128);
    began(SEVEN, { scope: "a" });
    streams.changed(change("1", 3, "7"));
    expect(orders().places.get(SEVEN)).toEqual({ ...PLACE, version: 3, scope: "a" });
    streams.lost();
    sent = [];
    streams.begin(128);
    expect(since()).toEqual([{ epoch: "e1", version: 3, scope: "a" }]);
    synced(SEVEN, 4, { scope: "a" });
    expect(records()).toEqual(["1"]);
  });

  it("of a whole that belongs to a scope has that while it loads", () => {
    streams.open("orders", false, "t1");
    streams.begin(128);
    began("orders", { scope: "a" });
    streams.changed(change("1", 3, "7"));
    expect(orders().places.get("orders")).toEqual({ ...PLACE, version: 3, scope: "a" });
  });

  it("has no scope of an earlier connection while it loads", () => {
    streams.open(SEVEN, false, "t1");
    streams.begin(128);
    began(SEVEN, { scope: "a" });
    streams.lost();
    streams.begin(128);
    streams.changed(change("1", 3, "7"));
    expect(orders().places.get(SEVEN)).toEqual({ ...PLACE, version: 0 });
  });

  it("of another epoch is void for all parts, those that nobody reads too", () => {
    live(4, SEVEN, EIGHT);
    streams.lost();
    streams.shut(EIGHT, "t1");
    core.epoch = "e2";
    streams.begin(128);
    expect(places(SEVEN, EIGHT)).toEqual([0, 0]);
  });
});

it("a record of a part that nobody reads has no version in another epoch", () => {
  streams.open(SEVEN, true, "t1");
  streams.open(EIGHT, true, "t1");
  streams.begin(128);
  field("1", 1, "customer", "8", true);
  field("1", 1, "old", true);
  syncedFields("7", 1);
  syncedFields("8", 1);
  streams.shut(EIGHT, "t1");
  streams.lost();
  core.epoch = "e2";
  streams.begin(128);
  field("1", 1, "customer", "7");
  expect(orders().records.get("1")).toEqual({ data: { customer: "7" }, version: 1 });
});

describe("a reset", () => {
  it("of one part takes what that no longer has, and nothing of another", () => {
    live(2, SEVEN, EIGHT);
    streams.changed(change("1", 3, "7"));
    streams.changed(change("2", 4, "8"));
    streams.changed(change("3", 5, "7"));
    synced(SEVEN, 6, { reset: true });
    // Where it began, among what is for others, nobody could see: it is asked for anew.
    expect(sent.at(-1)).toMatchObject({
      type: "unsubscribe",
      where: { orders: { customer: "7" } },
    });
    for (const fence of fences.splice(0)) fence();
    expect(sent.at(-1)).toMatchObject({ since: { orders: { epoch: "e1", version: 0 } } });
    streams.changed(change("3", 5, "7"));
    expect(records()).toEqual(["1", "2", "3"]);
    synced(SEVEN, 6);
    expect(records()).toEqual(["2", "3"]);
  });

  it("of a part that overlaps another one takes what it no longer has from both", () => {
    live(2, SEVEN, BOTH);
    streams.changed(change("1", 3, "7"));
    streams.changed(change("2", 4, "8"));
    synced(SEVEN, 6, { reset: true });
    for (const fence of fences.splice(0)) fence();
    synced(SEVEN, 6);
    expect(records()).toEqual(["2"]);
  });

  it("while a part loads makes void what was heard before, too", () => {
    streams.open(SEVEN, false, "t1");
    streams.begin(128);
    began(SEVEN, { scope: "a" });
    streams.changed(change("1", 3, "7"));
    began(SEVEN, { scope: "b", reset: true });
    synced(SEVEN, 6, { scope: "b", reset: true });
    expect(records()).toEqual([]);
    expect(sent.map(({ type }) => type)).toEqual(["subscribe"]);
  });

  it("is durable from its beginning: who is cut off in its middle does not resume", () => {
    live(2, SEVEN);
    streams.changed(change("1", 3, "7"));
    began(SEVEN, { scope: "b", reset: true });
    streams.changed(change("2", 1, "7"));
    expect(orders().places.get(SEVEN)).toEqual({ ...PLACE, version: 0, scope: "b" });
    streams.lost();
    sent = [];
    streams.begin(128);
    expect(since()).toEqual([{ epoch: "e1", version: 0 }]);
    began(SEVEN, { scope: "a" });
    streams.changed(change("3", 2, "7"));
    synced(SEVEN, 4, { scope: "a" });
    expect(records()).toEqual(["3"]);
  });

  it("that begins again, as rights change again, counts from there", () => {
    live(2, SEVEN);
    streams.changed(change("1", 3, "7"));
    began(SEVEN, { scope: "b", reset: true });
    streams.changed(change("2", 4, "7"));
    began(SEVEN, { scope: "a", reset: true });
    streams.changed(change("1", 3, "7"));
    synced(SEVEN, 4, { scope: "a", reset: true });
    expect([records(), places(SEVEN)]).toEqual([["1"], [4]]);
  });

  it("of one of two parts takes what that no longer has, without asking anew", () => {
    live(2, SEVEN, EIGHT);
    streams.changed(change("1", 3, "7"));
    streams.changed(change("2", 4, "8"));
    streams.changed(change("3", 5, "7"));
    told = [];
    began(SEVEN, { reset: true });
    streams.changed(change("2", 7, "8"));
    streams.changed(change("3", 5, "7"));
    expect(places(SEVEN, EIGHT)).toEqual([0, 5]);
    synced(SEVEN, 7, { reset: true });
    expect([records(), places(SEVEN, EIGHT)]).toEqual([
      ["2", "3"],
      [7, 7],
    ]);
    expect([sent, told]).toEqual([[], [{ type: "synced", entity: SEVEN }]]);
  });

  it("is not of what is read no more, nor of what is read at the other granularity", () => {
    live(2, SEVEN);
    began(EIGHT, { reset: true });
    began(SEVEN, { reset: true, fields: true });
    const details = { entity: "orders", where: { customer: "7" } };
    streams.refused("orders", { code: "forbidden", message: "no", details });
    began(SEVEN, { reset: true });
    expect([places(SEVEN), orders().places.size]).toEqual([[2], 1]);
  });

  it("of the whole that is seen to begin twice counts from its last beginning", () => {
    streams.open("orders", false, "t1");
    streams.begin(128);
    synced("orders", 9, { scope: "s" });
    streams.changed(change("1", 3, "7"));
    streams.changed(change("2", 4, "7"));
    streams.changed(change("2", 4, "7"));
    streams.changed(change("3", 2, "7"));
    synced("orders", 9, { reset: true, scope: "s2" });
    expect(records()).toEqual(["3"]);
  });
});

describe("what comes for another part before a part is read", () => {
  it("is no more if it does not come again: it may be of other rights", () => {
    live(2, SEVEN);
    streams.open("orders", false, "t1");
    streams.changed(change("1", 3, "7"));
    began("orders", { scope: "b" });
    synced("orders", 4, { scope: "b" });
    expect(records()).toEqual([]);
  });

  it("is no part of it though its commit is not complete", () => {
    streams.open(SEVEN, true, "t1");
    streams.begin(128);
    field("1", 3, "a", 1, true);
    streams.open(BOTH, true, "t1");
    expect(records()).toEqual([]);
    streams.lost();
    streams.begin(128);
    field("1", 3, "customer", "7");
    expect(orders().records.get("1")!.data).toEqual({ customer: "7" });
  });
});

it("a part that is closed while it loads goes on until its end: the server tells it all", () => {
  streams.open("orders", true, "t1");
  streams.begin(128);
  const end = {
    type: "sync_fields_complete",
    entity: "orders",
    epoch: "e1",
    reset: false,
  } as const;
  streams.synced({ ...end, version: 2 });
  field("1", 3, "customer", "8");
  streams.open(SEVEN, true, "t1");
  streams.shut(SEVEN, "t1");
  field("2", 6, "customer", "8");
  // Alone it would be taken for the beginning of a reset.
  field("3", 4, "customer", "7");
  syncedFields("7", 6);
  for (const fence of fences.splice(0)) fence();
  expect([records(), places("orders")]).toEqual([["1", "2", "3"], [6]]);
});

describe("a record that leaves a part", () => {
  it("is gone", () => {
    live(2, SEVEN);
    streams.changed(change("1", 3, "7"));
    streams.changed(change("1", 4, undefined, true));
    expect(records()).toEqual([]);
  });

  describe("read field by field", () => {
    const left = (version: number, name: string, more: boolean): void => {
      const log = { entity: "orders", entity_id: "1", field: name, version, timestamp: TIME };
      streams.changed({
        ...log,
        value: null,
        action: "delete",
        left: true,
        more,
      } as FieldChangeLog);
    };

    beforeEach(() => {
      streams.open(SEVEN, true, "t1");
      streams.begin(128);
      const end = { entity: "orders", epoch: "e1", reset: false, version: 2 };
      streams.synced({ ...end, type: "sync_fields_complete", where: { customer: "7" } });
      field("1", 3, "customer", "7", true);
      field("1", 3, "a", 1);
      expect(records()).toEqual(["1"]);
    });

    it("is gone with all of its fields", () => {
      left(4, "", false);
      expect([records(), places(SEVEN)]).toEqual([[], [4]]);
    });

    it("is gone, too, where they are named for clients that know no parts", () => {
      left(4, "a", true);
      left(4, "customer", true);
      left(4, "", false);
      expect([records(), places(SEVEN)]).toEqual([[], [4]]);
    });

    it("and comes back at the same version has what comes then, and nothing else", () => {
      left(4, "", true);
      field("1", 4, "customer", "7", true);
      field("1", 4, "b", 2);
      expect(orders().records.get("1")).toEqual({ data: { customer: "7", b: 2 }, version: 4 });
    });
  });

  it("and is in another one stays, whichever is told first", () => {
    live(2, SEVEN);
    streams.changed(change("1", 3, "7"));
    streams.open(EIGHT, false, "t1");
    streams.changed(change("1", 5, "8"));
    streams.changed(change("1", 5, undefined, true));
    expect(records()).toEqual(["1"]);
    streams.changed(change("1", 6, undefined, true));
    expect(records()).toEqual([]);
    streams.changed(change("1", 7, "8"));
    expect(records()).toEqual(["1"]);
  });

  it("and is in another one stays, though what it has left is only watched", () => {
    live(2, SEVEN);
    streams.watch(EIGHT, "t1");
    streams.changed(change("1", 3, "7"));
    streams.changed(change("1", 3, undefined, true));
    expect(records()).toEqual(["1"]);
  });

  it("stays in another one that is not read now, and knows of it", () => {
    live(2, SEVEN, EIGHT);
    streams.changed(change("1", 3, "7"));
    streams.shut(SEVEN, "t1");
    for (const fence of fences.splice(0)) fence();
    streams.changed(change("1", 5, "8"));
    streams.shut(EIGHT, "t1");
    streams.open(SEVEN, false, "t1");
    for (const fence of fences.splice(0)) fence();
    streams.changed(change("1", 5, undefined, true));
    expect([records(), places(EIGHT)]).toEqual([["1"], [5]]);
  });

  it("and is told late of what it was before is left as it is", () => {
    live(2, SEVEN);
    streams.open(EIGHT, false, "t1");
    streams.changed(change("1", 5, "7"));
    streams.changed(change("1", 3, "8"));
    expect(orders().records.get("1")).toEqual({ data: { customer: "7", at: 5 }, version: 5 });
  });

  it.each([
    ["was deleted", undefined],
    ["has left", true],
  ] as const)("and %s does not come back by an older state of another one", (_, left) => {
    live(2, SEVEN);
    streams.open(EIGHT, false, "t1");
    streams.changed(change("1", 6, "7"));
    streams.changed(change("1", 8, undefined, left));
    streams.changed(change("1", 5, "8"));
    expect(records()).toEqual([]);
    streams.changed(change("1", 8, "8"));
    expect(records()).toEqual(["1"]);
    streams.changed(change("1", 9, undefined, left));
    streams.changed(change("1", 10, "7"));
    expect(orders().records.get("1")!.version).toBe(10);
  });

  it("does not come back though it was not held, nor though a third one has loaded", () => {
    live(2, SEVEN);
    streams.open(EIGHT, false, "t1");
    streams.open(BOTH, false, "t1");
    streams.changed(change("1", 8));
    synced(BOTH, 8);
    streams.changed(change("1", 5, "8"));
    synced(EIGHT, 8);
    expect(records()).toEqual([]);
  });

  it("does not come back by older fields of another one, but by all that came at once", () => {
    streams.open(SEVEN, true, "t1");
    streams.begin(128);
    const end = { entity: "orders", epoch: "e1", version: 2, where: WHERE[SEVEN], reset: false };
    streams.synced({ type: "sync_fields_complete", ...end });
    field("1", 3, "customer", "7");
    streams.open(EIGHT, true, "t1");
    field("1", 8, "customer", null);
    field("1", 5, "a", 1, true);
    field("1", 5, "customer", "8");
    expect(records()).toEqual([]);
    field("1", 8, "a", 2, true);
    field("1", 8, "customer", "8");
    expect(orders().records.get("1")!.data).toEqual({ a: 2, customer: "8" });
  });

  it("comes back with a version from before in another epoch", () => {
    live(2, SEVEN);
    streams.open(EIGHT, false, "t1");
    streams.changed(change("1", 8));
    streams.lost();
    core.epoch = "e2";
    streams.begin(128);
    streams.changed(change("1", 1, "8"));
    expect(records()).toEqual(["1"]);
  });
});

it("fields of one record, between which those of another came, are put together", () => {
  streams.open(SEVEN, true, "t1");
  streams.open(EIGHT, true, "t1");
  streams.begin(128);
  field("1", 3, "customer", "7", true);
  field("2", 9, "customer", "8");
  field("1", 3, "a", 1);
  expect(orders().records.get("1")!.data).toEqual({ customer: "7", a: 1 });
  expect(orders().records.get("2")!.data).toEqual({ customer: "8" });
});

it("a part ends only when another one, which may have heard of its records, has loaded", () => {
  live(2, SEVEN);
  streams.open(BOTH, false, "t1");
  streams.shut(SEVEN, "t1");
  expect(sent.map(({ type }) => type)).toEqual(["subscribe"]);
  synced(BOTH, 5);
  expect(sent.map(({ type }) => type)).toEqual(["subscribe", "unsubscribe"]);
});

it("a part does not wait for another one that is refused", () => {
  live(2, SEVEN);
  streams.open(BOTH, false, "t1");
  streams.shut(SEVEN, "t1");
  sent = [];
  const details = { where: { customer: ["7", "8"] } };
  streams.refused("orders", { code: "forbidden", message: "no", details });
  expect(sent.map(({ type }) => type)).toEqual(["unsubscribe"]);
});

it("a part that is opened again before it could end goes on", () => {
  live(2, SEVEN);
  streams.open(BOTH, false, "t1");
  streams.shut(SEVEN, "t1");
  streams.open(SEVEN, false, "t2");
  synced(BOTH, 5);
  expect(sent).toHaveLength(1);
  streams.shut(SEVEN, "t2");
  expect(sent.at(-1)!.type).toBe("unsubscribe");
});

it("who watches what is reset from its beginning is told at its end, and nothing of it before", () => {
  streams.watch(SEVEN, "t1");
  streams.begin(128);
  synced(SEVEN, 2);
  streams.changed(change("1", 3, "7"));
  began(SEVEN, { reset: true });
  streams.changed(change("2", 4, "7"));
  expect([seen(SEVEN), orders()]).toEqual([[change("1", 3, "7")], undefined]);
  // Nor is it further on for what another part was told.
  streams.watch(EIGHT, "t1");
  synced(EIGHT, 6);
  streams.lost();
  sent = [];
  streams.begin(128);
  expect(since()).toEqual([undefined, { epoch: "e1", version: 6 }]);
  synced(SEVEN, 5);
  expect(seen(SEVEN).at(-1)).toBeNull();
});

describe("who watches a part", () => {
  beforeEach(() => {
    streams.watch(SEVEN, "t1");
    streams.watch(EIGHT, "t1");
    streams.begin(128);
    synced(SEVEN, 2);
    synced(EIGHT, 2);
  });

  it("is told what is in it, and once what is not, as it may have been", () => {
    streams.changed(change("1", 3, "7"));
    expect(seen(SEVEN)).toEqual([change("1", 3, "7")]);
    expect(seen(EIGHT)).toMatchObject([
      { entity_id: "1", action: "delete", data: null, left: true },
    ]);
    streams.changed(change("1", 4, "7"));
    expect([seen(SEVEN).length, seen(EIGHT).length]).toEqual([2, 1]);
  });

  it("is told that a record has gone to another one", () => {
    streams.changed(change("1", 3, "7"));
    streams.changed(change("1", 4, "8"));
    expect(seen(SEVEN).at(-1)).toMatchObject({ entity_id: "1", version: 4, left: true });
    expect(seen(EIGHT).at(-1)).toEqual(change("1", 4, "8"));
    streams.changed(change("1", 5));
    expect(seen(SEVEN)).toHaveLength(2);
    expect(seen(EIGHT).at(-1)).toEqual(change("1", 5));
  });

  it("is told that something may be missing only of that part, and of any record again", () => {
    streams.changed(change("1", 3, "7"));
    synced(EIGHT, 9, { reset: true });
    expect([seen(SEVEN).at(-1)?.version, seen(EIGHT).at(-1)]).toEqual([3, null]);
    streams.changed(change("1", 10, "7"));
    expect(seen(EIGHT).at(-1)).toMatchObject({ version: 10, left: true });
  });

  it("goes on from where all of it was told", () => {
    streams.changed(change("1", 3, "7"));
    synced(SEVEN, 9);
    streams.lost();
    sent = [];
    streams.begin(128);
    expect(since().map((each) => each?.version)).toEqual([9, 9]);
  });
});

it("a part that was reset ends only when it has loaded anew, and what is gone is gone", () => {
  live(2, SEVEN);
  streams.open(BOTH, false, "t1");
  streams.changed(change("1", 3, "7"));
  began(SEVEN, { reset: true });
  streams.shut(SEVEN, "t1");
  synced(BOTH, 6);
  expect([records(), sent.length]).toEqual([["1"], 1]);
  synced(SEVEN, 6);
  expect(records()).toEqual([]);
  expect(sent.at(-1)).toMatchObject({ type: "unsubscribe", where: { orders: { customer: "7" } } });
});

it("fields that came before a part loads anew are of before, though their commit is not complete", () => {
  streams.open(SEVEN, true, "t1");
  streams.open(EIGHT, true, "t1");
  streams.begin(128);
  const end = (customer: string, version: number, reset = false) => {
    const all = { entity: "orders", epoch: "e1", version, reset, where: { customer }, scope: "s" };
    streams.synced({ type: "sync_fields_complete", ...all });
  };
  end("7", 2);
  end("8", 2);
  end("7", 6, true);
  field("1", 3, "customer", "7", true);
  for (const fence of fences.splice(0)) fence();
  end("7", 6);
  field("2", 7, "customer", "8");
  expect(records()).toEqual(["2"]);
});

describe("a server that knows no parts", () => {
  const rejected = () => told.filter(({ type }) => type === "rejected");

  it.each([false, true])("reads none: each is ended and rejected, by field: %s", (fields) => {
    const type = fields ? "sync_fields_complete" : "sync_complete";
    streams.open(SEVEN, fields, "t1");
    streams.open(EIGHT, fields, "t1");
    streams.begin(128);
    if (fields) field("1", 1, "customer", "9");
    else streams.changed(change("1", 1, "7"));
    sent = [];
    streams.synced({ type, entity: "orders", epoch: "e1", version: 1, reset: false });
    const ended = { type: fields ? "unsubscribe_fields" : "unsubscribe", entities: ["orders"] };
    expect(sent).toEqual(
      ["7", "8"].map((customer) => ({ ...ended, where: { orders: { customer } } })),
    );
    expect(rejected()).toEqual(
      [SEVEN, EIGHT].map((entity) => {
        const where = JSON.stringify(WHERE[entity]);
        const message = `'orders where ${where}' is not read: this server knows no parts of an entity: update it, or read without where`;
        const error = { code: "not_supported", message, details: null };
        return { type: "rejected", entity, fields, error };
      }),
    );
    expect([records(), places(SEVEN, EIGHT)]).toEqual([[], [0, 0]]);
    // The other subscription's end, and what comes meanwhile, is for nobody.
    streams.synced({ type, entity: "orders", epoch: "e1", version: 1, reset: false });
    if (!fields) streams.changed(change("1", 2, "7"));
    expect([sent.length, rejected().length, records()]).toEqual([2, 2, []]);
  });

  it("is asked again on the next connection", () => {
    streams.open(SEVEN, false, "t1");
    streams.begin(128);
    synced("orders", 1);
    streams.lost();
    sent = [];
    streams.begin(128);
    expect(sent.map(({ type }) => type)).toEqual(["subscribe"]);
    synced(SEVEN, 1);
    expect(told.at(-1)).toEqual({ type: "synced", entity: SEVEN });
  });

  it("takes nothing of what was read of another server before", () => {
    live(3, SEVEN);
    streams.lost();
    core.emit(["record", "orders", "1", { data: { customer: "7" }, version: 3 }]);
    streams.begin(128);
    streams.changed(change("2", 4, "9"));
    synced("orders", 4);
    expect([records(), places(SEVEN)]).toEqual([["1"], [3]]);
  });

  it("rejects a part that is only watched, and makes room for another entity", () => {
    streams.watch(SEVEN, "t1");
    streams.watch("users", "t1");
    streams.begin(1);
    synced("orders", 1);
    expect(rejected().at(-1)).toMatchObject({ entity: SEVEN, error: { code: "not_supported" } });
    expect(sent.map((each) => [each.type, (each as Subscribe).entities[0]])).toEqual([
      ["subscribe", "orders"],
      ["unsubscribe", "orders"],
      ["subscribe", "users"],
    ]);
  });

  it("is told of the end of a part that nobody reads any more, too", () => {
    streams.open(SEVEN, false, "t1");
    streams.open(BOTH, false, "t1");
    streams.begin(128);
    sent = [];
    streams.shut(BOTH, "t1");
    synced("orders", 1);
    expect(sent.map((each) => [each.type, Object((each as Subscribe).where).orders])).toEqual([
      ["unsubscribe", { customer: "7" }],
      ["unsubscribe", { customer: ["7", "8"] }],
    ]);
    expect(rejected().map((each) => Object(each).entity)).toEqual([SEVEN, BOTH]);
  });

  it("is none that only says that the whole, which has just ended, has been read", () => {
    streams.open("orders", false, "t1");
    streams.open(SEVEN, false, "t1");
    streams.begin(128);
    synced(SEVEN, 2);
    synced("orders", 2);
    streams.shut("orders", "t1");
    expect(sent.at(-1)!.type).toBe("unsubscribe");
    synced("orders", 2);
    expect(rejected()).toEqual([]);
    for (const fence of fences.splice(0)) fence();
    expect(places(SEVEN)).toEqual([2]);
  });

  it("is none that speaks of a part, which has just ended", () => {
    live(2, SEVEN, EIGHT);
    streams.shut(EIGHT, "t1");
    synced(EIGHT, 3);
    expect([rejected(), places(SEVEN)]).toEqual([[], [2]]);
  });

  it("is none that speaks of another granularity", () => {
    streams.open(SEVEN, true, "t1");
    streams.begin(128);
    synced("orders", 2);
    expect(rejected()).toEqual([]);
  });
});
