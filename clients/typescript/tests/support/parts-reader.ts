/**
 * The core of this client in a program of its own, moved step by step from outside: a reader of
 * parts of `tasks` in the model of a server that is written in Python (`tests/support/parts_*.py`).
 *
 * One program is many readers, one after the other and side by side. Each line that comes in is
 * a JSON object: whom it concerns, the time, and what happens; what goes out after it is one
 * line: what is sent, and shown. What the store has outlives a restart; neither time nor chance
 * are this program's own.
 */
import { createInterface } from "node:readline";

import { Collection } from "../../src/api/collection.ts";
import type { Where } from "../../src/core/part.ts";
import { partName, within } from "../../src/core/part.ts";
import { encode } from "../../src/wire/index.ts";
import { Driver, TestStore } from "./driver.ts";
import type { Data } from "./model.ts";

type Write = { readonly id: string; readonly knows: boolean } & (
  | { readonly do: "set" | "patch"; readonly data: Data }
  | { readonly do: "delete" }
);

type Step =
  | { readonly do: "live"; readonly fields: boolean }
  | { readonly do: "start" | "store" | "connect" | "lose" | "show" }
  | { readonly do: "open" | "shut"; readonly where: Where | null }
  | { readonly do: "hear"; readonly frame: string }
  | Write;

interface Line {
  /** Whose life it is. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** From 0 to 1, 1 excluded: the chance of all that starts. */
  readonly chance: number;
  readonly steps: readonly Step[];
}

let now = 0;
Date.now = () => now;
performance.now = () => now;

/** One life. */
class Reader {
  readonly #store: TestStore;
  readonly #granularity: "records" | "fields";
  readonly #collections = new Map<string, Collection<Data>>();
  #driver!: Driver;
  #shown: object | undefined;

  constructor(name: string, fields: boolean) {
    this.#store = new TestStore(name);
    this.#granularity = fields ? "fields" : "records";
  }

  /** The program starts, with what is in the store. */
  async start(chance: number): Promise<void> {
    this.#collections.clear();
    this.#driver = await Driver.create(this.#store, { random: () => chance });
    this.#driver.now = now;
    this.#driver.tab.on("error", () => {});
  }

  async take(step: Step, chance: number): Promise<void> {
    switch (step.do) {
      case "live":
      case "start":
        return this.start(chance);
      case "store":
        return this.#driver.settle();
      case "connect":
        return this.#driver.connect();
      case "lose":
        this.#driver.lose(1006);
        return void this.#driver.sent.splice(0);
      case "hear":
        return this.#driver.hears(step.frame);
      case "open":
        return this.#open(step.where ?? undefined);
      case "shut": {
        const name = partName("tasks", step.where);
        this.#collections.get(name)!.close();
        return void this.#collections.delete(name);
      }
      case "show":
        return void (this.#shown = this.#show());
      default:
        return this.#write(step);
    }
  }

  /** What came of the steps, once all of that is stored. */
  async rest(): Promise<object> {
    const driver = this.#driver;
    driver.now = now;
    await driver.settle();
    const told = driver.told.splice(0);
    const ended = told.some(({ type }) => type === "disconnect");
    const problems = told.filter(({ type }) => type === "problem" || type === "rejected");
    const frames = driver.sent.splice(0).map((each) => encode(each, "json"));
    return { frames, ended, problems, state: driver.session.state, ...this.#shown };
  }

  #open(where: Where | undefined): void {
    const options = { granularity: this.#granularity, where };
    const collection = new Collection<Data>(this.#driver.tab, "tasks", options);
    this.#collections.set(partName("tasks", where), collection);
  }

  #write(made: Write): void {
    const [collection] = this.#collections.values();
    const { id } = made;
    const held = this.#driver.state.entities.get("tasks")?.records.get(id);
    const options = made.knows ? { baseVersion: held?.version } : {};
    const answer =
      made.do === "delete"
        ? collection!.delete(id, options)
        : collection![made.do](id, made.data, options);
    answer.catch(() => {});
  }

  /** What is shown of each part that is read, what is held of it, and what waits for an answer. */
  #show(): object {
    const { state, tab } = this.#driver;
    const records = [...(state.entities.get("tasks")?.records ?? [])];
    const parts = [...this.#collections.keys()].map((name) => {
      const held = records.filter(([, { data }]) => within(name)(data));
      return {
        held: Object.fromEntries(held.map(([id, { data }]) => [id, data])),
        shown: Object.fromEntries(tab.rows(name).map(({ id, data }) => [id, data])),
      };
    });
    return { parts, queue: tab.queue.length, writes: state.writes.size };
  }
}

const readers = new Map<string, Reader>();

for await (const line of createInterface({ input: process.stdin })) {
  const { name, chance, steps, ...given } = JSON.parse(line) as Line;
  now = given.now;
  for (const each of steps) {
    if (each.do === "live") readers.set(name, new Reader(name, each.fields));
    await readers.get(name)!.take(each, chance);
  }
  console.log(JSON.stringify(await readers.get(name)!.rest()));
}
