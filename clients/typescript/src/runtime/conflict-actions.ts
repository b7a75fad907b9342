/**
 * What can be done about conflicts, and about writes that were rejected.
 *
 * Knows which answer writes what. Must not know how writes are kept or sent.
 */

import type { Draft } from "../core/build-message.ts";
import type { Conflict } from "../core/conflict.ts";
import { decide, settle, sideOf } from "../core/conflict.ts";
import type { Operation } from "../core/operations.ts";
import type { OpenConflict, Rejected } from "../core/options.ts";
import type { Op, Rejection } from "../core/storage-ops.ts";
import { RhtmxError, violationsIn } from "../errors.ts";
import type { JsonValue, ServerMessage } from "../messages/types.ts";

/** What an answer hears that is not the first: of somebody else, or one's own. */
const ANSWERED = "this conflict is not open any more: nothing was written";

/** Who carries a decision out. */
export interface Decider {
  write<M extends ServerMessage>(draft: Draft, instead?: string, epoch?: string): Promise<M>;
  commit(...ops: Op[]): void;
}

/** A rejected write, with what can be done about it. */
export function offer(by: Decider, rejected: Rejection): Rejected {
  const { id, message, epoch } = rejected;
  return {
    ...rejected,
    violations: violationsIn(rejected),
    retry: () => by.write<never>(message, id, epoch),
    discard: () => by.commit(["rejected", id]),
  };
}

/** A conflict, with the answers to it. */
export function answerable(by: Decider, conflict: Conflict): OpenConflict {
  const { rejected, stands, number, epoch } = conflict;
  /** @param late what becomes of it if somebody else has answered it. */
  const write = (draft: Draft, late: (error: RhtmxError) => void): Promise<unknown> => {
    const answer = by.write(draft, rejected, epoch).catch((error: RhtmxError) => {
      // Nothing else in such a write is rejected for that.
      if (number === undefined || error.code !== "conflict") throw error;
      return late(error);
    });
    // As of any write: who does not wait for it has no uncaught error.
    answer.catch(() => {});
    return answer;
  };
  const merge = (said: JsonValue | Operation | undefined) =>
    write(decide(conflict, said), (error) => {
      throw new RhtmxError("conflict", ANSWERED, error);
    });
  const keepLost = () => merge(sideOf(conflict, "lost"));
  const keepStanding = () => {
    // Of what a newer server has decided otherwise nothing stands.
    if (!stands) return merge(sideOf(conflict, "standing"));
    if (number !== undefined) return write(settle(conflict), () => {});
    if (rejected) by.commit(["rejected", rejected]);
    return Promise.resolve();
  };
  const [keepMine, takeTheirs] =
    stands === "mine" ? [keepStanding, keepLost] : [keepLost, keepStanding];
  return { ...conflict, keepMine, takeTheirs, keepLost, keepStanding, merge };
}
