/** How far a long load is, counted in versions of the entity's log, in whose order it comes. */
export interface Progress {
  /** Everything up to this version is here. */
  readonly received: number;
  /** The newest version when the load began; more may be written meanwhile. */
  readonly expected: number;
}

/**
 * How far a load is; `undefined`: the server has not said how much there is.
 *
 * @param head where the log ends, as `sync_begin` says it where there is much to read.
 * @param version the last one that has come.
 */
export function progressOf(head: number | undefined, version: number): Progress | undefined {
  return head === undefined ? undefined : { received: Math.min(version, head), expected: head };
}
