/**
 * What is subscribed to: one stream for each entity, for its replica, for those
 * who watch its changes, or for both.
 *
 * Knows where each starts on the next connection. Must not know frames.
 *
 * One that is read, and not watched:
 *
 * | event     | `none`            | `wanted`         | `asked`         | `live`           | `rejected`         |
 * | --------- | ----------------- | ---------------- | --------------- | ---------------- | ------------------ |
 * | `open`    | `wanted`, `asked` | =                | =               | =                | =                  |
 * | `shut`    | =                 | =, `none`        | =, `none`       | =, `none`        | =, `none`          |
 * | `gone`    | =                 | =, `none`        | =, `none`       | =, `none`        | =, `none`          |
 * | `begin`   | =                 | `asked`          | =               | =                | =                  |
 * | `lost`    | =                 | =                | `wanted`        | `wanted`         | `wanted`           |
 * | `synced`  | =                 | =                | `live`          | =                | =                  |
 * | `refused` | =                 | =                | `rejected`      | `rejected`       | =                  |
 * | `again`   | =                 | =                | =               | =                | =                  |
 *
 * `wanted` is what waits for a connection. One that is rejected is asked for again on the next.
 */

import type { Refusal } from "../errors.ts";
import { plain, RhtmxError } from "../errors.ts";
import type {
  ChangeLog,
  ClientMessage,
  FieldChangeLog,
  Position,
  Subscribe,
  SyncComplete,
  SyncFieldsComplete,
} from "../messages/types.ts";
import { checkFromClient } from "../wire/index.ts";
import type { Event } from "./events.ts";
import type { Keeper, Replica } from "./replica.ts";
import { begin, changed, synced } from "./replica.ts";
import type { Op } from "./storage-ops.ts";

/** The stream of one entity. */
export interface Stream extends Replica {
  /** The tabs that read it. With any it feeds a replica; else it starts at the head, and nothing is kept. */
  readonly readers: Set<string>;
  /** The tabs that watch its changes. */
  readonly watchers: Set<string>;
  /** The tabs that would read it at the other granularity. */
  readonly others: Set<string>;
  /** It has to be started anew for whoever is left or has come, once the head is known. */
  restart?: boolean | undefined;
  /** Those who watch know of everything up to here; undefined until that is known. */
  seen?: Position | undefined;
  /** Why there is none on this connection. */
  refusal?: Refusal | undefined;
}

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

/** All streams of one client. */
export class Streams {
  readonly #streams = new Map<string, Stream>();
  readonly #core: Core;
  #connected = false;
  #most = MOST;
  /** What the server was told of on this connection. */
  readonly #begun = new Set<Stream>();
  /** Entities that were ended on this connection: some of what was before may be on its way. */
  readonly #ended = new Set<string>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** The replica of an entity, if it is read. */
  replica(entity: string): Replica | undefined {
    const stream = this.#streams.get(entity);
    return stream?.readers.size ? stream : undefined;
  }

  /** A tab reads an entity. */
  open(entity: string, fields: boolean, tab: string): void {
    const stream = this.#streams.get(entity);
    if (!stream) return this.#add(entity, fields, { readers: [tab] });
    if (stream.fields !== fields) {
      stream.others.add(tab);
      const error = plain(otherGranularity(entity));
      return this.#core.tell({ type: "rejected", entity, fields, error });
    }
    const isRead = stream.readers.size > 0;
    stream.readers.add(tab);
    if (stream.refusal) this.#refuse(stream, stream.refusal);
    else if (!isRead) this.#changeHands(stream);
    else if (stream.live) this.#core.tell({ type: "synced", entity });
  }

  /** A tab reads an entity no longer. */
  shut(entity: string, tab: string): void {
    this.#leave(entity, tab, "readers", "others");
  }

  /** A tab watches an entity; `missed`: it does again, and some may have passed it by. */
  watch(entity: string, tab: string, missed = false): void {
    const stream = this.#streams.get(entity);
    if (!stream) return this.#add(entity, false, { watchers: [tab] }, missed ? NOWHERE : undefined);
    if (stream.fields) {
      return this.#core.tell({ type: "problem", error: plain(otherGranularity(entity)) });
    }
    stream.watchers.add(tab);
    if (stream.refusal) this.#refuse(stream, stream.refusal);
    if (stream.live && stream.readers.size) stream.seen ??= this.#place(entity);
    // Where that is not known yet, they are told once it is.
    if (!missed || (stream.seen ??= NOWHERE) === NOWHERE) return;
    this.#core.tell({ type: "seen", entity, change: null });
  }

  /** A tab watches no longer. */
  unwatch(entity: string, tab: string): void {
    this.#leave(entity, tab, "watchers");
  }

  /** A tab is gone without a word. */
  gone(tab: string): void {
    for (const entity of [...this.#streams.keys()]) {
      this.#leave(entity, tab, "readers", "others", "watchers");
    }
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
    this.#ended.clear();
    for (const stream of this.#streams.values()) {
      stream.live = false;
      stream.refusal = undefined;
      // The head was never told: from where on is unknown now.
      if (stream.watchers.size) stream.seen ??= NOWHERE;
    }
  }

  /** The server refuses to start one; returns whether it was asked to. */
  refused(entity: string, error: Refusal): boolean {
    const stream = this.#streams.get(entity);
    if (!stream || !this.#begun.has(stream)) return false;
    this.#refuse(stream, error);
    // One that says how many it takes, and then takes fewer, is asked again on the next connection.
    if (error.code !== "too_many_subscriptions") this.#fill();
    return true;
  }

  /** A change arrived. */
  changed(log: ChangeLog | FieldChangeLog): void {
    const { entity, version } = log;
    const stream = this.#streams.get(entity);
    if (!stream || !this.#begun.has(stream) || "field" in log !== stream.fields) return;
    const { readers, watchers, restart, seen } = stream;
    if (readers.size && !restart) changed(stream, this.#core, log);
    const { epoch } = this.#core;
    const isNew = seen ? seen.epoch === epoch && version > seen.version : !readers.size && !restart;
    if (!watchers.size || !isNew) return;
    stream.seen = { epoch, version };
    this.#core.tell({ type: "seen", entity, change: log as ChangeLog });
  }

  /** A stream has caught up. */
  synced(message: Omit<SyncComplete | SyncFieldsComplete, "request_id">): void {
    const { entity, epoch, version, reset, type } = message;
    const stream = this.#streams.get(entity);
    if (!stream || !this.#begun.has(stream)) return;
    if (stream.fields !== (type === "sync_fields_complete")) return;
    if (stream.restart) return this.#restart(stream);
    const isRead = stream.readers.size > 0;
    if (isRead && synced(stream, this.#core, message)) return this.#restart(stream, true);
    stream.live = true;
    if (stream.watchers.size) {
      const missed = stream.seen && (reset || stream.seen.epoch !== epoch);
      stream.seen = { epoch, version };
      if (missed) this.#core.tell({ type: "seen", entity, change: null });
    }
    if (isRead) this.#core.tell({ type: "synced", entity });
  }

  #place(entity: string): Position | undefined {
    return this.#core.state.entities.get(entity)?.place;
  }

  #add(
    entity: string,
    fields: boolean,
    { readers = [], watchers = [] }: { readers?: Iterable<string>; watchers?: Iterable<string> },
    seen?: Position,
  ): void {
    const stream: Stream = {
      ...{ entity, fields, seen, live: false, since: 0, anew: false, stale: new Set(), batch: [] },
      ...{ readers: new Set(readers), watchers: new Set(watchers), others: new Set() },
    };
    this.#streams.set(entity, stream);
    if (this.#connected) this.#start(stream);
  }

  /** A tab is out of it. The last one ends the stream, and makes room for another. */
  #leave(entity: string, tab: string, ...roles: ("readers" | "watchers" | "others")[]): void {
    const stream = this.#streams.get(entity);
    if (!stream) return;
    const { readers, watchers, others, fields } = stream;
    const wasRead = readers.size > 0;
    for (const role of roles) stream[role].delete(tab);
    if (!watchers.size) stream.seen = undefined;
    if (readers.size) return;
    // It goes on where those who watch are; unless it is on its way there from further back.
    if (watchers.size) return wasRead && !stream.live ? this.#changeHands(stream) : undefined;
    this.#streams.delete(entity);
    if (this.#begun.delete(stream)) {
      this.#say("unsubscribe", stream);
      this.#ended.add(entity);
      this.#fill();
    }
    if (others.size) this.#add(entity, !fields, { readers: others });
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
    this.#say("unsubscribe", stream);
    this.#start(stream, anew);
  }

  #start(stream: Stream, anew = false): void {
    const { entity, seen, readers } = stream;
    const { epoch } = this.#core;
    const most = this.#most;
    if (this.#ended.has(entity)) {
      return this.#core.fence(() => {
        this.#ended.delete(entity);
        if (this.#streams.get(entity) === stream) this.#start(stream);
      });
    }
    if (!this.#begun.has(stream) && this.#begun.size >= most) {
      const message = `'${entity}' is not read: the server takes ${most} entities at a time: close another`;
      return this.#refuse(stream, { code: "too_many_subscriptions", message, details: null });
    }
    this.#begun.add(stream);
    stream.restart = stream.live = false;
    stream.refusal = undefined;
    let since = seen?.epoch === epoch ? seen : undefined;
    if (readers.size) {
      begin(stream, this.#core, anew);
      since = { epoch, version: stream.since };
      // Those who watch have to be told, at the end, that they may lack something.
      if (anew && seen) stream.seen = NOWHERE;
    }
    const position = since && { [entity]: { epoch, version: since.version } };
    this.#say("subscribe", stream, { since: position });
  }

  #say(what: "subscribe" | "unsubscribe", stream: Stream, more?: Pick<Subscribe, "since">): void {
    const { entity, fields } = stream;
    try {
      this.#core.send({ type: `${what}${fields ? "_fields" : ""}`, entities: [entity], ...more });
    } catch (error) {
      const refusal = plain(error);
      this.#refuse(stream, { ...refusal, message: `'${entity}' is not read: ${refusal.message}` });
    }
  }

  #refuse(stream: Stream, error: Refusal): void {
    const { entity, fields } = stream;
    this.#begun.delete(stream);
    stream.live = false;
    stream.refusal = error;
    this.#core.tell({ type: "rejected", entity, fields, error });
  }
}

/** An entity is not read twice. */
export function otherGranularity(entity: string): RhtmxError {
  const words = `'${entity}' is read at the other granularity: use one`;
  return new RhtmxError("not_supported", words);
}

/** Refuses a name that cannot be sent while the caller is there to hear of it. */
export function checkEntity(entity: string): void {
  checkFromClient({ type: "subscribe", entities: [entity] });
}
