/**
 * What one JSON value inside a message may be.
 *
 * Knows the limits of embedded data. Must not know messages or formats.
 *
 * `JSON.parse` keeps the last of two equal keys and cannot tell that there was
 * another: duplicate keys are refused by the server, not here. A number is a
 * JavaScript number: an integer beyond 2^53 inside embedded data is rounded.
 */
import { fail, refuse, show } from "./fail.ts";
import type { JsonValue } from "../messages/types.ts";

/** Arrays and objects may lie in each other this deep. */
export const MAX_DEPTH = 32;

/** With the `u` flag a surrogate matches only where it lacks its other half. */
const NOT_TEXT = /[\0\ud800-\udfff]/u;

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Whether a string can be sent: no lone surrogate, no NUL. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && !NOT_TEXT.test(value);
}

/** Whether a key is safe to set on an object. */
export function isKey(key: string): boolean {
  return isText(key) && !FORBIDDEN_KEYS.has(key);
}

/**
 * Returns `value` if it is JSON within the limits; `undefined` becomes `null`.
 *
 * @throws RhtmxError `bad_message`, naming `at`.
 */
export function checkJson(value: unknown, at: string): JsonValue {
  if (value === undefined) return null;
  check(value, at, 0);
  return value as JsonValue;
}

function check(value: unknown, at: string, depth: number): void {
  if (typeof value === "object" && value !== null) checkNested(value, at, depth + 1);
  else if (!isScalar(value)) fail(at, "a JSON value", value);
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value === "boolean" || Number.isFinite(value) || isText(value);
}

function checkNested(value: object, at: string, depth: number): void {
  if (depth > MAX_DEPTH) refuse(at, `nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) {
    for (const item of value) check(item, at, depth);
    return;
  }
  if (!isPlain(value)) fail(at, "a JSON value", value.constructor?.name);
  for (const [key, item] of Object.entries(value)) {
    if (!isKey(key)) refuse(at, `the key ${show(key)} is not allowed`);
    // `{a: undefined}` is sent as `{}`, as everywhere in JavaScript.
    if (item !== undefined) check(item, at, depth);
  }
}

/** Written so that an object from another frame of the page is plain too. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
