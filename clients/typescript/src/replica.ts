/**
 * The copy of one entity, fed by its stream.
 *
 * Knows positions: which changes belong to a snapshot, which are live, and what
 * is gone when a snapshot has ended. Must not know the connection: it is told.
 *
 * What is held from before a snapshot is *stale*: shown until the snapshot's
 * end says that it is gone. Nothing about this is stored but the position: one
 * at version 0 makes everything stale that is held, as after a restart.
 */
import { entityOf } from "./store.ts";
import type { ChangeLog, FieldChangeLog } from "./messages/types.ts";
import type { Op, State, Write } from "./store.ts";

/** What a replica works on. */
export interface Keeper {
  readonly state: State;
  /** The server's epoch, as it said last. */
  epoch: string;
  /** Applies an operation, and has it stored. */
  emit(op: Op): void;
}

/** How far one replica is. */
export interface Replica {
  readonly entity: string;
  readonly fields: boolean;
  /** It has caught up on this connection. */
  live: boolean;
  /** The version that this stream was started from. */
  since: number;
  /** Names of fields by record; for whole records, no names. */
  readonly stale: Map<string, Set<string>>;
  /** Fields of one record whose last has not arrived. */
  batch: FieldChangeLog[];
}

/** A position at which nothing was received. */
export function begin(replica: Replica, keeper: Keeper, anew: boolean): void {
  const { entity, fields, stale } = replica;
  const { place, records } = entityOf(keeper.state, entity);
  const { epoch } = keeper;
  replica.since = place?.version ?? 0;
  if (anew || place?.epoch !== epoch || place.fields !== fields) {
    replica.since = 0;
    keeper.emit(["place", entity, { epoch, version: 0, fields }]);
  }
  replica.live = false;
  replica.batch = [];
  stale.clear();
  if (replica.since) return;
  for (const [id, { data }] of records) {
    stale.set(id, new Set(fields && data ? Object.keys(data) : []));
  }
}

/** A change arrived. */
export function changed(replica: Replica, keeper: Keeper, log: ChangeLog | FieldChangeLog): void {
  const { entity, stale, live } = replica;
  const { version, entity_id: id } = log;
  const place = entityOf(keeper.state, entity).place;
  // Records come in the order of their versions: one from before shows that a snapshot
  // has begun. Fields come by record: what came ahead of an old one may be of the same
  // snapshot. There its end has to tell.
  const expected = live ? place!.version : replica.since + 1;
  if (!replica.fields && version < expected) begin(replica, keeper, true);
  if ("field" in log) {
    if (replica.batch[0] && replica.batch[0].entity_id !== id) flush(replica, keeper);
    replica.batch.push(log);
    if (log.more) return;
    flush(replica, keeper);
  } else {
    stale.delete(id);
    const gone = log.action === "delete";
    keeper.emit(["record", entity, id, gone ? undefined : { data: log.data, version }]);
    arrived(keeper, entity, id, version);
  }
  if (replica.live || (!replica.since && !stale.size)) reached(replica, keeper, version);
}

/**
 * The stream has caught up.
 *
 * @returns whether it has to be started again, from nothing: it was a snapshot,
 *   and nobody could see where it began.
 */
export function synced(
  replica: Replica,
  keeper: Keeper,
  { version, reset }: { readonly version: number; readonly reset: boolean },
): boolean {
  const { entity, stale } = replica;
  flush(replica, keeper);
  if (reset && (replica.live || replica.since)) return true;
  for (const [id, names] of stale) {
    const held = entityOf(keeper.state, entity).records.get(id);
    if (held) put(keeper, entity, id, held.version, held.data, [...names].map((name) => [name]));
  }
  stale.clear();
  replica.live = true;
  reached(replica, keeper, version);
  drop(keeper, entity, ({ settled }) => settled?.epoch !== keeper.epoch);
  return false;
}

/** Whether what a write did has arrived, so that it need not be shown on top any more. */
export function has(
  replica: Replica,
  { state }: Keeper,
  id: string,
  at: { readonly version: number; readonly epoch: string },
): boolean {
  const { place, records } = entityOf(state, replica.entity);
  if ((records.get(id)?.version ?? 0) >= at.version) return true;
  return replica.live && (place?.epoch !== at.epoch || place.version >= at.version);
}

function reached(replica: Replica, keeper: Keeper, version: number): void {
  const { entity, fields, live } = replica;
  keeper.emit(["place", entity, { epoch: keeper.epoch, version, fields }]);
  if (live) drop(keeper, entity, ({ settled }) => settled!.version <= version);
}

function flush(replica: Replica, keeper: Keeper): void {
  const { entity, batch, stale } = replica;
  if (!batch[0]) return;
  const id = batch[0].entity_id;
  const names = stale.get(id);
  const held = entityOf(keeper.state, entity).records.get(id);
  const version = Math.max(held?.version ?? 0, ...batch.map((each) => each.version));
  const fields = batch.map(({ field, action, value }): [string, unknown?] => {
    names?.delete(field);
    return action === "delete" ? [field] : [field, value];
  });
  if (!names?.size) stale.delete(id);
  put(keeper, entity, id, version, held?.data, fields);
  arrived(keeper, entity, id, version);
  replica.batch = [];
}

/** Puts a record together from what is held and some fields; one without a value goes. */
function put(
  keeper: Keeper,
  entity: string,
  id: string,
  version: number,
  before: unknown,
  fields: [string, unknown?][],
): void {
  const data = fields.length ? { ...(before as { [key: string]: never }) } : {};
  for (const [field, ...value] of fields) {
    if (value.length) data[field] = value[0] as never;
    else delete data[field];
  }
  const gone = !Object.keys(data).length;
  keeper.emit(["record", entity, id, gone ? undefined : { data, version }]);
}

function arrived(keeper: Keeper, entity: string, id: string, version: number): void {
  drop(keeper, entity, (write) => write.entityId === id && write.settled!.version <= version);
}

/** Drops the settled writes of an entity that are of no more use. */
function drop({ state, emit }: Keeper, entity: string, useless: (write: Write) => boolean): void {
  if (!entityOf(state, entity).settled) return;
  for (const write of [...state.writes.values()]) {
    if (write.settled && write.entity === entity && useless(write)) emit(["write", write.id]);
  }
}
