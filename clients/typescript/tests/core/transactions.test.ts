/** Transactions: one write in the queue, several on the screen, apart once answered. */
import { describe, expect, it } from "vitest";

import { Collection } from "../../src/api/collection.ts";
import type { TransactionWrites } from "../../src/api/transaction.ts";
import { collected } from "../../src/api/transaction.ts";
import { inc } from "../../src/core/operations.ts";
import type { TransactionResult } from "../../src/core/options.ts";
import type { Write } from "../../src/core/storage-ops.ts";
import type {
  Error as Failure,
  FieldConflict,
  JsonValue,
  ServerMessage,
  Transaction,
} from "../../src/messages/types.ts";
import { contentsOf } from "../support/contents.ts";
import { Driver, TestStore } from "../support/driver.ts";
import { TIME, WELCOME } from "../support/welcome.ts";

type Data = { readonly [key: string]: JsonValue };

const change = (entity: string, id: string, version: number, data: Data): ServerMessage => ({
  type: "change",
  change: { entity, entity_id: id, version, action: "update", data, created_at: TIME },
});
const synced = (entity: string, version: number): ServerMessage => ({
  ...{ type: "sync_complete", entity, epoch: "e1", version, reset: false },
});
const result = (entity: string, entity_id: string, version: number, conflicts = 0) => ({
  ...{ entity, entity_id, version, applied: 1, conflicts },
});
const acknowledged = (...versions: number[]): ServerMessage => ({
  ...{ type: "transaction_ack", transaction: "t1", seq: 1, epoch: "e1" },
  results: [
    result("orders", "7", versions[0]!),
    result("stock", "tea", versions[1]!),
    result("orders", "7", versions[2]!, 1),
  ],
});
const lost: FieldConflict = {
  ...{ type: "field_conflict", entity: "orders", entity_id: "7", field: "paid", seq: 1 },
  ...{ server_value: true, client_value: false, winner: "server", version: 2 },
  ...{ server_timestamp: TIME, client_timestamp: TIME },
};
const moved: Failure = {
  ...{ type: "error", code: "conflict", message: "moved on", seq: 1 },
  details: { writes: [{ index: 0, code: "conflict", message: "moved on", details: null }] },
};

/** An order with one line of it, out of the stock. */
function order(writes: TransactionWrites): void {
  writes.set("orders", "7", { lines: 1 }, { baseVersion: 0 });
  writes.patch("stock", "tea", { left: inc(-1) });
  writes.patch("orders", "7", { paid: false });
}

class World {
  readonly driver: Driver;
  readonly orders: Collection<Data>;
  readonly stock: Collection<Data>;

  private constructor(driver: Driver) {
    this.driver = driver;
    driver.tab.on("error", () => {});
    this.orders = new Collection<Data>(driver.tab, "orders");
    this.stock = new Collection<Data>(driver.tab, "stock");
  }

  static async on(store = new TestStore("c")): Promise<World> {
    return new World(await Driver.create(store));
  }

  /** It has read 4 versions of the stock, of which 9 are left. */
  static async reads(): Promise<World> {
    const world = await World.on();
    world.driver.connect();
    world.driver.says(WELCOME, synced("orders", 0));
    await world.hears(change("stock", "tea", 4, { left: 9 }), synced("stock", 4));
    return world;
  }

  async hears(...messages: ServerMessage[]): Promise<void> {
    this.driver.says(...messages);
    await this.driver.settle();
  }

  async writes(act = order): Promise<{ done: Promise<TransactionResult>; sent: Transaction[] }> {
    this.driver.sent = [];
    const done = this.driver.tab.write<never>(collected(act)) as Promise<TransactionResult>;
    await this.driver.settle();
    return { done, sent: this.driver.sent as Transaction[] };
  }

  get shown(): [JsonValue | undefined, JsonValue | undefined] {
    return [this.orders.row("7")?.data, this.stock.row("tea")?.data];
  }

  get kept(): Write[] {
    return [...this.driver.state.writes.values()];
  }
}

describe("what is written together", () => {
  it("is one message with what its author has seen of each record, each at its own time", async () => {
    const world = await World.reads();
    const { sent } = await world.writes();
    expect(sent).toMatchObject([{ type: "transaction", seq: 1 }]);
    const { writes } = sent[0]!;
    expect(
      writes.map(({ entity, base_version, action }) => [entity, base_version, action]),
    ).toEqual([
      ["orders", 0, "update"],
      ["stock", 4, undefined],
      ["orders", undefined, undefined],
    ]);
    const times = writes.flatMap(({ fields = [] }) => fields.map(({ timestamp }) => timestamp));
    expect(times[0]! < times[1]!).toBe(true);
  });

  it("shows at once on all its records, in its order, and until they have changed", async () => {
    const world = await World.reads();
    void world.driver.tab.write(collected(order));
    expect(world.shown).toEqual([{ lines: 1, paid: false }, { left: 8 }]);
    expect(world.orders.row("7")?.pending).toBe(true);
    await world.driver.settle();
    await world.hears(acknowledged(1, 5, 2));
    expect(world.shown).toEqual([{ lines: 1, paid: false }, { left: 8 }]);
    expect([world.orders.row("7")?.pending, world.stock.row("tea")?.pending]).toEqual([
      false,
      false,
    ]);
  });

  it("is one write in the queue and in the store", async () => {
    const world = await World.reads();
    await world.writes();
    const one = { seq: 1, entity: "orders", entityId: "7", message: { type: "transaction" } };
    expect(world.driver.tab.queue).toMatchObject([one]);
    expect((await contentsOf(world.driver.store)).writes).toMatchObject([one]);
  });

  it("waits, once answered, each for its own change", async () => {
    const world = await World.reads();
    const { done } = await world.writes();
    await world.hears(acknowledged(1, 5, 2));
    expect(await done).toMatchObject({ transaction: "t1", conflicts: 0 });
    expect((await done).results.map(({ version }) => version)).toEqual([1, 5, 2]);
    expect(world.driver.tab.queue).toEqual([]);
    expect(world.kept.map(({ entity, settled }) => [entity, settled?.version])).toEqual([
      ["orders", 1],
      ["stock", 5],
      ["orders", 2],
    ]);
    await world.hears(change("stock", "tea", 5, { left: 8 }));
    expect(world.kept.map(({ entity }) => entity)).toEqual(["orders", "orders"]);
    await world.hears(change("orders", "7", 1, { lines: 1 }));
    expect(world.shown[0]).toEqual({ lines: 1, paid: false });
    await world.hears(change("orders", "7", 2, { lines: 1, paid: false }));
    expect(world.kept).toEqual([]);
  });

  it("is shown in its order by a page that finds it answered", async () => {
    const world = await World.reads();
    const twelve = (writes: TransactionWrites) => {
      for (let n = 1; n <= 12; n += 1) writes.set("orders", "7", { n });
    };
    await world.writes(twelve);
    const results = Array.from({ length: 12 }, (_, n) => result("orders", "7", n + 1));
    const ack = {
      type: "transaction_ack",
      transaction: "t",
      seq: 1,
      epoch: "e1",
      results,
    } as const;
    await world.hears(ack);
    world.driver.lose(1006);
    const next = await World.on(world.driver.store);
    await next.driver.settle();
    expect(next.kept).toHaveLength(12);
    expect(next.shown[0]).toEqual({ n: 12 });
  });

  it("is put into what is held of an entity that nobody reads now", async () => {
    const world = await World.reads();
    await world.hears(change("orders", "7", 1, { lines: 9 }));
    world.orders.close();
    await world.writes();
    await world.hears(acknowledged(2, 5, 3));
    expect(world.kept.map(({ entity }) => entity)).toEqual(["stock"]);
    const { records } = await contentsOf(world.driver.store);
    expect(records[0]).toEqual(["orders", "7", { data: { lines: 1, paid: false }, version: 3 }]);
  });

  it("is in doubt, if an operation is in it, for each of its entities until it is answered", async () => {
    const world = await World.reads();
    await world.writes();
    await world.hears(
      change("stock", "tea", 5, { left: 8 }),
      change("orders", "7", 1, { lines: 1 }),
    );
    expect(world.shown).toEqual([{ lines: 1, paid: false }, { left: 8 }]);
    expect(world.orders.row("7")?.version).toBe(0);
    await world.hears(acknowledged(1, 5, 2));
    expect([world.orders.row("7")?.version, world.stock.row("tea")?.version]).toEqual([1, 5]);
    expect(world.shown).toEqual([{ lines: 1, paid: false }, { left: 8 }]);
  });

  it("tells each conflict of the record that it is about, and shows what won", async () => {
    const world = await World.reads();
    const told: [string, string | undefined][] = [];
    world.driver.tab.on("conflict", ({ id, field }: { id: string; field?: string }) => {
      told.push([id, field]);
    });
    const { done } = await world.writes();
    await world.hears(lost, acknowledged(1, 5, 2));
    expect(told).toEqual([["7", "paid"]]);
    expect((await done).conflicts).toBe(1);
    expect(world.shown).toEqual([{ lines: 1, paid: true }, { left: 8 }]);
  });

  it("is rejected as a whole, says why of each, and can be tried again as a whole", async () => {
    const world = await World.reads();
    const { done } = await world.writes();
    await world.hears(moved);
    await expect(done).rejects.toMatchObject({ code: "conflict", details: moved.details });
    expect(world.shown).toEqual([undefined, { left: 9 }]);
    const [rejected] = world.driver.tab.rejected;
    expect(rejected).toMatchObject({ code: "conflict", message: { type: "transaction" } });
    const again = rejected!.retry();
    await world.driver.settle();
    expect(world.driver.tab.rejected).toEqual([]);
    expect(world.shown).toEqual([{ lines: 1, paid: false }, { left: 8 }]);
    await world.hears({ ...acknowledged(1, 5, 2), seq: 2 } as ServerMessage);
    expect(await again).toMatchObject({ transaction: "t1", conflicts: 0 });
  });

  it("is based on nothing in a store of another epoch, but that there is none", async () => {
    const world = await World.reads();
    world.driver.lose(1006);
    await world.writes();
    world.driver.connect();
    world.driver.sent = [];
    await world.hears({ ...WELCOME, epoch: "e2" });
    const sent = world.driver.sent.find(({ type }) => type === "transaction") as Transaction;
    expect(sent.writes.map(({ base_version }) => base_version)).toEqual([0, undefined, undefined]);
  });

  it("is based on nothing if what it builds on is of several epochs", async () => {
    const world = await World.reads();
    world.driver.lose(1006);
    world.stock.close();
    world.driver.connect();
    await world.hears({ ...WELCOME, epoch: "e2" }, {
      ...synced("orders", 0),
      epoch: "e2",
    } as never);
    const { sent } = await world.writes();
    const [transaction] = sent.filter(({ type }) => type === "transaction");
    expect(transaction!.writes.map(({ base_version }) => base_version)).toEqual([
      0,
      undefined,
      undefined,
    ]);
  });

  it("is written before the store is loaded, with what is seen then", async () => {
    const before = await World.reads();
    before.driver.lose(1006);
    const driver = Driver.create(before.driver.store);
    const world = await World.on(before.driver.store);
    await driver;
    const { tab } = world.driver;
    void tab.write(collected(order));
    await world.driver.settle();
    expect(tab.queue[0]!.message).toMatchObject({ writes: [{}, { base_version: 4 }, {}] });
  });
});

it.each([2, 4])("an answer with %i results for three writes ends the connection", async (count) => {
  const world = await World.reads();
  const { done } = await world.writes();
  const results = Array.from({ length: count }, () => result("orders", "7", 1));
  await world.hears({ ...acknowledged(1, 2, 3), results } as ServerMessage);
  expect(world.driver.session.state).toBe("closed");
  await expect(done).rejects.toMatchObject({
    code: "bad_message",
    message: "transaction_ack: not a result for each write",
  });
  expect(world.kept, "it is kept").toHaveLength(1);
});

describe("a transaction is refused at once", () => {
  it("with more than 500 writes", async () => {
    const world = await World.reads();
    const act = (writes: TransactionWrites) => {
      for (let n = 0; n <= 500; n += 1) writes.delete("orders", "7");
    };
    const { done, sent } = await world.writes(act);
    await expect(done).rejects.toMatchObject({
      code: "bad_message",
      message: "transaction: at most 500 writes expected, got 501",
    });
    expect([sent, world.kept]).toEqual([[], []]);
  });

  it("with a name that no server takes", async () => {
    const { done } = await (await World.reads()).writes(({ patch }) => patch("", "7", { a: 1 }));
    await expect(done).rejects.toMatchObject({ code: "bad_message" });
  });

  it("with what is no JSON, where it is written", () => {
    const bad = () => {};
    expect(() => collected((writes) => writes.set("orders", "7", bad as never))).toThrow(
      "push.data",
    );
    expect(() => collected((writes) => writes.patch("orders", "7", { a: bad as never }))).toThrow(
      "push_fields.fields.a",
    );
  });

  it("if its function returns a promise, and what that writes later is refused", async () => {
    let late: unknown;
    const act = async ({ set }: TransactionWrites) => {
      set("orders", "7", 1);
      await Promise.resolve();
      try {
        set("orders", "8", 1);
      } catch (error) {
        late = error;
      }
    };
    expect(() => collected(act)).toThrow("transaction: it must not be async");
    await new Promise(setImmediate);
    expect(late).toMatchObject({
      code: "bad_message",
      message: expect.stringContaining("it must not be async"),
    });
  });
});

it("what is written is a copy: it may change before the function ends", async () => {
  const world = await World.reads();
  const data = { n: 1 };
  const { sent } = await world.writes(({ set, patch }) => {
    set("orders", "1", data);
    patch("orders", "2", data);
    data.n = 2;
  });
  expect(sent[0]!.writes).toMatchObject([{ data: { n: 1 } }, { fields: [{ value: 1 }] }]);
});
