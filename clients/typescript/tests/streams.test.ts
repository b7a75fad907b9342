import { describe, expect, it } from "vitest";

import { START, Stream, Streams } from "../src/streams.ts";
import { field, record } from "./support/logs.ts";
import type { Granularity, Log } from "../src/streams.ts";

const EPOCH = "e1";
const at = (version: number, epoch = EPOCH) => ({ epoch, version });

/** A stream on its first connection. */
function begun(granularity: Granularity, since?: { epoch: string; version: number }): Stream {
  const stream = new Stream(granularity, "users", since);
  stream.begin();
  return stream;
}

/** What the stream delivers at once of some changes, as versions. */
function delivered(stream: Stream, ...logs: Log[]): number[] {
  return logs.filter((log) => stream.receive(log, EPOCH)).map((log) => log.version);
}

describe("a stream that starts with the next change", () => {
  it("asks for no position, delivers at once, and moves", () => {
    const stream = new Stream("records", "users");
    expect(stream.begin()).toBeUndefined();
    expect(delivered(stream, record(7), record(8))).toEqual([7, 8]);
    expect(stream.position).toEqual(at(8));
  });

  it("goes on from what it saw", () => {
    const stream = begun("records");
    delivered(stream, record(7));
    expect(stream.begin()).toEqual(at(7));
  });

  it("and saw none starts over after a reconnection, and says so", () => {
    const stream = begun("records");
    expect(stream.begin()).toEqual(START);
    expect(delivered(stream, record(3))).toEqual([]);
    expect(stream.caughtUp(at(5), false)).toEqual({ reset: true, logs: [record(3)] });
  });
});

describe("a stream that starts with everything", () => {
  it("delivers while it loads", () => {
    const stream = begun("records", START);
    expect(delivered(stream, record(2), record(5))).toEqual([2, 5]);
    expect(stream.live).toBe(false);
    expect(stream.caughtUp(at(6), false)).toEqual({ reset: false, logs: [] });
    expect(stream.live).toBe(true);
    expect(stream.position).toEqual(at(6));
  });

  it("goes on where its loading was cut", () => {
    const stream = begun("records", START);
    delivered(stream, record(2));
    expect(stream.begin()).toEqual(at(2));
  });

  it("field by field, and was cut, starts over and says so", () => {
    const stream = begun("fields", START);
    delivered(stream, field(2, "a", true), field(4, "b", true));
    expect(stream.begin()).toEqual(START);
    delivered(stream, field(2, "a", true), field(4, "b"));
    const { reset, logs } = stream.caughtUp(at(4), false);
    expect(reset).toBe(true);
    expect(logs.map((log) => log.version)).toEqual([2, 4]);
  });

  it("and had got nothing when it was cut just starts again", () => {
    const stream = begun("records", START);
    expect(stream.begin()).toEqual(START);
    expect(delivered(stream, record(1))).toEqual([1]);
    expect(stream.caughtUp(at(1), false).reset).toBe(false);
  });
});

describe("a stream that resumes", () => {
  it("holds back what it gets until it knows that it continues", () => {
    const stream = begun("records", at(10));
    expect(delivered(stream, record(11), record(14))).toEqual([]);
    const { reset, logs } = stream.caughtUp(at(15), false);
    expect([reset, logs.map((log) => log.version)]).toEqual([false, [11, 14]]);
    expect(stream.position).toEqual(at(15));
  });

  it("says so when the server could not, and delivers older versions then", () => {
    const stream = begun("records", at(100));
    stream.receive(record(3), "e2");
    const { reset, logs } = stream.caughtUp(at(40, "e2"), true);
    expect([reset, logs.map((log) => log.version)]).toEqual([true, [3]]);
    expect(stream.position).toEqual(at(40, "e2"));
  });

  it("keeps its position when it is cut before it has caught up", () => {
    const stream = begun("records", at(10));
    delivered(stream, record(60));
    expect(stream.begin()).toEqual(at(10));
    expect(stream.caughtUp(at(70), true)).toEqual({ reset: true, logs: [] });
  });
});

describe("what was delivered before is dropped:", () => {
  it("a record at or below the position", () => {
    const stream = begun("records");
    expect(delivered(stream, record(7), record(7), record(6), record(8))).toEqual([7, 8]);
  });

  it("a field of a commit that was cut, and no more than that", () => {
    const stream = begun("fields");
    delivered(stream, field(5, "a"), field(6, "a", true));
    expect(stream.begin()).toEqual(at(5));
    delivered(stream, field(6, "a", true), field(6, "b"));
    const { logs } = stream.caughtUp(at(6), false);
    expect(logs).toEqual([field(6, "b")]);
  });

  it("a field of a longer catch-up that was cut", () => {
    const stream = begun("fields");
    delivered(stream, field(5, "a"), field(6, "a", true), field(8, "b", true));
    stream.begin();
    delivered(stream, field(6, "a", true), field(8, "b", true), field(9, "c"));
    expect(stream.caughtUp(at(9), false).logs).toEqual([field(9, "c")]);
  });
});

it("a position moves only when its commit is whole", () => {
  const stream = begun("fields");
  delivered(stream, field(5, "a"), field(6, "a", true));
  expect(stream.position).toEqual(at(5));
  delivered(stream, field(6, "b"));
  expect(stream.position).toEqual(at(6));
});

describe("the other granularity", () => {
  it("moves a live stream on, never back", () => {
    const stream = begun("records");
    stream.advance(at(9));
    expect(stream.position).toEqual(at(9));
    stream.advance(at(8));
    expect(stream.position).toEqual(at(9));
  });

  it("does not move one that catches up", () => {
    const stream = begun("records", at(3));
    stream.advance(at(9));
    expect(stream.position).toEqual(at(3));
  });
});

it("streams are told apart by entity and granularity", () => {
  const streams = new Streams();
  const stream = new Stream("records", "users");
  streams.add(stream);
  expect(streams.get("records", "users")).toBe(stream);
  expect(streams.get("fields", "users")).toBeUndefined();
  expect(streams.all).toEqual([stream]);
  expect(streams.remove("records", "users")).toBe(true);
  expect(streams.remove("records", "users")).toBe(false);
});
