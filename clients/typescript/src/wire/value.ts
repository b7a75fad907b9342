/**
 * What one JSON value inside a message may be.
 *
 * Knows the limits of embedded data. Must not know messages or formats.
 *
 * `JSON.parse` keeps the last of two equal keys and cannot tell that there was
 * another: duplicate keys are refused by the server, not here. A number is a
 * JavaScript number: an integer beyond 2^53 inside embedded data is rounded.
 */
import { refuse, show } from "./fail.ts";
import type { JsonValue } from "../messages/types.ts";

/** Arrays and objects may lie in each other this deep. */
export const MAX_DEPTH = 32;

/** Refuses what is no UTF-8, and takes a byte order mark for a character. */
export const UTF8 = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** With the `u` flag a surrogate matches only where it lacks its other half. */
const NOT_TEXT = /[\0\ud800-\udfff]/u;

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
  for (const [key] of entries) {
    if (!isText(key) || /^(__proto__|constructor|prototype)$/.test(key)) {
      refuse(at, `the key ${show(key)} is not allowed`);
    }
  }
  return entries;
}

/**
 * Parses one JSON value.
 *
 * @throws RhtmxError `bad_message`, naming `at`.
 */
export function parseJson(data: string | Uint8Array, at: string): unknown {
  try {
    return JSON.parse(typeof data === "string" ? data : UTF8.decode(data));
  } catch {
    return refuse(at, "not JSON in UTF-8");
  }
}

/**
 * Returns `value` if it is JSON within the limits.
 *
 * @param depth how many arrays and objects it already lies in.
 * @throws RhtmxError `bad_message`, naming `at`.
 */
export function checkJson(value: unknown, at: string, depth = 0): JsonValue {
  if (typeof value === "object" && value) {
    if (depth === MAX_DEPTH) refuse(at, `nested deeper than ${MAX_DEPTH} levels`);
    const list = Array.isArray(value);
    // Two steps up, so that an object from another frame of the page is plain too.
    const prototype = Object.getPrototypeOf(value);
    if (!list && prototype && Object.getPrototypeOf(prototype)) refuse(at, "not a plain object");
    for (const [, item] of entriesOf(value, at)) {
      // `{a: undefined}` is sent as `{}`, as everywhere in JavaScript.
      if (list || item !== undefined) checkJson(item, at, depth + 1);
    }
  } else if (value !== null && typeof value !== "boolean") {
    if (!Number.isFinite(value) && !isText(value)) refuse(at, "not a JSON value");
  }
  return value as JsonValue;
}
