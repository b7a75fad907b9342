/**
 * Subscriptions: what was received of each, and where each goes on.
 *
 * Knows positions. Must not know the connection, nor who listens.
 *
 * A position moves only when everything up to it was delivered: a field change
 * with `more` leaves it, and so does a catch-up that may turn out to be a full
 * snapshot. Such a catch-up is held back until the server says which it is.
 */
import type { ChangeLog, FieldChangeLog, Position } from "./messages/types.ts";

/** Whole records, or their fields one by one. */
export type Granularity = "records" | "fields";

/** One change of either kind. */
export type Log = ChangeLog | FieldChangeLog;

/** What to hand to the listeners. */
export interface Delivery {
  /** What they hold is to be dropped first. */
  readonly reset: boolean;
  readonly logs: readonly Log[];
}

/** Everything, from an empty log. */
export const START: Position = { epoch: "", version: 0 };

/** The live stream of one entity at one granularity. */
export class Stream {
  readonly granularity: Granularity;
  readonly entity: string;
  #position: Position | undefined;
  #mode: "live" | "loading" | "held" = "live";
  #held: Log[] = [];
  #begun = false;
  #startsOver = false;
  /** Delivered beyond the position: everything below this version, and these fields of it. */
  #aheadVersion = 0;
  readonly #aheadFields = new Set<string>();

  /** @param since where to start; without it, at the next change. */
  constructor(granularity: Granularity, entity: string, since?: Position) {
    this.granularity = granularity;
    this.entity = entity;
    this.#position = since;
  }

  /** Everything up to here was delivered. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** It has caught up. */
  get live(): boolean {
    return this.#mode === "live";
  }

  /** A connection begins: where the stream is to start; undefined for the next change. */
  begin(): Position | undefined {
    // It starts over, and says so, when it cannot tell what it missed: it began
    // with the next change and saw none, or with everything and was cut in
    // between, after which the server may have another epoch.
    const unknown = this.#position === undefined ? this.#begun : this.#aheadFields.size > 0;
    this.#startsOver = unknown && this.#version === 0;
    this.#begun = true;
    this.#held = [];
    const since = this.#startsOver ? START : this.#position;
    if (since === undefined) this.#mode = "live";
    else this.#mode = since.version === 0 && !this.#startsOver ? "loading" : "held";
    return since;
  }

  /** Takes one change; returns whether it is to be delivered now. */
  receive(log: Log, epoch: string): boolean {
    if (this.#mode !== "held") return this.#accept(log, epoch);
    this.#held.push(log);
    return false;
  }

  /** The stream has caught up with `position`; `reset`: with a full snapshot. */
  caughtUp(position: Position, reset: boolean): Delivery {
    const startsOver = this.#mode === "held" && (reset || this.#startsOver);
    if (startsOver) {
      this.#position = undefined;
      this.#complete();
    }
    const logs = this.#held.filter((log) => this.#accept(log, position.epoch));
    this.#mode = "live";
    this.#held = [];
    this.#startsOver = false;
    this.#position = position;
    this.#complete();
    return { reset: startsOver, logs };
  }

  /** Everything up to `position` was delivered, by way of the other granularity. */
  advance(position: Position): void {
    if (this.live && position.version > this.#version) this.#position = position;
  }

  get #version(): number {
    return this.#position?.version ?? 0;
  }

  /** Moves the position; false for what was delivered before. */
  #accept(log: Log, epoch: string): boolean {
    if (log.version <= this.#version) return false;
    const isNew = "field" in log ? this.#acceptField(log) : true;
    if (!("more" in log && log.more)) {
      this.#position = { epoch, version: log.version };
      this.#complete();
    }
    return isNew;
  }

  #acceptField({ version, field }: FieldChangeLog): boolean {
    if (version < this.#aheadVersion) return false;
    if (version > this.#aheadVersion) this.#complete();
    this.#aheadVersion = version;
    const isNew = !this.#aheadFields.has(field);
    this.#aheadFields.add(field);
    return isNew;
  }

  #complete(): void {
    this.#aheadVersion = 0;
    this.#aheadFields.clear();
  }
}

/** All streams of one client. */
export class Streams {
  readonly #streams = new Map<string, Stream>();

  /** The stream of an entity at a granularity. */
  get(granularity: Granularity, entity: string): Stream | undefined {
    return this.#streams.get(`${granularity} ${entity}`);
  }

  /** All of them, in the order in which they were added. */
  get all(): Stream[] {
    return [...this.#streams.values()];
  }

  /** Adds one. */
  add(stream: Stream): void {
    this.#streams.set(`${stream.granularity} ${stream.entity}`, stream);
  }

  /** Removes one; returns whether there was one. */
  remove(granularity: Granularity, entity: string): boolean {
    return this.#streams.delete(`${granularity} ${entity}`);
  }
}
