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
import { violationsIn } from "../errors.ts";
import type { JsonValue, ServerMessage } from "../messages/types.ts";

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
  const merge = (said: JsonValue | Operation | undefined): Promise<unknown> =>
    by.write(decide(conflict, said), rejected);
  const take = (side: "mine" | "theirs"): Promise<unknown> => {
    if (stands !== side) {
      // What was pushed may be an operation, whoever it was.
      const isPushed = !!operation === (side === "mine");
      const operates = isPushed && key === undefined && isOperation(action);
      return merge(operates ? new Operation(action, value) : conflict[side]);
    }
    // What has won already is not written again.
    if (number !== undefined) return by.write(settle(conflict));
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
