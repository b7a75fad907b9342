/**
 * The copy of one entity, fed by its streams: one for all of it, or for each part that is read.
 *
 * Knows positions: which changes belong to a snapshot, which are live, and what
 * is gone when a snapshot has ended. Must not know the connection: it is told.
 *
 * What is held from before a snapshot is *stale*: shown until the snapshot's
 * end says that it is gone. Nothing about this is stored but the position: one
 * at version 0 makes everything stale that is held, as after a restart.
 *
 * A change does not say for which of the streams of its entity it was sent: each is told once,
 * whoever reads it. So while one of several catches up, changes move no position, and each end
 * of a catch-up (all up to its version was sent before it) moves those of all that are live. And
 * what one is told late, be it that a record has left its part, is not put over what
 * another one knows since, be it that the record is no more.
 *
 * A position of one that is not read says what was in it by the rights of then. If a record that
 * comes, or is found to be no more, says otherwise, that one begins anew, once it is read again.
 *
 * Field by field one that is resumed is told what has changed since of a record that stayed in its
 * part. Another one may have put that record away: so where several are held, each is read
 * from its beginning.
 */

import type { ChangeLog, FieldChangeLog, JsonValue } from "../messages/types.ts";
import { withFields, written } from "./overlay.ts";
import type { Within } from "./part.ts";
import { within } from "./part.ts";
import type { Held, Op, Place, RecordWrite, Settled, State } from "./storage-ops.ts";
import { entityOf } from "./storage-ops.ts";

/** What a replica works on. */
export interface Keeper {
  readonly state: State;
  /** The server's epoch, as it said last. */
  epoch: string;
  /** Applies an operation, and has it stored. */
  emit(op: Op): void;
}

/** What one stream says of a replica, and how far it is. */
export interface Replica {
  readonly entity: string;
  /** Which part of it; see `part.ts`. */
  readonly name: string;
  readonly within: Within;
  readonly fields: boolean;
  /** The tabs that read it. With none nothing is kept of it. */
  readonly readers: ReadonlySet<string>;
  /** It has to be started anew for whoever is left or has come, once the head is known. */
  restart?: boolean | undefined;
  /** It has caught up on this connection. */
  live: boolean;
  /** The version that this stream was started from. */
  since: number;
  /** The version of the last change. */
  last: number;
  /** The ids of records that are held from before. */
  readonly stale: Set<string>;
  /** All of its entity from which changes may come, this one among them. */
  readonly family: Set<Replica>;
  /** Fields that were written together, and whose last has not arrived; the same of the family. */
  readonly batch: FieldChangeLog[];
  /**
   * The versions of what has gone while one of the family caught up, which may be told an older
   * state yet; the same of the family.
   */
  readonly gone: Map<string, number>;
}

/**
 * A stream is started, or begins again; `anew`: from nothing, and what is held counts as far as
 * it comes once more.
 */
export function begin(replica: Replica, keeper: Keeper, anew: boolean, scope?: string): void {
  const { entity, name, fields, stale, family, batch } = replica;
  const { places, records } = entityOf(keeper.state, entity);
  const { epoch } = keeper;
  disown(replica, keeper);
  const isWhole = anew || isMixed(replica, keeper);
  for (const each of new Set([...places.keys(), name])) {
    const place = places.get(each);
    const isRight = place?.epoch === epoch && place.fields === fields;
    // At version 0 it has yet to be told of its scope.
    if (isRight && (each !== name || (place.version && !isWhole))) continue;
    keeper.emit(["place", each, { epoch, version: 0, fields, ...(scope && { scope }) }]);
  }
  replica.since = places.get(name)!.version;
  replica.last = replica.since + 1;
  replica.live = false;
  if (family.size < 2) batch.length = 0;
  else if (anew) flush(replica, keeper);
  stale.clear();
  for (const [id, held] of records) if (comesAgain(replica, held)) stale.add(id);
}

/** The server has said where what has begun ends. */
export function foresee({ entity, name }: Replica, keeper: Keeper, head: number): void {
  const place = entityOf(keeper.state, entity).places.get(name)!;
  keeper.emit(["place", name, { ...place, head }]);
}

/** Whether a record comes again: what is newer another part has brought, maybe by other rights. */
function comesAgain({ since, fields, within }: Replica, { data, version }: Held): boolean {
  return (!since || (!fields && version > since)) && within(data);
}

/** What is held of other parts has a version of another log: that counts for nothing in this one. */
function disown({ entity, within }: Replica, keeper: Keeper): void {
  const { places, records } = entityOf(keeper.state, entity);
  if ([...places.values()].every(({ epoch }) => epoch === keeper.epoch)) return;
  for (const [id, { data }] of records) {
    if (!within(data)) keeper.emit(["record", entity, id, { data, version: 0 }]);
  }
}

/** What has changed of it, field by field, fits only what is held of it alone: others are, too. */
function isMixed({ entity, name, fields, family }: Replica, { state }: Keeper): boolean {
  const others = [...entityOf(state, entity).places].filter(([each]) => each !== name);
  return fields && (family.size > 1 || others.some(([, { version }]) => version));
}

/** A change arrived for those of an entity: one of them, at least, is read. */
export function changed(
  all: readonly Replica[],
  keeper: Keeper,
  log: ChangeLog | FieldChangeLog,
): void {
  const replica = all.find(isFed)!;
  const { entity, name } = replica;
  const { version, entity_id: id } = log;
  const isAlone = all.length === 1;
  // All come in the order of their versions: one from before shows that a snapshot has begun,
  // where the server does not say so.
  if (isAlone && name === entity && version < replica.last) begin(replica, keeper, true);
  replica.last = version;
  settle(replica, keeper, version);
  if (isKnown(replica, keeper, log)) return;
  if (!("field" in log)) {
    put(replica, keeper, id, version, log.action === "delete" ? undefined : log.data);
  } else if (!gathered(replica, keeper, log)) return;
  // The position of a part is of no use before its scope is known.
  const isPlaced = name === entity || entityOf(keeper.state, entity).places.get(name)!.scope;
  const loads = isAlone && isPlaced && !replica.since && !replica.stale.size;
  if (loads || all.every((each) => each.live)) reached(all, keeper, version);
}

/** Whether it is read, and what comes is for its replica. */
export function isFed({ readers, restart }: Replica): boolean {
  return readers.size > 0 && !restart;
}

/** Whether a record is held as it was at that change or since, for another part, or has gone since. */
function isKnown(
  { entity, family, gone }: Replica,
  keeper: Keeper,
  { entity_id: id, version, left }: ChangeLog | FieldChangeLog,
): boolean {
  const { places, records } = entityOf(keeper.state, entity);
  const held = records.get(id);
  // At the same version it went from one part to another.
  if (version < gone.get(id)!) return true;
  const isAlone = places.size < 2 && family.size < 2;
  if (!held || isAlone || held.version < version + +!left) return false;
  const isRead = [...family].some(
    (each) => isFed(each) && !each.stale.has(id) && each.within(held.data),
  );
  return isRead || placesAt(entity, keeper, { data: held.data, version }).length > 0;
}

/** The parts, of those that pass, whose position says that a record was in them at a version. */
function placesAt(
  entity: string,
  { state, epoch }: Keeper,
  { data, version }: Held,
  passes = (_: string) => true,
): string[] {
  const { places } = entityOf(state, entity);
  const isAt = ([name, place]: readonly [string, Place]) =>
    passes(name) && place.epoch === epoch && place.version >= version && within(name)(data);
  return [...places].filter(isAt).map(([name]) => name);
}

/** What was written together is put together, once something else comes. */
function settle(replica: Replica, keeper: Keeper, version: number): void {
  const { batch } = replica;
  const last = batch.at(-1);
  if (!last || last.version === version) return;
  flush(replica, keeper);
}

/** Takes a field to the others of its commit; returns whether they have all come, and are put. */
function gathered(replica: Replica, keeper: Keeper, log: FieldChangeLog): boolean {
  replica.batch.push(log);
  if (log.more) return false;
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
  message: {
    readonly version: number;
    readonly reset: boolean;
    readonly scope?: string | undefined;
  },
): boolean {
  const { entity, name, fields, stale, family, gone } = replica;
  const { version, reset, scope } = message;
  flush(replica, keeper);
  if (reset && (replica.live || replica.since)) return true;
  // Though another part may have it, too: what may be read is the same for both.
  const { records } = entityOf(keeper.state, entity);
  for (const id of stale) {
    const held = records.get(id);
    if (held) doubt(replica, keeper, held);
    keeper.emit(["record", entity, id]);
  }
  stale.clear();
  replica.live = true;
  replica.last = version;
  const { epoch } = keeper;
  keeper.emit(["place", name, { epoch, version, fields, scope, shown: true }]);
  const live = [...family].filter((each) => each.live);
  if (live.length === family.size) gone.clear();
  reached(live, keeper, version);
  return false;
}

/** All that is read of an entity and is live has what was written up to this version. */
export function reached(all: readonly Replica[], keeper: Keeper, version: number): void {
  const fed = all.filter(isFed);
  for (const { entity, name } of fed) {
    const place = entityOf(keeper.state, entity).places.get(name)!;
    if (place.version < version) keeper.emit(["place", name, { ...place, version }]);
  }
  const live = fed.find((each) => each.live);
  if (live) drop(keeper, live.entity, (id, settled) => has(live, keeper, id, settled));
}

/** Whether what a write did has arrived, so that it need not be shown on top any more. */
export function has(replica: Replica, { state }: Keeper, id: string, at: Settled): boolean {
  const { places, records } = entityOf(state, replica.entity);
  const isAt = ({ name }: Replica) => places.get(name)?.epoch === at.epoch;
  const held = records.get(id);
  const all = [replica, ...replica.family].filter(isFed);
  const isHeld = (each: Replica) => isAt(each) && !each.stale.has(id) && each.within(held!.data);
  if (held && held.version >= at.version && all.some(isHeld)) return true;
  return all.every(
    (each) => each.live && (!isAt(each) || places.get(each.name)!.version >= at.version),
  );
}

/** Drops what no position speaks for: records of parts that were never read to their end. */
export function dropUnplaced(entity: string, keeper: Keeper): void {
  const { places, records } = entityOf(keeper.state, entity);
  const placed = [...places].filter(([, { version }]) => version).map(([name]) => within(name));
  for (const [id, { data }] of [...records]) {
    if (!placed.some((isIn) => isIn(data))) keeper.emit(["record", entity, id]);
  }
}

/**
 * A write to an entity that is held, and that nobody reads now, has taken effect.
 * Its change comes once the entity is read again.
 */
export function absorb(keeper: Keeper, write: RecordWrite, { version, epoch }: Settled): void {
  const { entity, entityId } = write;
  const { places, records } = entityOf(keeper.state, entity);
  const all = [...places.values()].filter((each) => each.epoch === epoch);
  if (!all[0] || all.some((each) => each.version >= version)) return;
  const data = written(records.get(entityId)?.data, write);
  const gone = data === undefined || (all[0].fields && !Object.keys(data ?? {}).length);
  keeper.emit(["record", entity, entityId, gone ? undefined : { data, version }]);
}

/** Puts a record together from fields; one that is held from before a snapshot is told whole. */
function flush(replica: Replica, keeper: Keeper): void {
  const { entity, batch, family } = replica;
  const [first] = batch;
  if (!first) return;
  const { entity_id: id, version, left } = first;
  const held = entityOf(keeper.state, entity).records.get(id);
  const isFresh = (each: Replica) => !each.stale.has(id);
  const isCovered = (each: Replica) =>
    isFresh(each) && (each.live || each.since) && each.within(held!.data);
  // What another stream was told may come in between the fields of one commit.
  const isBegun = held?.version === version && [...family].every(isFresh);
  // After `left` come all fields that it has, if any.
  const goesOn = held && !left && (isBegun || [...family].some(isCovered));
  const data = withFields(goesOn ? held.data : undefined, batch);
  batch.length = 0;
  put(replica, keeper, id, version, Object.keys(data).length ? data : undefined);
}

/** Voids the positions of what is not read, and says otherwise of a record: its rights were others. */
function doubt({ entity, family, fields }: Replica, keeper: Keeper, held: Held): void {
  const { epoch } = keeper;
  const isRead = (name: string) => [...family].some((each) => each.name === name && isFed(each));
  for (const name of placesAt(entity, keeper, held, (name) => !isRead(name)))
    keeper.emit(["place", name, { epoch, version: 0, fields }]);
}

function put(
  replica: Replica,
  keeper: Keeper,
  id: string,
  version: number,
  data: JsonValue | undefined,
): void {
  const { entity, family, gone } = replica;
  const held = entityOf(keeper.state, entity).records.get(id);
  const isNew = data !== undefined && !(held && held.version >= version);
  if (isNew) doubt(replica, keeper, { version, data });
  for (const each of family) if (isFed(each)) each.stale.delete(id);
  const isGone = data === undefined;
  if (isGone && family.size > 1 && [...family].some((each) => !each.live)) gone.set(id, version);
  keeper.emit(["record", entity, id, isGone ? undefined : { data, version }]);
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
