/**
 * How a message that cannot be understood is reported.
 *
 * Knows the words. Must not know what was wrong.
 */
import { RhtmxError } from "../errors.ts";
import type { ErrorContext } from "../errors.ts";

/** Throws `bad_message` with a few words about the place `at`. */
export function refuse(at: string, words: string, context?: ErrorContext): never {
  throw new RhtmxError("bad_message", `${at}: ${words}`, context);
}

/** Throws `bad_message`; by its `details` a client can pass over what a newer server says. */
export function unknownType(at: string, shown = ""): never {
  refuse(at, `unknown message${shown}`, { details: { unknown_type: true } });
}

/** A text in quotes, safe to print: no more than forty characters of it. */
export function show(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
