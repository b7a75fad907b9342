/**
 * How a message that cannot be understood is reported.
 *
 * Knows the words. Must not know what was wrong.
 */
import { RhtmxError } from "../errors.ts";

/** Throws `bad_message` with a few words about the place `at`. */
export function refuse(at: string, words: string): never {
  throw new RhtmxError("bad_message", `${at}: ${words}`);
}

/** A text in quotes, safe to print: no more than forty characters of it. */
export function show(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
