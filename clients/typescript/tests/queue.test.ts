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

describe("numbers that are those of a store out of reach", () => {
  async function frozen(welcome: Partial<Welcome> = {}): Promise<Driver> {
    const driver = await started();
    for (let count = 0; count < 2; count += 1) await push(driver);
    driver.lose();
    driver.hub.state.frozen = true;
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
    driver.hub.state.frozen = false;
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
    expect(driver.hub.queue).toMatchObject([{ seq: 2 }]);
  });

  it("are not given anew where the server knows fewer: they are tried again", async () => {
    const driver = await frozen({ last_seq: 7, epoch: "e2" });
    expect(driver.hub.queue.map(({ seq }) => seq)).toEqual([1, 2]);
    ack(driver, 1);
    ack(driver, 2);
    await push(driver);
    driver.lose();
    driver.hub.state.meta.last = 9;
    driver.connect();
    driver.says({ ...WELCOME, last_seq: 1, epoch: "e3" });
    await driver.settle();
    expect(driver.hub.queue.map(({ seq }) => seq)).toEqual([8]);
  });

  it("whose answer another tab has stored are left to that: what became of them is not known here", async () => {
    const driver = await frozen();
    driver.told = [];
    refuse(driver, 1, "out_of_order", { last_seq: 2 });
    expect(driver.told.filter(({ type }) => type === "outcome")).toEqual([]);
    expect(driver.hub.queue.map(({ seq }) => seq)).toEqual([2]);
    expect(driver.hub.rejected).toEqual([]);
  });
});

it("a write that was numbered before the others were numbered anew is looked up in the store", async () => {
  const driver = await started();
  await push(driver);
  driver.told = [];
  const stale = { ...(driver.hub.queue[0] as never as { id: string }), id: "late", seq: 1 };
  driver.hub.send({ type: "added", write: stale as never });
  expect(driver.told.map(({ type }) => type)).toContain("reload");
});
