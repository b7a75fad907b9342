/**
 * Two values for one thing, and what an answer to that writes.
 *
 * Knows conflicts. Must not know how they travel, nor how writes are sent.
 */

import type {
  ChangeLog,
  FieldConflict,
  JsonValue,
  MergeStrategy,
  Open,
  Push,
  PushFields,
  Winner,
} from "../messages/types.ts";
import type { Draft } from "./build-message.ts";
import type { OperationAction } from "./operations.ts";
import { deleteKey, isOperation, Operation, setKey } from "./operations.ts";
import type { RecordWrite } from "./storage-ops.ts";

/** A conflict, as plain data. */
export interface Conflict {
  /** The collection. */
  readonly entity: string;
  /** The record. */
  readonly id: string;
  /** The field; undefined for the whole record. */
  readonly field?: string | undefined;
  /** The key in the field, if it is about one (`setKey`): both values are of this key. */
  readonly key?: string | undefined;
  /** What was written here; undefined for a deletion. Of an operation it is the operand. */
  readonly mine?: JsonValue | undefined;
  /** Which operation was written here, if it was one: it has lost against a deletion. */
  readonly operation?: OperationAction | undefined;
  /** What was written elsewhere; undefined for a deletion. */
  readonly theirs?: JsonValue | undefined;
  /** Whose value it has now; another word of a newer server: neither's, perhaps. */
  readonly winner: Open<Winner>;
  /** The version of the record now. */
  readonly version: number;
  /** The rule that decided. */
  readonly strategy?: Open<MergeStrategy> | undefined;
  /** The write that was rejected, for a whole record. */
  readonly rejected?: string | undefined;
}

/** Some field of a write was in conflict. */
export function ofField(told: FieldConflict, { message }: RecordWrite, version: number): Conflict {
  const { entity, entity_id: id, field, key, server_value, client_value, winner, strategy } = told;
  // Of a key the values are told, whatever was done to the field.
  const fields = key === undefined ? (message as PushFields).fields : [];
  const { action = "update" } = fields?.find((each) => each.field === field) ?? {};
  return {
    entity,
    id,
    field,
    key,
    mine: action === "delete" ? undefined : client_value,
    operation: isOperation(action) ? action : undefined,
    // A deletion of theirs looks like `null`, which nobody writes without need.
    theirs: server_value ?? undefined,
    winner: winner ?? "server",
    version: told.version ?? version,
    strategy,
  };
}

/** The record of a write had moved on; `details` is what it is now. */
export function ofRecord({ id: rejected, message }: RecordWrite, details: JsonValue): Conflict {
  const { entity, entity_id: id } = message;
  const now = details as unknown as ChangeLog | null;
  const dataOf = (log: Push | ChangeLog | null) =>
    !log || log.action === "delete" ? undefined : log.data;
  const theirs = dataOf(now);
  const mine = dataOf(message as Push);
  return { entity, id, mine, theirs, winner: "server", version: now?.version ?? 0, rejected };
}

/** The write that gives the thing a value, or applies an operation; undefined deletes it. */
export function decide(
  { entity, id: entityId, field, key, version: baseVersion }: Conflict,
  value: JsonValue | Operation | undefined,
): Draft {
  if (field === undefined) {
    const action = value === undefined ? "delete" : "update";
    const data = (value ?? null) as JsonValue;
    return { entity, entityId, action, data, options: { baseVersion } };
  }
  const ofKey = () => (value === undefined ? deleteKey(key!) : setKey(key!, value));
  const what = key === undefined || value instanceof Operation ? value : ofKey();
  const gone = what === undefined;
  const options = { baseVersion, delete: gone ? [field] : [] };
  return { entity, entityId, values: gone ? {} : { [field]: what }, options };
}
