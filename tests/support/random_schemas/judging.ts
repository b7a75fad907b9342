/**
 * Answers for a batch of schemas: bundled with the tables of each, it runs in Node and in browsers.
 * `TABLES` has the modules of the schemas by name; the bundler brings it.
 */
import { judge } from "@rhtmx/client/schema";
import { beginReading, checkJson, endReading, isInexact, parseJson } from "@rhtmx/value";
import { TABLES } from "tables";

type Case = [schema: string, table: string, text: string];

/** A JSON text as the client reads it: integers to the digit. */
function read(text: string): object {
  beginReading();
  checkJson(2 ** 53, "data"); // as if a number had been rounded
  isInexact();
  try {
    return parseJson(text, "data") as object;
  } finally {
    endReading();
  }
}

function answer([schema, table, text]: Case, now: bigint): unknown {
  try {
    const found = judge(TABLES[schema][table], read(text), { now });
    return found.map(({ field, code, message }) => [field, code, message]);
  } catch (error) {
    return `! ${(error as Error).stack}`;
  }
}

/** What is wrong in each case. */
const judged = (cases: Case[], now: string): unknown[] =>
  cases.map((each) => answer(each, BigInt(now)));

/** Milliseconds of this program where it can be told, since cores are shared; else of the clock. */
const clock = (): number => {
  const { process } = globalThis as { process?: { cpuUsage(): { user: number } } };
  return process ? process.cpuUsage().user / 1000 : performance.now();
};

/** Milliseconds that the fastest of eight judgements of each case took. */
const timed = (cases: Case[], now: string): number[] =>
  cases.map(([schema, table, text]) => {
    const value = read(text);
    const took = Array.from({ length: 8 }, () => {
      const began = clock();
      judge(TABLES[schema][table], value, { now: BigInt(now) });
      return clock() - began;
    });
    return Math.min(...took);
  });

Object.assign(globalThis, { judged, timed });
