/**
 * Walks a machine at random, and compares where it goes with the table in the head of its module.
 *
 * A table has a row for each event and a column for each state. A cell says what the state is
 * afterwards: a state, several of them, `=` for the same one, or `-` if the event cannot come then.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { expect } from "vitest";

/** What may come of an event in a state, by `event, state`. */
export type Table = Map<string, string[]>;

/** The table of a module that has these states. */
export function tableOf(module: string, ...states: string[]): Table {
  const path = join(import.meta.dirname, "../../src", module);
  const lines = readFileSync(path, "utf8").split("\n");
  const rows = lines.flatMap((line) => {
    const cells = /^ \* \|(.*)\|$/.exec(line)?.[1]?.split("|");
    return cells ? [cells.map((cell) => cell.replaceAll("`", "").trim())] : [];
  });
  const head = rows.findIndex((cells) => cells.slice(1).join() === states.join());
  expect(head, `the table of ${module}`).toBeGreaterThanOrEqual(0);
  const table: Table = new Map();
  for (const [event, ...cells] of rows.slice(head + 2)) {
    if (cells.length !== states.length) break;
    cells.forEach((cell, at) => {
      const next = cell.split(", ").map((each) => (each === "=" ? states[at]! : each));
      if (cell !== "-") table.set(`${event}, ${states[at]}`, next);
    });
  }
  return table;
}

/** A machine in some state, and what can happen to it. */
export interface Machine {
  state(): string;
  /** What has to be so at any time. */
  check?(): void;
  /** Makes an event happen; by its name in the table. */
  readonly events: Readonly<Record<string, (random: number) => void | Promise<void>>>;
}

/** Walks machines until each cell was reached, with each of its outcomes. */
export async function explore(
  table: Table,
  make: () => Machine | Promise<Machine>,
  runs = 1_000,
): Promise<void> {
  const missing = new Set([...table].flatMap(([cell, all]) => all.map((to) => `${cell}: ${to}`)));
  // As a double most of them would be tiny.
  const random = fc.nat(999).map((each) => each / 1_000);
  const step = fc.tuple(fc.nat(1_000), random);
  const walk = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
    const machine = await make();
    for (const [which, random] of steps) {
      const before = machine.state();
      const possible = Object.keys(machine.events).filter((each) =>
        table.has(`${each}, ${before}`),
      );
      if (!possible.length) return;
      const event = possible[which % possible.length]!;
      await machine.events[event]!(random);
      const cell = `${event}, ${before}`;
      expect(table.get(cell), cell).toContain(machine.state());
      machine.check?.();
      missing.delete(`${cell}: ${machine.state()}`);
    }
  });
  await fc.assert(walk, { numRuns: runs, seed: 1 });
  const events = new Set([...table.keys()].map((cell) => cell.split(", ")[0]!));
  expect(new Set(Object.keys((await make()).events)), "every row has its event").toEqual(events);
  expect([...missing], "was never reached").toEqual([]);
}
