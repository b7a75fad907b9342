/** What is shown is a state that once was: no half of a transaction, nothing half caught up. */
import { describe, expect, it } from "vitest";

import { Collection } from "../../src/api/collection.ts";
import { inc } from "../../src/core/operations.ts";
import type { CollectionOptions } from "../../src/core/options.ts";
import type { ErrorCode, ServerMessage } from "../../src/messages/types.ts";
import { Driver, TestStore } from "../support/driver.ts";
import { TIME, WELCOME } from "../support/welcome.ts";

type Named = Readonly<Record<string, Collection<number>>>;

const change = (entity: string, version: number, transaction?: string): ServerMessage => ({
  type: "change",
  change: {
    ...{ entity, entity_id: "1", version, action: "update", data: version, created_at: TIME },
    transaction,
  },
});
const fieldChange = (entity: string, version: number, more: object): ServerMessage => ({
  type: "field_change",
  change: {
    ...{ entity, entity_id: "1", version, action: "update", value: version, timestamp: TIME },
    ...{ field: "a", ...more },
  },
});
const complete = (transaction: string): ServerMessage => ({
  ...{ type: "transaction_complete", transaction },
});
const synced = (entity: string, version: number, more: object = {}): ServerMessage => ({
  ...{ type: "sync_complete", entity, epoch: "e1", version, reset: false, ...more },
});
const refused = (entity: string, code: ErrorCode = "forbidden"): ServerMessage => ({
  ...{ type: "error", code, message: "no", details: { entity } },
});

const INCREMENT = { entityId: "2", values: { n: inc(1) }, options: {} };

/** A reader of some entities. */
class Reader {
  readonly driver: Driver;
  readonly all: Named;

  private constructor(driver: Driver, names: readonly string[], options: CollectionOptions) {
    this.driver = driver;
    driver.tab.on("error", () => {});
    const made = names.map((name) => [name, new Collection<number>(driver.tab, name, options)]);
    this.all = Object.fromEntries(made);
  }

  static async opens(
    names: readonly string[],
    store = new TestStore("c"),
    options: CollectionOptions = {},
  ): Promise<Reader> {
    return new Reader(await Driver.create(store), names, options);
  }

  /** It has read version 1 of each. */
  static async reads(...names: string[]): Promise<Reader> {
    const reader = await Reader.opens(names);
    reader.driver.connect();
    reader.driver.says(WELCOME);
    for (const name of names) reader.driver.says(change(name, 1), synced(name, 1));
    await reader.driver.settle();
    return reader;
  }

  /** The connection is lost, and another one made. */
  again(): void {
    this.driver.lose(1006);
    this.driver.connect();
    this.driver.says(WELCOME);
  }

  /** Hears something; returns what is shown then. */
  hears(...messages: ServerMessage[]): (number | undefined)[] {
    this.driver.says(...messages);
    return Object.values(this.all).map((each) => each.row("1")?.data);
  }
}

describe("a change of a transaction", () => {
  it("waits until all of it has come", async () => {
    const reader = await Reader.reads("a", "b");
    expect(reader.hears(change("a", 2, "t"))).toEqual([1, 1]);
    expect(reader.hears(change("b", 2, "t"))).toEqual([1, 1]);
    expect(reader.hears(complete("t"))).toEqual([2, 2]);
  });

  it("lets all that comes after it wait, too, in order", async () => {
    const reader = await Reader.reads("a", "b");
    expect(reader.hears(change("a", 2, "t"), change("b", 2), change("a", 3))).toEqual([1, 1]);
    expect(reader.hears(change("b", 3, "u"), complete("t"))).toEqual([3, 2]);
    expect(reader.hears(complete("u"))).toEqual([3, 3]);
  });

  it("waits for what lies between it and the others of its transaction", async () => {
    const reader = await Reader.reads("a", "b");
    const both = [change("a", 2, "t"), change("a", 3, "u"), change("b", 2, "t")];
    expect(reader.hears(...both, change("b", 3, "u"), complete("t"))).toEqual([1, 1]);
    expect(reader.hears(change("a", 4, "v"), complete("u"))).toEqual([3, 3]);
    expect(reader.hears(complete("v"))).toEqual([4, 3]);
  });

  it("waits for the operation that another one of its transaction waits for", async () => {
    const reader = await Reader.reads("a", "b");
    reader.hears(change("a", 2, "t"));
    const counted = reader.all.b!.set("2", 1);
    void reader.driver.tab.write({ ...INCREMENT, entity: "b" });
    await reader.driver.settle();
    expect(reader.hears(change("b", 2, "t"), complete("t"))).toEqual([1, 1]);
    const ack = { entity: "b", entity_id: "2", epoch: "e1" };
    reader.driver.says({ type: "push_ack", ...ack, version: 3, seq: 1 });
    await counted;
    const counts = { applied: 1, conflicts: 0, version: 4, seq: 2 };
    expect(reader.hears({ type: "field_push_ack", ...ack, ...counts })).toEqual([2, 2]);
  });

  it("waits field by field, as a part of a write does", async () => {
    const options = { granularity: "fields" } as const;
    const reader = await Reader.opens(["a"], new TestStore("c"), options);
    reader.driver.connect();
    const begun = synced("a", 1, { type: "sync_fields_complete" });
    reader.driver.says(WELCOME, fieldChange("a", 1, {}), begun);
    const half = [fieldChange("a", 2, { transaction: "t", more: true })];
    half.push(fieldChange("a", 2, { transaction: "t", field: "b" }));
    expect(reader.hears(...half)).toEqual([{ a: 1 }]);
    expect(reader.hears(complete("t"))).toEqual([{ a: 2, b: 2 }]);
  });

  it("is dropped with the connection, and comes again", async () => {
    const reader = await Reader.reads("a", "b");
    reader.hears(change("a", 2, "t"));
    reader.again();
    expect(reader.driver.sent.at(-2)).toMatchObject({ since: { a: { version: 1 } } });
    expect(reader.hears(change("a", 2), synced("a", 2))).toEqual([1, 1]);
    expect(reader.hears(change("b", 2), synced("b", 2))).toEqual([2, 2]);
    expect(reader.hears(change("a", 3))).toEqual([3, 2]);
  });

  it("is shown to all who listen once all of it is there", async () => {
    const reader = await Reader.reads("a", "b");
    const seen: unknown[] = [];
    const look = () => seen.push(reader.hears());
    for (const each of Object.values(reader.all)) each.subscribe(look);
    await reader.driver.settle();
    seen.length = 0;
    reader.driver.says(change("a", 2, "t"));
    await expect.poll(() => reader.driver.state.changed.size).toBe(0);
    reader.driver.says(change("b", 2, "t"), complete("t"));
    await expect.poll(() => seen.length).toBe(2);
    expect(seen).toEqual([
      [2, 2],
      [2, 2],
    ]);
  });

  it("is told at once to those who only want its changes", async () => {
    const reader = await Reader.reads("a");
    const told: unknown[] = [];
    reader.driver.tab.changes("b", (each: { version: number }) => told.push(each.version));
    reader.driver.says(synced("b", 1));
    reader.hears(change("a", 2, "t"), change("b", 2, "t"));
    expect(told).toEqual([2]);
    expect(reader.hears(complete("t"))).toEqual([2]);
  });

  it("does not wait for a word that does not come: all has been read since", async () => {
    const reader = await Reader.reads("a", "b");
    expect(reader.hears(change("a", 2, "t"), change("b", 2))).toEqual([1, 1]);
    expect(reader.hears(change("a", 3), synced("a", 3))).toEqual([3, 2]);
  });
});

describe("after a lost connection", () => {
  it("nothing is shown before all that was shown before has caught up", async () => {
    const reader = await Reader.reads("a", "b", "c");
    reader.again();
    expect(reader.hears(change("a", 2), synced("a", 2))).toEqual([1, 1, 1]);
    expect(reader.hears(change("c", 2), synced("c", 2), change("a", 3))).toEqual([1, 1, 1]);
    expect(reader.hears(synced("b", 1))).toEqual([3, 1, 2]);
    expect(reader.hears(change("b", 2))).toEqual([3, 2, 2]);
  });

  it("no part of that is held back alone by an operation without an answer", async () => {
    const reader = await Reader.reads("a", "b");
    reader.again();
    reader.hears(change("a", 2), synced("a", 2));
    void reader.driver.tab.write({ ...INCREMENT, entity: "b" });
    await reader.driver.settle();
    expect(reader.hears(change("b", 2), synced("b", 2), change("a", 3))).toEqual([1, 1]);
    const ack = { entity: "b", entity_id: "2", epoch: "e1", applied: 1, conflicts: 0 };
    const answer = { type: "field_push_ack", ...ack, version: 3, seq: 1 } as const;
    expect(reader.hears(answer)).toEqual([3, 2]);
  });

  it("what loads for the first time neither waits, nor makes others wait", async () => {
    const reader = await Reader.reads("a", "b");
    const c = new Collection<number>(reader.driver.tab, "c");
    reader.again();
    expect(reader.hears(change("c", 1), change("a", 2))).toEqual([1, 1]);
    expect(c.row("1")?.data).toBe(1);
    expect(reader.hears(synced("a", 2), synced("b", 1))).toEqual([2, 1]);
    expect(reader.hears(change("a", 3))).toEqual([3, 1]);
    reader.driver.says(synced("c", 1));
    reader.again();
    reader.driver.says(change("c", 2));
    expect(c.row("1")?.data, "from now on it waits").toBe(1);
  });

  it("what loads for the first time has loaded when the others have caught up", async () => {
    const reader = await Reader.reads("a");
    const c = new Collection<number>(reader.driver.tab, "c");
    reader.again();
    let hasLoaded = false;
    void c.synced.then(() => (hasLoaded = true));
    reader.hears(change("c", 1), synced("c", 1));
    await reader.driver.settle();
    expect([c.row("1")?.data, hasLoaded]).toEqual([1, false]);
    reader.hears(change("a", 2), synced("a", 2));
    await reader.driver.settle();
    expect(hasLoaded).toBe(true);
  });

  it("nor has it before an operation is answered for which others wait", async () => {
    const reader = await Reader.reads("a");
    void reader.driver.tab.write({ ...INCREMENT, entity: "a" });
    await reader.driver.settle();
    const c = new Collection<number>(reader.driver.tab, "c");
    await reader.driver.settle();
    expect(reader.hears(change("a", 2), change("c", 1), synced("c", 1))).toEqual([1]);
    expect(c.row("1")?.data, "it shows what comes").toBe(1);
    let hasLoaded = false;
    void c.synced.then(() => (hasLoaded = true));
    await reader.driver.settle();
    expect(hasLoaded).toBe(false);
    const ack = { entity: "a", entity_id: "2", epoch: "e1", applied: 1, conflicts: 0 };
    reader.hears({ type: "field_push_ack", ...ack, version: 3, seq: 1 });
    await reader.driver.settle();
    expect(hasLoaded).toBe(true);
  });

  it("nor does what was too slow before its end was taken show in halves", async () => {
    const reader = await Reader.reads("a");
    void reader.driver.tab.write({ ...INCREMENT, entity: "a" });
    await reader.driver.settle();
    const [b, c] = ["b", "c"].map((name) => new Collection<number>(reader.driver.tab, name));
    await reader.driver.settle();
    reader.hears(change("a", 2), change("b", 1), synced("b", 1), change("c", 1), synced("c", 1));
    const slow = { epoch: "e1", reset: false, fields: false, since: 1 };
    const begins = (entity: string) => ({ type: "sync_begin", entity, ...slow }) as ServerMessage;
    reader.hears(begins("b"), begins("c"), change("b", 2), synced("b", 2));
    const ack = { entity: "a", entity_id: "2", epoch: "e1", applied: 1, conflicts: 0 };
    reader.hears({ type: "field_push_ack", ...ack, version: 3, seq: 1 });
    const shown = () => [b, c].map((each) => each!.row("1")?.data);
    expect(shown()).toEqual([1, 1]);
    reader.hears(change("c", 2), synced("c", 2));
    expect(shown()).toEqual([2, 2]);
  });

  it("what was cut off as it loaded for the first time still does", async () => {
    const reader = await Reader.opens(["a"]);
    reader.driver.connect();
    reader.driver.says(WELCOME, change("a", 1));
    reader.again();
    expect(reader.hears(change("a", 2))).toEqual([2]);
  });

  it("what is not read any more is waited for by nobody", async () => {
    for (const code of ["forbidden", "too_many_subscriptions"] as const) {
      const reader = await Reader.reads("a", "b");
      reader.again();
      expect(reader.hears(change("a", 2), synced("a", 2))).toEqual([1, 1]);
      expect(reader.hears(refused("b", code))).toEqual([2, 1]);
    }
    const reader = await Reader.reads("a", "b");
    reader.again();
    reader.hears(change("a", 2), synced("a", 2));
    reader.all.b!.close();
    // It ends once all that was sent for it is heard.
    reader.driver.says(synced("b", 1));
    expect(reader.all.a!.row("1")?.data).toBe(2);
  });

  it("what is waited for is one part of an entity, and another one is another", async () => {
    const reader = await Reader.reads("a");
    const { tab } = reader.driver;
    const [one, two] = ["1", "2"].map((x) => {
      return new Collection<number>(tab, "p", { where: { x } });
    });
    const part = (x: string, version: number) => synced("p", version, { where: { x }, scope: "s" });
    reader.driver.says(part("1", 1), part("2", 1));
    await Promise.all([one!.synced, two!.synced]);
    reader.again();
    expect(reader.hears(change("a", 2), synced("a", 2), part("1", 2))).toEqual([1]);
    expect(reader.hears(part("2", 2))).toEqual([2]);
  });

  it("a server that has no parts any more is not waited for", async () => {
    const reader = await Reader.reads("a");
    const part = new Collection<number>(reader.driver.tab, "p", { where: { x: "1" } });
    reader.driver.says(synced("p", 1, { where: { x: "1" }, scope: "s" }));
    await part.synced;
    reader.again();
    expect(reader.hears(change("a", 2), synced("a", 2))).toEqual([1]);
    expect(reader.hears(synced("p", 3))).toEqual([2]);
  });

  it("the same is so in the next page", async () => {
    const before = await Reader.reads("a", "b");
    before.driver.lose(1006);
    await before.driver.settle();
    const reader = await Reader.opens(["a", "b"], before.driver.store);
    reader.driver.connect();
    expect(reader.hears(WELCOME, change("a", 2), synced("a", 2))).toEqual([1, 1]);
    expect(reader.hears(synced("b", 1))).toEqual([2, 1]);
  });
});

it("what is read anew takes effect in its order, behind what waits", async () => {
  const reader = await Reader.reads("a", "b");
  reader.hears(change("a", 2, "t"));
  const begin = { type: "sync_begin", entity: "b", epoch: "e1", reset: true, fields: false };
  const all = [begin as ServerMessage, synced("b", 3, { reset: true })];
  expect(reader.hears(change("b", 2), ...all)).toEqual([1, 1]);
  expect(reader.hears(complete("t"))).toEqual([2, undefined]);
});

it("of more than 10,000 pieces of news that wait, none waits", async () => {
  const reader = await Reader.reads("a", "b");
  reader.hears(change("a", 2, "t"));
  const many = Array.from({ length: 9_999 }, (_, n) => change("b", n + 2));
  expect(reader.hears(...many)).toEqual([1, 1]);
  expect(reader.hears(change("b", 10_001))).toEqual([2, 10_001]);
  // And then again from the beginning.
  expect(reader.hears(change("a", 3, "t"))).toEqual([2, 10_001]);
  expect(reader.hears(complete("t"))).toEqual([3, 10_001]);
});
