/**
 * Parts of an entity, read side by side, against a model of the server, in random interleavings.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Collection } from "../../src/api/collection.ts";
import type { Where } from "../../src/core/part.ts";
import { partName, within } from "../../src/core/part.ts";
import type { JsonValue, Message, ServerMessage } from "../../src/messages/types.ts";
import { Driver, TestStore } from "../support/driver.ts";
import type { Data } from "../support/model.ts";
import { PartServer } from "../support/part-server.ts";

/** How many lives, at each granularity. */
const RUNS = Number(process.env.RUNS ?? 100);

type Granularity = "records" | "fields";

/** What is read: all of it, parts, some that overlap. */
const WHERES: readonly (Where | undefined)[] = [
  undefined,
  { p: "7" },
  { p: "8" },
  { p: ["7", "9"] },
  { p: ["8", "9"], open: true },
];
const RIGHTS = [undefined, ["7", "8"], ["8"], ["7", "9"], []];

const id = fc.constantFrom("1", "2", "3");
const p = fc.constantFrom("7", "8", "9");
const which = fc.nat(WHERES.length - 1);
const open = fc.boolean();
const some = fc.oneof(fc.constant(Infinity), fc.nat(2));

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("other" as const), id, p, open }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("otherMoves" as const), id, p, open }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("otherRemoves" as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("set" as const), id, p, open }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("patch" as const), id, p, open }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), id }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("open" as const), which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("close" as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("otherTab" as const), which }) },
  { weight: 1, arbitrary: fc.constant({ do: "otherTabGone" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("watch" as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("unwatch" as const), which }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("hear" as const), some }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("page" as const), which }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("tell" as const), some }) },
  { weight: 4, arbitrary: fc.constant({ do: "arrive" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "cut" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "connect" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "restart" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "compact" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "heartbeat" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "slow" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("rescope" as const),
      right: fc.constantFrom(...RIGHTS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ do: "backup" as const }, { do: "restore" as const }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** The values that say in which parts a record is; some have but one of them. */
const placed = ({ p, open }: { p: string; open: boolean }): Data => ({ p, ...(open && { open }) });

class World {
  readonly server: PartServer;
  readonly store = new TestStore("c");
  readonly granularity: Granularity;
  driver!: Driver;
  readonly #collections = new Map<number, Collection<Data>>();
  #connected = false;
  #count = 0;
  #backup;
  #toServer: Message[] = [];
  #toClient: ServerMessage[] = [];

  constructor(granularity: Granularity) {
    this.granularity = granularity;
    this.server = new PartServer(granularity);
    this.#backup = this.server.state;
  }

  async start(): Promise<void> {
    this.driver = await Driver.create(this.store);
    this.driver.tab.on("error", () => {});
    const open = [...this.#collections.keys()];
    this.#collections.clear();
    for (const each of open) this.#open(each);
    await this.driver.settle();
  }

  #open(which: number): void {
    const options = { granularity: this.granularity, where: WHERES[which] };
    const collection = new Collection<Data>(this.driver.tab, "tasks", options);
    this.#collections.set(which, collection);
  }

  get #any(): Collection<Data> | undefined {
    return [...this.#collections.values()][0];
  }

  async run(each: Step): Promise<void> {
    this.#count += 1;
    const n = this.#count;
    const ignored = () => {};
    switch (each.do) {
      case "other":
        this.#toClient.push(...this.server.write(each.id, { ...placed(each), [`f${n % 3}`]: -n }));
        break;
      // What it had besides stays: field by field that is not told to whom has it.
      case "otherMoves": {
        const { open, ...kept } = this.server.records[each.id] ?? {};
        this.#toClient.push(...this.server.write(each.id, { ...kept, ...placed(each) }));
        break;
      }
      case "otherRemoves":
        this.#toClient.push(...this.server.write(each.id, undefined));
        break;
      case "set":
        this.#any?.set(each.id, { ...placed(each), a: n }).catch(ignored);
        break;
      case "patch":
        this.#any?.patch(each.id, { ...placed(each), b: n }).catch(ignored);
        break;
      case "remove":
        this.#any?.delete(each.id).catch(ignored);
        break;
      case "open":
        if (!this.#collections.has(each.which)) this.#open(each.which);
        break;
      case "close":
        this.#collections.get(each.which)?.close();
        this.#collections.delete(each.which);
        break;
      case "otherTab": {
        const entity = partName("tasks", WHERES[each.which]);
        const fields = this.granularity === "fields";
        this.driver.tab.send({ type: "open", entity, fields, tab: "t2" });
        break;
      }
      case "watch":
      case "unwatch": {
        if (this.granularity === "fields") break;
        const entity = partName("tasks", WHERES[each.which]);
        this.driver.tab.send({ type: each.do, entity, tab: "t3" });
        break;
      }
      case "otherTabGone":
        this.driver.tab.send({ type: "gone", tab: "t2" });
        break;
      case "hear":
        this.#hear(each.some);
        break;
      case "page":
        this.#toClient.push(...this.server.page(each.which));
        break;
      case "tell":
        this.#tell(each.some);
        break;
      case "arrive":
        await this.#arrive();
        await this.#arrive();
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
      case "compact":
        this.server.compact();
        break;
      case "heartbeat":
        this.#toClient.push(...this.server.heartbeat());
        break;
      case "slow":
        this.server.slow();
        break;
      case "rescope":
        this.server.rescope(each.right);
        break;
      case "backup":
        this.#backup = this.server.state;
        break;
      case "restore":
        this.#cut();
        this.server.restore(this.#backup);
    }
    await this.#look();
  }

  /** Lets everything arrive, both ways, until nothing moves. */
  async rest(): Promise<void> {
    for (let round = 0; round < 40; round += 1) {
      this.#connect();
      if (round > 30) this.#toClient.push(...this.server.heartbeat());
      this.driver.elapse(1_000);
      await this.#arrive();
    }
  }

  /** Lets all that is under way arrive, both ways. */
  async #arrive(): Promise<void> {
    this.#hear(Infinity);
    for (let page = 0; page < 12; page += 1) this.#toClient.push(...this.server.page(page));
    this.#tell(Infinity);
    await this.#look();
  }

  check(): void {
    const { state, tab } = this.driver;
    for (const which of this.#collections.keys()) {
      const where = WHERES[which];
      const shown = tab.rows(partName("tasks", where)).map(({ id, data }) => [id, data]);
      const there = this.server.part(where);
      expect(Object.fromEntries(shown), `of ${JSON.stringify(where)}`).toEqual(there);
      const held = [...(state.entities.get("tasks")?.records ?? [])]
        .filter(([, { data }]) => within(partName("tasks", where))(data))
        .map(([id, { data }]) => [id, data]);
      expect(Object.fromEntries(held), `is held of ${JSON.stringify(where)}`).toEqual(there);
    }
    expect(tab.queue, "all writes have their answer").toEqual([]);
    if (!this.#collections.size) return;
    expect([...state.writes.values()], "nothing stays in the queue").toEqual([]);
  }

  async #look(): Promise<void> {
    await this.driver.settle();
    this.#toServer.push(...this.driver.sent.splice(0));
    this.driver.told.splice(0);
    if (!this.#connected) this.#toServer = [];
    // What is shown of a part is in it, at any time.
    for (const which of this.#collections.keys()) {
      const name = partName("tasks", WHERES[which]);
      const rows = this.driver.tab.rows(name);
      expect(rows.every(({ data }) => within(name)(data as JsonValue))).toBe(true);
    }
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

describe.each(["records", "fields"] as const)("read by %s", (granularity) => {
  it(
    "whatever moves, is cut, reset or may not be seen any more: each part is what is there",
    async () => {
      const property = fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 100 }),
        async (steps) => {
          const world = new World(granularity);
          await world.start();
          await world.run({ do: "open", which: 1 });
          await world.run({ do: "connect" });
          for (const each of steps) await world.run(each);
          await world.rest();
          world.check();
        },
      );
      await fc.assert(property, { numRuns: RUNS });
    },
    Math.max(60_000, RUNS * 1_000),
  );
});
