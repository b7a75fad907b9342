/**
 * Answers, for each line with a table and texts, which texts match: "0" and "1"; and how long it
 * takes, in milliseconds of CPU, where the line has long texts.
 */
import { createInterface } from "node:readline";

import { matches } from "../../../clients/typescript/src/schema/pattern.ts";

declare const process: {
  stdin: never;
  cpuUsage(since?: unknown): { user: number; system: number };
};

interface Question {
  readonly table: string;
  readonly texts: readonly string[];
  readonly long: readonly string[];
}

function cost(table: string, text: string): number {
  const before = process.cpuUsage();
  matches(table, text);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line) as Question;
  const verdicts = asked.texts.map((text) => (matches(asked.table, text) ? "1" : "0")).join("");
  const costs = asked.long.map((text) => Math.min(...[1, 2, 3].map(() => cost(asked.table, text))));
  console.log(JSON.stringify({ verdicts, milliseconds: Math.max(0, ...costs) }));
}
