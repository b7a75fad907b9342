import { describe, expect, it } from "vitest";

import { Harness } from "./support/harness.ts";
import { refusal } from "./support/refusal.ts";
import type {
  Error as ErrorMessage,
  ErrorCode,
  FieldConflict,
  FieldPushAck,
  JsonValue,
  Message,
  Push,
  PushAck,
  PushFields,
} from "../src/messages/types.ts";

const push: Push = { type: "push", entity: "users", entity_id: "1", action: "update", data: 1 };
const pushFields: PushFields = {
  type: "push_fields",
  entity: "users",
  entity_id: "1",
  fields: [{ field: "a", value: 1, action: "update", timestamp: "2026-11-22T10:00:00Z" }],
};

const ack = (seq: number | undefined, request_id: string): PushAck => {
  return { type: "push_ack", entity: "users", entity_id: "1", version: 1, request_id, seq };
};

function failure(code: ErrorCode, seq: number, details: JsonValue = null): ErrorMessage {
  return { type: "error", message: code, code, seq, details };
}

/** The `seq` of each message. */
function seqs(messages: Message[]): (number | undefined)[] {
  return messages.filter((each) => "seq" in each).map((each) => (each as Push).seq);
}

/** A session on a connection with so many writes sent, the first numbered 1. */
function writing(count: number): { h: Harness; ids: string[] } {
  const h = new Harness();
  h.open();
  const ids = Array.from({ length: count }, () => h.session.push(push));
  h.sent();
  return { h, ids };
}

describe("a write", () => {
  it("waits for the welcome, which says which number comes next", () => {
    const h = new Harness();
    h.session.push(push);
    expect(h.dial().map((each) => each.type)).toEqual(["hello"]);
    expect(seqs(h.open({ last_seq: 6 }))).toEqual([7]);
  });

  it("is answered by its acknowledgement", () => {
    const { h, ids } = writing(1);
    h.says(ack(1, ids[0]!));
    expect(h.of("answered")).toMatchObject([{ id: ids[0], message: { version: 1 } }]);
  });

  it("is resent until it is acknowledged, and the server is told which were", () => {
    const { h, ids } = writing(3);
    h.says(ack(1, ids[0]!));
    h.lose();
    const [hello] = h.dial();
    expect(hello).toMatchObject({ confirmed_seq: 1 });
    expect(seqs(h.open({ last_seq: 2 }).slice(1))).toEqual([2, 3]);
  });

  it("is resent as it was, whatever became of the object", () => {
    const h = new Harness();
    const data = { n: 1 };
    h.session.push({ ...push, data });
    data.n = 2;
    expect(h.open()[1]).toMatchObject({ data: { n: 1 } });
  });

  it("of a client without an id has no number, and is resent all the same", () => {
    const h = new Harness({ clientId: undefined });
    h.open();
    const id = h.session.push(push);
    expect(seqs(h.sent())).toEqual([undefined]);
    h.lose();
    h.open();
    h.says(ack(undefined, id));
    expect(h.of("answered")).toHaveLength(1);
  });

  it("that cannot be sent is refused to the caller", () => {
    const { h } = writing(0);
    const act = () => h.session.push({ ...push, data: Number.NaN });
    expect(refusal(act).message).toMatch(/^push\.data: /);
  });

  it("larger than the server takes is refused here, and its number goes to the next", () => {
    const { h } = writing(0);
    const id = h.session.push({ ...push, data: "x".repeat(70_000) });
    h.session.push(push);
    expect(seqs(h.sent())).toEqual([1]);
    expect(h.of("refused")).toMatchObject([{ id, error: { code: "too_large" } }]);
  });

  it("of fields is answered with its conflicts", () => {
    const { h } = writing(0);
    const id = h.session.push(pushFields);
    h.sent();
    const time = "2026-11-22T10:00:00Z";
    const place = { entity: "users", entity_id: "1" };
    const conflict: FieldConflict = {
      type: "field_conflict",
      ...place,
      field: "a",
      server_value: 2,
      server_timestamp: time,
      client_value: 1,
      client_timestamp: time,
      seq: 1,
    };
    const done: FieldPushAck = { type: "field_push_ack", ...place, applied: 0, conflicts: 1, seq: 1 };
    h.says(conflict, done);
    expect(h.of("answered")).toMatchObject([{ id, before: [{ field: "a", server_value: 2 }] }]);
  });

  it("that is acknowledged twice is answered once", () => {
    const { h, ids } = writing(1);
    h.says(ack(1, ids[0]!), ack(1, ids[0]!));
    expect(h.of("answered")).toHaveLength(1);
  });
});

describe("a write that failed", () => {
  it.each<ErrorCode>(["conflict", "seq_reused", "invalid_data", "forbidden"])(
    "with %s is refused, and the next one goes on",
    (code) => {
      const { h, ids } = writing(2);
      h.says(failure(code, 1), ack(2, ids[1]!));
      expect(h.of("refused")).toMatchObject([{ id: ids[0], error: { code } }]);
      expect(h.of("answered")).toMatchObject([{ id: ids[1] }]);
    },
  );

  it("for want of space is sent again after a wait, with all after it, in order", () => {
    const { h } = writing(3);
    const gap = { last_seq: 0 };
    h.says(failure("storage_full", 1), failure("out_of_order", 2, gap));
    h.says(failure("out_of_order", 3, gap));
    expect(h.wait(499)).toEqual([]);
    expect(seqs(h.wait(1))).toEqual([1, 2, 3]);
    expect(h.of("refused")).toEqual([]);
  });

  it("again and again waits longer each time, until one works", () => {
    const { h, ids } = writing(1);
    h.says(failure("storage_full", 1));
    h.wait(500);
    h.says(failure("storage_full", 1));
    expect(h.session.deadline).toBe(1_500);
    h.wait(1_000);
    h.says(ack(1, ids[0]!));
    h.session.push(push);
    h.sent();
    h.says(failure("storage_full", 2));
    expect(h.session.deadline).toBe(2_000);
  });

  it("holds up the writes that come meanwhile", () => {
    const { h } = writing(1);
    h.says(failure("storage_full", 1));
    h.session.push(push);
    expect(h.sent()).toEqual([]);
    expect(seqs(h.wait(500))).toEqual([1, 2]);
  });

  it("without a number is refused, since it might take effect twice", () => {
    const h = new Harness({ clientId: undefined });
    h.open();
    const id = h.session.push(push);
    h.sent();
    const error = { ...failure("storage_full", 1), seq: undefined, request_id: id };
    h.says(error);
    expect(h.of("refused")).toMatchObject([{ id, error: { retryable: true } }]);
  });

  it("for a gap that a restored server sees is numbered anew", () => {
    const h = new Harness();
    h.open({ last_seq: 40 });
    h.session.push(push);
    h.session.push(push);
    h.sent();
    h.says(failure("out_of_order", 41, { last_seq: 9 }));
    expect(seqs(h.wait(500))).toEqual([10, 11]);
  });

  it("since its answer was confirmed and forgotten is refused", () => {
    const { h, ids } = writing(1);
    h.says(failure("out_of_order", 1, { last_seq: 5 }));
    expect(h.of("refused")).toMatchObject([{ id: ids[0] }]);
  });

  it("for want of a fresh token is kept until there is one", () => {
    const { h } = writing(2);
    h.says(failure("unauthenticated", 1), failure("unauthenticated", 2));
    expect(h.of("refused")).toEqual([]);
    const id = h.session.ask({ type: "authenticate", token: "fresh" });
    expect(h.sent().map((each) => each.type)).toEqual(["authenticate"]);
    expect(seqs(h.says({ type: "authenticated", request_id: id }))).toEqual([1, 2]);
  });
});

it("nothing is sent again on a timer of a connection that is gone", () => {
  const { h } = writing(1);
  h.says(failure("storage_full", 1));
  h.lose();
  expect(h.dial().map((each) => each.type)).toEqual(["hello"]);
});
