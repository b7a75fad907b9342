/**
 * Makes messages from the arguments of the client's calls.
 *
 * Knows which call sends which message. Must not know how it is sent.
 */

import type * as m from "../messages/types.ts";
import { refuse } from "../wire/fail.ts";
import { formatTime } from "../wire/time.ts";
import { checkJson } from "../wire/value.ts";

/** What a write may carry. */
export interface WriteOptions {
  /** The version of the record that the user saw; 0 for none. */
  readonly baseVersion?: number | undefined;
}

/** What a write of fields may carry. */
export interface PatchOptions extends WriteOptions {
  /** Fields to remove. */
  readonly delete?: readonly string[] | undefined;
  /** When the user did it; now if left out. */
  readonly timestamp?: Date | undefined;
}

/** A write of a whole record, or its deletion. */
export function push(
  entity: string,
  entityId: string,
  action: m.ChangeAction,
  data: m.JsonValue,
  options: WriteOptions,
): m.Push {
  return {
    type: "push",
    entity,
    entity_id: entityId,
    action,
    data: checkJson(data, "push.data"),
    base_version: options.baseVersion,
  };
}

/** Values by name. */
export type Fields = Readonly<Record<string, m.JsonValue>>;

/** A copy of the values of some fields, without those that are undefined. */
export function copyOf(fields: Fields): Fields {
  return checkJson(fields, "push_fields.fields") as Fields;
}

/** A write of some fields, all at one time: `at`, in microseconds since 1970, if no other is given. */
export function pushFields(
  entity: string,
  entityId: string,
  fields: Fields,
  options: PatchOptions,
  at: number,
): m.PushFields {
  const [unit, time] = options.timestamp ? [1e3, +options.timestamp] : [1e6, at];
  const seconds = Math.floor(time / unit);
  // A `Date` may be of no time, or of none that can be sent: that is refused where all is checked.
  const timestamp = formatTime({ seconds, nanos: (time - seconds * unit) * (1e9 / unit) })!;
  const update = (field: string, value: m.JsonValue, action: m.FieldAction): m.FieldUpdate => {
    return { field, value, action, timestamp };
  };
  const updates = Object.entries(copyOf(fields)).map((each) => update(...each, "update"));
  const deletes = (options.delete ?? []).map((field) => update(field, null, "delete"));
  const all = [...updates, ...deletes];
  if (!all.length) refuse("push_fields.fields", "nothing to write");
  return {
    type: "push_fields",
    entity,
    entity_id: entityId,
    fields: all,
    base_version: options.baseVersion,
  };
}

/** Makes something of a call's arguments as they are now; what that throws is thrown later. */
export function taken<T>(make: () => T): () => T {
  try {
    const made = make();
    return () => made;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
