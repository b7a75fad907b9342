/**
 * What is subscribed to: one stream for each entity, for its replica, for those
 * who watch its changes, or for both.
 *
 * Knows where each starts on the next connection. Must not know frames.
 */
import { plain, RhtmxError } from "./errors.ts";
import { begin, changed, synced } from "./replica.ts";
import { checkFromClient } from "./wire/index.ts";
import type { Event } from "./events.ts";
import type { ChangeLog, ClientMessage, FieldChangeLog } from "./messages/types.ts";
import type { Position, Subscribe, SyncComplete } from "./messages/types.ts";
import type { Keeper, Replica } from "./replica.ts";

/** The stream of one entity. */
export interface Stream extends Replica {
  /** It feeds a replica; else it starts at the head, and nothing is kept. */
  replica: boolean;
  /** It has to be started anew for its replica once the head is known. */
  restart?: boolean | undefined;
  /** The tabs that watch. */
  readonly tabs: Set<string>;
  /** Those who watch know of everything up to here; undefined until that is known. */
  seen?: Position | undefined;
}

/** What the parts of a session share. */
export interface Core extends Keeper {
  /** Sends, if there is a connection; throws `too_large`. */
  send(message: ClientMessage): void;
  tell(event: Event): void;
}

/** All streams of one client. */
export class Streams {
  readonly #streams = new Map<string, Stream>();
  readonly #core: Core;
  #connected = false;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The replica of an entity, if it is read. */
  replica(entity: string): Replica | undefined {
    const stream = this.#streams.get(entity);
    return stream?.replica ? stream : undefined;
  }

  /** An entity is to be read. */
  open(entity: string, fields: boolean): void {
    const stream = this.#streams.get(entity);
    if (!stream) this.#add(entity, fields, true);
    else if (stream.fields !== fields) this.#refuse(entity);
    else if (!stream.replica) {
      // What ends the stream that begins at the head must not end the other one.
      stream.replica = stream.restart = true;
      if (stream.live) this.#restart(stream);
    } else if (stream.live) this.#core.tell({ type: "synced", entity });
  }

  /** A tab watches an entity. */
  watch(entity: string, tab: string): void {
    const stream = this.#streams.get(entity);
    if (!stream) this.#add(entity, false, false, tab);
    else if (stream.fields) this.#refuse(entity);
    else {
      stream.tabs.add(tab);
      const place = this.#core.state.entities.get(entity)?.place;
      if (stream.live && stream.replica) stream.seen ??= place;
    }
  }

  /** A tab watches no longer. */
  unwatch(entity: string, tab: string): void {
    const stream = this.#streams.get(entity);
    stream?.tabs.delete(tab);
    if (stream?.tabs.size || !stream) return;
    stream.seen = undefined;
    if (stream.replica) return;
    this.#streams.delete(entity);
    this.#end(stream);
  }

  /** The server was too busy for some of it: what has not caught up is said again. */
  again(): void {
    if (!this.#connected) return;
    for (const stream of this.#streams.values()) if (!stream.live) this.#start(stream);
  }

  /** A connection was welcomed. */
  begin(): void {
    this.#connected = true;
    for (const stream of this.#streams.values()) this.#start(stream);
  }

  /** A connection ended. */
  lost(): void {
    this.#connected = false;
    for (const stream of this.#streams.values()) {
      stream.live = false;
      // The head was never told: from where on is unknown now.
      if (stream.tabs.size) stream.seen ??= { epoch: "", version: 0 };
    }
  }

  /** A change arrived. */
  changed(log: ChangeLog | FieldChangeLog): void {
    const { entity, version } = log;
    const stream = this.#streams.get(entity);
    if (!stream || "field" in log !== stream.fields) return;
    if (stream.replica && !stream.restart) changed(stream, this.#core, log);
    const { tabs, seen } = stream;
    const { epoch } = this.#core;
    const isNew = seen ? seen.epoch === epoch && version > seen.version : !stream.replica;
    if (!tabs.size || !isNew) return;
    stream.seen = { epoch, version };
    this.#core.tell({ type: "seen", entity, change: log as ChangeLog });
  }

  /** A stream has caught up. */
  synced(message: Pick<SyncComplete, "entity" | "version" | "epoch" | "reset">): void {
    const { entity, epoch, version, reset } = message;
    const stream = this.#streams.get(entity);
    if (!stream) return;
    if (stream.restart) return this.#restart(stream);
    if (stream.replica && synced(stream, this.#core, message)) return this.#restart(stream, true);
    stream.live = true;
    if (stream.tabs.size) {
      const missed = stream.seen && (reset || stream.seen.epoch !== epoch);
      stream.seen = { epoch, version };
      if (missed) this.#core.tell({ type: "seen", entity, change: null });
    }
    if (stream.replica) this.#core.tell({ type: "synced", entity });
  }

  #add(entity: string, fields: boolean, replica: boolean, ...tabs: string[]): void {
    const common = { live: false, since: 0, anew: false, stale: new Set<string>(), batch: [] };
    const stream: Stream = { entity, fields, replica, tabs: new Set(tabs), ...common };
    this.#streams.set(entity, stream);
    if (this.#connected) this.#start(stream);
  }

  #restart(stream: Stream, anew?: boolean): void {
    this.#end(stream);
    this.#start(stream, anew);
  }

  #start(stream: Stream, anew = false): void {
    const { entity, seen } = stream;
    const { epoch } = this.#core;
    stream.restart = stream.live = false;
    let since = seen?.epoch === epoch ? seen : undefined;
    if (stream.replica) {
      begin(stream, this.#core, anew);
      since = { epoch, version: stream.since };
      // Those who watch have to be told, at the end, that they may lack something.
      if (anew && seen) stream.seen = { epoch: "", version: 0 };
    }
    const position = since && { [entity]: { epoch, version: since.version } };
    this.#say("subscribe", stream, { since: position });
  }

  #end(stream: Stream): void {
    this.#say("unsubscribe", stream);
  }

  #say(
    what: "subscribe" | "unsubscribe",
    { entity, fields }: Stream,
    more?: Pick<Subscribe, "since">,
  ): void {
    try {
      this.#core.send({ type: `${what}${fields ? "_fields" : ""}`, entities: [entity], ...more });
    } catch (error) {
      this.#core.tell({ type: "problem", error: plain(error) });
    }
  }

  #refuse(entity: string): void {
    this.#core.tell({ type: "problem", error: plain(otherGranularity(entity)) });
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
