/**
 * The records of an entity as rows of a table, and what is entered to change one.
 *
 * Knows values and the fields of a schema. Must not know the page or the connection. It is pure.
 */

import type { JsonValue } from "../src/index.ts";
import type { FieldFacts } from "./describe.ts";
import { partOf } from "./rules.ts";
import { asText } from "./values.ts";

/** A record. */
export interface Held {
  readonly id: string;
  readonly data: unknown;
}

/** What a row shows of a record: a text for each field. */
export function cellsOf(fields: readonly FieldFacts[], data: unknown): readonly string[] {
  const values = partOf(data as JsonValue);
  return fields.map(({ key, hide }) => asText(hide(values[key])));
}

/** The records whose id or values have a text in them. What is secret is not looked into. */
export function found<R extends Held>(
  records: readonly R[],
  fields: readonly FieldFacts[],
  wanted: string,
): readonly R[] {
  const text = wanted.trim().toLowerCase();
  if (!text) return records;
  return records.filter(({ id, data }) =>
    [id, ...cellsOf(fields, data)].some((each) => each.toLowerCase().includes(text)),
  );
}

/** What stands in the control of a field before anybody has written in it. */
export function entryText(field: FieldFacts, data: unknown): string {
  return asText(partOf(data as JsonValue)[field.key]);
}

/** What was entered is no JSON. */
export class NoJsonError extends Error {}

/**
 * The value that an entered text stands for. What is none of the field's type is left as it is: the
 * server says what is wrong with it.
 *
 * @throws NoJsonError it has to be JSON, and is not.
 */
export function entered(field: FieldFacts, text: string): JsonValue {
  if (field.entry === "text") return text;
  if (text === "") return null;
  if (field.entry === "choice") return text;
  if (field.entry === "number") return NUMBER.test(text) ? Number(text) : text;
  if (field.entry === "yes or no") return text === "true";
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw new NoJsonError("must be JSON");
  }
}

/** A number that is the same after it was read. */
const NUMBER = /^-?\d{1,15}(\.\d+)?$/;

/** Who wants to write a field, and why that cannot be. */
export interface Wrong {
  readonly field: string;
  readonly message: string;
}

/** What is to be written of a record: the fields whose texts are other ones than before. */
export function changesOf(
  fields: readonly FieldFacts[],
  data: unknown,
  texts: ReadonlyMap<string, string>,
): { readonly values: Readonly<Record<string, JsonValue>>; readonly wrong: readonly Wrong[] } {
  const values: Record<string, JsonValue> = {};
  const wrong: Wrong[] = [];
  for (const field of fields) {
    const text = texts.get(field.key);
    if (text === undefined || text === entryText(field, data)) continue;
    try {
      values[field.key] = entered(field, text);
    } catch (error) {
      wrong.push({ field: field.key, message: (error as NoJsonError).message });
    }
  }
  return { values, wrong };
}
