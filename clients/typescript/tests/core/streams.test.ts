import { beforeEach, describe, expect, it } from "vitest";
import type { Event } from "../../src/core/events.ts";
import { apply, stateOf } from "../../src/core/storage-ops.ts";
import type { Core } from "../../src/core/streams.ts";
import { Streams } from "../../src/core/streams.ts";
import type { ChangeLog, ClientMessage } from "../../src/messages/types.ts";

let sent: ClientMessage[];
let told: Event[];
let streams: Streams;
let core: Core;
let fences: (() => void)[];

beforeEach(() => {
  sent = [];
  told = [];
  fences = [];
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

function change(version: number, id = "1"): ChangeLog {
  const common = { entity: "users", entity_id: id, created_at: "2026-11-22T10:00:00Z" };
  return { ...common, action: "update", data: { n: version }, version };
}

function synced(version: number, more: { reset?: boolean; epoch?: string } = {}): void {
  streams.synced({
    type: "sync_complete",
    entity: "users",
    epoch: core.epoch,
    version,
    reset: false,
    ...more,
  });
}

const END = { epoch: "e1", reset: false } as const;

function syncedFields(version: number): void {
  streams.synced({ ...END, type: "sync_fields_complete", entity: "users", version });
}

/** What was on its way when it was asked has been heard. */
function heard(): void {
  for (const fence of fences.splice(0)) fence();
}

const seen = () =>
  told.flatMap((each) => (each.type === "seen" ? [each.change?.version ?? null] : []));
const since = () => sent.map((each) => ("since" in each ? Object(each.since).users : each.type));
const records = () => Object.fromEntries(core.state.entities.get("users")?.records ?? []);

describe("an entity that is only watched", () => {
  it("starts at the head, keeps nothing, and goes on from where it was", () => {
    streams.watch("users", "t1");
    streams.begin(128);
    synced(4);
    streams.changed(change(5));
    expect(records()).toEqual({});
    streams.lost();
    streams.begin(128);
    expect(since()).toEqual([undefined, { epoch: "e1", version: 5 }]);
    streams.changed(change(6));
    synced(6);
    expect(seen()).toEqual([5, 6]);
  });

  it("says that some may be missing after a reset, and goes on from there", () => {
    streams.watch("users", "t1");
    streams.begin(128);
    synced(4);
    streams.lost();
    streams.begin(128);
    streams.changed(change(2));
    streams.changed(change(8));
    synced(9, { reset: true });
    streams.changed(change(10));
    expect(seen()).toEqual([8, null, 10]);
  });

  it("starts at the head of another epoch, and says that some may be missing", () => {
    streams.watch("users", "t1");
    streams.begin(128);
    synced(40);
    streams.lost();
    core.epoch = "e2";
    streams.begin(128);
    expect(since()).toEqual([undefined, undefined]);
    synced(3);
    streams.changed(change(4));
    expect(seen()).toEqual([null, 4]);
  });

  it("that was cut before the head was known may lack some", () => {
    streams.watch("users", "t1");
    streams.begin(128);
    streams.lost();
    streams.begin(128);
    synced(4);
    expect(seen()).toEqual([null]);
  });

  it("ends with the last who watches", () => {
    streams.begin(128);
    streams.watch("users", "t1");
    streams.watch("users", "t2");
    synced(1);
    streams.unwatch("users", "t1");
    streams.unwatch("users", "t1");
    expect(sent).toHaveLength(1);
    streams.unwatch("users", "t2");
    expect(sent.at(-1)).toEqual({ type: "unsubscribe", entities: ["users"] });
  });
});

describe("an entity that is read", () => {
  it("and then watched tells what comes from then on, and not what it loads", () => {
    streams.open("users", false, "r1");
    streams.begin(128);
    streams.watch("users", "t1");
    streams.changed(change(1));
    synced(1);
    streams.changed(change(2));
    expect(seen()).toEqual([2]);
    expect(sent).toHaveLength(1);
  });

  it("and watched while it is live tells the next", () => {
    streams.open("users", false, "r1");
    streams.begin(128);
    synced(1);
    streams.watch("users", "t1");
    streams.changed(change(2));
    expect(seen()).toEqual([2]);
    streams.unwatch("users", "t1");
    streams.changed(change(3));
    expect(seen()).toEqual([2]);
    expect(sent).toHaveLength(1);
  });

  it("after it was watched starts from what is held, once the head was told", () => {
    streams.watch("users", "t1");
    streams.begin(128);
    streams.open("users", false, "r1");
    expect(sent).toHaveLength(1);
    synced(4);
    streams.changed(change(2));
    synced(4);
    heard();
    expect(since()).toEqual([undefined, "unsubscribe", { epoch: "e1", version: 0 }]);
    streams.changed(change(3));
    synced(4);
    streams.changed(change(5));
    expect(Object.keys(records())).toEqual(["1"]);
    expect(told.filter(({ type }) => type === "synced")).toHaveLength(1);
    expect(seen().at(-1)).toBe(5);
  });

  it("is told of a reset that only its end showed, asks again, and drops what is gone", () => {
    streams.open("users", false, "r1");
    streams.begin(128);
    streams.changed(change(1, "1"));
    synced(1);
    streams.watch("users", "t1");
    streams.lost();
    streams.begin(128);
    streams.changed(change(9, "4"));
    synced(9, { reset: true });
    heard();
    expect(since().slice(1)).toEqual([
      { epoch: "e1", version: 1 },
      "unsubscribe",
      { epoch: "e1", version: 0 },
    ]);
    expect(Object.keys(records())).toEqual(["1", "4"]);
    streams.changed(change(9, "4"));
    synced(9);
    expect(Object.keys(records())).toEqual(["4"]);
    expect(seen()).toEqual([9, null]);
  });

  it("is read at one granularity: the other one is refused in words", () => {
    streams.open("users", true, "r1");
    streams.open("users", false, "r1");
    streams.watch("users", "t1");
    expect(told).toMatchObject([
      { type: "rejected", fields: false, error: { code: "not_supported" } },
      { type: "problem", error: { code: "not_supported" } },
    ]);
  });

  it("does not take what it did not ask for", () => {
    streams.open("users", true, "r1");
    streams.begin(128);
    streams.changed(change(1));
    streams.changed({ ...change(1), entity: "others" });
    streams.synced({
      type: "sync_complete",
      entity: "others",
      epoch: "e1",
      version: 3,
      reset: false,
    });
    expect(records()).toEqual({});
  });
});

describe("an entity that several tabs read", () => {
  const types = () => sent.map(({ type }) => type);

  it("ends with the last of them, once", () => {
    streams.begin(128);
    streams.open("users", false, "r1");
    streams.open("users", false, "r2");
    streams.open("users", false, "r2");
    synced(1);
    streams.shut("users", "r2");
    streams.shut("users", "r2");
    expect(types()).toEqual(["subscribe"]);
    streams.shut("users", "r1");
    streams.shut("users", "r1");
    streams.shut("others", "r1");
    expect(sent.slice(1)).toEqual([{ type: "unsubscribe", entities: ["users"] }]);
    expect(streams.replica("users")).toBeUndefined();
  });

  it("field by field ends so, too", () => {
    streams.begin(128);
    streams.open("users", true, "r1");
    syncedFields(1);
    streams.shut("users", "r1");
    expect(types()).toEqual(["subscribe_fields", "unsubscribe_fields"]);
  });

  it("ends when it has caught up, and not if somebody has come by then", () => {
    streams.begin(128);
    streams.open("users", false, "r1");
    streams.watch("posts", "r1");
    streams.shut("users", "r1");
    streams.changed(change(1));
    expect(Object.keys(records())).toEqual(["1"]);
    expect(types()).toEqual(["subscribe", "subscribe"]);
    synced(1);
    expect(sent.slice(2)).toEqual([{ type: "unsubscribe", entities: ["users"] }]);
    heard();
    streams.open("users", false, "r1");
    heard();
    streams.shut("users", "r1");
    streams.open("users", false, "r2");
    synced(1);
    expect(types().slice(3)).toEqual(["subscribe"]);
  });

  it("ends at once if it is refused by then", () => {
    streams.begin(128);
    streams.open("users", false, "r1");
    streams.shut("users", "r1");
    const details = { entity: "users" };
    streams.refused("users", { code: "forbidden", message: "no", details });
    expect([types(), streams.replica("users")]).toEqual([["subscribe"], undefined]);
  });

  it("ends with a tab that is gone without a word, and what it watched, too", () => {
    streams.begin(128);
    streams.open("users", false, "r1");
    streams.watch("users", "r1");
    streams.watch("posts", "r1");
    streams.open("users", false, "r2");
    streams.gone("r1");
    expect(types()).toEqual(["subscribe", "subscribe"]);
    streams.synced({ ...END, type: "sync_complete", entity: "posts", version: 1 });
    expect(types()).toEqual(["subscribe", "subscribe", "unsubscribe"]);
    synced(1);
    streams.changed(change(2));
    expect(seen()).toEqual([]);
    streams.gone("r2");
    expect(sent.at(-1)).toMatchObject({ type: "unsubscribe", entities: ["users"] });
  });

  it("is no more than forgotten without a connection, and not asked for on the next", () => {
    streams.open("users", false, "r1");
    streams.shut("users", "r1");
    streams.begin(128);
    expect(sent).toEqual([]);
  });

  it("goes on at the other granularity for whoever wanted that", () => {
    streams.begin(128);
    streams.open("users", false, "r1");
    streams.open("users", true, "r2");
    streams.open("users", true, "r3");
    synced(8);
    streams.shut("users", "r3");
    streams.shut("users", "r1");
    expect(types()).toEqual(["subscribe", "unsubscribe"]);
    fences.shift()!();
    expect(sent.at(-1)).toMatchObject({ type: "subscribe_fields", entities: ["users"] });
    // This is of what was before.
    told = [];
    synced(9);
    expect(told).toEqual([]);
    syncedFields(9);
    expect(told.filter(({ type }) => type === "synced")).toHaveLength(1);
    streams.shut("users", "r2");
    expect(types().at(-1)).toBe("unsubscribe_fields");
  });

  it("does not, if they are gone by then", () => {
    streams.begin(128);
    streams.open("users", false, "r1");
    streams.open("users", true, "r2");
    synced(1);
    streams.gone("r2");
    streams.shut("users", "r1");
    expect([types(), fences]).toEqual([["subscribe", "unsubscribe"], []]);
  });
});

describe("an entity that is read no longer, but watched,", () => {
  it("goes on where it is, and keeps nothing any more", () => {
    streams.begin(128);
    streams.open("users", false, "r1");
    streams.watch("users", "t1");
    streams.changed(change(1));
    synced(1);
    streams.shut("users", "r1");
    streams.changed(change(2, "2"));
    expect([seen(), Object.keys(records()), sent.length]).toEqual([[2], ["1"], 1]);
    expect(core.state.entities.get("users")!.places.get("users")!.version).toBe(1);
    streams.lost();
    streams.begin(128);
    expect(since().at(-1)).toEqual({ epoch: "e1", version: 2 });
    streams.open("users", false, "r1");
    synced(2);
    heard();
    expect(since().at(-1)).toEqual({ epoch: "e1", version: 1 });
  });

  it("is started at the head if it was on its way there", () => {
    streams.begin(128);
    streams.open("users", false, "r1");
    streams.watch("users", "t1");
    streams.changed(change(1));
    streams.shut("users", "r1");
    streams.changed(change(2, "2"));
    synced(2);
    heard();
    expect(since()).toEqual([{ epoch: "e1", version: 0 }, "unsubscribe", undefined]);
    synced(2);
    streams.changed(change(3, "3"));
    expect([seen(), Object.keys(records())]).toEqual([[3], ["1"]]);
  });
});

describe("a tab that comes back", () => {
  it("to a new leader is told, once the head is known, that it may have missed some", () => {
    streams.begin(128);
    streams.watch("users", "t1", true);
    expect(seen()).toEqual([]);
    synced(4);
    streams.changed(change(5));
    expect(seen()).toEqual([null, 5]);
  });

  it("to one that watches already is told at once", () => {
    streams.begin(128);
    streams.watch("users", "t1");
    synced(4);
    streams.watch("users", "t2", true);
    expect(seen()).toEqual([null]);
  });

  it("to one that reads already, too", () => {
    streams.begin(128);
    streams.open("users", false, "t1");
    synced(4);
    streams.watch("users", "t2", true);
    streams.changed(change(5));
    expect(seen()).toEqual([null, 5]);
  });
});

describe("more than the server takes", () => {
  const open = (...names: string[]) => names.forEach((name) => streams.open(name, false, "r1"));
  const shut = (entity: string) => {
    streams.synced({ ...END, type: "sync_complete", entity, version: 1 });
    streams.shut(entity, "r1");
  };
  const refused = () => told.flatMap((each) => (each.type === "rejected" ? [each.entity] : []));
  const asked = () => sent.map((each) => `${each.type} ${"entities" in each && each.entities[0]}`);

  it("is refused, and tried as soon as there is room, in its order", () => {
    streams.begin(2);
    open("a", "b", "c", "d");
    expect(refused()).toEqual(["c", "d"]);
    shut("b");
    expect(asked()).toEqual(["subscribe a", "subscribe b", "unsubscribe b", "subscribe c"]);
    shut("c");
    expect(asked().at(-1)).toBe("subscribe d");
    expect(refused()).toEqual(["c", "d"]);
  });

  it("and is closed again is not tried", () => {
    streams.begin(1);
    open("a", "b");
    streams.shut("b", "r1");
    shut("a");
    expect(asked()).toEqual(["subscribe a", "unsubscribe a"]);
  });

  it("and is wanted by another tab tells that one why", () => {
    streams.begin(1);
    open("a", "b");
    streams.open("b", false, "r2");
    streams.watch("b", "r3");
    expect(refused()).toEqual(["b", "b", "b"]);
  });

  it("is counted anew on each connection", () => {
    streams.begin(1);
    open("a", "b");
    streams.lost();
    streams.begin(2);
    expect(asked()).toEqual(["subscribe a", "subscribe a", "subscribe b"]);
    streams.lost();
    streams.begin(1);
    expect(refused()).toEqual(["b", "b"]);
  });

  it("is 128 where the server does not tell", () => {
    streams.begin(0);
    open(...Array.from({ length: 129 }, (_, index) => `e${index}`));
    expect(refused()).toEqual(["e128"]);
  });

  it("takes a place that the server refuses to another", () => {
    streams.begin(1);
    open("a", "b");
    expect(streams.refused("a", { code: "unknown_entity", message: "no 'a'", details: null })).toBe(
      true,
    );
    expect(asked()).toEqual(["subscribe a", "subscribe b"]);
    expect(streams.refused("a", { code: "unknown_entity", message: "no 'a'", details: null })).toBe(
      false,
    );
  });

  it("is not said in a circle by a server that takes fewer than it tells", () => {
    streams.begin(2);
    open("a", "b", "c");
    streams.refused("b", { code: "too_many_subscriptions", message: "no", details: null });
    expect(asked()).toEqual(["subscribe a", "subscribe b"]);
  });

  it("has no place in what is said again to a server that was busy", () => {
    streams.begin(1);
    open("a", "b");
    streams.again();
    expect(asked()).toEqual(["subscribe a", "subscribe a"]);
  });
});
