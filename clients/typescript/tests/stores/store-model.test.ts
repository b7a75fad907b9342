/**
 * Whole clients in several tabs, on one database of a browser that fails in all ways that browsers do.
 */
import "fake-indexeddb/auto";
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";

import type { State, Write } from "../../src/core/storage-ops.ts";
import type { Push } from "../../src/messages/types.ts";
import { IndexedStore } from "../../src/stores/indexeddb.ts";
import type { Page } from "../support/browser.ts";
import { picker } from "../support/browser.ts";
import { contentsOf } from "../support/contents.ts";
import { Databases } from "../support/databases.ts";
import { FakeStorage } from "../support/storage.ts";
import type { TabClient } from "../support/window.ts";
import { Clients } from "../support/window.ts";

/** How many lives. */
const RUNS = Number(process.env.RUNS ?? 25);
/** What runs by itself is the same each time: of about 20,000 other lives one still ends badly. */
const SEED = process.env.RUNS ? {} : { seed: 1 };
/** One life again, as the words of its failure have it: `LIFE='[[{"do":"open"}],7]'`. */
const LIFE = process.env.LIFE;

/** Long enough for everything to be found out, and for the longest wait before an attempt. */
const LONG = 90_000;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const who = fc.nat(7);
const how = fc.nat(4_000);
const after = fc.nat(12);
const name = fc.constantFrom("UnknownError", "AbortError", "QuotaExceededError");
const fault = fc.constantFrom("request" as const, "commit" as const);
const life = fc.constantFrom(
  ...(["freeze", "resume", "hide", "show", "hang", "goOn", "shut", "crash"] as const),
);

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("write" as const), who, how }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("writeMany" as const), who }) },
  { weight: 2, arbitrary: fc.constant({ do: "open" as const }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const), how }) },
  { weight: 4, arbitrary: fc.constant({ do: "settle" as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("some" as const), after }) },
  { weight: 6, arbitrary: fc.record({ do: life, who }) },
  { weight: 1, arbitrary: fc.constant({ do: "cut" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("close" as const), who }) },
  { weight: 3, arbitrary: fc.record({ do: fault, name, after }) },
  { weight: 1, arbitrary: fc.constant({ do: "begin" as const }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: "failOpen" as const }, { do: "hold" as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("take" as const), who }) },
  { weight: 1, arbitrary: fc.constant({ do: "takeAll" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wipe" as const), how }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: "delete" as const }, { do: "forget" as const }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: "fill" as const }, { do: "room" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "mend" as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

type Life = typeof life extends fc.Arbitrary<infer L> ? L : never;

interface Told {
  readonly id: string;
  readonly data: string;
  readonly client: string;
  readonly seq: number;
  /** The database, of those that were there one after the other, for which it was asked. */
  readonly database: number;
}

/** The store of a tab; what it tells is noted. */
class Disk extends IndexedStore {
  /** Calls that have no answer. */
  readonly pending = new Map<string, string>();
  readonly #state: State;
  readonly #world: World;
  readonly #page: Page;
  #count = 0;

  constructor(world: World, page: Page, state: State, makeId: () => string) {
    super("db", makeId, undefined, undefined, state);
    this.#world = world;
    this.#page = page;
    this.#state = state;
  }

  override add(write: Write, instead?: string): Promise<number> {
    const { id, message } = write;
    const data = (message as Push).data as string;
    const { database } = this.#world;
    return this.#follow(data, super.add(write, instead)).then((seq) => {
      const client = this.#state.meta.client_id;
      if (seq) this.#world.told(this.#page, { id, data, seq, client, database });
      return seq;
    });
  }

  override apply(...how: Parameters<IndexedStore["apply"]>): Promise<boolean> {
    return this.#follow("apply", super.apply(...how));
  }

  override load(...how: Parameters<IndexedStore["load"]>): Promise<State> {
    return this.#follow("load", super.load(...how));
  }

  override probe(): Promise<string> {
    return this.#follow("probe", super.probe());
  }

  #follow<T>(what: string, promise: Promise<T>): Promise<T> {
    const name = `call ${++this.#count}`;
    this.pending.set(name, what);
    return promise.finally(() => this.pending.delete(name));
  }
}

class World extends Clients<Disk> {
  readonly databases = new Databases(this.browser);
  /** How many databases were there before. */
  database = 0;
  /** What may not be lost, by its data: who wrote it, and where it is. */
  readonly #kept = new Map<string, { page: Page; where: "disk" | "journal" | "memory" }>();
  /** What may take effect twice: all that could say that it has is gone, and its author was away. */
  readonly #unsaid = new Set<string>();
  /** Whose number each is. */
  readonly #numbers = new Map<string, string>();
  readonly #faults: string[] = [];
  /** Tabs whose database was deleted: they make none again. */
  readonly #left = new Set<Page>();
  #storage = new FakeStorage();

  constructor(pick: (count: number) => number) {
    super(pick);
    vi.stubGlobal("addEventListener", (...how: Parameters<Page["addEventListener"]>) =>
      this.browser.current!.addEventListener(...how),
    );
    vi.stubGlobal("localStorage", this.#storage);
  }

  protected override diskOf(page: Page, state: State, makeId: () => string): Disk {
    return new Disk(this, page, state, makeId);
  }

  /** A tab is told the number of a write. */
  told(page: Page, { id, data, client, seq, database }: Told): void {
    const isThere = database === this.database;
    const isOver = page.gone || this.clients.some((each) => each.page === page && each.isClosed);
    if (isThere || !isOver) this.#kept.set(data, { page, where: isThere ? "disk" : "memory" });
    // It was stored in the last moment of a database that nobody can look into any more.
    else this.#kept.delete(data);
    const number = `${client} ${seq}`;
    const other = this.#numbers.get(number) ?? id;
    if (other !== id) this.#faults.push(`${number} is that of ${other} and ${id}`);
    this.#numbers.set(number, id);
  }

  async run(each: Step): Promise<void> {
    const { browser, clients, databases } = this;
    const client = clients[("who" in each ? each.who : 0) % clients.length]!;
    const { page } = client;
    switch (each.do) {
      case "open":
        return this.open();
      case "wait":
        return browser.wait(each.how);
      case "settle":
        return browser.settle();
      case "some":
        return browser.some(each.after);
      case "cut":
        return this.cut();
      case "close":
        if (client.isClosed || !page.running) return;
        await browser.in(page, () => client.close());
        return this.#ended(client);
      case "write":
        if (page.running && !client.isClosed)
          await this.write(client, each.how % 3 ? "x" : undefined);
        return;
      case "writeMany":
        for (let n = 0; n < 3 && page.running && !client.isClosed; n += 1) await this.write(client);
        return;
      case "request":
      case "commit":
        return databases.fail(each.do, each.name, each.after);
      case "begin":
        return databases.fail("begin", "InvalidStateError");
      case "failOpen":
        return databases.fail("open", "UnknownError");
      case "hold":
        return databases.fail("hold", "");
      case "take":
        return databases.take(page);
      case "takeAll":
        return databases.take();
      case "wipe":
        await databases.wipe();
        if (each.how % 2) this.#forget();
        return this.#gone();
      case "forget":
        return this.#forget();
      case "delete":
        if (clients.some(({ page }) => !page.gone && !page.running)) return;
        for (const each of await databases.delete()) this.#left.add(each);
        return this.#gone();
      case "fill":
        databases.full = true;
        return;
      case "room":
        databases.full = false;
        return;
      case "mend":
        return databases.mend();
      default:
        return this.#live(client, each.do);
    }
  }

  async #live(client: TabClient<Disk>, what: Life): Promise<void> {
    const { page, sockets } = client;
    if (page.gone || page.running === ["goOn", "resume", "show"].includes(what)) return;
    await this.browser.in(page, () => page[what]());
    if (!page.gone) return;
    if (what === "shut") this.#ended(client);
    else this.#forgotten(page);
    sockets.forEach((socket) => socket.cut());
    this.databases.ended(page);
  }

  /** A client ends: what its store has taken is found by the next one, be it in `localStorage`. */
  #ended({ page, store, disk, outcomes }: TabClient<Disk>): void {
    for (const data of store.stored ? disk.pending.values() : [])
      if (outcomes.has(data) && !this.#kept.has(data))
        this.#kept.set(data, { page, where: "journal" });
    this.#forgotten(page);
  }

  /** What only a tab knew is gone with it. */
  #forgotten(page: Page): void {
    for (const [data, kept] of this.#kept)
      if (kept.page === page && kept.where === "memory") this.#kept.delete(data);
  }

  /** All of `localStorage` is cleared. */
  #forget(): void {
    for (const key of Object.keys(this.#storage)) delete this.#storage[key];
    for (const [data, { where }] of this.#kept) if (where === "journal") this.#kept.delete(data);
  }

  /** The database is gone: what was in it is known to those who wrote it, as long as they live. */
  #gone(): void {
    this.database += 1;
    for (const { page, outcomes } of this.clients)
      for (const [data, outcome] of page.running ? [] : outcomes)
        if (outcome === "waiting" && this.service.effects.includes(data)) this.#unsaid.add(data);
    for (const [, kept] of this.#kept) kept.where = "memory";
    for (const { page, isClosed } of this.clients) if (page.gone || isClosed) this.#forgotten(page);
  }

  /** Everybody wakes, nothing fails any more, and everything gets its time. */
  async calm(): Promise<void> {
    const { browser, clients, databases } = this;
    databases.mend();
    for (const { page } of clients) {
      if (!page.gone && !page.running) await browser.in(page, () => page.show());
    }
    await this.open();
    await browser.settle();
    // One that crashed may have told nobody of its last write: the next one shows that it is there.
    await this.write(clients.at(-1)!);
    await browser.wait(LONG);
    // What is in the store is the same too.
    await this.open();
    await browser.settle();
  }

  async check(): Promise<void> {
    const { service, clients } = this;
    const denied = service.refusals.filter((code) => code !== "out_of_order");
    expect([...this.#faults, ...denied], "each number is one write's").toEqual([]);
    const { effects } = service;
    const again = effects.filter((data, at) => effects.indexOf(data) < at);
    expect(
      again.filter((data) => !this.#unsaid.has(data)),
      "nothing twice",
    ).toEqual([]);
    const lost = [...this.#kept.keys()].filter((data) => !service.effects.includes(data));
    expect(lost, "nothing that was stored is lost").toEqual([]);
    const alive = clients.filter(({ page, isClosed }) => !page.gone && !isClosed);
    const refused = clients.flatMap((each) => each.refused);
    const done = refused.filter((data) => service.effects.includes(data));
    expect(done, "nothing that was refused takes effect").toEqual([]);
    for (const { tab, store, outcomes, disk, page } of alive) {
      expect([...disk.pending.values()], "no call waits for ever").toEqual([]);
      expect(tab.queue, "nothing waits").toEqual([]);
      expect(
        [...outcomes.values()].filter((each) => each !== "durable"),
        "all are told",
      ).toEqual([]);
      const untrue = [...outcomes.keys()].filter((id) => !service.effects.includes(id));
      expect(untrue, "what they are told is so").toEqual([]);
      expect(store.stored, "all are stored").toBe(!this.#left.has(page));
      const shown = tab.rows("tasks").map(({ id, data, pending }) => [id, data, pending]);
      expect(shown, "all show the same").toEqual(service.shown.map((row) => [...row, false]));
    }
    const left = Object.keys(this.#storage).filter((key) => key !== "rhtmx db ");
    expect(left, "nothing is left for other pages").toEqual([]);
    const contents = await this.contents();
    expect(contents.writes, "nothing waits on the disk").toEqual([]);
    const { client_id, last } = contents.meta;
    expect(last, "no number is left out").toBe(service.lastOf(client_id));
    const records = contents.records.map(([, id, held]) => [id, (held as { data: unknown }).data]);
    expect(records.sort(), "the disk has what all show").toEqual(service.shown);
  }

  /** What the next page finds. */
  async contents(): Promise<Awaited<ReturnType<typeof contentsOf>>> {
    const page = this.browser.open();
    let found: Awaited<ReturnType<typeof contentsOf>>;
    await this.browser.in(page, () => {
      const store = new IndexedStore("db", () => "nobody");
      void contentsOf(store).then((contents) => (found = contents));
    });
    await this.browser.settle();
    return found!;
  }
}

it(
  "whatever becomes of the database and its pages: each write has one number, and none is lost or waits",
  async () => {
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.nat(),
      async (steps, seed) => {
        const world = new World(picker(seed));
        await world.open();
        await world.open();
        for (const each of steps) await world.run(each);
        await world.calm();
        await world.check();
      },
    );
    const again = LIFE && { numRuns: 1, examples: [JSON.parse(LIFE) as [Step[], number]] };
    await fc.assert(property, again || { numRuns: RUNS, ...SEED });
  },
  Math.max(60_000, RUNS * 1_000),
);
