/**
 * What a client says of the trace that its user is in.
 *
 * Knows W3C's `traceparent`. Must not know who traces. Whatever goes wrong with it, no write fails
 * because of it.
 */

/** Where in a trace a program is, or what says so each time. */
export type Traceparent = string | (() => string | null | undefined) | undefined;

/** Where in a trace it is now; nothing while it is in none, or that cannot be told. */
export function traceparent(said: Traceparent): string | undefined {
  try {
    const now = typeof said === "function" ? said() : said;
    return /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/.test(now!) ? now! : undefined;
  } catch {
    return undefined;
  }
}
