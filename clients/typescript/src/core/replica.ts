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

import type { ChangeLog, FieldChangeLog, JsonValue } from "../messages/types.ts";
import { withFields, written } from "./overlay.ts";
import type { Op, Settled, State, Write } from "./storage-ops.ts";
import { entityOf } from "./storage-ops.ts";

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
  /** It was started over: changes of the stream before may be on their way. */
  anew: boolean;
  /** The ids of records that are held from before. */
  readonly stale: Set<string>;
  /** Fields that were written together, and whose last has not arrived. */
  batch: FieldChangeLog[];
}

/** A stream is started; `anew`: from nothing, whatever is held. */
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
  replica.anew = anew;
  replica.batch = [];
  stale.clear();
  if (!replica.since) for (const id of records.keys()) stale.add(id);
}

/** A change arrived. */
export function changed(replica: Replica, keeper: Keeper, log: ChangeLog | FieldChangeLog): void {
  const { entity, live, since } = replica;
  const { version, entity_id: id } = log;
  // All come in the order of their versions: one from before shows that a snapshot has begun.
  const expected = live ? entityOf(keeper.state, entity).place!.version : since + 1;
  if (version < expected) begin(replica, keeper, true);
  if (!("field" in log)) {
    put(replica, keeper, id, version, log.action === "delete" ? undefined : log.data);
  } else if (!gathered(replica, keeper, log)) return;
  const loads = !replica.since && !replica.anew && !replica.stale.size;
  if (replica.live || loads) reached(replica, keeper, version);
}

/** Takes a field to the others of its commit; returns whether they have all come, and are put. */
function gathered(replica: Replica, keeper: Keeper, log: FieldChangeLog): boolean {
  const { anew } = replica;
  const last = replica.batch.at(-1);
  if (last && last.version !== log.version) {
    // In a catch-up only the very last says that it is: this one was no part of it.
    if (anew && !last.more) replica.batch = [];
    else flush(replica, keeper);
  }
  replica.batch.push(log);
  if (log.more || anew) return false;
  flush(replica, keeper);
  return true;
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
  for (const id of stale) keeper.emit(["record", entity, id]);
  stale.clear();
  replica.live = true;
  replica.anew = false;
  reached(replica, keeper, version);
  return false;
}

/** Whether what a write did has arrived, so that it need not be shown on top any more. */
export function has(
  { entity, live, stale }: Replica,
  { state }: Keeper,
  id: string,
  at: Settled,
): boolean {
  const { place, records } = entityOf(state, entity);
  if (place?.epoch !== at.epoch) return live;
  const held = stale.has(id) ? undefined : records.get(id);
  return (held?.version ?? 0) >= at.version || (live && place.version >= at.version);
}

/**
 * A write to an entity that is held, and that nobody reads now, has taken effect.
 * Its change comes once the entity is read again.
 */
export function absorb(keeper: Keeper, write: Write, { version, epoch }: Settled): void {
  const { entity, entityId } = write;
  const { place, records } = entityOf(keeper.state, entity);
  if (place?.epoch !== epoch || place.version >= version) return;
  const data = written(records.get(entityId)?.data, write);
  const gone = data === undefined || (place.fields && !Object.keys(data ?? {}).length);
  keeper.emit(["record", entity, entityId, gone ? undefined : { data, version }]);
}

function reached(replica: Replica, keeper: Keeper, version: number): void {
  const { entity, fields, live } = replica;
  keeper.emit(["place", entity, { epoch: keeper.epoch, version, fields }]);
  if (live) drop(keeper, entity, (id, settled) => has(replica, keeper, id, settled));
}

/** Puts a record together from fields; in a snapshot all of its fields are told. */
function flush(replica: Replica, keeper: Keeper): void {
  const { entity, live, since, batch } = replica;
  if (!batch[0]) return;
  const { entity_id: id, version } = batch[0];
  const held = live || since ? entityOf(keeper.state, entity).records.get(id) : undefined;
  const data = withFields(held?.data, batch);
  replica.batch = [];
  put(replica, keeper, id, version, Object.keys(data).length ? data : undefined);
}

function put(
  { entity, stale }: Replica,
  keeper: Keeper,
  id: string,
  version: number,
  data: JsonValue | undefined,
): void {
  stale.delete(id);
  keeper.emit(["record", entity, id, data === undefined ? undefined : { data, version }]);
  drop(keeper, entity, (record, settled) => record === id && settled.version <= version);
}

/** Drops the settled writes of an entity that are of no more use. */
function drop(
  keeper: Keeper,
  entity: string,
  useless: (id: string, settled: Settled) => boolean,
): void {
  for (const id of entityOf(keeper.state, entity).settled) {
    const { entityId, settled } = keeper.state.writes.get(id)!;
    if (useless(entityId, settled!)) keeper.emit(["write", id]);
  }
}
