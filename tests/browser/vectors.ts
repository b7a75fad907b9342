/** Answers for the vectors of the judge: bundled, it runs in browsers. See `test_judges.py`. */

import * as formats from "../../clients/typescript/src/schema/formats.ts";
import { judgeFirst } from "../../clients/typescript/src/schema/judge-first.ts";
import type { Message } from "../../clients/typescript/src/schema.ts";
import { endReading, isInexact, parseJson } from "../../clients/typescript/src/wire/value.ts";
import * as judged from "../../clients/typescript/tests/schema/judged.ts";

interface Judged {
  readonly message: string;
  readonly data: string;
  readonly changed?: readonly string[];
  readonly now?: number;
}

interface Format {
  readonly function: string;
  readonly arguments: readonly unknown[];
  readonly text: string;
}

const tables = Object.values(judged) as unknown as Message[];
const functions = formats as Record<string, unknown>;

/** A record as the wire gives it, where it has an integer that no number holds. */
function read(data: string): object {
  isInexact(); // from here on, texts are read to the digit
  try {
    return parseJson(data, "a case") as object;
  } finally {
    endReading();
  }
}

/** What is wrong in each record. */
const records = (cases: Judged[]): unknown[] =>
  cases.map(({ message, data, changed, now = 0 }) => {
    const table = tables.find((each) => each.name === message)!;
    const found = judgeFirst(table, read(data), { changed, now: BigInt(now) });
    return found.map(({ field, code, message: words }) => [field, code, words]);
  });

/** Whether each text has its form. */
const texts = (cases: Format[]): boolean[] =>
  cases.map(({ function: name, arguments: given, text }) => {
    const camel = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
    return (functions[camel] as (...given: unknown[]) => boolean)(text, ...given);
  });

Object.assign(globalThis, { records, texts });
