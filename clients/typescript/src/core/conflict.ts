/**
 * Two values for one thing, and what an answer to that writes.
 *
 * Knows conflicts. Must not know how they travel, nor how writes are sent.
 *
 * There are three sources. A field of a write was in conflict: the answer to the write says so
 * (`ofField`), and so does the conflict log of the entity, until somebody answers it (`ofLog`). Or
 * all of a record was, and nothing was written (`ofRecord`).
 */

import type {
  ChangeLog,
  FieldAction,
  FieldConflict,
  JsonValue,
  MergeStrategy,
  Open,
  Push,
  PushFields,
  Winner,
} from "../messages/types.ts";
import type { Draft, OneDraft } from "./build-message.ts";
import { copyOf } from "./build-message.ts";
import type { OperationAction } from "./operations.ts";
import { deleteKey, isOperation, Operation, setKey } from "./operations.ts";
import type { Mutation, RecordWrite } from "./storage-ops.ts";

const LOG = "$conflicts/";

/** What one of the two wrote. */
export interface ConflictSide {
  /** The value, or the operand of an operation; `null` after a deletion. */
  readonly value: JsonValue;
  /** What it did: set the field, remove it, or an operation. */
  readonly action: FieldAction;
  /** When it was written, as used for merging. */
  readonly timestamp?: string | undefined;
  /** The client that wrote it, if it sent `hello` before. */
  readonly client_id?: string | undefined;
  /** The subject that wrote it, if its client has one. */
  readonly subject?: string | undefined;
}

/** A conflict, as plain data. */
export interface Conflict {
  /** The collection. */
  readonly entity: string;
  /** The record. */
  readonly id: string;
  /** Its number in the conflict log, where it is open until somebody answers it. */
  readonly number?: number | undefined;
  /** The field; undefined for the whole record. */
  readonly field?: string | undefined;
  /** The key in the field, if it is about one (`setKey`): both values are of this key. */
  readonly key?: string | undefined;
  /**
   * What was written here; undefined for a deletion. Of an operation it is the operand. Where
   * neither was written here, it is the one that lost.
   */
  readonly mine?: JsonValue | undefined;
  /** Which operation that was, if it was one: it has lost against a deletion. */
  readonly operation?: OperationAction | undefined;
  /** The other one; undefined for a deletion. */
  readonly theirs?: JsonValue | undefined;
  /** Which of both stands; undefined if neither does, as a newer server may decide. */
  readonly stands?: "mine" | "theirs" | undefined;
  /** Whose value it had after it: that which was pushed (`client`) or stored; or another word of a newer server. */
  readonly winner: Open<Winner>;
  /** The version of the record after it. */
  readonly version: number;
  /** The version of the record that the author of what was pushed had seen, if it said one. */
  readonly baseVersion?: number | undefined;
  /** The rule that decided. */
  readonly strategy?: Open<MergeStrategy> | undefined;
  /** What was stored when the other one arrived. */
  readonly stored: ConflictSide;
  /** What arrived. */
  readonly pushed: ConflictSide;
  /** The one of both that lost. */
  readonly lost: ConflictSide;
  /** The one of both that had won; a later write may have replaced it. */
  readonly standing: ConflictSide;
  /** The write that was rejected, for a whole record. */
  readonly rejected?: string | undefined;
  /** The epoch of its versions and of its number. */
  readonly epoch?: string | undefined;
}

/** A conflict as the record of a conflict log has it. */
export interface LoggedConflict
  extends Pick<
    Conflict,
    "field" | "key" | "winner" | "strategy" | "version" | "stored" | "pushed"
  > {
  readonly base_version?: number | undefined;
}

/** Some field of a write was in conflict. */
export function ofField(told: FieldConflict, { message }: RecordWrite, version: number): Conflict {
  const { entity, entity_id: id, field, key, winner = "server", strategy, conflict } = told;
  // Of a key the values are told, whatever was done to the field.
  const fields = key === undefined ? (message as PushFields).fields : [];
  const { action = "update" } = fields?.find((each) => each.field === field) ?? {};
  return between({
    ...{ entity, id, number: conflict, field, key, winner, strategy },
    version: told.version ?? version,
    baseVersion: message.base_version,
    stored: {
      value: told.server_value,
      action: isDeleted(told) ? "delete" : "update",
      timestamp: told.server_timestamp,
      client_id: told.server_client_id,
    },
    pushed: {
      value: told.client_value,
      action: told.client_deleted ? "delete" : action,
      timestamp: told.client_timestamp,
    },
  });
}

/** Whether what was stored had been deleted. An older server cannot tell that from `null`, which nobody writes without need. */
export function isDeleted({ server_deleted, server_value, conflict }: FieldConflict): boolean {
  return server_deleted ?? (conflict === undefined && server_value === null);
}

/**
 * A conflict that is open, as the log has it.
 *
 * @param client whose it is to be looked at: which one of both is `mine`.
 */
export function ofLog(
  entity: string,
  id: string,
  number: number,
  { base_version: baseVersion, ...told }: LoggedConflict,
  client: string,
): Conflict {
  return between({ ...told, entity, id, number, baseVersion }, client);
}

/** The record of a write had moved on; `details` is what it is now. */
export function ofRecord({ id: rejected, message }: RecordWrite, details: JsonValue): Conflict {
  const { entity, entity_id: id } = message;
  const now = details as unknown as ChangeLog | null;
  const side = (log: Push | ChangeLog | null): ConflictSide =>
    !log || log.action === "delete"
      ? { value: null, action: "delete" }
      : { value: log.data ?? null, action: "update" };
  return between({
    ...{ entity, id, winner: "server", version: now?.version ?? 0, rejected },
    baseVersion: message.base_version,
    stored: { ...side(now), timestamp: now?.created_at, client_id: now?.client_id },
    pushed: side(message as Push),
  });
}

/** @param client whose it is to be looked at; if left out, who has pushed. */
function between(
  told: Omit<Conflict, "mine" | "theirs" | "stands" | "lost" | "standing">,
  client?: string,
): Conflict {
  const { key, winner, stored, pushed } = told;
  const [lost, standing] = winner === "client" ? [stored, pushed] : [pushed, stored];
  const isOwn = (side: ConflictSide) =>
    client === undefined ? side === pushed : side.client_id === client;
  const isKnown = winner === "client" || winner === "server";
  const isMine = isKnown && isOwn(standing) && !isOwn(lost);
  const [mine, theirs] = isMine ? [standing, lost] : [lost, standing];
  return {
    ...told,
    mine: heldBy(mine),
    operation: operationOf(mine, key),
    theirs: heldBy(theirs),
    stands: isKnown ? (isMine ? "mine" : "theirs") : undefined,
    lost,
    standing,
  };
}

function heldBy({ action, value }: ConflictSide): JsonValue | undefined {
  return action === "delete" || action === "delete_key" ? undefined : value;
}

/** Which operation a side is; of a key both have values, whatever was done to the field. */
function operationOf({ action }: ConflictSide, key?: string): OperationAction | undefined {
  return key === undefined && isOperation(action) ? action : undefined;
}

/** What makes a side stand: a value, undefined for a deletion, or an operation. */
export function sideOf(
  conflict: Conflict,
  name: "lost" | "standing",
): JsonValue | Operation | undefined {
  const side = conflict[name];
  const operation = operationOf(side, conflict.key);
  return operation ? new Operation(operation, side.value) : heldBy(side);
}

/**
 * The write that gives the thing a value, or applies an operation; undefined deletes it. What is
 * in the log is answered by it, too: once, for who comes second has all of it rejected.
 */
export function decide(conflict: Conflict, value: JsonValue | Operation | undefined): Draft {
  const { entity, id: entityId, field, key, version: baseVersion, number } = conflict;
  if (field === undefined) {
    const action = value === undefined ? "delete" : "update";
    const data = (value ?? null) as JsonValue;
    return { entity, entityId, action, data, options: { baseVersion } };
  }
  const ofKey = () => (value === undefined ? deleteKey(key!) : setKey(key!, value));
  const what = key === undefined || value instanceof Operation ? value : ofKey();
  const gone = what === undefined;
  const options = { baseVersion, delete: gone ? [field] : [] };
  const values = gone ? {} : copyOf({ [field]: what });
  const write = { entity, entityId, values, options };
  return number === undefined ? write : { drafts: [write, settle(conflict)] };
}

/** The write that answers a conflict of the log, and leaves what stands as it is. */
export function settle({ entity, id: entityId, number }: Conflict): OneDraft {
  const options = { baseVersion: number, ifUnchanged: true, delete: [`$${number}`] };
  return { entity: logOf(entity), entityId, values: {}, options };
}

/** Whether a write says that a conflict is answered, and nothing else. */
export function isAnswer(message: Mutation): boolean {
  return "entity" in message && message.entity.startsWith(LOG);
}

/** The entity that holds what is open of another one. */
export function logOf(entity: string): string {
  return LOG + entity;
}
