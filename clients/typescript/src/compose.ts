/**
 * Makes messages from the arguments of the client's calls.
 *
 * Knows which call sends which message. Must not know how it is sent.
 */
import { formatTime } from "./wire/time.ts";
import type * as m from "./messages/types.ts";
import type { PatchOptions, WriteOptions } from "./options.ts";

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
    data,
    base_version: options.baseVersion,
  };
}

/** Values by name. */
export type Fields = Readonly<Record<string, m.JsonValue>>;

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
  const updates = Object.entries(fields).map(([field, value]) => update(field, value, "update"));
  const deletes = (options.delete ?? []).map((field) => update(field, null, "delete"));
  return {
    type: "push_fields",
    entity,
    entity_id: entityId,
    fields: [...updates, ...deletes],
    base_version: options.baseVersion,
  };
}
