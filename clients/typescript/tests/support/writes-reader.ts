/**
 * The core of this client in a program of its own, moved step by step from outside: one of those
 * who write together in the model of a server that is written in Python
 * (`tests/support/writes_*.py`).
 *
 * One program is many clients, one after the other and side by side. Each line that comes in is
 * a JSON object: whom it concerns, the time, and what happens; what goes out after it is one
 * line: what is sent, told and shown. What the store has outlives a restart; neither time nor
 * chance are this program's own.
 */
import { createInterface } from "node:readline";

import { Collection } from "../../src/api/collection.ts";
import type { TransactionWrites } from "../../src/api/transaction.ts";
import { collected } from "../../src/api/transaction.ts";
import { Operation } from "../../src/core/operations.ts";
import type { FieldUpdate, JsonValue, TransactionWrite } from "../../src/messages/types.ts";
import { encode } from "../../src/wire/index.ts";
import { Driver, TestStore } from "./driver.ts";

/** Each entity, and whether it is read field by field. */
type Entities = Readonly<Record<string, boolean>>;

type Step =
  | { readonly do: "live"; readonly entities: Entities }
  | { readonly do: "start" | "store" | "connect" | "lose" | "look" }
  | { readonly do: "hear"; readonly frame: string }
  | { readonly do: "write"; readonly writes: readonly TransactionWrite[] };

interface Line {
  /** Whose life it is. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** From 0 to 1, 1 excluded: the chance of all that starts. */
  readonly chance: number;
  readonly step: Step;
}

let now = 0;
Date.now = () => now;
performance.now = () => now;

/** A value, or what to do, as an application says it. */
const said = ({ action, value }: FieldUpdate) =>
  action === "update" ? value : new Operation(action as "increment", value);

function say(writes: TransactionWrites, { entity, entity_id: id, ...write }: TransactionWrite) {
  const options = { baseVersion: write.base_version };
  if (write.action === "delete") return writes.delete(entity, id, options);
  if (!write.fields) return writes.set(entity, id, write.data ?? null, options);
  const given = write.fields.filter(({ action }) => action !== "delete");
  const gone = write.fields.filter(({ action }) => action === "delete");
  const fields = Object.fromEntries(given.map((each) => [each.field, said(each)]));
  writes.patch(entity, id, fields as Record<string, JsonValue>, {
    delete: gone.map(({ field }) => field),
  });
}

/** One life. */
class Client {
  readonly #store: TestStore;
  readonly #entities: Entities;
  #driver!: Driver;

  constructor(name: string, entities: Entities) {
    this.#store = new TestStore(name);
    this.#entities = entities;
  }

  /** The program starts, with what is in the store. */
  async #start(chance: number): Promise<void> {
    this.#driver = await Driver.create(this.#store, { random: () => chance });
    this.#driver.now = now;
    this.#driver.tab.on("error", () => {});
    for (const [entity, isByField] of Object.entries(this.#entities))
      new Collection(this.#driver.tab, entity, { granularity: isByField ? "fields" : "records" });
  }

  async take(step: Step, chance: number): Promise<string | undefined> {
    switch (step.do) {
      case "live":
      case "start":
        await this.#start(chance);
        break;
      case "store":
        await this.#driver.settle();
        break;
      case "connect":
        this.#driver.connect();
        break;
      case "lose":
        this.#driver.lose(1006);
        this.#driver.sent.length = 0;
        break;
      case "hear":
        this.#driver.hears(step.frame);
        break;
      case "write":
        return this.#write(step.writes);
    }
    return undefined;
  }

  #write(writes: readonly TransactionWrite[]): string {
    const { tab } = this.#driver;
    const draft = collected((all) => writes.forEach((each) => say(all, each)));
    tab.write(draft).catch(() => {});
    return tab.queue.at(-1)!.id;
  }

  /** What has come of it. */
  rest(): object {
    const driver = this.#driver;
    driver.now = now;
    driver.run(() => {});
    const told = driver.told.splice(0);
    const outcomes = told.flatMap((each) =>
      each.type === "outcome" ? [[each.id, each.error ? each.error.code : "done"]] : [],
    );
    return {
      outcomes,
      frames: driver.sent.splice(0).map((each) => encode(each, "json")),
      ended: told.some(({ type }) => type === "disconnect"),
      state: driver.session.state,
      queue: driver.tab.queue.map(({ id }) => id),
      settled: [...driver.state.writes.values()]
        .filter(({ settled }) => settled)
        .map(({ entity }) => entity),
      ...this.#shown(),
    };
  }

  #shown(): object {
    const { state, tab } = this.#driver;
    const names = Object.keys(this.#entities);
    const isShown = (name: string) => state.entities.get(name)?.places.get(name)?.shown;
    return {
      isLoading: !names.every(isShown),
      shown: Object.fromEntries(
        names.map((name) => [
          name,
          Object.fromEntries(tab.rows(name).map(({ id, data }) => [id, data])),
        ]),
      ),
    };
  }
}

const clients = new Map<string, Client>();

for await (const line of createInterface({ input: process.stdin })) {
  const { name, chance, step, ...given } = JSON.parse(line) as Line;
  now = given.now;
  if (step.do === "live") clients.set(name, new Client(name, step.entities));
  const client = clients.get(name)!;
  const written = await client.take(step, chance);
  console.log(JSON.stringify({ written, ...client.rest() }));
}
