/**
 * The records of one entity in a server for tests, and what becomes of a write.
 *
 * Knows records, versions and fields. Must not know connections, nor who reads. It is pure: the
 * time is an argument.
 */
import { apply, isOperation, type OperationAction } from "../core/operations.ts";
import type * as m from "../messages/types.ts";
import { formatTime, splitTime } from "../wire/time.ts";
import { after, type FieldClock, type FieldWrite, follow, merge, same } from "./merging.ts";

/** A record, or what is remembered of one that was deleted. */
export interface StoredRecord {
  readonly version: number;
  /** Undefined: it was deleted. */
  readonly data: m.JsonValue | undefined;
  readonly by: string;
  /** Microseconds since 1970. */
  readonly time: number;
  readonly action: m.ChangeAction;
  /** Of every field that was ever there; of `DELETED`, the deletion of the record. */
  readonly clocks: ReadonlyMap<string, FieldClock>;
}

/** A write that took effect. */
export interface Written {
  readonly entity: string;
  readonly id: string;
  readonly before: StoredRecord | undefined;
  readonly after: StoredRecord;
  /** The fields that are others now, in order. */
  readonly changed: readonly string[];
}

/** What became of a write: what its author is told, and what it wrote, if anything. */
export interface Decided {
  readonly reply: readonly m.ServerMessage[];
  readonly written?: Written | undefined;
}

/** When and by whom something is written. */
export interface WriteContext {
  /** Microseconds since 1970. */
  readonly now: number;
  readonly by: string;
  readonly epoch: string;
}

/** Why a write is rejected: code, words, details. */
export class Refused extends Error {
  readonly code: m.ErrorCode;
  readonly details: m.JsonValue;

  constructor(code: m.ErrorCode, message: string, details: m.JsonValue = null) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

const DELETED = "\0";
/** What these have named is written anew, also where nothing of it changes. */
const TAGGING: ReadonlySet<m.FieldAction> = new Set(["add", "set_key"]);
/** Microseconds that a client's clock may be ahead. */
const MAX_AHEAD = 60_000_000;

/** The records of one entity, which may be put back to what they were. */
export class EntityLog {
  readonly entity: string;
  version = 0;
  rows: ReadonlyMap<string, StoredRecord> = new Map();

  constructor(entity: string) {
    this.entity = entity;
  }

  /**
   * Writes a whole record, or deletes it.
   *
   * @throws Refused `conflict`: it is not the one that `base_version` names.
   */
  push(message: m.Push, context: WriteContext): Decided {
    const { entity_id: id, action, base_version: base } = message;
    const before = this.rows.get(id);
    const isThere = before?.data !== undefined;
    if (base !== undefined && base !== (before?.version ?? 0) && (base || isThere)) {
      const words = `push.base_version: '${id}' is in version ${before?.version ?? 0}`;
      throw new Refused("conflict", words, this.#told(id));
    }
    const deletes = action === "delete";
    const writes = !deletes || isThere;
    const written = writes ? this.#replace(id, deletes ? undefined : message.data, context) : null;
    const ack = { ...answerOf(message, context), version: this.version };
    return { reply: [{ type: "push_ack", ...ack }], ...(written && { written }) };
  }

  /**
   * Writes some fields.
   *
   * @throws Refused `conflict`: `if_unchanged` is not so; `invalid_data`: it has no fields.
   */
  pushFields(message: m.PushFields, context: WriteContext): Decided {
    const { entity_id: id, base_version: base } = message;
    const before = this.rows.get(id);
    if (before?.data !== undefined && !isObject(before.data)) {
      throw new Refused("invalid_data", `'${id}' holds no JSON object and so has no fields`);
    }
    if (message.if_unchanged) this.#checkUnchanged(message);
    const draft = new Draft(before, base, context, this.version + 1);
    for (const each of message.fields) draft.write(each);
    const { changed, data, clocks } = draft;
    const written = changed.length ? this.#store(id, data, clocks, changed, context) : undefined;
    const version = (written?.after ?? before)?.version;
    const place = { entity: this.entity, entity_id: id, version, seq: message.seq };
    const conflicts = draft.conflicts.map((each) => ({ ...each, ...place }));
    const ack = {
      ...answerOf(message, context),
      version,
      applied: draft.applied,
      conflicts: conflicts.length,
      clamped: draft.clamped || undefined,
    };
    return { reply: [...conflicts, { type: "field_push_ack", ...ack }], written };
  }

  #checkUnchanged({ entity_id: id, base_version: base = 0, fields }: m.PushFields): void {
    const before = this.rows.get(id);
    const changed = fields
      .map(({ field }) => field)
      .filter((field) => (storedWrite(before, field)?.clock.version ?? 0) > base);
    if (!changed.length) return;
    const words = `push_fields.if_unchanged: '${changed[0]}' of '${id}' was written since`;
    throw new Refused("conflict", words, { ...(this.#told(id) as object), fields: changed });
  }

  /** A record as the details of an error have it. */
  #told(id: string): m.JsonValue {
    const record = this.rows.get(id);
    if (!record) return null;
    return changeOf(this.entity, id, record) as unknown as m.JsonValue;
  }

  /** Writes a whole record: of its fields, those that really differ. */
  #replace(id: string, data: m.JsonValue | undefined, context: WriteContext): Written {
    const before = this.rows.get(id);
    const clocks = new Map(before?.clocks);
    const [old, fresh] = [fieldsOf(before?.data), fieldsOf(data)];
    const time = context.now;
    const stamp = { version: this.version + 1, time, claimed: time, by: context.by };
    const changed: string[] = [];
    const put = (field: string, deleted: boolean) => {
      changed.push(field);
      clocks.set(field, follow({ ...stamp, deleted }, clocks.get(field)));
    };
    for (const [field, value] of Object.entries(fresh)) {
      if (!(field in old) || !same(old[field], value)) put(field, false);
    }
    for (const field of Object.keys(old)) if (!(field in fresh)) put(field, true);
    if (data === undefined) {
      // Also what was gone before: a write that is older than this must not bring it back.
      for (const field of [DELETED, ...clocks.keys()].filter((each) => !(each in old))) {
        clocks.set(field, follow({ ...stamp, deleted: true }, clocks.get(field)));
      }
    }
    return this.#store(id, data, clocks, changed, context);
  }

  #store(
    id: string,
    data: m.JsonValue | undefined,
    clocks: ReadonlyMap<string, FieldClock>,
    changed: readonly string[],
    { by, now }: WriteContext,
  ): Written {
    const before = this.rows.get(id);
    this.version += 1;
    const written = before?.data === undefined ? "create" : "update";
    const action = data === undefined ? "delete" : written;
    const after = { version: this.version, data, by, time: now, action, clocks } as const;
    this.rows = new Map(this.rows).set(id, after);
    return { entity: this.entity, id, before, after, changed: [...changed].sort() };
  }
}

/** What a field push makes of a record. */
class Draft {
  readonly clocks: Map<string, FieldClock>;
  readonly conflicts: m.FieldConflict[] = [];
  applied = 0;
  clamped = 0;
  readonly changed: string[] = [];
  readonly #fields: { [field: string]: m.JsonValue };
  readonly #before: StoredRecord | undefined;
  readonly #base: number | undefined;
  readonly #context: WriteContext;
  readonly #version: number;

  constructor(
    before: StoredRecord | undefined,
    base: number | undefined,
    context: WriteContext,
    version: number,
  ) {
    this.clocks = new Map(before?.clocks);
    this.#fields = { ...fieldsOf(before?.data) };
    this.#before = before;
    this.#base = base;
    this.#context = context;
    this.#version = version;
  }

  get data(): m.JsonValue {
    return this.#fields;
  }

  write({ field, value, action, timestamp }: m.FieldUpdate): void {
    const claimed = microsOf(timestamp);
    const time = Math.min(claimed, this.#context.now + MAX_AHEAD);
    this.clamped += +(time !== claimed);
    const deleted = action === "delete";
    const clock = { version: this.#version, time, claimed, by: this.#context.by, deleted };
    const stored = storedWrite(this.#before, field);
    const pushed = { value: deleted ? null : value, clock };
    if (!isOperation(action)) this.#merge(field, stored, pushed);
    else if (!stored || stored.clock.deleted) {
      this.#merge(field, stored, { ...pushed, value: apply(action, undefined, value) ?? null });
    } else this.#operate(field, stored, action, { ...pushed, value });
  }

  /** An operation is applied to what is there: nothing stands against it. */
  #operate(field: string, stored: FieldWrite, action: m.FieldAction, pushed: FieldWrite): void {
    const made = apply(action as OperationAction, stored.value, pushed.value);
    this.applied += 1;
    if (made === undefined || (!TAGGING.has(action) && same(made, stored.value))) return;
    this.#put(field, made, after(stored.clock, pushed.clock));
  }

  #merge(field: string, stored: FieldWrite | undefined, pushed: FieldWrite): void {
    const [outcome, clock] = merge(stored, pushed, this.#base);
    if (outcome === "taken" || outcome === "won") this.#put(field, pushed.value, clock);
    if (outcome !== "lost") this.applied += 1;
    if (outcome === "won" || outcome === "lost") this.#conflict(field, stored!, pushed, outcome);
  }

  #put(field: string, value: m.JsonValue, clock: FieldClock): void {
    this.changed.push(field);
    this.clocks.set(field, clock);
    if (clock.deleted) delete this.#fields[field];
    else this.#fields[field] = value;
  }

  #conflict(field: string, stored: FieldWrite, pushed: FieldWrite, outcome: "won" | "lost"): void {
    const deleted = ({ value, clock }: FieldWrite) => (value === null ? clock.deleted : undefined);
    this.conflicts.push({
      type: "field_conflict",
      entity: "",
      entity_id: "",
      field,
      server_value: stored.value,
      server_timestamp: timeOf(stored.clock.time),
      client_value: pushed.value,
      client_timestamp: timeOf(pushed.clock.time),
      winner: outcome === "won" ? "client" : "server",
      strategy: "last_write_wins",
      server_deleted: deleted(stored),
      client_deleted: deleted(pushed),
      server_client_id: stored.clock.by || undefined,
    });
  }
}

/** The last write of a field; that of a record that was deleted is its deletion. */
function storedWrite(record: StoredRecord | undefined, field: string): FieldWrite | undefined {
  const [own, deletion] = [record?.clocks.get(field), record?.clocks.get(DELETED)];
  const clock = deletion && (own?.version ?? 0) < deletion.version ? deletion : own;
  return clock && { value: fieldsOf(record?.data)[field] ?? null, clock };
}

/** The fields of a record that were written after a version, in order; `DELETED` is none. */
export function fieldsSince({ clocks }: StoredRecord, version: number): string[] {
  const written = [...clocks].filter(([field, clock]) => {
    return field !== DELETED && clock.version > version;
  });
  return written.map(([field]) => field).sort();
}

/** A record as the message about its last commit has it. */
export function changeOf(entity: string, id: string, record: StoredRecord): m.ChangeLog {
  const { data = null, version, action, by, time } = record;
  const place = { entity, entity_id: id, action, data, version };
  return { ...place, ...(by && { client_id: by }), created_at: timeOf(time) };
}

/** The value of a field, undefined if it is not there, and when it was written. */
export function fieldOf(
  { data, clocks }: StoredRecord,
  field: string,
): [value: m.JsonValue | undefined, clock: FieldClock] {
  return [fieldsOf(data)[field], clocks.get(field)!];
}

/** Microseconds since 1970 of a time in a message. */
export function microsOf(time: string): number {
  const { seconds, nanos } = splitTime(time);
  return seconds * 1_000_000 + nanos / 1_000;
}

/** The same as a message has it. */
export function timeOf(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  return formatTime({ seconds, nanos: (micros - seconds * 1_000_000) * 1_000 })!;
}

function answerOf(message: m.Push | m.PushFields, { epoch, now }: WriteContext) {
  const { entity, entity_id, request_id, seq } = message;
  return { entity, entity_id, request_id, seq, epoch, server_time: timeOf(now) };
}

function fieldsOf(data: m.JsonValue | undefined): { readonly [field: string]: m.JsonValue } {
  return isObject(data) ? (data as never) : {};
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && !!value && !Array.isArray(value);
}
