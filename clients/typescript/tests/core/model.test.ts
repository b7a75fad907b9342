/**
 * The client's core against a model of the server, in random interleavings.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Collection } from "../../src/api/collection.ts";
import { collected } from "../../src/api/transaction.ts";
import { inc } from "../../src/core/operations.ts";
import type { Write } from "../../src/core/storage-ops.ts";
import type {
  ErrorCode,
  JsonValue,
  Message,
  ServerMessage,
  TransactionWrite,
} from "../../src/messages/types.ts";
import { Driver, TestStore } from "../support/driver.ts";
import { FINAL, ModelServer } from "../support/model.ts";

type Granularity = "records" | "fields";
type Data = { readonly [key: string]: JsonValue };

/** Nobody else writes to this one. */
const MINE = "mine";
/** Somebody else writes the same to both of them, always together. */
const PAIR = ["p", "q"] as const;

const id = fc.constantFrom("1", "2", MINE);
const name = fc.constantFrom("a", "b");
/** How many messages arrive: all, or so few that what belongs together is torn apart. */
const some = fc.oneof(fc.constant(Infinity), fc.nat(2));

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("set" as const), id }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("patch" as const), id, name, gone: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("count" as const), id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), id }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("together" as const), id, other: id, name }),
  },
  { weight: 2, arbitrary: fc.constant({ do: "othersTogether" as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("other" as const),
      id: fc.constantFrom("1", "2"),
      name,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("otherRemoves" as const),
      id: fc.constantFrom("1", "2"),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("hear" as const), some }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("tell" as const), some }) },
  { weight: 2, arbitrary: fc.constant({ do: "cut" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "connect" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "restart" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "reopen" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("refuse" as const),
      code: fc.constantFrom<ErrorCode>(
        "forbidden",
        "invalid_data",
        "timeout",
        "storage_full",
        "rate_limited",
        "unauthenticated",
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("storage" as const), full: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ do: "elapse" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "compact" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("away" as const), id: fc.constantFrom("1", "2") }),
  },
);
const restoring = fc.oneof(
  { weight: 12, arbitrary: step },
  { weight: 1, arbitrary: fc.constantFrom({ do: "backup" as const }, { do: "restore" as const }) },
);
type Step = typeof restoring extends fc.Arbitrary<infer S> ? S : never;

/** What a write does to a record; the model's own idea of it. */
function after(data: Data | undefined, part: TransactionWrite): Data | undefined {
  if (!part.fields) return part.action === "delete" ? undefined : (part.data as Data);
  const next = new Map(Object.entries(data ?? {}));
  for (const { field, value, action } of part.fields) {
    if (action === "delete") next.delete(field);
    else if (action === "increment") next.set(field, Number(next.get(field) ?? 0) + Number(value));
    else next.set(field, value);
  }
  return Object.fromEntries(next);
}

/** What a write does, record by record; the model's own idea of it. */
function parts({ message }: Write): readonly TransactionWrite[] {
  return message.type === "transaction" ? message.writes : [message];
}

/** In the order in which writes are shown. */
function inOrder(writes: Iterable<Write>): Write[] {
  const rank = ({ settled, seq = Infinity }: Write) => (settled ? seq - 1e6 : seq);
  return [...writes].sort((one, other) => rank(one) - rank(other) || 0);
}

/** A record without fields is none, read by field. */
function known(data: Data | undefined, granularity: Granularity): Data | undefined {
  return granularity === "fields" && data && !Object.keys(data).length ? undefined : data;
}

class World {
  readonly server = new ModelServer();
  readonly store = new TestStore("c");
  readonly granularity: Granularity;
  driver!: Driver;
  #tasks!: Collection<Data>;
  #connected = false;
  #count = 0;
  #restored = false;
  #backup = this.server.state;
  /** Every write that was kept, in order. */
  readonly #writes: Write[] = [];
  readonly #acknowledged = new Set<string>();
  /** Refused for good at some time. */
  readonly #refused = new Set<string>();
  #toServer: Message[] = [];
  #toClient: ServerMessage[] = [];

  constructor(granularity: Granularity) {
    this.granularity = granularity;
  }

  async start(): Promise<void> {
    this.driver = await Driver.create(this.store);
    this.driver.tab.on("error", () => {});
    this.#open();
    await this.driver.settle();
  }

  #open(): void {
    this.#tasks = new Collection(this.driver.tab, "tasks", { granularity: this.granularity });
  }

  async run(each: Step): Promise<void> {
    this.#count += 1;
    const n = this.#count;
    switch (each.do) {
      case "set":
        await this.#write(this.#tasks.set(each.id, { a: n, b: n }));
        break;
      case "patch":
        await this.#write(
          this.#tasks.patch(each.id, each.gone ? { c: n } : { [each.name]: n }, {
            delete: each.gone ? [each.name] : [],
          }),
        );
        break;
      case "count":
        await this.#write(this.#tasks.patch(each.id, { n: inc(1) }));
        break;
      case "remove":
        await this.#write(this.#tasks.delete(each.id));
        break;
      case "together":
        await this.#write(
          this.driver.tab.write(
            collected((writes) => {
              writes.set("tasks", each.id, { a: n });
              writes.patch(this.#tasks, each.other, { [each.name]: n, n: inc(1) });
              if (n % 2) writes.delete("tasks", each.id);
            }),
          ),
        );
        break;
      case "othersTogether":
        this.#toClient.push(
          ...this.server.together(Object.fromEntries(PAIR.map((name) => [name, { v: n }]))),
        );
        break;
      case "other":
        this.#toClient.push(
          ...this.server.write(each.id, {
            ...this.server.records[each.id],
            [each.name]: -n,
            n: Number(this.server.records[each.id]?.n ?? 0) + 1_000,
            z: -n,
          }),
        );
        break;
      case "otherRemoves":
        this.#toClient.push(...this.server.write(each.id, undefined));
        break;
      case "hear":
        this.#hear(each.some);
        break;
      case "tell":
        this.#tell(each.some);
        break;
      case "cut":
        this.#cut();
        break;
      case "connect":
        this.#connect();
        break;
      case "restart":
        this.#cut();
        await this.driver.settle();
        await this.start();
        break;
      case "reopen":
        this.#tasks.close();
        this.#open();
        break;
      case "refuse":
        this.server.refuse = each.code;
        break;
      case "storage":
        this.store.full = each.full;
        break;
      case "elapse":
        if (this.#connected) this.driver.elapse(4_000);
        break;
      case "compact":
        this.server.compact();
        break;
      case "away":
        // Too long: what was deleted meanwhile cannot be told any more.
        this.#cut();
        this.server.write(each.id, undefined);
        this.server.write("3", { a: -n });
        this.server.compact();
        this.#connect();
        break;
      case "backup":
        this.#backup = this.server.state;
        break;
      case "restore":
        this.#cut();
        this.#restored = true;
        this.server.restore(this.#backup);
    }
    await this.#look();
  }

  /** Lets everything arrive, both ways, until nothing moves. */
  async rest(): Promise<void> {
    this.store.full = false;
    for (let round = 0; round < 60; round += 1) {
      this.#connect();
      this.#hear(Infinity);
      this.#tell(Infinity);
      this.driver.elapse(1_000);
      await this.#look();
    }
  }

  check(): void {
    const { tab } = this.driver;
    expect(tab.queue, "all writes have their answer").toEqual([]);
    // A write that changed no field is not told to those who read fields: it stays until the next
    // change, and shows nothing but, maybe, a record without fields, which for them is none.
    const { silent } = this.server;
    const stays = ({ settled }: Write) =>
      this.granularity === "fields" && silent.has(`${settled!.epoch} ${settled!.version}`);
    const left = [...this.driver.state.writes.values()];
    expect(
      left.filter((each) => !stays(each)),
      "nothing stays in the queue",
    ).toEqual([]);
    const shown = tab.rows("tasks").map(({ id, data }): [string, Data] => [id, data as Data]);
    const there = Object.entries(this.server.records).filter(([, data]) =>
      known(data, this.granularity),
    );
    const expected = Object.fromEntries(there);
    for (const { entityId } of left) {
      if (shown.some(([key]) => key === entityId)) expected[entityId] ??= {};
    }
    expect(Object.fromEntries(shown), "what is shown is what is there").toEqual(expected);
    const { effects } = this.server.state;
    const order = this.#writes.map((write) => write.id);
    expect(effects, "each once, in order").toEqual(order.filter((each) => effects.includes(each)));
    const missing = order.filter((each) => !effects.includes(each) && !this.#refused.has(each));
    // Only a restore takes away what was acknowledged; it cannot be told from here.
    if (!this.#restored) expect(missing, "lost").toEqual([]);
    else
      expect(
        missing.filter((each) => !this.#acknowledged.has(each)),
        "lost",
      ).toEqual([]);
    const kept = tab.rejected.map((each) => each.id);
    if (!this.#restored)
      expect(
        effects.filter((each) => kept.includes(each)),
        "refused, and yet",
      ).toEqual([]);
  }

  async #write(done: Promise<unknown>): Promise<void> {
    const before = this.driver.tab.queue.at(-1);
    let refused = false;
    done.then(
      () => {},
      ({ code }) => (refused = code === "storage_full"),
    );
    await this.driver.settle();
    if (this.store.full) expect(refused, "a full disk is told").toBe(true);
    else if (before) this.#writes.push(before as Write);
  }

  /** Checks what has to be so at any time. */
  async #look(): Promise<void> {
    await this.driver.settle();
    this.#toServer.push(...this.driver.sent.splice(0));
    for (const event of this.driver.told.splice(0)) {
      if (event.type === "outcome" && event.answer) this.#acknowledged.add(event.id);
      else if (event.type === "disconnect") this.#cut();
      else if (event.type === "token")
        void this.driver.tab.ask({ type: "authenticate", token: "t" });
    }
    await this.driver.settle();
    this.#toServer.push(...this.driver.sent.splice(0));
    if (!this.#connected) this.#toServer = [];
    const { tab } = this.driver;
    for (const { id: refused } of tab.rejected) this.#refused.add(refused);
    const { state } = this.driver;
    const shown = new Map(tab.rows("tasks").map((row) => [row.id, row.data as Data]));
    const folded = new Map<string, Data | undefined>();
    for (const [key, held] of state.entities.get("tasks")?.records ?? [])
      folded.set(key, held.data as Data);
    for (const part of inOrder(state.writes.values()).flatMap(parts)) {
      folded.set(part.entity_id, after(folded.get(part.entity_id), part));
    }
    for (const [key, data] of folded)
      expect(shown.get(key), `what waits, over what is known: ${key}`).toEqual(data);
    // While all comes anew it shows as it comes.
    if (state.entities.get("tasks")?.places.get("tasks")?.shown) {
      const [one, other] = PAIR.map((name) => shown.get(name)?.v);
      expect(one, "nothing is shown in halves").toEqual(other);
    }
    if (this.#restored) return;
    const rejected = new Set(tab.rejected.map((each) => each.id));
    const stands = this.#writes.filter((write) => !rejected.has(write.id)).flatMap(parts);
    const mine = stands.filter((part) => part.entity_id === MINE);
    const expected = mine.reduce<Data | undefined>((data, part) => after(data, part), undefined);
    expect(known(shown.get(MINE), this.granularity), "own writes never flicker").toEqual(
      known(expected, this.granularity),
    );
  }

  #connect(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.driver.connect();
    this.driver.says(...this.driver.sent.splice(0).flatMap((each) => this.server.answer(each)));
  }

  #cut(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#toServer = [];
    this.#toClient = [];
    this.server.disconnected();
    this.driver.lose(1006);
  }

  #hear(count: number): void {
    for (const message of this.#toServer.splice(0, count))
      this.#toClient.push(...this.server.answer(message));
  }

  #tell(count: number): void {
    this.driver.says(...this.#toClient.splice(0, count));
  }
}

async function lives(granularity: Granularity, steps: readonly Step[]): Promise<void> {
  const world = new World(granularity);
  await world.start();
  for (const each of ["connect", "hear", "tell"] as const)
    await world.run({ do: each, some: Infinity });
  for (const each of steps) await world.run(each);
  await world.rest();
  world.check();
}

describe.each(["records", "fields"] as const)("read by %s", (granularity) => {
  it("whatever is cut, refused, full or collected: nothing is lost, doubled, out of order or flickers", async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), (steps) =>
      lives(granularity, steps),
    );
    await fc.assert(property, { numRuns: Number(process.env.RUNS ?? 100) });
  }, 60_000);

  it("a store that is restored to what it was is followed, and gets what has no answer", async () => {
    const property = fc.asyncProperty(
      fc.array(restoring, { minLength: 10, maxLength: 40 }),
      (steps) => lives(granularity, steps),
    );
    await fc.assert(property, { numRuns: Number(process.env.RUNS ?? 100) });
  }, 60_000);
});

it("the model refuses for good only what it says", () => expect(FINAL).toContain("forbidden"));
