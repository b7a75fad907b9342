import { describe, expect, it } from "vitest";

import { MutationQueue } from "../src/queue.ts";
import type { FieldConflict, Push, PushFields } from "../src/messages/types.ts";

const push: Push = { type: "push", entity: "users", entity_id: "1", action: "update", data: 1 };
const pushFields: PushFields = { type: "push_fields", entity: "users", entity_id: "1", fields: [] };

function conflict(seq?: number): FieldConflict {
  return {
    type: "field_conflict",
    entity: "users",
    entity_id: "1",
    field: "a",
    server_value: 1,
    server_timestamp: "2026-11-22T10:00:00Z",
    client_value: 2,
    client_timestamp: "2026-11-22T10:00:00Z",
    seq,
  };
}

/** A queue with writes `a`, `b` and `c`, on a connection. */
function queued(settled = 0, numbered = true): MutationQueue {
  const queue = new MutationQueue(new Map(), numbered);
  for (const id of ["a", "b", "c"]) queue.add({ id, message: push });
  queue.begin(settled);
  return queue;
}

/** Sends what waits; returns it as `id:seq`. */
function send(queue: MutationQueue): string[] {
  return queue.waiting.map((each) => {
    const { seq } = queue.numbered(each);
    queue.sent(each);
    return `${each.id}:${seq}`;
  });
}

it("writes are numbered on from what the server knows, in order", () => {
  expect(send(queued(7))).toEqual(["a:8", "b:9", "c:10"]);
});

it("a client without an id has no numbers", () => {
  expect(send(queued(0, false))).toEqual(["a:undefined", "b:undefined", "c:undefined"]);
});

it("what was sent is not sent again on the same connection", () => {
  const queue = queued();
  send(queue);
  expect(send(queue)).toEqual([]);
});

describe("on the next connection", () => {
  it("what has no answer is sent again under its number, then the rest", () => {
    const queue = queued();
    send(queue);
    queue.settle("a");
    queue.add({ id: "d", message: push });
    queue.begin(2);
    expect(send(queue)).toEqual(["b:2", "c:3", "d:4"]);
  });

  it("the numbers start again where the server's end, if it forgot some", () => {
    const queue = queued(10);
    send(queue);
    queue.begin(3);
    expect(send(queue)).toEqual(["a:4", "b:5", "c:6"]);
  });

  it("numbers used by a twin are not used again", () => {
    const queue = queued();
    send(queue);
    queue.begin(20);
    queue.add({ id: "d", message: push });
    expect(send(queue)).toEqual(["a:1", "b:2", "c:3", "d:21"]);
  });
});

it("what was there before the queue, as from a disk, is sent first", () => {
  const store = new Map([["old", { id: "old", message: push, seq: 4 }]]);
  const queue = new MutationQueue(store, true);
  queue.add({ id: "new", message: push });
  queue.begin(3);
  expect(send(queue)).toEqual(["old:4", "new:5"]);
});

describe("a rewound write", () => {
  it("is sent again with all after it, under the same numbers", () => {
    const queue = queued();
    send(queue);
    expect(queue.rewind(queue.find("b", undefined)!)).toBe(true);
    expect(send(queue)).toEqual(["b:2", "c:3"]);
  });

  it("is not rewound twice", () => {
    const queue = queued();
    send(queue);
    queue.rewind(queue.find("b", undefined)!);
    expect(queue.rewind(queue.find("c", undefined)!)).toBe(false);
  });
});

describe("what has been confirmed", () => {
  it("is unknown until the server has said", () => {
    expect(new MutationQueue(new Map(), true).confirmed).toBeUndefined();
  });

  it("is nothing for a client without an id", () => {
    const queue = queued(0, false);
    send(queue);
    expect(queue.confirmed).toBeUndefined();
  });

  it("is everything below the first write without an answer", () => {
    const queue = queued(4);
    send(queue);
    queue.settle("b");
    expect(queue.confirmed).toBe(4);
    queue.settle("a");
    expect(queue.confirmed).toBe(6);
    queue.settle("c");
    expect(queue.confirmed).toBe(7);
  });
});

it("a write is found by its id or else its number", () => {
  const queue = queued();
  send(queue);
  expect(queue.find("b", undefined)?.id).toBe("b");
  expect(queue.find(undefined, 3)?.id).toBe("c");
  expect(queue.find("unknown", 1)?.id).toBe("a");
  expect(queue.find("unknown", undefined)).toBeUndefined();
});

describe("a conflict", () => {
  it("is kept for the write of its number", () => {
    const queue = queued();
    send(queue);
    queue.conflict(conflict(2));
    queue.conflict(conflict(2));
    expect(queue.settle("a")).toEqual([]);
    expect(queue.settle("b")).toEqual([conflict(2), conflict(2)]);
  });

  it("without a number is kept for the first write of fields of that record", () => {
    const queue = new MutationQueue(new Map(), false);
    queue.add({ id: "a", message: push });
    queue.add({ id: "b", message: pushFields });
    queue.conflict(conflict());
    expect(queue.settle("b")).toEqual([conflict()]);
  });

  it("of no write of ours is dropped", () => {
    const queue = queued();
    queue.conflict({ ...conflict(), entity_id: "other" });
    expect(queue.settle("a")).toEqual([]);
  });
});
