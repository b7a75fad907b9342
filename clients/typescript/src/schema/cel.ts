/**
 * What a compiled rule of CEL needs at run time, beside JavaScript's own operators.
 *
 * Generated code calls these. Knows rule values. Must not know messages, fields or rules.
 */

import { matches } from "./pattern.ts";

export * from "./cel-logic.ts";
export * from "./cel-numbers.ts";
export * from "./cel-texts.ts";
export * from "./cel-times.ts";
export {
  isEmail as celIsEmail,
  isHostAndPort as celIsHostAndPort,
  isHostname as celIsHostname,
  isIp as celIsIp,
  isIpPrefix as celIsIpPrefix,
  isUri as celIsUri,
  isUriRef as celIsUriRef,
} from "./formats.ts";
export { writeDuration as celTextDuration, writeTimestamp as celTextTimestamp } from "./times.ts";

/** Whether a pattern, compiled to a table, matches somewhere in a text. */
export function celMatches(text: string, table: string): boolean {
  return matches(table, text);
}
