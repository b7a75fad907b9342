/**
 * Which rows somebody looks at, as the same array while they are the same.
 *
 * Knows rows. Must not know where they come from.
 */

import type { Row } from "./overlay.ts";
import { NOTHING } from "./overlay.ts";

/** Where the rows that passed last are kept, for the next filter. */
export interface KeptRows<T> {
  rows: readonly Row<T>[];
}

/** None yet. */
export function keptRows<T>(): KeptRows<T> {
  return { rows: NOTHING };
}

/**
 * A filter of rows; returns the same array as long as the same rows pass.
 *
 * @param where whether a row passes; all of them if left out.
 * @param last what another filter has let pass before it; nothing if left out.
 */
export function filtering<T>(
  where: ((row: Row<T>) => boolean) | undefined,
  last: KeptRows<T> = keptRows(),
): (rows: readonly Row<T>[]) => readonly Row<T>[] {
  if (!where) return (rows) => rows;
  let from: readonly Row<T>[] | undefined;
  let found = last.rows;
  return (rows) => {
    if (rows === from) return found;
    from = rows;
    const now = rows.filter(where);
    const same = now.length === found.length && now.every((row, at) => row === found[at]);
    if (!same) last.rows = found = now;
    return found;
  };
}
