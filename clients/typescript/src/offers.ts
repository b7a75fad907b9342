/**
 * What can be done about conflicts, and about writes that were refused.
 *
 * Knows which answer writes what. Must not know how writes are kept or sent.
 */
import { decide } from "./conflict.ts";
import type { Conflict } from "./conflict.ts";
import type { Hub } from "./hub.ts";
import type { JsonValue } from "./messages/types.ts";
import type { OpenConflict, Rejected } from "./options.ts";
import type { Refused } from "./store.ts";

/** A refused write, with what can be done about it. */
export function offer(hub: Hub, refused: Refused): Rejected {
  const { id, message } = refused;
  return {
    ...refused,
    retry: () => hub.write<never>(() => message, id),
    discard: () => hub.commit(["refused", id]),
  };
}

/** A conflict, with the answers to it. */
export function answerable(hub: Hub, conflict: Conflict): OpenConflict {
  const { refused, winner, mine, theirs } = conflict;
  const merge = (value: JsonValue | undefined): Promise<unknown> =>
    hub.write((at) => decide(conflict, value, at), refused);
  // What has won already is not written again.
  const take = (value: JsonValue | undefined, won: boolean): Promise<unknown> => {
    if (!won) return merge(value);
    if (refused) hub.commit(["refused", refused]);
    return Promise.resolve();
  };
  return {
    ...conflict,
    keepMine: () => take(mine, winner === "client"),
    takeTheirs: () => take(theirs, winner === "server"),
    merge,
  };
}
