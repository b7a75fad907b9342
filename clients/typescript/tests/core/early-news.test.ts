/** An operation is shown once, whatever comes first: its answer, or what it has changed. */
import { describe, expect, it } from "vitest";

import { Collection } from "../../src/api/collection.ts";
import { add, inc, remove } from "../../src/core/operations.ts";
import type { JsonValue, ServerMessage } from "../../src/messages/types.ts";
import { Driver, TestStore } from "../support/driver.ts";
import { TIME, WELCOME } from "../support/welcome.ts";

type Data = { readonly [key: string]: JsonValue };

const change = (version: number, data: Data, entity = "tasks"): ServerMessage => ({
  type: "change",
  change: { entity, entity_id: "7", version, action: "update", data, created_at: TIME },
});
const synced = (version: number, entity = "tasks"): ServerMessage => ({
  ...{ type: "sync_complete", entity, epoch: "e1", version, reset: false },
});
const ack = (seq: number, version: number, more: object = {}): ServerMessage => ({
  ...{ type: "field_push_ack", request_id: "r", seq, entity: "tasks", entity_id: "7" },
  ...{ applied: 1, conflicts: 0, version, epoch: "e1", ...more },
});
const busy = (seq: number): ServerMessage => ({
  ...{ type: "error", code: "storage_full", message: "no", seq, details: null },
});

class Reader {
  readonly driver: Driver;
  readonly tasks: Collection<Data>;

  private constructor(driver: Driver) {
    this.driver = driver;
    driver.tab.on("error", () => {});
    this.tasks = new Collection<Data>(driver.tab, "tasks", {});
  }

  /** It has read record 7, `{ n: 3 }` at version 3. */
  static async reads(store = new TestStore("c")): Promise<Reader> {
    const reader = new Reader(await Driver.create(store));
    reader.driver.connect();
    reader.driver.says(WELCOME, change(3, { n: 3 }), synced(3));
    await reader.driver.settle();
    return reader;
  }

  async patches(...all: Parameters<Collection<Data>["patch"]>[1][]): Promise<void> {
    for (const each of all) this.tasks.patch("7", each).catch(() => {});
    await this.driver.settle();
    this.driver.sent = [];
  }

  async hears(...messages: ServerMessage[]): Promise<JsonValue | undefined> {
    this.driver.says(...messages);
    await this.driver.settle();
    return this.tasks.row("7")?.data;
  }

  /** The connection is lost, and another one made. */
  again(last_seq: number): void {
    this.driver.lose(1006);
    this.driver.connect();
    this.driver.says({ ...WELCOME, last_seq });
  }
}

describe("a change that overtakes the answer to an operation", () => {
  it("is shown with the answer, and the operation not on top of itself", async () => {
    const reader = await Reader.reads();
    await reader.patches({ n: inc(1) });
    expect(reader.tasks.row("7")?.data).toEqual({ n: 4 });
    expect(await reader.hears(change(4, { n: 4 }))).toEqual({ n: 4 });
    expect(await reader.hears(ack(1, 4))).toEqual({ n: 4 });
    expect(reader.tasks.row("7")).toMatchObject({ version: 4, pending: false });
    expect(reader.driver.state.writes.size).toBe(0);
  });

  it("waits for the last that was sent before it, and no longer", async () => {
    const reader = await Reader.reads();
    await reader.patches({ n: inc(1) }, { n: inc(1) });
    expect(await reader.hears(change(5, { n: 5 }))).toEqual({ n: 5 });
    await reader.patches({ n: inc(10) });
    expect(await reader.hears(ack(1, 4))).toEqual({ n: 15 });
    expect(reader.tasks.row("7")?.version).toBe(3);
    expect(await reader.hears(ack(2, 5))).toEqual({ n: 15 });
    expect(reader.tasks.row("7")?.version).toBe(5);
  });

  it("is dropped with the connection, and comes again before the answer of the next one", async () => {
    const reader = await Reader.reads();
    await reader.patches({ n: inc(1) });
    await reader.hears(change(4, { n: 4 }));
    reader.again(1);
    expect(reader.driver.sent.map(({ type }) => type)).toEqual([
      ...["hello", "subscribe", "push_fields"],
    ]);
    expect(reader.driver.sent[1]).toMatchObject({ since: { tasks: { version: 3 } } });
    expect(await reader.hears(change(4, { n: 4 }), synced(4))).toEqual({ n: 4 });
    expect(await reader.hears(ack(1, 4, { duplicate: true }))).toEqual({ n: 4 });
    expect(reader.driver.state.writes.size).toBe(0);
  });

  it("waits after a reload, though nothing was sent on this connection yet", async () => {
    const store = new TestStore("c");
    const before = await Reader.reads(store);
    await before.patches({ n: inc(1) });
    before.driver.lose(1006);
    await before.driver.settle();

    const driver = await Driver.create(store);
    driver.tab.on("error", () => {});
    const tasks = new Collection<Data>(driver.tab, "tasks", {});
    expect(tasks.row("7")).toMatchObject({ data: { n: 4 }, pending: true });
    driver.connect();
    // A new secret has to be stored before anything is sent.
    driver.says({ ...WELCOME, last_seq: 1, secret: "s" }, change(4, { n: 4 }), synced(4));
    expect(tasks.row("7")?.data).toEqual({ n: 4 });
    await driver.settle();
    driver.says(ack(1, 4, { duplicate: true }));
    await driver.settle();
    expect(tasks.row("7")).toMatchObject({ data: { n: 4 }, version: 4, pending: false });
  });

  it("is shown at once if the server says that it has not taken the operation", async () => {
    const reader = await Reader.reads();
    await reader.patches({ n: inc(1) });
    await reader.hears(change(4, { n: 30 }));
    expect(await reader.hears(busy(1))).toEqual({ n: 31 });
    expect(reader.tasks.row("7")?.version).toBe(4);
  });

  it("is shown without it once that is rejected", async () => {
    const reader = await Reader.reads();
    await reader.patches({ n: inc(1) });
    await reader.hears(change(4, { n: "text" }));
    const error = { type: "error", code: "invalid_data", message: "no", seq: 1, details: null };
    expect(await reader.hears(error as ServerMessage)).toEqual({ n: "text" });
    expect(reader.driver.tab.rejected).toMatchObject([{ code: "invalid_data" }]);
  });
});

describe("nothing waits", () => {
  it("for a write without operations", async () => {
    const reader = await Reader.reads();
    await reader.patches({ m: 1 });
    expect(await reader.hears(change(4, { n: 9 }))).toEqual({ n: 9, m: 1 });
    expect(reader.tasks.row("7")?.version).toBe(4);
  });

  it("for an operation that was not sent", async () => {
    const reader = await Reader.reads();
    await reader.patches({ n: inc(1) });
    await reader.hears(busy(1));
    expect(await reader.hears(change(4, { n: 9 }))).toEqual({ n: 10 });
  });

  it("of another entity", async () => {
    const reader = await Reader.reads();
    const users = new Collection<Data>(reader.driver.tab, "users", {});
    await reader.patches({ n: inc(1) });
    await reader.hears(change(3, { a: 1 }, "users"), synced(3, "users"));
    expect(users.row("7")?.data).toEqual({ a: 1 });
  });
});

it("what comes after what waits comes after it: also the end of what was read", async () => {
  const reader = await Reader.reads();
  await reader.patches({ n: inc(1) });
  await reader.hears(change(4, { n: 4 }));
  const problem = { code: "forbidden", message: "no more", details: { entity: "tasks" } } as const;
  await reader.hears({ type: "error", ...problem });
  expect(reader.driver.told.filter(({ type }) => type === "rejected")).toEqual([]);
  await reader.hears(ack(1, 4));
  expect(reader.tasks.row("7")).toMatchObject({ data: { n: 4 }, version: 4 });
  expect(reader.driver.told.filter(({ type }) => type === "rejected")).toHaveLength(1);
});

it("operations are shown in order, on top of what others have written meanwhile", async () => {
  const reader = await Reader.reads();
  reader.driver.lose(1006);
  await reader.patches({ tags: add("b", "a") }, { tags: remove("b"), n: inc(2) }, { n: inc(-1) });
  expect(reader.tasks.row("7")?.data).toEqual({ n: 4, tags: ["a"] });
  reader.driver.connect();
  const told = [WELCOME, change(9, { n: 100, tags: ["c"] }), synced(9)];
  expect(await reader.hears(...told)).toEqual({ n: 4, tags: ["a"] });
  const shown = { n: 101, tags: ["a", "c"] };
  expect(await reader.hears(...[1, 2, 3].map((seq) => ack(seq, 9 + seq)))).toEqual(shown);
  expect(reader.tasks.row("7")).toMatchObject({ version: 9, pending: false });
  expect(await reader.hears(change(12, shown))).toEqual(shown);
  expect(reader.driver.state.writes.size).toBe(0);
});
