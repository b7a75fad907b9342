/**
 * A client in one tab.
 *
 * Knows no other tabs: it leads at once.
 */
import type { Port } from "./port.ts";

/** See the head of the file. */
export function alone(): Port {
  let begin: (() => void) | undefined;
  let end = () => {};
  return {
    post() {},
    lead(start, stop) {
      begin = start;
      end = stop;
      start();
    },
    stand(standing) {
      end();
      if (standing !== "nowhere") begin?.();
    },
    close() {},
  };
}
