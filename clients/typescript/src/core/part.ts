/**
 * What is read: a whole entity, or the part of it with certain values.
 *
 * Knows how that is named, in memory, in the store and between tabs, and which records are in
 * it. Must not know who reads it.
 *
 * The name of a whole entity is its own. That of a part has what was asked for behind a NUL, which
 * no entity has in its name: JSON, its keys in order, so that one part has one name.
 */
import { RhtmxError } from "../errors.ts";
import type { JsonValue } from "../messages/types.ts";
import { checkFromClient } from "../wire/index.ts";

/** A value by which an entity can be divided. */
export type PartValue = string | number | bigint | boolean;

/** Which part of an entity: the values of the fields that divide it. A list means any of these. */
export type Where = { readonly [field: string]: PartValue | readonly PartValue[] };

/** Whether a record is in a part, by its data. */
export type Within = (data: JsonValue | undefined) => boolean;

/** The name of a part; of the whole entity without values. */
export function partName(entity: string, where: JsonValue = null): string {
  const values = Object.entries(where ?? {}).sort();
  if (!values.length) return entity;
  return `${entity}\0${JSON.stringify(Object.fromEntries(values), marked)}`;
}

/**
 * The same, of what an application asks for.
 *
 * @throws RhtmxError `bad_message`: no server takes it; `where` has what is no such value.
 */
export function checkedName(entity: string, where?: Where): string {
  for (const [field, value] of Object.entries(where ?? {})) {
    // Left out, as JSON does with what is undefined, it would be a larger part, or everything.
    if ([value].flat().some((each) => !/^[snb]/.test(typeof each))) {
      const words = "a text, a number, true, false, or a list of these";
      throw new RhtmxError("bad_message", `where.${field} of '${entity}': not ${words}`);
    }
  }
  const asked = where && { [entity]: where };
  const message = checkFromClient({ type: "subscribe", entities: [entity], where: asked });
  return partName(entity, (message.where as { [entity: string]: JsonValue } | undefined)?.[entity]);
}

/** The entity of a part. */
export function entityIn(name: string): string {
  return name.split("\0")[0]!;
}

/** What was asked for; undefined for a whole entity. */
export function whereIn(name: string): Where | undefined {
  const [, text] = name.split("\0");
  return text && JSON.parse(text, unmarked);
}

/** A part in words. */
export function nameInWords(name: string): string {
  return name.replace("\0", " where ");
}

/** What tells which records are in a part. */
export function within(name: string): Within {
  const values = Object.entries(whereIn(name) ?? {});
  return (data) =>
    values.every(([field, value]) =>
      [value].flat().some((each) => isSame(each, Object(data)[field] as JsonValue | undefined)),
    );
}

/** Whether both are one value of JSON: a number and a bigint may be. */
function isSame(one: JsonValue, other: JsonValue | undefined): boolean {
  return one === other || (isNumber(one) && isNumber(other) && !(one < other || one > other));
}

function isNumber(value: JsonValue | undefined): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** JSON has no `bigint`: it is a text with a NUL in front, which no text of a message has. */
export function marked(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `\0${value}` : value;
}

/** See `marked`. */
export function unmarked(_: string, value: unknown): unknown {
  return typeof value === "string" && value[0] === "\0" ? BigInt(value.slice(1)) : value;
}
