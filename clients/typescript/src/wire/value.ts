/**
 * What one JSON value inside a message may be, as text and as a value.
 *
 * Knows the limits of embedded data, and how its digits are kept. Must not know
 * messages or formats.
 *
 * An integer that a JavaScript number cannot hold to the digit is a `bigint` here,
 * and its digits on the wire. A fraction is the nearest double, as in every other
 * client. `JSON.parse` keeps the last of two equal keys and cannot tell that there
 * was another: duplicate keys are refused by the server, not here.
 */

import type { JsonValue } from "../messages/types.ts";
import { refuse, show } from "./fail.ts";

/** Arrays and objects may lie in each other this deep. */
export const MAX_DEPTH = 32;

/** From here on JavaScript writes an exponent (ECMA-262, `Number::toString`): a double, for every reader. */
const EXPONENT = 1e21;

/** Refuses what is no UTF-8, and takes a byte order mark for a character. */
export const UTF8 = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** With the `u` flag a surrogate matches only where it lacks its other half. */
const NOT_TEXT = /[\0\ud800-\udfff]/u;

/** The strings and the numbers of a JSON text. */
const TOKENS = /"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*/g;

// One value is looked at a time: these are the module's.
/** The keys that lead to the place that is looked at, by depth. */
const keys: (string | number)[] = [];
/** What is being done. */
let mode = 0;
/** Numbers come from a text, and `JSON.parse` may have rounded some. */
const READING = 1;
/** It may have rounded those that were looked at. */
const ROUNDED = 2;
/** The text is read to the digit. */
const EXACT = 3;

/** What a text holds is parsed and checked from here on, until `endReading`. */
export function beginReading(): void {
  mode = READING;
}

/**
 * Whether it has to be read once more, to the digit: it has an integer which a number may
 * not hold. Nearly none has.
 */
export function isInexact(): boolean {
  if (mode === READING) return false;
  mode = EXACT;
  return true;
}

/** See `beginReading`. */
export function endReading(): void {
  mode = 0;
}

/**
 * Parses one JSON value to the digit.
 *
 * @throws RhtmxError `bad_message`, naming `at`.
 */
export function parseExactly(data: string | Uint8Array, at: string): unknown {
  mode = EXACT;
  try {
    return parseJson(data, at);
  } finally {
    mode = 0;
  }
}

/** Whether a string can be sent: no lone surrogate, no NUL. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && !NOT_TEXT.test(value);
}

/**
 * The entries of an array or an object, if its keys are safe to set on another.
 *
 * @throws RhtmxError `bad_message`, naming `at`.
 */
export function entriesOf(value: object, at: string): [key: string, item: unknown][] {
  // Spread, a hole in an array is `undefined` like any other.
  const entries = Object.entries(Array.isArray(value) ? [...value] : value);
  for (const [key] of entries) checkKey(key, at);
  return entries;
}

/** Refuses a key that is not safe to set on an object, so `depth` deep in a value `at` a place. */
export function checkKey(key: string, at: string, depth = 0): void {
  if (!isText(key) || /^(__proto__|constructor|prototype)$/.test(key)) {
    wrong(at, depth, `the key ${show(key)} is not allowed`);
  }
}

/**
 * Parses one JSON value.
 *
 * @throws RhtmxError `bad_message`, naming `at`.
 */
export function parseJson(data: string | Uint8Array, at: string): unknown {
  try {
    const text = typeof data === "string" ? data : UTF8.decode(data);
    if (mode < EXACT) return JSON.parse(text);
    // Marked with a NUL, which no other text begins with: see `isText`.
    return JSON.parse(text.replace(TOKENS, marked), (_, item: unknown) =>
      typeof item === "string" && /^\0-?\d+$/.test(item) ? BigInt(item.slice(1)) : item,
    );
  } catch {
    return refuse(at, "not JSON in UTF-8");
  }
}

function marked(token: string): string {
  const value = +token; // of a string, not a number
  const whole = !/[.e]/i.test(token);
  if (!isUnsafe(value) || !(whole || Math.abs(value) < EXPONENT)) return token;
  return `"\\u0000${whole ? token : BigInt(value)}"`;
}

/** Writes what has passed the check, integers to the digit. */
export function writeJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    // Of what has passed, only a bigint is too much for it.
    return JSON.stringify(value, (_, item: unknown) =>
      typeof item === "bigint" ? `\0${item}` : item,
    ).replace(/"\\u0000(-?\d+)"/g, "$1");
  }
}

/**
 * A copy of `value` as it comes back from the wire, if it is JSON within the limits:
 * without undefined members, an integer as a number where that holds it.
 *
 * @param depth how many arrays and objects it already lies in.
 * @throws RhtmxError `bad_message`, naming `at` and the place in it.
 */
export function checkJson(value: unknown, at: string, depth = 0): JsonValue {
  if (value === null || typeof value === "boolean" || isText(value)) return value;
  if (typeof value !== "object") return checkNumber(value, at, depth);
  if (depth === MAX_DEPTH) refuse(at, `nested deeper than ${MAX_DEPTH} levels`);
  // A loop and not `map`, which passes over holes.
  if (Array.isArray(value)) {
    const to: JsonValue[] = [];
    for (let index = 0; index < value.length; index += 1) {
      keys[depth] = index;
      to.push(checkJson(value[index], at, depth + 1));
    }
    return to;
  }
  // Two steps up, so that an object from another frame of the page is plain too.
  const prototype = Object.getPrototypeOf(value);
  if (prototype && Object.getPrototypeOf(prototype)) wrong(at, depth, "not a plain object");
  const to: { [key: string]: JsonValue } = {};
  for (const key of Object.keys(value)) {
    checkKey(key, at, depth);
    const item = (value as { [key: string]: unknown })[key];
    keys[depth] = key;
    // `{a: undefined}` is sent as `{}`, as everywhere in JavaScript.
    if (item !== undefined) to[key] = checkJson(item, at, depth + 1);
  }
  return to;
}

/** A number or a bigint as it is sent; anything else is refused. */
function checkNumber(value: unknown, at: string, depth: number): number | bigint {
  const number = typeof value === "bigint" ? Number(value) : (value as number);
  if (!Number.isFinite(number)) {
    const what = typeof value;
    wrong(at, depth, `not a JSON value: ${what === "number" ? value : what}`);
  }
  // -0 is sent as 0.
  if (!isUnsafe(number)) return number || 0;
  if (typeof value === "bigint") return value;
  if (mode) mode = mode < EXACT ? ROUNDED : EXACT;
  else if (Math.abs(number) < EXPONENT) {
    wrong(at, depth, `${number} cannot be written exactly by JavaScript: use a bigint or a string`);
  }
  return number;
}

/** Whether it may stand for several integers. */
function isUnsafe(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

function wrong(at: string, depth: number, words: string): never {
  return refuse([at, ...keys.slice(0, depth)].join("."), words);
}
