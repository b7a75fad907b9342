/**
 * Makes messages from the arguments of the client's calls.
 *
 * Knows which call sends which message. Must not know how it is sent.
 */

import type * as m from "../messages/types.ts";
import { refuse } from "../wire/fail.ts";
import { checkFromClient } from "../wire/index.ts";
import { formatTime } from "../wire/time.ts";
import { checkJson, entriesOf } from "../wire/value.ts";
import { Operation } from "./operations.ts";
import { within } from "./part.ts";
import type { Mutation, State, Write } from "./storage-ops.ts";
import { entityOf, partsAt } from "./storage-ops.ts";
import { traceparent } from "./traceparent.ts";
import { nextTime } from "./write-clock.ts";
import { inOrder } from "./write-order.ts";

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
  /**
   * Only if none of the fields was written after `baseVersion`, by whomever: otherwise all of it
   * is rejected as a `conflict`. Without a `baseVersion` a collection takes what it has seen of
   * the record, and `pushFields` writes only if none was ever written.
   */
  readonly ifUnchanged?: boolean | undefined;
}

/** What a draft may say of the application's schema. */
interface Versioned {
  /** The version under which it is made; that of the client, if it was given one, if left out. */
  readonly schemaVersion?: number | undefined;
}

interface About extends Versioned {
  readonly entity: string;
  readonly entityId: string;
}

interface RecordDraft extends About {
  readonly action: m.ChangeAction;
  readonly data: m.JsonValue;
  readonly options: WriteOptions;
  /** It takes the place of what is shown of the record, own writes included. */
  readonly seen?: boolean;
}

interface FieldsDraft extends About {
  readonly values: Fields;
  readonly options: PatchOptions;
  /** What is held of the record is what the user saw, unless `options` say otherwise. */
  readonly seen?: boolean;
}

/** What a draft says beside what it is about. */
export type Said = Omit<RecordDraft, keyof About> | Omit<FieldsDraft, keyof About>;

/** A write of one record, as it is asked for, or as it was made before. */
export type OneDraft = RecordDraft | FieldsDraft | m.Push | m.PushFields;

/** Several writes that take effect together; their values are copies. */
export interface SeveralDraft extends Versioned {
  readonly drafts: readonly OneDraft[];
}

/** A write as it is asked for, or one that was made before. Its values may change after the call. */
export type Draft = OneDraft | SeveralDraft | m.Transaction;

/** Writes in one transaction. */
const MOST = 500;

/**
 * The write that comes of a draft.
 *
 * @param id its request id.
 * @param now when the user did it, in milliseconds since 1970.
 * @param state what it builds on; takes note of its time.
 * @param told the epoch of the versions that it names, if that is not of what is held.
 * @throws RhtmxError `bad_message`: no server takes it.
 */
export function makeWrite(
  id: string,
  draft: Draft,
  now: number,
  state: State,
  told?: string,
): Write {
  const base = "seen" in draft && "action" in draft ? baseOf(state, draft) : undefined;
  const at = nextTime(state.time, now * 1e3, !!state.writes.size);
  state.time = at;
  // Checking copies: what the caller changes afterwards is not in it.
  const made = messageOf(base ? { ...draft, options: base } : draft, at, state);
  const message = checkFromClient(
    "type" in draft
      ? made
      : {
          ...made,
          schema_version: under(draft, state),
          traceparent: state.traceparent && traceparent(state.traceparent),
        },
  );
  const all: readonly m.TransactionWrite[] = "writes" in message ? message.writes : [message];
  state.time += all.length - 1;
  const { entity, entity_id: entityId } = all[0]!;
  const [epoch, other] = new Set(all.map((each) => epochOf(state, each.entity)));
  // What is based on versions of several epochs is based on none.
  const of = base ?? { epoch: told ?? (other ? "" : epoch) };
  const { epoch: seen, buildsOn } = of as Base;
  return {
    id,
    entity,
    entityId,
    message,
    epoch: seen,
    since: at / 1e3,
    ...(buildsOn && { buildsOn }),
  };
}

interface Base extends WriteOptions, Pick<Write, "epoch" | "buildsOn"> {}

/** What a write is based on that takes the place of what is shown of a record. */
function baseOf(state: State, { entity, entityId: id }: About): Base {
  const { records, writes } = entityOf(state, entity);
  const all = inOrder(writes.get(id) ?? new Map<string, Write>());
  const saysBase = (write: Write) =>
    !write.settled &&
    partsAt(write, entity, id).some(({ message }) => message.base_version !== undefined);
  // What is before the last one that says what it is based on, says nothing more.
  let first = all.length - 1;
  while (first > 0 && !saysBase(all[first]!)) first -= 1;
  const own = all.slice(first).flatMap((each) => partsAt(each, entity, id));
  const { version = 0 } = records.get(id) ?? {};
  let base: Base = { baseVersion: version, epoch: epochOf(state, entity) };
  for (const { settled, message, epoch, id: buildsOn } of own) {
    if (!settled) {
      const { base_version: baseVersion } = message;
      base = { ...(baseVersion === undefined ? base : { baseVersion, epoch }), buildsOn };
    } else if (settled.version >= base.baseVersion!)
      base = { baseVersion: settled.version, epoch: settled.epoch };
  }
  return base;
}

function under({ schemaVersion }: Versioned, { schema }: State): number | undefined {
  return schemaVersion ?? schema?.version;
}

function epochOf({ entities, meta }: State, name: string): string | undefined {
  const [place = meta] = entities.get(name)?.places.values() ?? [];
  return place.epoch;
}

/** A draft that can be made again later, of which `write` was made already. */
export function kept(draft: Draft, { message }: Write): Draft {
  if ("drafts" in draft) return draft;
  return "values" in draft ? { ...draft, values: copyOf(draft.values) } : message;
}

function messageOf(draft: Draft, at: number, state: State): Mutation {
  if ("type" in draft) return draft;
  if ("drafts" in draft) {
    const { length } = draft.drafts;
    if (length > MOST) refuse("transaction", `at most ${MOST} writes expected, got ${length}`);
    // Each has its own time, as if it were alone.
    const writes = draft.drafts.map((each, n) => messageOf(each, at + n, state));
    return { type: "transaction", writes: writes as (m.Push | m.PushFields)[] };
  }
  const { entity, entityId, options } = draft;
  if ("action" in draft) return push(entity, entityId, draft.action, draft.data, options);
  const baseVersion = options.baseVersion ?? (draft.seen && held(state, entity, entityId));
  const all = { ...options, baseVersion: baseVersion || options.baseVersion };
  return pushFields(entity, entityId, draft.values, all, at);
}

/** The version of a record that is held; 0 for none, or if it may be from another epoch. */
function held(state: State, entity: string, id: string): number {
  const { places, records } = entityOf(state, entity);
  const record = records.get(id);
  const own = [...places].filter(([name]) => within(name)(record?.data));
  const version = Math.max(0, ...own.map(([, place]) => place.version));
  return version && Math.max(version, record?.version ?? 0);
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
    // What is left out would be null.
    data: data === undefined ? refuse("push.data", "not a JSON value: undefined") : data,
    base_version: options.baseVersion,
  };
}

/** Values by name, or what to do with the value that is there. */
export type Fields = Readonly<Record<string, m.JsonValue | Operation>>;

/** A copy of the values of some fields, without those that are undefined. */
export function copyOf(fields: Fields): Fields {
  const at = "push_fields.fields";
  const said = entriesOf(fields, at).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    // An operation is what it was made as.
    said.map(([name, value]) => [
      name,
      value instanceof Operation ? value : checkJson(value, `${at}.${name}`),
    ]),
  );
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
  const updates = Object.entries(copyOf(fields)).map(([field, said]) =>
    said instanceof Operation
      ? update(field, said.value, said.action)
      : update(field, said, "update"),
  );
  const deletes = (options.delete ?? []).map((field) => update(field, null, "delete"));
  const all = [...updates, ...deletes];
  if (!all.length) refuse("push_fields.fields", "nothing to write");
  return {
    type: "push_fields",
    entity,
    entity_id: entityId,
    fields: all,
    base_version: options.baseVersion,
    if_unchanged: options.ifUnchanged,
  };
}
