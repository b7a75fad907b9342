/**
 * Values as one reads them.
 *
 * Knows JSON. Must not know what a value is of.
 */

import type { JsonValue } from "../src/index.ts";
import { writeJson } from "../src/wire/value.ts";

/** More characters than these of a value are not quoted in a sentence. */
const LONGEST = 200;

/** Any value as a text; nothing is an empty one. */
export function asText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : writeJson(value);
}

/** A value in a sentence: `“Tea”`, `7`, `nothing`. */
export function valueInWords(value: JsonValue | undefined): string {
  const text = asText(value);
  if (text === "") return "nothing";
  if (typeof value === "number" || typeof value === "boolean") return text;
  return quoted(text);
}

/** The words that a table has for a key, which may be anything; others, if it has none. */
export function wordsFor(
  table: Readonly<Record<string, string>>,
  key: JsonValue | undefined,
  others: string,
): string {
  const name = String(key);
  return Object.hasOwn(table, name) ? table[name]! : others;
}

/** A text in a sentence. */
export function quoted(text: string): string {
  return `“${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}”`;
}
