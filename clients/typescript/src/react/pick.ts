/**
 * Which rows a component looks at.
 *
 * Knows rows. Must not know where they come from.
 */

import type { Row } from "../core/overlay.ts";
import { NOTHING } from "../core/overlay.ts";

/** Where the rows that were picked last are kept, for the next function that picks. */
export interface Picked<T> {
  rows: readonly Row<T>[];
}

/** Nothing was picked yet. */
export function picked<T>(): Picked<T> {
  return { rows: NOTHING };
}

/**
 * A function that picks rows; returns the same array as long as it picks the same rows.
 *
 * @param where whether to pick a row; all of them if left out.
 * @param last what another such function has picked before it.
 */
export function picking<T>(
  where: ((row: Row<T>) => boolean) | undefined,
  last: Picked<T>,
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
