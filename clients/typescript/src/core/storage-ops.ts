/**
 * What a client keeps: in memory, and in its store.
 *
 * Knows records, positions, writes and their order. Must not know the
 * connection, nor who looks. Everything that changes is an operation: plain
 * data, applied to memory at once, handed to the store in batches, and told to
 * other tabs. Each sets something to a value, so that applying some of them
 * again, in order, changes nothing.
 */
import type { RhtmxError } from "../errors.ts";
import type {
  ErrorCode,
  JsonValue,
  Open,
  Push,
  PushFields,
  SchemaVersion,
  Transaction,
  TransactionWrite,
} from "../messages/types.ts";
import { entityIn } from "./part.ts";
import type { Traceparent } from "./traceparent.ts";
import { bySeq, inOrder, placeOf, put } from "./write-order.ts";

/** A record as the server told it. */
export interface Held {
  readonly data: JsonValue;
  readonly version: number;
}

/** Up to where a part of an entity was received, and whether field by field. */
export interface Place {
  readonly epoch: string;
  readonly version: number;
  readonly fields: boolean;
  /** What the server lets this client read of it, as it said with this position. */
  readonly scope?: string | undefined;
  /** While it is loaded from the beginning: where that ends, if the server has said so. */
  readonly head?: number | undefined;
  /** It has caught up once: what is held of it is a state that once was. */
  readonly shown?: boolean | undefined;
}

/** What is sent to write: one record, or several together. */
export type Mutation = Push | PushFields | Transaction;

/** A write without an answer, as the application sees it. */
export interface Pending {
  /** Its request id, the same however often it is sent. */
  readonly id: string;
  /**
   * Its number; undefined until the store has given one, 0 while it has one only in a store that
   * is out of reach.
   */
  readonly seq?: number | undefined;
  /** The collection; of a transaction that of its first write. */
  readonly entity: string;
  /** The record; of a transaction that of its first write. */
  readonly entityId: string;
  /** What is sent, without its number. */
  readonly message: Mutation;
  /** When it was written, in milliseconds since 1970. */
  readonly since: number;
}

/** Where the change of an acknowledged write comes, and what it has besides. */
export interface Settled {
  readonly version: number;
  readonly epoch: string;
  /** The fields that the server's program filled in. */
  readonly prepared?: JsonValue | undefined;
}

/** A write in the queue. */
export interface Write extends Pending {
  /** The epoch of its base version. */
  readonly epoch?: string | undefined;
  /**
   * The id of the own write that its author saw beneath it: while that is ahead, this one waits,
   * and is based on the version that it becomes. If that is rejected, it is based on what that was
   * based on.
   */
  readonly buildsOn?: string | undefined;
  /** It was acknowledged, and stays until the change itself arrives. */
  readonly settled?: Settled | undefined;
}

/** A write of one record: alone, or as a part of a transaction. */
export interface RecordWrite extends Write {
  readonly message: Push | PushFields;
}

/** A write that was rejected for good. */
export interface Rejection {
  /** The request id of the write. */
  readonly id: string;
  /** What was written; of a transaction nothing was. */
  readonly message: Mutation;
  /** Why. */
  readonly code: Open<ErrorCode>;
  /** Why, in words. */
  readonly text: string;
  /**
   * What the code adds; with `conflict` the record as it is now. Of a transaction, why each write
   * that is the reason was rejected: `{ writes: [{ index, code, message, details }] }`.
   */
  readonly details: JsonValue;
  /** The epoch of its base version. */
  readonly epoch?: string | undefined;
}

/** What a client knows about itself. */
export interface Meta {
  client_id: string;
  /** The last number given to a write. */
  last: number;
  /** The epoch that was seen last. */
  epoch?: string;
  /** Who may write what the server tells; see `tab-messages.ts`. */
  leader?: string;
  /** What gives the right to number writes under `client_id`; empty for nothing. */
  secret?: string;
  /** The application's schema of the server, as it said last. */
  schema?: SchemaVersion;
  /** The name of the server that was connected to last, if it is one of several. */
  node?: string | undefined;
}

/** One change of what is kept. */
export type Op =
  /** A record, or its deletion. */
  | readonly ["record", entity: string, id: string, held?: Held | undefined]
  /** The name is of a part; see `part.ts`. */
  | readonly ["place", name: string, place: Place]
  /** A write of the queue, or that it left it. */
  | readonly ["write", id: string, write?: Write | undefined]
  | readonly ["rejected", id: string, rejected?: Rejection | undefined]
  | readonly ["client_id" | "secret" | "epoch" | "leader", value: string]
  | readonly ["schema", value: SchemaVersion]
  | readonly ["node", value: string | undefined]
  /** At least so many numbers were given. */
  | readonly ["last", value: number]
  /** What waits is numbered anew, in its order, after this number. */
  | readonly ["renumber", last: number];

/** What the server can tell again: all else has to last. */
export const RETELLABLE: ReadonlySet<Op[0]> = /* @__PURE__ */ new Set(["record", "place"] as const);

/**
 * Where a tab stands: with the others that share the store, by itself as a client of its
 * own, or nowhere for now.
 */
export type Standing = "shared" | "alone" | "nowhere";

/** Where a client keeps what has to last. Its calls fail with an `RhtmxError`. */
export interface Store {
  /** What is in it outlives the page. */
  readonly stored?: boolean;
  /** Called when it can keep nothing any more. */
  onlost?: (error: RhtmxError) => void;
  /** Called when the tab has to stand elsewhere. */
  onmove?: (standing: Standing) => void;
  /** Called when it can be loaded anew; resolves when it is. */
  onback?: () => Promise<void>;
  /** Reads everything; makes the client's id the first time. */
  load(): Promise<State>;
  /**
   * Keeps a write under a fresh number, all in one transaction. One that has a number gets
   * another one, unless it has another one by now, or is gone.
   *
   * @param instead the rejected write that it replaces, which goes.
   * @returns the number; 0 if another tab has it.
   */
  add(write: Write, instead?: string): Promise<number>;
  /**
   * Applies operations, in one transaction.
   *
   * @param leader if given, nothing is applied unless that is the leader.
   * @returns whether it was applied.
   */
  apply(ops: readonly Op[], leader?: string): Promise<boolean>;
  /** Keeps a write that cannot be added yet, as nothing is loaded: for the next page. */
  hold?(write: Write, instead: string): void;
  /** Memory has changed, or the connection. `open`: something can be sent. */
  look?: ((open: boolean) => void) | undefined;
  /** It must not be used any more; why, in words. */
  refuse?(why: string): void;
  close(): void;
}

/** One entity in memory. */
export interface Entity {
  readonly name: string;
  readonly records: Map<string, Held>;
  /** By the names of its parts. They have one epoch and one granularity, once one is read. */
  readonly places: Map<string, Place>;
  /** The writes to its records that are in the queue, by the ids of the records. */
  readonly writes: Map<string, Map<string, Write>>;
  /** The ids of its settled writes. */
  readonly settled: Set<string>;
  /** Records that have to be looked at anew before they are shown. */
  readonly dirty: Set<string>;
}

/** Everything in memory. */
export interface State {
  readonly entities: Map<string, Entity>;
  writes: Map<string, Write>;
  readonly rejected: Map<string, Rejection>;
  meta: Meta;
  /** The last number of which the store, as it was loaded, has the answer. */
  answered: number;
  /** What has changed since it was shown: names of entities, `QUEUE` and `REJECTED`. */
  readonly changed: Set<string>;
  /** The latest time of a write that was known here, in microseconds since 1970. */
  time: number;
  /** Its numbers are those of a store out of reach: none may be given, changed or confirmed. */
  frozen?: boolean | undefined;
  /** The application's schema that this program was built with. */
  schema?: SchemaVersion | undefined;
  /** Where in a trace this program is, or what says so. */
  traceparent?: Traceparent;
  /** Writes that are in memory only, and have no number: they may get another client's id; by theirs. */
  parked?: ReadonlyMap<string, { write: Write }>;
}

/** No entity has such a name. */
export const QUEUE = "\0queue";
export const REJECTED = "\0rejected";

/** Memory, after some operations. */
export function stateOf(ops: readonly Op[] = []): State {
  const state: State = {
    entities: new Map(),
    writes: new Map(),
    rejected: new Map(),
    meta: { client_id: "", last: 0 },
    answered: 0,
    time: 0,
    changed: new Set(),
  };
  applyAll(state, ops);
  return state;
}

/** An entity; made if it is not there. */
export function entityOf(state: State, name: string): Entity {
  let entity = state.entities.get(name);
  if (!entity) {
    entity = {
      ...{ name, records: new Map(), places: new Map(), writes: new Map() },
      ...{ settled: new Set(), dirty: new Set() },
    };
    state.entities.set(name, entity);
  }
  return entity;
}

/**
 * The writes that wait for an answer and have a number, in its order: those with one above `after`,
 * up to `last`.
 */
export function waiting(
  state: State,
  after = 0,
  last = Infinity,
): (Write & { readonly seq: number })[] {
  const all = inOrder(state.writes);
  return all.slice(placeOf(all, { seq: after + 1 }), placeOf(all, { seq: last + 1 })) as never;
}

/** The first write that waits for an answer and has a number. */
export function firstWaiting({ writes }: State): Write | undefined {
  const all = inOrder(writes);
  const first = all[placeOf(all, { seq: 1 })];
  return first?.seq ? first : undefined;
}

/** The last number that was answered, and all before it. */
export function answered(state: State): number {
  return (firstWaiting(state)?.seq ?? state.meta.last + 1) - 1;
}

/** Applies operations to memory. */
export function applyAll(state: State, ops: readonly Op[]): void {
  for (const op of ops) apply(state, op);
}

/** Applies one operation to memory. */
export function apply(state: State, op: Op): void {
  switch (op[0]) {
    case "record": {
      const { records, dirty } = entityOf(state, op[1]);
      if (op[3]) records.set(op[2], op[3]);
      else records.delete(op[2]);
      dirty.add(op[2]);
      state.changed.add(op[1]);
      break;
    }
    case "place":
      entityOf(state, entityIn(op[1])).places.set(op[1], op[2]);
      break;
    case "write": {
      const [, id, write] = op;
      for (const { entity, entityId } of keep(state, id, write)) {
        entityOf(state, entity).dirty.add(entityId);
        state.changed.add(QUEUE).add(entity);
      }
      state.meta.last = Math.max(state.meta.last, write?.seq ?? 0);
      // Writes of other tabs and other runs have times, too.
      state.time = Math.max(state.time, Math.round((write?.since ?? 0) * 1e3));
      break;
    }
    case "rejected":
      if (op[2]) state.rejected.set(op[1], op[2]);
      else if (!state.rejected.delete(op[1])) break;
      state.changed.add(REJECTED);
      break;
    case "last":
      state.meta.last = Math.max(state.meta.last, op[1]);
      break;
    case "renumber":
      state.meta.last = renumber(state.writes.values(), state.meta.last, op[1], (each) =>
        keep(state, each.id, each),
      );
      state.changed.add(QUEUE);
      break;
    default:
      Object.assign(state.meta, { [op[0]]: op[1] });
  }
}

/**
 * Numbers a queue anew, in its order. What was acknowledged stays below all of it.
 *
 * @param before the last number given until now.
 * @param last the number before the first new one.
 * @param keep is given each write with its number.
 * @returns the last number given.
 */
export function renumber(
  writes: Iterable<Write>,
  before: number,
  last: number,
  keep: (write: Write) => void,
): number {
  for (const each of [...writes].sort(bySeq)) {
    keep({ ...each, seq: each.settled ? each.seq! - before - 1 : each.seq && ++last });
  }
  return last;
}

/** What a write does to each record: itself, or its parts, in their order. */
export function partsOf(write: Write): RecordWrite[] {
  const { message } = write;
  if (!("writes" in message)) return [write as RecordWrite];
  return message.writes.map((each) => ({
    ...write,
    entity: each.entity,
    entityId: each.entity_id,
    message: { type: each.fields ? "push_fields" : "push", ...each } as Push | PushFields,
  }));
}

/** What a write does to one record. */
export function partsAt(write: Write, entity: string, id: string): RecordWrite[] {
  return partsOf(write).filter((each) => each.entity === entity && each.entityId === id);
}

/** A write of which some parts are based on other versions; undefined if all are on the same. */
export function rebased<W extends Write>(
  write: W,
  base: (part: TransactionWrite) => number | undefined,
): W | undefined {
  const { message } = write;
  let isNew = false;
  const change = <P extends TransactionWrite>(part: P): P => {
    const base_version = base(part);
    isNew ||= base_version !== part.base_version;
    return { ...part, base_version };
  };
  const now =
    "writes" in message ? { ...message, writes: message.writes.map(change) } : change(message);
  return isNew ? { ...write, message: now } : undefined;
}

/**
 * Puts a write into the queue, or takes it away: of all, and of each record that it writes.
 *
 * @returns what it does, and what the one in its place did, to each record.
 */
function keep(state: State, id: string, write: Write | undefined): RecordWrite[] {
  const before = state.writes.get(id);
  put(state.writes, id, write);
  const there = write ? partsOf(write) : [];
  const isGone = (part: RecordWrite) =>
    there.every((each) => each.entity !== part.entity || each.entityId !== part.entityId);
  const isOther = before && before.message !== write?.message;
  const gone = isOther ? partsOf(before).filter(isGone) : [];
  for (const each of gone) keepAt(state, each);
  for (const each of there) keepAt(state, each, write);
  return [...gone, ...there];
}

/** The same, of one record. */
function keepAt(state: State, { id, entity, entityId }: RecordWrite, write?: Write): void {
  const { settled, writes } = entityOf(state, entity);
  const own = writes.get(entityId) ?? new Map<string, Write>();
  put(own, id, write);
  if (own.size) writes.set(entityId, own);
  else writes.delete(entityId);
  settled[write?.settled ? "add" : "delete"](id);
}
