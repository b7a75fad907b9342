import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";
import { judgeFirst } from "../../src/schema/judge-first.ts";
import type { Message } from "../../src/schema.ts";
import { endReading, isInexact, parseJson } from "../../src/wire/value.ts";
import * as judged from "./judged.ts";

interface Case {
  readonly name: string;
  readonly message: string;
  readonly data: string;
  readonly changed?: readonly string[];
  readonly now?: number;
  readonly found: readonly [field: string, code: string, message: string][];
}

const path = new URL("../../../../tests/vectors/judged.json", import.meta.url);
const cases = JSON.parse(readFileSync(path, "utf8")) as Case[];

const tables = Object.values(judged).filter((each): each is Message => "fields" in each);
const tableOf = (name: string): Message => tables.find((each) => each.name === name)!;

/** A record as the wire gives it, where it has an integer that no number holds. */
function read(data: string): object {
  isInexact(); // from here on, texts are read to the digit
  try {
    return parseJson(data, "a case") as object;
  } finally {
    endReading();
  }
}

describe("records are judged as the vectors say", () => {
  it.each(cases)("$message: $name", ({ message, data, changed, now = 0, found }) => {
    const told = judgeFirst(tableOf(message), read(data), { changed, now: BigInt(now) });
    expect(told.map(({ field, code, message: words }) => [field, code, words])).toEqual(found);
  });

  it("there are some for every message", () => {
    expect(new Set(cases.map((each) => each.message))).toEqual(
      new Set(tables.map((each) => each.name).filter((each) => each !== "Part")),
    );
  });
});
