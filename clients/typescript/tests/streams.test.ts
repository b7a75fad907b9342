import { beforeEach, describe, expect, it } from "vitest";

import { apply, stateOf } from "../src/store.ts";
import { Streams } from "../src/streams.ts";
import type { Event } from "../src/events.ts";
import type { ChangeLog, ClientMessage } from "../src/messages/types.ts";
import type { Core } from "../src/streams.ts";

let sent: ClientMessage[];
let told: Event[];
let streams: Streams;
let core: Core;

beforeEach(() => {
  sent = [];
  told = [];
  const memory = stateOf();
  core = {
    state: memory,
    epoch: "e1",
    emit: (op) => apply(memory, op),
    send: (each) => sent.push(each),
    tell: (each) => told.push(each),
  };
  streams = new Streams(core);
});

function change(version: number, id = "1"): ChangeLog {
  const common = { entity: "users", entity_id: id, created_at: "2026-11-22T10:00:00Z" };
  return { ...common, action: "update", data: { n: version }, version };
}

function synced(version: number, more: { reset?: boolean; epoch?: string } = {}): void {
  streams.synced({ entity: "users", epoch: core.epoch, version, reset: false, ...more });
}

const seen = () => told.flatMap((each) => (each.type === "seen" ? [each.change?.version ?? null] : []));
const since = () => sent.map((each) => ("since" in each ? Object(each.since)["users"] : each.type));
const records = () => Object.fromEntries(core.state.entities.get("users")?.records ?? []);

describe("an entity that is only watched", () => {
  it("starts at the head, keeps nothing, and goes on from where it was", () => {
    streams.watch("users", "t1");
    streams.begin();
    synced(4);
    streams.changed(change(5));
    expect(records()).toEqual({});
    streams.lost();
    streams.begin();
    expect(since()).toEqual([undefined, { epoch: "e1", version: 5 }]);
    streams.changed(change(6));
    synced(6);
    expect(seen()).toEqual([5, 6]);
  });

  it("says that some may be missing after a reset, and goes on from there", () => {
    streams.watch("users", "t1");
    streams.begin();
    synced(4);
    streams.lost();
    streams.begin();
    streams.changed(change(2));
    streams.changed(change(8));
    synced(9, { reset: true });
    streams.changed(change(10));
    expect(seen()).toEqual([8, null, 10]);
  });

  it("starts at the head of another epoch, and says that some may be missing", () => {
    streams.watch("users", "t1");
    streams.begin();
    synced(40);
    streams.lost();
    core.epoch = "e2";
    streams.begin();
    expect(since()).toEqual([undefined, undefined]);
    synced(3);
    streams.changed(change(4));
    expect(seen()).toEqual([null, 4]);
  });

  it("that was cut before the head was known may lack some", () => {
    streams.watch("users", "t1");
    streams.begin();
    streams.lost();
    streams.begin();
    synced(4);
    expect(seen()).toEqual([null]);
  });

  it("ends with the last who watches", () => {
    streams.begin();
    streams.watch("users", "t1");
    streams.watch("users", "t2");
    streams.unwatch("users", "t1");
    streams.unwatch("users", "t1");
    expect(sent).toHaveLength(1);
    streams.unwatch("users", "t2");
    expect(sent.at(-1)).toEqual({ type: "unsubscribe", entities: ["users"] });
  });
});

describe("an entity that is read", () => {
  it("and then watched tells what comes from then on, and not what it loads", () => {
    streams.open("users", false);
    streams.begin();
    streams.watch("users", "t1");
    streams.changed(change(1));
    synced(1);
    streams.changed(change(2));
    expect(seen()).toEqual([2]);
    expect(sent).toHaveLength(1);
  });

  it("and watched while it is live tells the next", () => {
    streams.open("users", false);
    streams.begin();
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
    streams.begin();
    streams.open("users", false);
    expect(sent).toHaveLength(1);
    synced(4);
    expect(since()).toEqual([undefined, "unsubscribe", { epoch: "e1", version: 0 }]);
    streams.changed(change(3));
    synced(4);
    streams.changed(change(5));
    expect(Object.keys(records())).toEqual(["1"]);
    expect(told.filter(({ type }) => type === "synced")).toHaveLength(1);
    expect(seen().at(-1)).toBe(5);
  });

  it("is told of a reset that only its end showed, asks again, and drops what is gone", () => {
    streams.open("users", false);
    streams.begin();
    streams.changed(change(1, "1"));
    synced(1);
    streams.watch("users", "t1");
    streams.lost();
    streams.begin();
    streams.changed(change(9, "4"));
    synced(9, { reset: true });
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
    streams.open("users", true);
    streams.open("users", false);
    streams.watch("users", "t1");
    expect(told).toMatchObject([
      { type: "problem", error: { code: "not_supported" } },
      { type: "problem", error: { code: "not_supported" } },
    ]);
  });

  it("does not take what it did not ask for", () => {
    streams.open("users", true);
    streams.begin();
    streams.changed(change(1));
    streams.changed({ ...change(1), entity: "others" });
    streams.synced({ entity: "others", epoch: "e1", version: 3, reset: false });
    expect(records()).toEqual({});
  });
});
