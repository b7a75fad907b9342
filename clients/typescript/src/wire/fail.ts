/**
 * How a message that cannot be understood is reported.
 *
 * Knows the words. Must not know what was wrong.
 */
import { RhtmxError } from "../errors.ts";

/** No more than this of what came in is repeated, in characters. */
const SHOWN = 40;

/** Throws `bad_message` with a sentence about the place `at`. */
export function refuse(at: string, words: string): never {
  throw new RhtmxError("bad_message", `${at}: ${words}`);
}

/** Throws `bad_message`: something else was expected at the place `at`. */
export function fail(at: string, expected: string, got: unknown): never {
  if (got == null) refuse(at, `missing, ${expected} expected`);
  refuse(at, `${expected} expected, got ${show(got)}`);
}

/** A short form of anything, safe to print. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
}

/** Throws `bad_message`; by its `details` a client can pass over what a newer server says. */
export function unknownType(at: string, words: string): never {
  throw new RhtmxError("bad_message", `${at}: ${words}`, { details: { unknown_type: true } });
}
