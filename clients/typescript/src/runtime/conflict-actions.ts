/**
 * What can be done about conflicts, and about writes that were rejected.
 *
 * Knows which answer writes what. Must not know how writes are kept or sent.
 */

import type { Draft } from "../core/build-message.ts";
import type { Conflict } from "../core/conflict.ts";
import { decide, settle } from "../core/conflict.ts";
import { isOperation, Operation } from "../core/operations.ts";
import type { OpenConflict, Rejected } from "../core/options.ts";
import type { Op, Rejection } from "../core/storage-ops.ts";
import { RhtmxError, violationsIn } from "../errors.ts";
import type { JsonValue, ServerMessage } from "../messages/types.ts";

/** What the second one hears who answers a conflict. */
const ANSWERED = "somebody else has answered this conflict: nothing was written";

/** Who carries a decision out. */
export interface Decider {
  write<M extends ServerMessage>(draft: Draft, instead?: string): Promise<M>;
  commit(...ops: Op[]): void;
}

/** A rejected write, with what can be done about it. */
export function offer(by: Decider, rejected: Rejection): Rejected {
  const { id, message } = rejected;
  return {
    ...rejected,
    violations: violationsIn(rejected),
    retry: () => by.write<never>(message, id),
    discard: () => by.commit(["rejected", id]),
  };
}

/** A conflict, with the answers to it. */
export function answerable(by: Decider, conflict: Conflict): OpenConflict {
  const { rejected, stands, operation, number, pushed, key } = conflict;
  const { action, value } = pushed;
  const write = (draft: Draft): Promise<unknown> => {
    const answer = by.write(draft, rejected).catch((error: RhtmxError) => {
      // Nothing else in such a write is rejected for that.
      const isLate = number !== undefined && error.code === "conflict";
      throw isLate ? new RhtmxError("conflict", ANSWERED, error) : error;
    });
    // As of any write: who does not wait for it has no uncaught error.
    answer.catch(() => {});
    return answer;
  };
  const merge = (said: JsonValue | Operation | undefined) => write(decide(conflict, said));
  const take = (side: "mine" | "theirs"): Promise<unknown> => {
    if (stands !== side) {
      // What was pushed may be an operation, whoever it was.
      const isPushed = !!operation === (side === "mine");
      const operates = isPushed && key === undefined && isOperation(action);
      return merge(operates ? new Operation(action, value) : conflict[side]);
    }
    // What has won already is not written again.
    if (number !== undefined) return write(settle(conflict));
    if (rejected) by.commit(["rejected", rejected]);
    return Promise.resolve();
  };
  return {
    ...conflict,
    keepMine: () => take("mine"),
    takeTheirs: () => take("theirs"),
    merge,
  };
}
