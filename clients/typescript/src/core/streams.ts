/**
 * What is subscribed to: one stream for each part of an entity, be it all of it, for the
 * replica, for those who watch its changes, or for both.
 *
 * Knows where each starts on the next connection. Must not know frames.
 *
 * One that is read, and not watched:
 *
 * | event     | `none`            | `wanted`         | `asked`            | `live`           | `rejected`         |
 * | --------- | ----------------- | ---------------- | ------------------ | ---------------- | ------------------ |
 * | `open`    | `wanted`, `asked` | =                | =                  | =                | =                  |
 * | `shut`    | =                 | =, `none`        | =                  | =, `none`        | =, `none`          |
 * | `gone`    | =                 | =, `none`        | =                  | =, `none`        | =, `none`          |
 * | `begin`   | =                 | `asked`          | =                  | =                | =                  |
 * | `lost`    | =                 | =                | `wanted`, `none`   | `wanted`         | `wanted`           |
 * | `began`   | =                 | =                | =                  | `asked`          | =                  |
 * | `synced`  | =                 | =                | `live`, `none`     | =                | =                  |
 * | `refused` | =                 | =                | `rejected`, `none` | `rejected`       | =                  |
 * | `again`   | =                 | =                | =                  | =                | =                  |
 *
 * `wanted` is what waits for a connection. One that is rejected is asked for again on the next.
 * One that all have left while it is `asked` ends once it has caught up: the server tells all
 * until then in any case, and that could not be told from what another one reads.
 * A part is rejected, too, by a server that knows no parts, and says that all has been read.
 */

import type { Refusal } from "../errors.ts";
import { plain, RhtmxError } from "../errors.ts";
import type {
  ChangeLog,
  ClientMessage,
  FieldChangeLog,
  JsonValue,
  Position,
  Subscribe,
  SyncBegin,
  SyncComplete,
  SyncFieldsComplete,
} from "../messages/types.ts";
import type { Event } from "./events.ts";
import { entityIn, nameInWords, partName, whereIn, within } from "./part.ts";
import type { Keeper, Replica } from "./replica.ts";
import { begin, changed, dropUnplaced, foresee, isFed, reached, synced } from "./replica.ts";
import type { Op, Place } from "./storage-ops.ts";

/** The stream of one part of an entity. */
export interface Stream extends Replica {
  /** With any it feeds a replica; else it starts at the head, and nothing is kept. */
  readonly readers: Set<string>;
  /** The tabs that watch its changes. */
  readonly watchers: Set<string>;
  readonly family: Set<Stream>;
  /** Those who watch know of everything up to here; undefined until that is known. */
  seen?: Position | undefined;
  /** Why there is none on this connection. */
  refusal?: Refusal | undefined;
  /** The last tab, which has left it: it ends as soon as that does no harm. */
  leaving?: string | undefined;
}

/** What the server says all of, or nothing. */
export type Heard = Pick<SyncComplete, "entity" | "where">;

type Completed = Omit<SyncComplete | SyncFieldsComplete, "request_id">;

type Role = "readers" | "watchers";
const BOTH: readonly Role[] = ["readers", "watchers"];

/** What the parts of a session share. */
export interface Core extends Keeper {
  /** The last operation that has to last; cleared by whoever waits for that to be stored. */
  unstored: Op | undefined;
  /** Sends, if there is a connection; throws `too_large`. */
  send(message: ClientMessage): void;
  tell(event: Event): void;
  /** Does something once all that the server has said until now was heard. */
  fence(act: () => void): void;
}

/** Subscriptions on one connection, as long as the server does not say. */
const MOST = 128;
/** A position from which nothing can be resumed. */
const NOWHERE: Position = { epoch: "", version: 0 };

/** All streams of one client, by the names of what they are of: see `part.ts`. */
export class Streams {
  readonly #streams = new Map<string, Stream>();
  /** Those of an entity from which changes may come: begun, or ended a moment ago. */
  readonly #families = new Map<string, Set<Stream>>();
  readonly #core: Core;
  #connected = false;
  #most = MOST;
  /** What the server was told of on this connection. */
  readonly #begun = new Set<Stream>();
  /** What was started, and of which not all was heard since; and whether all was heard before. */
  readonly #behind = new Map<Stream, boolean>();
  /** Entities of which a stream was ended on this connection: some of what was before may be on its way. */
  readonly #ended = new Set<string>();
  /** Who would read an entity at the other granularity. */
  #others: (readonly [name: string, fields: boolean, tab: string])[] = [];

  constructor(core: Core) {
    this.#core = core;
  }

  /** Whether what is shown of some part may be older than what is shown of another. */
  get isBehind(): boolean {
    for (const [each, isSlow] of this.#behind)
      if ((isSlow ? isFed(each) : this.#isShown(each)) && !each.refusal) return true;
    return false;
  }

  /** Whether something of an entity is read, and has caught up before. */
  isShown(entity: string): boolean {
    return [...(this.#families.get(entity) ?? [])].some((each) => this.#isShown(each));
  }

  #isShown(stream: Stream): boolean | undefined {
    return isFed(stream) && this.#place(stream)?.shown;
  }

  /** The server has said all of a part, or why it says nothing: nobody has to wait for it. */
  heard({ entity, where }: Heard): void {
    const name = partName(entity, where);
    for (const each of this.#behind.keys()) {
      // The whole has all parts in it; and a server that knows none has passed over `where`.
      if (each.name === name || (!where && each.entity === entity)) this.#behind.delete(each);
    }
  }

  /** Too slow for the live stream: what follows of it has been, until it is heard. */
  fellBehind({ entity, where }: Heard): void {
    const stream = this.#streams.get(partName(entity, where));
    if (stream) this.#behind.set(stream, true);
  }

  /** What is read of an entity, if anything; that which the server was told of first. */
  replica(entity: string): Replica | undefined {
    const all = [...this.#begun, ...this.#streams.values()];
    return all.find((each) => each.entity === entity && each.readers.size);
  }

  /** A tab reads a part. */
  open(name: string, fields: boolean, tab: string): void {
    const stream = this.#streams.get(name);
    if ((stream ?? this.#kin(name))?.fields === !fields) {
      this.#others.push([name, fields, tab]);
      const error = plain(otherGranularity(name));
      return this.#core.tell({ type: "rejected", entity: name, fields, error });
    }
    if (!stream) return this.#add(name, fields, { readers: [tab] });
    const isRead = stream.readers.size > 0;
    stream.readers.add(tab);
    this.#stay(stream, tab, "watchers");
    if (stream.refusal) this.#refuse(stream, stream.refusal);
    else if (!isRead) this.#changeHands(stream);
    else if (stream.live) this.#core.tell({ type: "synced", entity: name });
  }

  /** A tab reads a part no longer. */
  shut(name: string, tab: string): void {
    this.#others = this.#others.filter((each) => each[0] !== name || each[2] !== tab);
    this.#leave(name, tab, "readers");
  }

  /** A tab watches a part; `missed`: it does again, and some may have passed it by. */
  watch(name: string, tab: string, missed = false): void {
    const stream = this.#streams.get(name);
    if ((stream ?? this.#kin(name))?.fields) {
      return this.#core.tell({ type: "problem", error: plain(otherGranularity(name)) });
    }
    if (!stream) return this.#add(name, false, { watchers: [tab] }, missed ? NOWHERE : undefined);
    stream.watchers.add(tab);
    this.#stay(stream, tab, "readers");
    if (stream.refusal) this.#refuse(stream, stream.refusal);
    if (stream.live && stream.readers.size) stream.seen ??= this.#place(stream);
    // Where that is not known yet, they are told once it is.
    if (!missed || (stream.seen ??= NOWHERE) === NOWHERE) return;
    this.#core.tell({ type: "seen", entity: name, change: null });
  }

  /** A tab watches no longer. */
  unwatch(name: string, tab: string): void {
    this.#leave(name, tab, "watchers");
  }

  /** A tab is gone without a word. */
  gone(tab: string): void {
    this.#others = this.#others.filter((each) => each[2] !== tab);
    for (const name of [...this.#streams.keys()]) this.#leave(name, tab, ...BOTH);
  }

  /** The server was too busy for some of it: what has not caught up is said again. */
  again(): void {
    for (const stream of this.#begun) if (!stream.live) this.#start(stream);
  }

  /** A connection was welcomed; the server takes so many subscriptions on it. */
  begin(most: number): void {
    this.#connected = true;
    this.#most = most || MOST;
    for (const stream of this.#streams.values()) this.#start(stream);
  }

  /** A connection ended. */
  lost(): void {
    this.#connected = false;
    this.#begun.clear();
    this.#behind.clear();
    this.#ended.clear();
    for (const stream of this.#streams.values()) {
      stream.live = false;
      stream.since = 0;
      stream.refusal = undefined;
      stream.family.clear();
      stream.batch.length = 0;
      stream.gone.clear();
      // The head was never told: from where on is unknown now.
      if (stream.watchers.size) stream.seen ??= NOWHERE;
    }
    this.#sweep();
  }

  /** The server refuses to start one; returns whether it was asked to. */
  refused(entity: string, error: Refusal): boolean {
    const stream = this.#streams.get(partName(entity, Object(error.details).where));
    if (!stream || !this.#begun.has(stream)) return false;
    this.#refuse(stream, error);
    // One that says how many it takes, and then takes fewer, is asked again on the next connection.
    if (error.code !== "too_many_subscriptions") this.#fill();
    return true;
  }

  /** A change arrived. */
  changed(log: ChangeLog | FieldChangeLog): void {
    const all = [...(this.#families.get(log.entity) ?? [])];
    if (!all[0] || "field" in log !== all[0].fields) return;
    const before = this.#core.state.entities.get(log.entity)?.records.get(log.entity_id)?.data;
    if (all.some(isFed)) changed(all, this.#core, log);
    for (const each of all) if (each.watchers.size) this.#show(each, log as ChangeLog, before);
  }

  /** Tells those who watch, if that is new to them. */
  #show(stream: Stream, log: ChangeLog, before: JsonValue | undefined): void {
    const { name, readers, restart, seen, family } = stream;
    const { epoch } = this.#core;
    const { version } = log;
    const isAlone = family.size < 2;
    const isNew = seen
      ? seen.epoch === epoch && version > seen.version
      : isAlone && !readers.size && !restart;
    if (!isNew) return;
    if (isAlone || [...family].every((each) => each.live)) stream.seen = { epoch, version };
    const change = isAlone ? log : seenIn(stream, log, before);
    if (change) this.#core.tell({ type: "seen", entity: name, change });
  }

  /** All of a stream is read from here on: of a scope, or since what was read before is void. */
  began({ entity, reset, fields, where, scope, head }: SyncBegin): void {
    const stream = this.#streams.get(partName(entity, where));
    if (!stream || !this.#begun.has(stream) || stream.fields !== fields) return;
    // Those who watch are told, at the end, that they may lack something.
    if (reset && stream.seen) stream.seen = NOWHERE;
    stream.live = false;
    if (!isFed(stream)) return;
    begin(stream, this.#core, true, scope);
    if (head) foresee(stream, this.#core, head);
  }

  /** A stream has caught up. */
  synced(message: Completed): void {
    const { entity, epoch, version, reset, type, where } = message;
    const stream = this.#streams.get(partName(entity, where));
    if (!stream || !this.#begun.has(stream)) return this.#passedOver(message);
    if (stream.fields !== (type === "sync_fields_complete")) return;
    if (stream.restart) return this.#restart(stream);
    const { name, family, live } = stream;
    const isRead = stream.readers.size > 0;
    if (isRead && synced(stream, this.#core, message)) return this.#restart(stream, true);
    stream.live = true;
    if (stream.watchers.size) this.#head(stream, { epoch, version }, reset);
    const all = [...family].filter((each) => each.live);
    if (!isRead) reached(all, this.#core, version);
    for (const each of all) {
      if (each.seen && each.seen.version < version) each.seen = { epoch, version };
    }
    // With a heartbeat it only tells how far it is.
    if (isRead && !live) this.#core.tell({ type: "synced", entity: name });
    this.#sweep();
  }

  /** All of an entity was read: the server passed over `where`, as over all that it does not know. */
  #passedOver({ entity, type, where }: Completed): void {
    const all = [...(this.#families.get(entity) ?? [])];
    // If the whole was a subscription a moment ago, that was meant.
    const isWhole = all.some(({ name }) => name === entity);
    if (where || isWhole || all[0]?.fields !== (type === "sync_fields_complete")) return;
    for (const stream of all) {
      // One that was left may have ended with the one before.
      if (!this.#begun.has(stream)) continue;
      const message = "this server knows no parts of an entity: update it, or read without where";
      this.#end(stream);
      this.#unread(stream, { code: "not_supported", message, details: null });
    }
    dropUnplaced(entity, this.#core);
    this.#fill();
  }

  /** Those who watch know of everything up to the head, or are told that they do not. */
  #head(stream: Stream, head: Position, reset: boolean): void {
    const { name, seen, readers, stale } = stream;
    stream.seen = head;
    if (!seen || !(reset || seen.epoch !== head.epoch)) return;
    this.#core.tell({ type: "seen", entity: name, change: null });
    // Any of those that were elsewhere may have come since.
    if (!readers.size) stale.clear();
  }

  #place({ entity, name }: Stream): Place | undefined {
    return this.#core.state.entities.get(entity)?.places.get(name);
  }

  /** Any stream of the same entity. */
  #kin(name: string): Stream | undefined {
    return [...this.#streams.values()].find(({ entity }) => entity === entityIn(name));
  }

  #add(
    name: string,
    fields: boolean,
    { readers = [], watchers = [] }: { readers?: Iterable<string>; watchers?: Iterable<string> },
    seen?: Position,
  ): void {
    const entity = entityIn(name);
    const family = this.#families.get(entity) ?? new Set();
    this.#families.set(entity, family);
    const { batch = [], gone = new Map() } = this.#kin(name) ?? {};
    const stream: Stream = {
      ...{ entity, name, within: within(name), fields, seen, family, batch, gone },
      ...{ live: false, since: 0, last: 0, stale: new Set() },
      ...{ readers: new Set(readers), watchers: new Set(watchers) },
    };
    this.#streams.set(name, stream);
    if (this.#connected) this.#start(stream);
  }

  /**
   * A tab is out of it. The last one ends the stream, and makes room for another.
   *
   * It goes on until it has caught up. And what was told of a record says so when that is gone:
   * so until another one of its family, which may have heard of the record by it, has loaded.
   */
  #leave(name: string, tab: string, ...roles: readonly Role[]): void {
    const stream = this.#streams.get(name);
    if (!stream) return;
    const { readers, watchers, entity } = stream;
    const stays = (role: Role) =>
      [...stream[role]].some((each) => each !== tab || !roles.includes(role));
    const waits = (each: Stream) =>
      each === stream
        ? !each.live
        : each.entity === entity && isFed(each) && !each.refusal && !(each.live || each.since);
    const isLast = this.#begun.has(stream) && !BOTH.some(stays);
    if (isLast && [...this.#streams.values()].some(waits)) return void (stream.leaving = tab);
    const wasRead = readers.size > 0;
    for (const role of roles) stream[role].delete(tab);
    if (!watchers.size) stream.seen = undefined;
    if (readers.size) return;
    // It goes on where those who watch are; unless it is on its way there from further back.
    if (watchers.size) return wasRead && !stream.live ? this.#changeHands(stream) : undefined;
    this.#streams.delete(name);
    if (this.#begun.has(stream)) {
      this.#end(stream);
      this.#fill();
    }
    this.#sweep();
    if (this.#kin(entity)) return;
    for (const each of this.#others.splice(0)) this.open(...each);
  }

  /** Whoever has left it, and was the last, has somebody after them, or is there again. */
  #stay(stream: Stream, tab: string, other: Role): void {
    const { leaving, name } = stream;
    stream.leaving = undefined;
    if (leaving) this.#leave(name, leaving, ...(leaving === tab ? [other] : BOTH));
  }

  /** Ends what has waited for that. */
  #sweep(): void {
    for (const stream of this.#streams.values()) {
      const { leaving, name } = stream;
      stream.leaving = undefined;
      if (leaving) this.#leave(name, leaving, ...BOTH);
    }
  }

  /** Ends it. Until all that was sent for it is heard, the others of its family reckon with it. */
  #end(stream: Stream): void {
    const { entity, family } = stream;
    this.#begun.delete(stream);
    this.#say("unsubscribe", stream);
    this.#ended.add(entity);
    const isOver = () => this.#begun.has(stream) || family.delete(stream);
    if (family.size > 1) this.#core.fence(isOver);
    else isOver();
  }

  /** Starts what there was no room for, as far as there is now. */
  #fill(): void {
    for (const stream of this.#streams.values()) {
      const waits = stream.refusal?.code === "too_many_subscriptions";
      if (waits && this.#begun.size < this.#most) this.#start(stream);
    }
  }

  /** The stream is another one from here on: what ends the one before must not end it. */
  #changeHands(stream: Stream): void {
    stream.restart = true;
    if (stream.live) this.#restart(stream);
  }

  #restart(stream: Stream, anew?: boolean): void {
    stream.live = false;
    stream.since = 0;
    // What is on its way for it could not be told from what comes then.
    this.#end(stream);
    this.#start(stream, anew);
  }

  #start(stream: Stream, anew = false): void {
    const { entity, name, seen, family } = stream;
    const { epoch } = this.#core;
    const most = this.#most;
    if (this.#ended.has(entity)) {
      return this.#core.fence(() => {
        this.#ended.delete(entity);
        if (this.#streams.get(name) === stream) this.#start(stream, anew);
      });
    }
    if (!this.#begun.has(stream) && this.#begun.size >= most) {
      const message = `the server takes ${most} entities at a time: close another`;
      return this.#unread(stream, { code: "too_many_subscriptions", message, details: null });
    }
    this.#begun.add(stream);
    this.#behind.set(stream, false);
    family.add(stream);
    stream.restart = stream.live = false;
    stream.refusal = undefined;
    let since = seen?.epoch === epoch ? seen : undefined;
    if (stream.readers.size) {
      begin(stream, this.#core, anew);
      since = this.#place(stream);
      // Those who watch have to be told, at the end, that they may lack something.
      if (anew && seen) stream.seen = NOWHERE;
    }
    const { version, scope } = since ?? NOWHERE;
    const position = since && { [entity]: { epoch, version, scope } };
    this.#say("subscribe", stream, { since: position });
  }

  #say(what: "subscribe" | "unsubscribe", stream: Stream, more?: Pick<Subscribe, "since">): void {
    const { entity, name, fields } = stream;
    const part = whereIn(name);
    const where = part && { [entity]: part };
    try {
      const type = `${what}${fields ? "_fields" : ""}` as const;
      this.#core.send({ type, entities: [entity], where, ...more });
    } catch (error) {
      this.#unread(stream, plain(error));
    }
  }

  /** It is not read, for a reason that does not say what it is about. */
  #unread(stream: Stream, error: Refusal): void {
    const message = `'${nameInWords(stream.name)}' is not read: ${error.message}`;
    this.#refuse(stream, { ...error, message });
  }

  #refuse(stream: Stream, error: Refusal): void {
    const { name, fields, family } = stream;
    this.#begun.delete(stream);
    family.delete(stream);
    stream.live = false;
    stream.refusal = error;
    this.#core.tell({ type: "rejected", entity: name, fields, error });
    this.#sweep();
  }
}

/**
 * A change as those see it who watch a part, where it may have come for another one; undefined
 * if it does not concern them.
 */
function seenIn(
  { within, readers, stale }: Stream,
  log: ChangeLog,
  before: JsonValue | undefined,
): ChangeLog | undefined {
  const { entity_id: id, action, data } = log;
  const isIn = action !== "delete" && within(data);
  // Where nothing is kept, whether it was in it before is not known: once it is told in any case.
  const wasIn = readers.size ? before !== undefined && within(before) : !stale.has(id);
  if (!readers.size) stale[isIn ? "delete" : "add"](id);
  if (isIn) return log;
  if (!wasIn) return undefined;
  return action === "delete" ? log : { ...log, action: "delete", data: null, left: true };
}

/** An entity is not read twice. */
export function otherGranularity(name: string): RhtmxError {
  const words = `'${entityIn(name)}' is read at the other granularity: use one`;
  return new RhtmxError("not_supported", words);
}
