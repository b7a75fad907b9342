/**
 * The session against a model of the server, cut at every possible place.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Harness } from "./support/harness.ts";
import { ModelServer } from "./support/model.ts";
import type { ChangeLog, FieldChangeLog, Message } from "../src/messages/types.ts";
import type { Granularity } from "../src/streams.ts";

type Step =
  | { readonly do: "write"; readonly id: string; readonly key: string }
  | { readonly do: "push" }
  | { readonly do: "cut"; readonly heard: number; readonly told: number }
  | { readonly do: "backup" | "restore" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      id: fc.constantFrom("1", "2", "3"),
      key: fc.constantFrom("a", "b", "c"),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: "push" as const }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("cut" as const), heard: fc.nat(6), told: fc.nat(8) }),
  },
  { weight: 1, arbitrary: fc.constantFrom({ do: "backup" as const }, { do: "restore" as const }) },
);

/** One client and one server, and what the client's user sees. */
class World {
  readonly server = new ModelServer();
  readonly client = new Harness();
  readonly replica = new Map<string, { [key: string]: unknown }>();
  readonly granularity: Granularity;
  #backup = this.server.state;
  #seen = 0;
  #delivered = new Set<string>();
  #count = 0;
  /** On their way to the client. */
  #wire: Message[] = [];

  constructor(granularity: Granularity) {
    this.granularity = granularity;
    this.client.session.subscribe(granularity, "users", { epoch: "", version: 0 });
    this.connect();
  }

  connect(): void {
    this.#exchange(this.client.dial(), Number.POSITIVE_INFINITY);
    this.settle();
  }

  run(each: Step): void {
    this.#count += 1;
    if (each.do === "write") {
      this.#wire.push(...this.server.write(each.id, { [each.key]: this.#count, all: this.#count }));
    } else if (each.do === "push") {
      const data = { a: this.#count, mine: this.#count };
      const common = { entity: "users", entity_id: "1", action: "update", data } as const;
      this.client.session.push({ type: "push", ...common });
    } else if (each.do === "cut") this.#cut(each.heard, each.told);
    else if (each.do === "backup") this.#backup = this.server.state;
    else {
      this.#cut(0, 0, () => this.server.restore(this.#backup));
    }
  }

  /** Lets everything arrive, both ways, until nothing moves. */
  settle(): void {
    this.client.says(...this.#wire.splice(0)).forEach((each) => this.#answer(each));
    for (let quiet = false; !quiet; ) {
      const frames = [...this.client.sent(), ...this.client.says(...this.#wire.splice(0))];
      frames.forEach((each) => this.#answer(each));
      quiet = frames.length === 0 && this.#wire.length === 0;
    }
    this.#watch();
  }

  /** The server hears some of what was sent, the client some of what was told. */
  #cut(heard: number, told: number, meanwhile = () => {}): void {
    this.#exchange(this.client.sent(), heard);
    this.client.says(...this.#wire.splice(0, told));
    this.#watch();
    this.#wire = [];
    this.server.disconnected();
    this.client.lose();
    meanwhile();
    // The next connection is cut too, in the middle of catching up.
    this.#exchange(this.client.dial(), heard);
    this.client.says(...this.#wire.splice(0, told));
    this.#watch();
    this.#wire = [];
    this.server.disconnected();
    this.client.lose();
    this.connect();
  }

  #exchange(messages: Message[], heard: number): void {
    messages.slice(0, heard).forEach((each) => this.#answer(each));
  }

  #answer(message: Message): void {
    this.#wire.push(...this.server.answer(message));
  }

  /** Applies what the session told its user, and checks it. */
  #watch(): void {
    for (const each of this.client.events.splice(0)) {
      if (each.event === "reset") {
        this.replica.clear();
        this.#delivered.clear();
        this.#seen = 0;
      } else if (each.event === "changed") this.#apply(each.log);
      else if (each.event === "refused") throw each.error;
    }
  }

  #apply(log: ChangeLog | FieldChangeLog): void {
    const key = `${log.version} ${log.entity_id} ${"field" in log ? log.field : ""}`;
    expect(log.version, "in version order").toBeGreaterThanOrEqual(this.#seen);
    expect(this.#delivered.has(key), `delivered once: ${key}`).toBe(false);
    this.#seen = log.version;
    this.#delivered.add(key);
    const row = this.replica.get(log.entity_id) ?? {};
    if ("field" in log) this.replica.set(log.entity_id, { ...row, [log.field]: log.value });
    else this.replica.set(log.entity_id, log.data as { [key: string]: unknown });
  }
}

describe.each(["records", "fields"] as const)("whatever is cut or restored, by %s", (granularity) => {
  it("the client ends with the server's state, each change in order and once", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const world = new World(granularity);
        for (const each of steps) world.run(each);
        world.settle();
        const rows = [...world.server.state.rows].map(([id, row]) => [id, row.data]);
        expect(Object.fromEntries(world.replica)).toEqual(Object.fromEntries(rows));
      }),
      { numRuns: 80 },
    );
  });
});

it("whatever is cut, each write takes effect once and in order", () => {
  const noRestore = step.filter((each) => each.do !== "restore");
  fc.assert(
    fc.property(fc.array(noRestore, { maxLength: 25 }), (steps) => {
      const world = new World("records");
      for (const each of steps) world.run(each);
      world.settle();
      const pushed = steps.flatMap((each, index) => (each.do === "push" ? [index + 1] : []));
      expect(world.server.effects).toEqual(pushed.map((n) => ({ a: n, mine: n })));
    }),
    { numRuns: 80 },
  );
});
