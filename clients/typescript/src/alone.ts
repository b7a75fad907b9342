/**
 * A client in one tab.
 *
 * Knows no other tabs: it leads at once.
 */
import type { Port } from "./port.ts";

/** See the head of the file. */
export function alone(): Port {
  return { post() {}, lead: (start) => start(), close() {} };
}
