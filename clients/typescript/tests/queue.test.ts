import { describe, expect, it } from "vitest";

import * as compose from "../src/compose.ts";
import { contentsOf } from "./support/contents.ts";
import { Driver, TestStore } from "./support/driver.ts";
import { WELCOME } from "./support/welcome.ts";
import type { ErrorCode, Message, Welcome } from "../src/messages/types.ts";

async function started(welcome: Partial<Welcome> = {}): Promise<Driver> {
  const driver = await Driver.create(new TestStore("c"));
  driver.hub.on("error", () => {});
  driver.connect();
  driver.says({ ...WELCOME, ...welcome });
  driver.sent = [];
  return driver;
}

async function push(driver: Driver, data: unknown = 1, baseVersion?: number): Promise<void> {
  void driver.hub.write(() => compose.push("users", "1", "update", data as never, { baseVersion }));
  await driver.settle();
}

const seqs = (driver: Driver) =>
  driver.sent.splice(0).flatMap((each: Message) => ("seq" in each ? [each.seq] : []));

function refuse(driver: Driver, seq: number, code: ErrorCode, details: { last_seq: number } | null = null): void {
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

  it("larger than the server takes is refused here, and its number goes to the next", async () => {
    const driver = await started({ limits: { ...WELCOME.limits, message_bytes: 300 } });
    await push(driver);
    await push(driver, "x".repeat(300));
    await push(driver);
    expect(seqs(driver)).toEqual([1, 3]);
    expect(driver.hub.rejected).toMatchObject([{ code: "too_large" }]);
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
    expect(driver.hub.rejected).toEqual([]);
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
    expect((await contentsOf(driver.store)).writes[0]!.message.base_version).toBeUndefined();
  });

  it("that is refused for good is not sent again, even if it was about to be", async () => {
    const driver = await started();
    await push(driver);
    refuse(driver, 1, "timeout");
    refuse(driver, 1, "forbidden");
    driver.elapse(2_000);
    expect(seqs(driver)).toEqual([1]);
    expect(driver.hub.rejected).toMatchObject([{ code: "forbidden" }]);
  });

  it("needs one token, with all that follow it, and is sent in order", async () => {
    const driver = await started();
    await push(driver);
    await push(driver);
    driver.sent = [];
    refuse(driver, 1, "unauthenticated");
    refuse(driver, 2, "unauthenticated");
    expect(driver.told.filter(({ type }) => type === "token")).toHaveLength(1);
    void driver.hub.ask({ type: "authenticate", token: "t" });
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
    expect(driver.hub.queue).toMatchObject([{ seq: 1 }]);
    driver.store.full = false;
    driver.lose();
    driver.connect();
    driver.says({ ...WELCOME, last_seq: 1 });
    refuse(driver, 1, "seq_reused");
    await driver.settle();
    expect(driver.hub.queue).toMatchObject([{ seq: 2 }]);
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

  it("since its answer was confirmed and forgotten is refused for good", async () => {
    const driver = await started();
    await push(driver);
    refuse(driver, 1, "out_of_order", { last_seq: 4 });
    expect(driver.hub.rejected).toMatchObject([{ code: "out_of_order" }]);
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
  driver.hub.on("error", () => {});
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

/** The entity of the tests is read, and has caught up; changes come when the test says so. */
function read(driver: Driver): void {
  driver.hub.open("users", false);
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
    expect(driver.hub.row("users", "1")).toMatchObject({ data: 1, pending: false });
    return driver;
  }
  const outcomes = (driver: Driver) => driver.told.filter(({ type }) => type === "outcome");

  it("is not answered again", async () => {
    const driver = await settled();
    ack(driver, 1, 9);
    refuse(driver, 1, "forbidden");
    expect([outcomes(driver).length, driver.hub.rejected]).toEqual([1, []]);
    expect([...driver.hub.state.writes.values()]).toMatchObject([{ settled: { version: 1 } }]);
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
    const common = { entity: "users", entity_id: "1", action: "update", created_at: "2026-11-22T10:00:00Z" } as const;
    driver.says({ type: "change", change: { ...common, data: 1, version: 1 } });
    expect(driver.hub.state.writes.size).toBe(0);
  });

  it("is found after a restart, and goes then", async () => {
    const driver = await settled();
    const next = await Driver.create(driver.store);
    next.connect();
    next.says({ ...WELCOME, last_seq: 1 });
    next.hub.open("users", false);
    expect(next.hub.row("users", "1")).toMatchObject({ data: 1, pending: false });
    next.says({ type: "sync_complete", entity: "users", epoch: "e1", version: 1, reset: false });
    await next.settle();
    expect([next.hub.state.writes.size, (await contentsOf(next.store)).writes]).toEqual([0, []]);
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
    driver.hub.on("error", () => {});
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
    const [first] = driver.hub.state.writes.values();
    driver.told = [];
    driver.hub.send({ type: "added", write: { ...first!, id: "late", seq: 2 } });
    expect(driver.told).toContainEqual({ type: "reload" });
  });
});
