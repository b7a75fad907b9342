/**
 * Checks one field of a message and returns it in its normal form.
 *
 * Knows the kinds of fields. Must not know any message: the generated code
 * calls one of these for each field. Every message passes here, in whichever
 * format it came or goes, so that there is one set of rules.
 *
 * All take the object (or array) that holds the field, the place of that
 * object for error messages, and the field's key (or index).
 */
import { fail, refuse, show } from "./fail.ts";
import { parseTime } from "./time.ts";
import { checkJson, isKey, isText } from "./value.ts";
import type { JsonValue } from "../messages/types.ts";

/** Something with fields that are not known to be right yet. */
export type Fields = { [key: string]: unknown };

/** A checking function; `X` is what else it has to be told. */
export type Check<T, X = undefined> = (from: Fields, at: string, key: string, extra: X) => T;

/** A generated function that checks all fields of one message. */
export type CheckMessage<T> = (from: Fields, at: string) => T;

/** The checks of some messages, by their `type`. */
export type Checks<M extends { readonly type: string }> = {
  readonly [T in M["type"]]: CheckMessage<Extract<M, { readonly type: T }>>;
};

/** `push` and `data` become `push.data`, `push.fields` and `2` become `push.fields[2]`. */
function place(from: Fields, at: string, key: string): string {
  return Array.isArray(from) ? `${at}[${key}]` : `${at}.${key}`;
}

/** A string without NUL and lone surrogates. */
export function text(from: Fields, at: string, key: string): string {
  const value = from[key];
  return isText(value) ? value : fail(place(from, at, key), "a string", value);
}

/** An integer that JavaScript holds exactly: -(2^53-1) to 2^53-1. */
export function integer(from: Fields, at: string, key: string): number {
  const value = from[key];
  if (!Number.isSafeInteger(value)) fail(place(from, at, key), "an integer below 2^53", value);
  // `+ 0` makes -0 plain.
  return (value as number) + 0;
}

/** True or false. */
export function flag(from: Fields, at: string, key: string): boolean {
  const value = from[key];
  return typeof value === "boolean" ? value : fail(place(from, at, key), "true or false", value);
}

/** An RFC 3339 time, returned in UTC with `Z` and at most microseconds. */
export function time(from: Fields, at: string, key: string): string {
  const value = from[key];
  return parseTime(value) ?? fail(place(from, at, key), "an RFC 3339 time", value);
}

/** Any JSON value; absent is `null`. */
export function json(from: Fields, at: string, key: string): JsonValue {
  return checkJson(from[key], place(from, at, key));
}

/** One of the spellings of an enum. */
export function spelled<E extends string>(
  from: Fields,
  at: string,
  key: string,
  spellings: Readonly<Record<E, number>>,
): E {
  const value = from[key];
  if (typeof value === "string" && Object.hasOwn(spellings, value)) return value as E;
  return fail(place(from, at, key), `one of ${Object.keys(spellings).join(", ")}`, value);
}

/** A message inside a message. */
export function message<T>(from: Fields, at: string, key: string, check: CheckMessage<T>): T {
  const where = place(from, at, key);
  return check(object(from[key], where), where);
}

/** An array whose items pass `item`. */
export function list<T, X>(
  from: Fields,
  at: string,
  key: string,
  item: Check<T, X>,
  extra?: X,
): T[] {
  const value = from[key];
  const where = place(from, at, key);
  if (!Array.isArray(value)) fail(where, "an array", value);
  const items = value as unknown as Fields;
  return Array.from(value, (_, index) => item(items, where, String(index), extra as X));
}

/** An array that may be left out; an empty one is. */
export function optionalList<T, X>(
  from: Fields,
  at: string,
  key: string,
  item: Check<T, X>,
  extra?: X,
): T[] | undefined {
  const items = from[key] == null ? [] : list(from, at, key, item, extra);
  return items.length > 0 ? items : undefined;
}

/** An object used as a map from text to messages; an empty one is left out. */
export function map<T>(
  from: Fields,
  at: string,
  key: string,
  check: CheckMessage<T>,
): { [key: string]: T } | undefined {
  const where = place(from, at, key);
  const entries = object(from[key], where);
  const keys = Object.keys(entries);
  const checked: { [key: string]: T } = {};
  for (const each of keys) {
    if (!isKey(each)) refuse(where, `the key ${show(each)} is not allowed`);
    const within = `${where}[${show(each)}]`;
    checked[each] = check(object(entries[each], within), within);
  }
  return keys.length > 0 ? checked : undefined;
}

/** A field that may be left out; `null` is the same. */
export function optional<T, X = undefined>(
  from: Fields,
  at: string,
  key: string,
  check: Check<T, X>,
  extra?: X,
): T | undefined {
  return from[key] == null ? undefined : check(from, at, key, extra as X);
}

/** Returns `value` if it is an object, and no array. */
export function object(value: unknown, at: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    fail(at, "an object", value);
  }
  return value as Fields;
}
