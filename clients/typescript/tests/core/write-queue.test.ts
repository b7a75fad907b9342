import { describe, expect, it, vi } from "vitest";

import * as compose from "../../src/core/build-message.ts";
import type { Event } from "../../src/core/events.ts";
import type { Op, RecordWrite, Write } from "../../src/core/storage-ops.ts";
import { apply, RETELLABLE, stateOf } from "../../src/core/storage-ops.ts";
import { WriteQueue } from "../../src/core/write-queue.ts";
import type {
  ClientMessage,
  ErrorCode,
  JsonValue,
  Message,
  Welcome,
} from "../../src/messages/types.ts";
import { contentsOf } from "../support/contents.ts";
import { Driver, TestStore } from "../support/driver.ts";
import { WELCOME } from "../support/welcome.ts";

async function started(welcome: Partial<Welcome> = {}): Promise<Driver> {
  const driver = await Driver.create(new TestStore("c"));
  driver.tab.on("error", () => {});
  driver.connect();
  driver.says({ ...WELCOME, ...welcome });
  driver.sent = [];
  return driver;
}

async function push(driver: Driver, data: unknown = 1, baseVersion?: number): Promise<void> {
  void driver.tab.write(compose.push("users", "1", "update", data as never, { baseVersion }));
  await driver.settle();
}

const seqs = (driver: Driver) =>
  driver.sent.splice(0).flatMap((each: Message) => ("seq" in each ? [each.seq] : []));

function refuse(
  driver: Driver,
  seq: number,
  code: ErrorCode,
  details: { last_seq: number } | null = null,
): void {
  driver.says({ type: "error", message: "m", seq, code, details });
}

const ack = (driver: Driver, seq: number, version = seq) =>
  driver.says({ type: "push_ack", entity: "users", entity_id: "1", seq, version });

describe("a write", () => {
  it("is resent as it was, whatever became of the object", async () => {
    const driver = await started();
    const data = { n: 1 };
    await push(driver, data);
    data.n = 2;
    const [first] = driver.sent.splice(0);
    driver.lose();
    driver.connect();
    driver.says(WELCOME);
    expect(driver.sent.at(-1)).toEqual(first);
  });

  it("larger than the server takes is rejected here, and its number goes to the next", async () => {
    const driver = await started({ limits: { ...WELCOME.limits, message_bytes: 300 } });
    await push(driver);
    await push(driver, "x".repeat(300));
    await push(driver);
    expect(seqs(driver)).toEqual([1, 3]);
    expect(driver.tab.rejected).toMatchObject([{ code: "too_large" }]);
    ack(driver, 1);
    refuse(driver, 3, "out_of_order", { last_seq: 1 });
    await driver.settle();
    expect(seqs(driver)).toEqual([2]);
  });

  it("that was answered is not answered again", async () => {
    const driver = await started();
    await push(driver);
    ack(driver, 1);
    ack(driver, 1);
    refuse(driver, 1, "forbidden");
    expect(driver.told.filter(({ type }) => type === "outcome")).toHaveLength(1);
    expect(driver.tab.rejected).toEqual([]);
  });

  it("loses its base version in another epoch, unless the server may have seen it", async () => {
    const driver = await started();
    await push(driver, 1, 7);
    await push(driver, 2, 8);
    driver.lose();
    driver.sent = [];
    driver.connect();
    driver.says({ ...WELCOME, epoch: "e2", last_seq: 1 });
    await driver.settle();
    expect(driver.sent.slice(1)).toMatchObject([{ seq: 1, base_version: 7 }, { seq: 2 }]);
    expect((driver.sent[2] as { base_version?: number }).base_version).toBeUndefined();
  });

  it("is not sent without its base version before the store has it so", async () => {
    const driver = await started();
    driver.lose();
    await push(driver, 1, 7);
    driver.sent = [];
    driver.store.full = true;
    driver.connect();
    driver.says({ ...WELCOME, epoch: "e2" });
    await driver.settle();
    expect(seqs(driver)).toEqual([]);
    driver.store.full = false;
    await driver.settle();
    expect(seqs(driver)).toEqual([1]);
    expect((await contentsOf(driver.store)).writes[0]!.message).toMatchObject({
      base_version: undefined,
    });
  });

  it("that is rejected for good is not sent again, even if it was about to be", async () => {
    const driver = await started();
    await push(driver);
    refuse(driver, 1, "timeout");
    refuse(driver, 1, "forbidden");
    driver.elapse(2_000);
    expect(seqs(driver)).toEqual([1]);
    expect(driver.tab.rejected).toMatchObject([{ code: "forbidden" }]);
  });

  it("needs one token, with all that follow it, and is sent in order", async () => {
    const driver = await started();
    await push(driver);
    await push(driver);
    driver.sent = [];
    refuse(driver, 1, "unauthenticated");
    refuse(driver, 2, "unauthenticated");
    expect(driver.told.filter(({ type }) => type === "token")).toHaveLength(1);
    void driver.tab.ask({ type: "authenticate", token: "t" });
    const { request_id } = driver.sent.pop() as { request_id?: string };
    driver.says({ type: "authenticated", request_id });
    expect(seqs(driver)).toEqual([1, 2]);
  });

  it("that cannot be stored under a fresh number keeps its own, and is tried again", async () => {
    const driver = await started();
    await push(driver);
    driver.store.full = true;
    refuse(driver, 1, "seq_reused");
    await driver.settle();
    expect(driver.tab.queue).toMatchObject([{ seq: 1 }]);
    driver.store.full = false;
    driver.lose();
    driver.connect();
    driver.says({ ...WELCOME, last_seq: 1 });
    refuse(driver, 1, "seq_reused");
    await driver.settle();
    expect(driver.tab.queue).toMatchObject([{ seq: 2 }]);
  });

  it("that cannot be stored under a fresh number asks the server again, later each time", async () => {
    const driver = await started();
    await push(driver);
    driver.store.full = true;
    const tries = vi.spyOn(driver.store, "add");
    driver.sent = [];
    for (const wait of [500, 1_000, 2_000]) {
      refuse(driver, 1, "seq_reused");
      await driver.settle();
      driver.elapse(wait - 1);
      expect(seqs(driver)).toEqual([]);
      driver.elapse(1);
      expect(seqs(driver)).toEqual([1]);
      driver.says({ type: "pong" });
    }
    expect(tries).toHaveBeenCalledTimes(3);
    driver.store.full = false;
    refuse(driver, 1, "seq_reused");
    await driver.settle();
    expect(seqs(driver)).toEqual([2]);
  });

  it.each([
    ["gets a fresh number", false, ["a 3", "b 1", "c 2"]],
    ["cannot be stored under one", true, ["a 1", "b 2", "c 3"]],
  ] as const)(
    "that is renewed, and %s while all are counted anew, shares its number with none",
    async (_, isFull, expected) => {
      const driver = await started();
      await push(driver);
      ack(driver, 1);
      for (const name of ["a", "b", "c"]) await push(driver, name);
      // The server is restored while the store is asked; what it is asked comes after that.
      let goOn = () => {};
      const add = driver.store.add.bind(driver.store);
      vi.spyOn(driver.store, "add").mockImplementation(async (...args) => {
        if (isFull) await new Promise<void>((resolve) => (goOn = resolve));
        return add(...args);
      });
      refuse(driver, 2, "seq_reused");
      driver.lose();
      driver.connect();
      driver.says({ ...WELCOME, last_seq: 0 });
      await driver.settle();
      driver.store.full = isFull;
      goOn();
      await driver.settle();
      driver.store.full = false;
      await driver.settle();
      const all = (each: { readonly message: Message; readonly seq?: number | undefined }) =>
        `${(each.message as { data?: string }).data} ${each.seq}`;
      expect(driver.tab.queue.map(all).sort()).toEqual(expected);
      const stored = (await contentsOf(driver.store)).writes;
      expect(stored.map(all).sort(), "memory and store have the same numbers").toEqual(expected);
    },
  );

  it("that is about to lose its number has no answer under it", async () => {
    const driver = await started();
    await push(driver);
    vi.spyOn(driver.store, "add").mockReturnValue(new Promise(() => {}));
    refuse(driver, 1, "seq_reused");
    ack(driver, 1);
    refuse(driver, 1, "forbidden");
    expect(driver.told.filter(({ type }) => type === "outcome")).toEqual([]);
    expect(driver.tab.queue).toHaveLength(1);
  });

  it("that was never sent has no answer that names it by its id", async () => {
    const driver = await started();
    driver.store.full = true;
    vi.spyOn(driver.store, "add").mockReturnValue(new Promise(() => {}));
    await push(driver);
    const { id } = driver.tab.queue[0]!;
    const about = { request_id: id, entity: "users", entity_id: "1" };
    driver.says({ type: "push_ack", ...about, version: 1 });
    driver.says({ type: "error", message: "m", code: "forbidden", details: null, request_id: id });
    expect(driver.told.filter(({ type }) => type === "outcome")).toEqual([]);
    expect(driver.tab.queue).toMatchObject([{ id }]);
  });
});

describe("a write that failed", () => {
  it("for want of space is sent again after a wait, with all after it, in order, longer each time", async () => {
    const driver = await started();
    for (let n = 1; n <= 3; n += 1) await push(driver);
    expect(seqs(driver)).toEqual([1, 2, 3]);
    for (const wait of [500, 1_000, 2_000]) {
      refuse(driver, 1, "storage_full");
      refuse(driver, 2, "out_of_order", { last_seq: 0 });
      driver.elapse(wait - 1);
      expect(seqs(driver)).toEqual([]);
      driver.elapse(1);
      expect(seqs(driver)).toEqual([1, 2, 3]);
      driver.says({ type: "pong" });
    }
    ack(driver, 1);
    refuse(driver, 2, "storage_full");
    driver.elapse(500);
    expect(seqs(driver)).toEqual([2, 3]);
  });

  it("holds up the writes that come meanwhile", async () => {
    const driver = await started();
    await push(driver);
    refuse(driver, 1, "timeout");
    seqs(driver);
    await push(driver);
    expect(seqs(driver)).toEqual([]);
    driver.elapse(500);
    expect(seqs(driver)).toEqual([1, 2]);
  });

  it("since its answer was confirmed and forgotten is rejected for good", async () => {
    const driver = await started();
    await push(driver);
    refuse(driver, 1, "out_of_order", { last_seq: 4 });
    expect(driver.tab.rejected).toMatchObject([{ code: "out_of_order" }]);
  });

  it("is not sent again on a timer of a connection that is gone", async () => {
    const driver = await started();
    await push(driver);
    refuse(driver, 1, "timeout");
    driver.lose();
    seqs(driver);
    expect(driver.session.deadline).toBe(driver.now + 500);
    driver.elapse(400);
    expect(seqs(driver)).toEqual([]);
  });
});

it("what is numbered anew is sent only once that is stored", async () => {
  const driver = await Driver.create(new TestStore("c"));
  driver.tab.on("error", () => {});
  await push(driver);
  await push(driver);
  ack(driver, 1);
  driver.connect();
  driver.says({ ...WELCOME, last_seq: 2 });
  ack(driver, 1);
  driver.lose();
  driver.store.full = true;
  driver.connect();
  seqs(driver);
  driver.says({ ...WELCOME, last_seq: 0 });
  await driver.settle();
  expect(seqs(driver)).toEqual([]);
  driver.store.full = false;
  await driver.settle();
  expect(seqs(driver)).toEqual([1]);
});

it("a hole that the store does not fill is left to the server", async () => {
  const driver = await started();
  await driver.store.add({
    id: "gone",
    entity: "users",
    entityId: "1",
    message: compose.push("users", "1", "update", 1, {}),
    since: 0,
  });
  await driver.store.apply([["write", "gone"]]);
  await push(driver);
  expect(seqs(driver)).toEqual([2]);
  refuse(driver, 2, "out_of_order", { last_seq: 0 });
  await driver.settle();
  expect(seqs(driver)).toEqual([1]);
});

/** A queue by itself. The test is the session, the store and the server. */
function bare(...held: Write[]) {
  const state = stateOf(held.map((each) => ["write", each.id, each]));
  const sent: ClientMessage[] = [];
  const ops: Op[] = [];
  const told: Event[] = [];
  const core = {
    state,
    epoch: "e1",
    emit(op: Op) {
      apply(state, op);
      ops.push(op);
      if (!RETELLABLE.has(op[0])) core.unstored = op;
    },
    send: (message: ClientMessage) => void sent.push(message),
    tell: (event: Event) => void told.push(event),
    fence: () => {},
    unstored: undefined as Op | undefined,
  };
  const queue: WriteQueue = new WriteQueue(core, () => 0.5);
  return {
    queue,
    core,
    state,
    ops,
    told,
    begin: (last_seq: number) => queue.begin({ ...WELCOME, last_seq }),
    /** The numbers that were sent since the last look. */
    sent: () => sent.splice(0).map((each) => ("seq" in each ? each.seq : undefined)),
    /** What is sent in a turn. */
    flush: (most = Infinity, now = 0) => {
      queue.flush(now, most);
      return sent.splice(0).map((each) => ("seq" in each ? each.seq : undefined));
    },
    /** A tab has written, and the store has given a number. */
    add: (each: Write, slow = false) => {
      apply(state, ["write", each.id, each]);
      queue.added(each, slow);
    },
    ack: (seq: number, version = seq) =>
      queue.answered(
        {
          type: "push_ack",
          entity: "users",
          entity_id: "1",
          seq,
          version,
          epoch: "e1",
        } as never,
        { replica: () => undefined },
      ),
    refuse: (seq: number, code?: ErrorCode, details: JsonValue = null) =>
      queue.failed({ type: "error", message: "m", seq, code, details } as never, 0),
    clear: () => {
      ops.length = told.length = sent.length = 0;
    },
  };
}

function numbered(seq: number, more: Partial<Write> = {}): Write {
  const message = compose.push("users", "1", "update", seq, {});
  return { id: `w${seq}`, seq, entity: "users", entityId: "1", message, since: 0, ...more };
}

const RELOAD = { type: "reload" };

describe("nothing is sent", () => {
  it("before the server has said welcome, nor after the connection ended", () => {
    const { queue, begin, flush, add, sent } = bare(numbered(1));
    expect(flush()).toEqual([]);
    const fresh = bare();
    fresh.add(numbered(1));
    expect([fresh.sent(), fresh.flush()]).toEqual([[], []]);
    begin(0);
    expect(flush()).toEqual([1]);
    queue.hold.until = 7;
    queue.lost();
    expect(queue.hold.until).toBeUndefined();
    add(numbered(2));
    expect([sent(), flush()]).toEqual([[], []]);
  });

  it("while the queue is being loaded to see which numbers are missing", () => {
    const { queue, begin, flush, told, core } = bare(numbered(3));
    begin(0);
    expect([flush(), told]).toEqual([[], [RELOAD]]);
    apply(core.state, ["write", "w1", numbered(1)]);
    apply(core.state, ["write", "w2", numbered(2)]);
    queue.loaded();
    expect(flush()).toEqual([1, 2, 3]);
  });

  it("while something has to be stored first", () => {
    const { queue, begin, flush, core, ops } = bare(numbered(1));
    begin(0);
    queue.block();
    core.emit(["secret", "s"]);
    expect(flush()).toEqual([]);
    queue.stored([["secret", "of something else"]]);
    expect(flush()).toEqual([]);
    queue.stored(ops);
    expect(flush()).toEqual([1]);
  });

  it("while a refusal holds it up, and a fresh token ends only the wait for one", () => {
    const { queue, begin, flush, refuse } = bare(numbered(1));
    begin(0);
    flush();
    refuse(1, "timeout");
    const { until } = queue.hold;
    queue.authenticated();
    expect([queue.hold.until, flush()]).toEqual([until, []]);
    refuse(1, "unauthenticated");
    expect(flush(1, until)).toEqual([1]);
    refuse(1, "unauthenticated");
    expect([queue.hold.until, flush(1, 1e9)]).toEqual([Infinity, []]);
    queue.authenticated();
    expect(flush()).toEqual([1]);
  });
});

describe("a write that was just numbered", () => {
  it("is sent at once if it is the next, and all before it were sent", () => {
    const { begin, flush, add, sent } = bare();
    begin(0);
    flush();
    add(numbered(1));
    expect(sent()).toEqual([1]);
    add(numbered(3));
    expect(sent()).toEqual([]);
    add(numbered(2));
    expect(sent()).toEqual([]);
    expect(flush()).toEqual([2, 3]);
  });

  it("waits for its turn where it is told to, or others wait, or a refusal holds them up", () => {
    const { queue, begin, flush, add, sent } = bare();
    begin(0);
    flush();
    add(numbered(1), true);
    expect([sent(), flush()]).toEqual([[], [1]]);
    queue.hold.until = 5;
    add(numbered(2));
    expect([sent(), flush(1, 4), flush(1, 5)]).toEqual([[], [], [2]]);
    const other = bare(numbered(1));
    other.begin(0);
    other.add(numbered(1));
    expect([other.sent(), other.flush()]).toEqual([[], [1]]);
  });

  it("is not sent if it has its answer, or is gone", () => {
    const { queue, begin, flush, add, sent, told } = bare();
    begin(0);
    flush();
    add(numbered(1, { settled: { version: 1, epoch: "e1" } }));
    expect([sent(), flush()]).toEqual([[], []]);
    queue.added(numbered(2));
    expect([sent(), flush(), told]).toEqual([[], [], [RELOAD]]);
  });

  it("with a number that was sent already has another one by now: the store is read", () => {
    const { begin, flush, add, told } = bare(numbered(1), numbered(2));
    begin(0);
    flush();
    add(numbered(2));
    expect(told).toEqual([RELOAD]);
    add(numbered(3));
    expect(told).toEqual([RELOAD]);
  });

  it("on a base of another epoch is stored without it before it is sent", () => {
    const { queue, begin, flush, add, sent, ops } = bare();
    begin(0);
    flush();
    const message = compose.push("users", "1", "update", 1, { baseVersion: 7 });
    add(numbered(1, { message, epoch: "e0" }));
    expect(sent()).toEqual([]);
    expect(ops).toMatchObject([["write", "w1", { message: { base_version: undefined } }]]);
    queue.stored(ops);
    expect(flush()).toEqual([1]);
  });
});

describe("a turn", () => {
  it("sends no more than it may, and the rest in the next one", () => {
    const { begin, flush } = bare(numbered(1), numbered(2), numbered(3));
    begin(0);
    expect([flush(2), flush(0), flush(2), flush(2)]).toEqual([[1, 2], [], [3], []]);
  });

  it("reads the store at a hole in the numbers, and goes on if it does not fill it", () => {
    const { queue, begin, flush, add, told } = bare();
    begin(0);
    flush();
    add(numbered(2));
    expect([flush(0), told]).toEqual([[], []]);
    expect([flush(), told]).toEqual([[], [RELOAD]]);
    add(numbered(3));
    expect([flush(), told], "what is sent may not be ahead of what is read").toEqual([
      [],
      [RELOAD],
    ]);
    queue.loaded();
    expect([flush(), told]).toEqual([[2, 3], [RELOAD]]);
  });
});

describe("an answer", () => {
  it("is not confirmed for numbers that other tabs gave, and that memory may lack", () => {
    const { queue, state } = bare(numbered(2));
    expect(queue.confirmed).toBe(0);
    state.answered = 1;
    expect(queue.confirmed).toBe(1);
    state.answered = 5;
    expect(queue.confirmed, "others wait").toBe(1);
  });

  it("is confirmed once it is stored, and not with something else", () => {
    const { queue, begin, flush, ack, ops, core } = bare(numbered(1), numbered(2));
    begin(0);
    flush();
    ack(1);
    const [answered] = ops;
    expect(queue.confirmed).toBe(0);
    core.emit(["record", "users", "1", { data: 1, version: 1 }]);
    queue.stored([["write", "w1"]]);
    expect(queue.confirmed).toBe(0);
    queue.stored([answered!]);
    expect(queue.confirmed).toBe(1);
  });

  it("has the conflicts of its own write", () => {
    const message = compose.pushFields("users", "1", { a: 1 }, {}, 0);
    const both = [numbered(1, { message }), numbered(2, { message })];
    const { queue, begin, flush, ack, told } = bare(...both);
    begin(0);
    flush();
    const conflict = {
      type: "field_conflict",
      entity: "users",
      entity_id: "1",
      field: "a",
      seq: 2,
    };
    queue.conflict(conflict as never);
    ack(1);
    expect(told.map(({ type }) => type)).toEqual(["outcome"]);
    queue.conflict(conflict as never);
    ack(2);
    expect(told.map(({ type }) => type)).toEqual(["outcome", "outcome", "conflict"]);
  });

  it("leaves on top what won: the server's value, or that there is none", () => {
    const message = compose.pushFields("users", "1", { a: 1, b: 2, c: 3 }, {}, 0);
    const { queue, core, begin, flush, ops } = bare(numbered(1, { message }));
    const place = { epoch: "e1", version: 0, fields: false };
    core.emit(["place", "users", place]);
    begin(0);
    flush();
    const lost = {
      type: "field_conflict",
      entity: "users",
      entity_id: "1",
      seq: 1,
      winner: "server",
    };
    queue.conflict({ ...lost, field: "a", server_value: null } as never);
    queue.conflict({ ...lost, field: "b", server_value: 9 } as never);
    queue.conflict({ ...lost, field: "c", server_value: 9, winner: "client" } as never);
    queue.answered({ type: "field_push_ack", seq: 1, version: 1, epoch: "e1" } as never, {
      replica: () => undefined,
    });
    expect(ops).toContainEqual(["record", "users", "1", { data: { b: 9, c: 3 }, version: 1 }]);
  });
});

describe("a refusal", () => {
  it("of a number that was used for something else is renewed, even if it was about to be sent", () => {
    const { begin, flush, refuse, told, state } = bare(numbered(1));
    begin(0);
    flush();
    refuse(1, "timeout");
    refuse(1, "seq_reused");
    expect(told).toEqual([{ type: "renew", write: numbered(1) }]);
    expect(state.writes.get("w1"), "as in the store").toEqual(numbered(1));
  });

  it("since the server lacks what came before sends that again, under its number", () => {
    const { queue, begin, flush, ack, refuse, clear, ops } = bare(
      numbered(1),
      numbered(2),
      numbered(3),
    );
    begin(0);
    flush();
    ack(1);
    clear();
    refuse(3, "out_of_order", { last_seq: 1 });
    expect([ops, flush()]).toEqual([[], []]);
    expect(flush(9, queue.hold.until)).toEqual([2, 3]);
  });

  it("since nobody has what came before numbers the rest anew", () => {
    const { queue, begin, flush, refuse, told, ops } = bare(numbered(3));
    begin(2);
    flush();
    refuse(3, "out_of_order", { last_seq: 1 });
    expect([ops, flush(), told], "the store may have it").toEqual([[], [], [{ type: "reload" }]]);
    queue.loaded();
    expect([ops, flush()]).toEqual([[["renumber", 1]], []]);
    queue.stored(ops);
    expect(flush()).toEqual([2]);
  });

  it("since what came before is in the store only sends that, too, under its number", () => {
    const { queue, begin, flush, refuse, state, ops } = bare(numbered(3));
    begin(2);
    flush();
    refuse(3, "out_of_order", { last_seq: 1 });
    apply(state, ["write", "w2", numbered(2)]);
    queue.loaded();
    expect([ops, flush()]).toEqual([[], [2, 3]]);
  });

  it("without a code is an internal one", () => {
    const { begin, flush, refuse, state } = bare(numbered(1));
    begin(0);
    flush();
    refuse(1);
    expect(state.rejected.get("w1")).toMatchObject({ code: "internal", text: "m" });
  });

  it("is a conflict of the whole record if that is why, and a whole record was written", () => {
    const message = compose.pushFields("users", "1", { a: 1 }, {}, 0);
    const { begin, flush, refuse, told } = bare(numbered(1), numbered(2, { message }), numbered(3));
    begin(0);
    flush();
    refuse(1, "forbidden");
    refuse(2, "conflict");
    expect(told.map(({ type }) => type)).toEqual(["outcome", "outcome"]);
    refuse(3, "conflict");
    expect(told.map(({ type }) => type)).toEqual(["outcome", "outcome", "outcome", "conflict"]);
  });
});

describe("when the server counts otherwise", () => {
  it("and knows more than was ever numbered here, numbering goes on from there", () => {
    const { begin, flush, ops } = bare(numbered(1));
    begin(3);
    expect(ops).toEqual([["last", 3]]);
    expect(flush()).toEqual([1]);
    const known = bare(numbered(1));
    known.begin(1);
    expect(known.ops).toEqual([]);
  });

  it("what turns up under numbers that it has used, and was never sent, is numbered anew", () => {
    const { queue, begin, state, ops } = bare();
    begin(3);
    apply(state, ["write", "w1", numbered(1)]);
    queue.loaded();
    expect(ops).toEqual([["renumber", 3]]);
  });

  it("what turns up under the last number that it knows may have taken effect: it is sent as it is", () => {
    const { queue, begin, state, flush, ops } = bare();
    begin(3);
    apply(state, ["write", "w3", numbered(3)]);
    queue.loaded();
    expect([ops, flush()]).toEqual([[], [3]]);
  });

  it("what turns up where more was numbered here is sent as it is", () => {
    const { queue, begin, state, flush, ops } = bare();
    apply(state, ["last", 5]);
    begin(3);
    apply(state, ["write", "w4", numbered(4)]);
    queue.loaded();
    expect([ops, flush()]).toEqual([[], [4]]);
  });

  it("nothing is numbered anew before it has said so", () => {
    const { queue, state, ops } = bare();
    apply(state, ["last", 5]);
    queue.loaded();
    expect(ops).toEqual([]);
  });
});

/** The entity of the tests is read, and has caught up; changes come when the test says so. */
function read(driver: Driver): void {
  driver.tab.open("users", false);
  driver.says({ type: "sync_complete", entity: "users", epoch: "e1", version: 0, reset: false });
}

/** The next connection, as it begins: up to which number the client says that it knows all answers. */
function confirms(driver: Driver): number | undefined {
  driver.lose();
  driver.sent = [];
  driver.connect();
  return (driver.sent[0] as { confirmed_seq?: number }).confirmed_seq;
}

describe("what the client confirms, the server forgets:", () => {
  it("an answer is not confirmed before it is stored", async () => {
    const driver = await started();
    await push(driver);
    driver.store.full = true;
    ack(driver, 1);
    await driver.settle();
    expect(confirms(driver)).toBe(0);
    driver.store.full = false;
    await driver.settle();
    expect(confirms(driver)).toBe(1);
  });

  it("nor is a refusal", async () => {
    const driver = await started();
    await push(driver);
    driver.store.full = true;
    refuse(driver, 1, "forbidden");
    await driver.settle();
    expect(confirms(driver)).toBe(0);
    driver.store.full = false;
    await driver.settle();
    expect(confirms(driver)).toBe(1);
  });

  it("the answer that was stored is not taken for the one after it", async () => {
    const driver = await started();
    await push(driver);
    await push(driver);
    ack(driver, 1);
    const [stored] = driver.unstored;
    ack(driver, 2);
    driver.run(() => driver.session.stored([stored!]));
    expect(confirms(driver)).toBe(0);
    await driver.settle();
    expect(confirms(driver)).toBe(2);
  });

  it("an answer whose change has not come is one all the same", async () => {
    const driver = await started();
    read(driver);
    await push(driver);
    ack(driver, 1);
    await driver.settle();
    expect(confirms(driver)).toBe(1);
  });

  it("numbers that a restored server does not know are not confirmed to it, stored or not", async () => {
    const driver = await started();
    for (const seq of [1, 2, 3]) {
      await push(driver);
      ack(driver, seq);
    }
    await driver.settle();
    expect(confirms(driver)).toBe(3);
    driver.says({ ...WELCOME, epoch: "e2", last_seq: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    driver.store.full = true;
    await driver.settle();
    expect(confirms(driver)).toBe(1);
  });
});

describe("a write that is settled, and whose change has not come,", () => {
  async function settled(): Promise<Driver> {
    const driver = await started();
    read(driver);
    await push(driver);
    ack(driver, 1);
    await driver.settle();
    expect(driver.tab.row("users", "1")).toMatchObject({ data: 1, pending: false });
    return driver;
  }
  const outcomes = (driver: Driver) => driver.told.filter(({ type }) => type === "outcome");

  it("is not answered again", async () => {
    const driver = await settled();
    ack(driver, 1, 9);
    refuse(driver, 1, "forbidden");
    expect([outcomes(driver).length, driver.tab.rejected]).toEqual([1, []]);
    expect([...driver.state.writes.values()]).toMatchObject([{ settled: { version: 1 } }]);
  });

  it("is not sent again", async () => {
    const driver = await settled();
    await push(driver, 2);
    confirms(driver);
    driver.says({ ...WELCOME, last_seq: 1 });
    expect(seqs(driver)).toEqual([2]);
  });

  it("goes with its change", async () => {
    const driver = await settled();
    const common = {
      entity: "users",
      entity_id: "1",
      action: "update",
      created_at: "2026-11-22T10:00:00Z",
    } as const;
    driver.says({ type: "change", change: { ...common, data: 1, version: 1 } });
    expect(driver.state.writes.size).toBe(0);
  });

  it("is found after a restart, and goes then", async () => {
    const driver = await settled();
    const next = await Driver.create(driver.store);
    next.connect();
    next.says({ ...WELCOME, last_seq: 1 });
    next.tab.open("users", false);
    expect(next.tab.row("users", "1")).toMatchObject({ data: 1, pending: false });
    next.says({ type: "sync_complete", entity: "users", epoch: "e1", version: 1, reset: false });
    await next.settle();
    expect([next.state.writes.size, (await contentsOf(next.store)).writes]).toEqual([0, []]);
  });

  it("holds nobody up after a connection that ended on something too large", async () => {
    const driver = await started();
    read(driver);
    for (const data of [1, 2, 3]) await push(driver, data);
    driver.lose(1009);
    driver.connect();
    driver.says(WELCOME, { type: "pong" });
    for (const seq of [1, 2, 3]) {
      driver.sent = [];
      ack(driver, seq);
    }
    for (const data of [4, 5]) await push(driver, data);
    expect(seqs(driver)).toEqual([4, 5]);
  });
});

describe("numbers", () => {
  it("of a client whose store is older than the server go on after what the server knows", async () => {
    const driver = await Driver.create(new TestStore("c"));
    driver.tab.on("error", () => {});
    await push(driver);
    driver.connect();
    driver.says({ ...WELCOME, last_seq: 5 });
    await driver.settle();
    await push(driver);
    expect(seqs(driver)).toEqual([1, 6]);
  });

  it("go back with a server that was restored to before them", async () => {
    const driver = await started();
    for (const seq of [1, 2, 3]) {
      await push(driver);
      ack(driver, seq);
    }
    await push(driver);
    confirms(driver);
    driver.says({ ...WELCOME, epoch: "e2", last_seq: 2 });
    await driver.settle();
    await push(driver);
    expect(seqs(driver)).toEqual([3, 4]);
    expect((await contentsOf(driver.store)).writes.map(({ seq }) => seq)).toEqual([3, 4]);
  });

  it("go back with one that has lost all, although nothing waits", async () => {
    const driver = await started();
    for (const seq of [1, 2]) {
      await push(driver);
      ack(driver, seq);
    }
    await driver.settle();
    confirms(driver);
    driver.says({ ...WELCOME, epoch: "e2" });
    await driver.settle();
    await push(driver);
    expect(seqs(driver)).toEqual([1]);
  });

  it("begin anew with a new id, before that is said to anyone", async () => {
    const driver = await started();
    await push(driver);
    driver.lose();
    driver.connect();
    driver.says({ type: "error", message: "taken", code: "client_id_taken", details: null });
    await driver.settle();
    expect((await contentsOf(driver.store)).meta.last).toBe(0);
    driver.elapse(30_000);
    driver.run(() => driver.session.opened(driver.now));
    driver.says(WELCOME);
    driver.sent = [];
    await push(driver);
    expect(seqs(driver)).toEqual([1]);
  });

  it("that were given before all were counted anew are looked up in the store", async () => {
    const driver = await started();
    for (const data of [1, 2]) await push(driver, data);
    const [first] = driver.state.writes.values();
    driver.told = [];
    driver.tab.send({ type: "added", write: { ...first!, id: "late", seq: 2 } });
    expect(driver.told).toContainEqual({ type: "reload" });
  });
});

describe("numbers that are those of a store out of reach", () => {
  async function frozen(welcome: Partial<Welcome> = {}): Promise<Driver> {
    const driver = await started();
    for (let count = 0; count < 2; count += 1) await push(driver);
    driver.lose();
    driver.state.frozen = true;
    driver.connect();
    driver.says({ ...WELCOME, ...welcome });
    await driver.settle();
    return driver;
  }

  it("are sent, and not confirmed: the store does not know the answers", async () => {
    const driver = await frozen();
    expect(seqs(driver).slice(-2)).toEqual([1, 2]);
    ack(driver, 1);
    ack(driver, 2);
    await driver.settle();
    driver.lose();
    driver.connect();
    expect(driver.sent.at(-1)).toMatchObject({ type: "hello", confirmed_seq: 0 });
    driver.state.frozen = false;
    driver.lose();
    driver.connect();
    expect(driver.sent.at(-1)).toMatchObject({ type: "hello", confirmed_seq: 2 });
  });

  it("are not given anew where the server lacks some: another tab may have those", async () => {
    const driver = await frozen();
    driver.sent = [];
    ack(driver, 1);
    refuse(driver, 2, "out_of_order", { last_seq: 0 });
    driver.elapse(4_000);
    await driver.settle();
    expect(seqs(driver)).toEqual([2]);
    expect(driver.tab.queue).toMatchObject([{ seq: 2 }]);
  });

  it("are not given anew where the server knows fewer: they are tried again", async () => {
    const driver = await frozen({ last_seq: 7, epoch: "e2" });
    expect(driver.tab.queue.map(({ seq }) => seq)).toEqual([1, 2]);
    ack(driver, 1);
    ack(driver, 2);
    await push(driver);
    driver.lose();
    driver.state.meta.last = 9;
    driver.connect();
    driver.says({ ...WELCOME, last_seq: 1, epoch: "e3" });
    await driver.settle();
    expect(driver.tab.queue.map(({ seq }) => seq)).toEqual([8]);
  });

  it("that were used for something else were given anew by another tab, which sends what had them", async () => {
    const driver = await frozen();
    driver.told = [];
    refuse(driver, 1, "seq_reused");
    expect(driver.told.filter(({ type }) => type === "renew")).toEqual([]);
    expect(
      driver.tab.queue.map(({ seq }) => seq),
      "it is kept, and not sent",
    ).toEqual([0, 2]);
    await driver.tab.load();
    expect(
      driver.tab.queue.map(({ seq }) => seq),
      "the store has it",
    ).toEqual([1, 2]);
    refuse(driver, 1, "seq_reused");
    driver.store.apply([["write", driver.tab.queue[0]!.id]]);
    await driver.tab.load();
    expect(
      driver.tab.queue.map(({ seq }) => seq),
      "the store has it no more",
    ).toEqual([2]);
    expect(driver.tab.rejected).toEqual([]);
  });

  it("that are rejected for good are, also here: that is said of no number that has its answer", async () => {
    const driver = await frozen();
    driver.told = [];
    refuse(driver, 1, "too_large");
    expect(driver.told.filter(({ type }) => type === "outcome")).toHaveLength(1);
    expect(driver.tab.rejected).toMatchObject([{ code: "too_large" }]);
  });

  it("whose answer another tab has stored are left to that: what became of them is not known here", async () => {
    const driver = await frozen();
    driver.told = [];
    refuse(driver, 1, "out_of_order", { last_seq: 2 });
    expect(driver.told.filter(({ type }) => type === "outcome")).toEqual([]);
    expect(driver.tab.queue.map(({ seq }) => seq)).toEqual([2]);
    expect(driver.tab.rejected).toEqual([]);
  });
});

it("a write that was numbered before the others were numbered anew is looked up in the store", async () => {
  const driver = await started();
  await push(driver);
  driver.told = [];
  const stale = { ...(driver.tab.queue[0] as never as { id: string }), id: "late", seq: 1 };
  driver.tab.send({ type: "added", write: stale as never });
  expect(driver.told.map(({ type }) => type)).toContain("reload");
});

describe("a write that is parked, and may be sent under another id,", () => {
  const patch = (fields: { [field: string]: JsonValue }, baseVersion?: number, id = "1") =>
    compose.pushFields("users", id, fields, { baseVersion }, 0);

  /** Its base version, once one before it was acknowledged in version 7; who won which field of that. */
  function after(
    before: Write["message"],
    later: RecordWrite["message"],
    won: { [field: string]: string } = {},
  ) {
    const { queue, state, begin, flush, ack } = bare(numbered(1, { message: before }));
    begin(0);
    flush();
    const { entity, entity_id: entityId } = later;
    const parked = { write: { id: "p", entity, entityId, message: later, since: 0 } };
    apply(state, ["write", "p", parked.write]);
    state.parked = new Map([["p", parked]]);
    for (const [field, winner] of Object.entries(won)) {
      queue.conflict({
        type: "field_conflict",
        entity,
        entity_id: "1",
        field,
        winner,
        seq: 1,
      } as never);
    }
    ack(1, 7);
    expect(state.writes.get("p"), "what is shown is what is sent").toBe(parked.write);
    return (parked.write.message as RecordWrite["message"]).base_version;
  }
  const whole = compose.push("users", "1", "update", { a: 0, b: 0 }, {});

  it.each([
    [
      "is based on the one of which it writes a field",
      patch({ a: 1 }, 3),
      patch({ a: 2 }, 3),
      {},
      7,
    ],
    ["is based on the one that wrote the whole record", whole, patch({ a: 2, b: 2 }, 3), {}, 7],
    ["may have missed another field", patch({ a: 1 }, 3), patch({ a: 2, b: 2 }, 3), {}, 3],
    ["may have missed another record", patch({ a: 1 }, 3), patch({ a: 2 }, 3, "2"), {}, 3],
    [
      "has not seen what won over the one before",
      patch({ a: 1 }, 3),
      patch({ a: 2 }, 3),
      { a: "server" },
      3,
    ],
    ["nor what may have won", patch({ a: 1 }, 3), patch({ a: 2 }, 3), { a: "both" }, 3],
    [
      "has seen what lost against the one before",
      patch({ a: 1 }, 3),
      patch({ a: 2 }, 3),
      { a: "client" },
      7,
    ],
    [
      "has seen the field that won though another lost",
      patch({ a: 1, b: 1 }, 3),
      patch({ a: 2 }, 3),
      { b: "server" },
      7,
    ],
    ["has seen what came later still", patch({ a: 1 }, 3), patch({ a: 2 }, 8), {}, 8],
    [
      "says nothing that its author did not say",
      patch({ a: 1 }, 3),
      patch({ a: 2 }),
      {},
      undefined,
    ],
    [
      "is for its author to base, if it is whole",
      whole,
      compose.push("users", "1", "update", 2, { baseVersion: 3 }),
      {},
      3,
    ],
  ])("%s", (_, before, later, won, wanted) => {
    expect(after(before, later, won)).toBe(wanted);
  });

  it("of another entity may have missed what happened there", () => {
    const later = { ...patch({ a: 2 }, 3), entity: "posts" };
    expect(after(patch({ a: 1 }, 3), later)).toBe(3);
  });
});

describe("what builds on an own write", () => {
  const shown = (driver: Driver, data: JsonValue) =>
    void driver.tab.write({
      entity: "users",
      entityId: "1",
      action: "update",
      data,
      options: {},
      seen: true,
    });
  const bases = (driver: Driver) =>
    driver.sent.splice(0).map((each) => (each as RecordWrite["message"]).base_version);

  it("waits for its answer, and is based on what it became", async () => {
    const driver = await started();
    driver.tab.open("users", false);
    for (const data of [1, 2, 3]) shown(driver, data);
    await driver.settle();
    driver.sent = driver.sent.filter(({ type }) => type === "push");
    expect(bases(driver)).toEqual([0]);
    ack(driver, 1, 7);
    await driver.settle();
    expect(bases(driver)).toEqual([7]);
    ack(driver, 2, 8);
    await driver.settle();
    expect(bases(driver)).toEqual([8]);
    ack(driver, 3, 9);
    shown(driver, 4);
    await driver.settle();
    expect(bases(driver)).toEqual([9]);
  });

  it("is based on what that was based on, if that is rejected", async () => {
    const driver = await started();
    driver.tab.open("users", false);
    for (const data of [1, 2, 3]) shown(driver, data);
    await driver.settle();
    driver.sent = [];
    refuse(driver, 1, "invalid");
    await driver.settle();
    expect(bases(driver)).toEqual([0]);
    ack(driver, 2, 7);
    await driver.settle();
    expect(bases(driver)).toEqual([7]);
  });

  it("is based on the answer to a part of a transaction", async () => {
    const driver = await started();
    driver.tab.open("users", false);
    const push = compose.push("users", "1", "update", 1, {});
    void driver.tab.write({ drafts: [compose.push("users", "2", "update", 1, {}), push] });
    shown(driver, 2);
    await driver.settle();
    driver.sent = [];
    const result = { duplicate: false, applied: 1, conflicts: 0, clamped: 0 };
    const results = [7, 8].map((version) => ({
      ...result,
      entity: "users",
      entity_id: `${9 - version}`,
      version,
    }));
    driver.says({
      type: "transaction_ack",
      transaction: "t1",
      seq: 1,
      epoch: "e1",
      results,
    } as never);
    await driver.settle();
    expect(bases(driver)).toEqual([8]);
  });

  it("still does after a restart, and another connection", async () => {
    const store = new TestStore("c");
    const before = await Driver.create(store);
    for (const data of [1, 2]) shown(before, data);
    await before.settle();
    const driver = await Driver.create(store);
    driver.connect();
    driver.says(WELCOME);
    await driver.settle();
    driver.lose();
    driver.connect();
    driver.sent = [];
    driver.says(WELCOME);
    await driver.settle();
    expect(bases(driver)).toEqual([0]);
    ack(driver, 1, 7);
    await driver.settle();
    expect(bases(driver)).toEqual([7]);
  });

  it("is based on no version of a store that is no more", async () => {
    const driver = await started();
    driver.tab.open("users", false);
    shown(driver, 1);
    await driver.settle();
    ack(driver, 1, 7);
    await driver.settle();
    driver.lose();
    shown(driver, 2);
    shown(driver, 3);
    await driver.settle();
    driver.connect();
    driver.sent = [];
    driver.says({ ...WELCOME, epoch: "e2", last_seq: 1 });
    await driver.settle();
    driver.sent = driver.sent.filter(({ type }) => type === "push");
    expect(bases(driver)).toEqual([undefined]);
    ack(driver, 2, 3);
    await driver.settle();
    expect(bases(driver)).toEqual([3]);
  });

  it("holds nothing back that is ahead of it", async () => {
    const driver = await started();
    shown(driver, 1);
    shown(driver, 2);
    await push(driver, 3);
    ack(driver, 1, 7);
    await driver.settle();
    expect(seqs(driver)).toEqual([1, 2, 3]);
    expect(driver.tab.queue).toHaveLength(2);
  });
});
