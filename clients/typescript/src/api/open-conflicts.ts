/**
 * The conflicts of an entity that nobody has answered, as an application uses them.
 *
 * Knows how the records of a conflict log are conflicts. Must not know how they are kept: they
 * are the records of an entity like any other.
 */

import type { LoggedConflict } from "../core/conflict.ts";
import { logOf, ofLog } from "../core/conflict.ts";
import type { OpenConflict, Stop } from "../core/options.ts";
import type { Row } from "../core/overlay.ts";
import { steady } from "../core/overlay.ts";
import { NOTHING } from "../core/row-list.ts";
import { answerable } from "../runtime/conflict-actions.ts";
import type { Tab } from "../runtime/tab.ts";

/** What is used of the collection of the log's records. */
interface Log {
  readonly ready: Promise<void>;
  readonly synced: Promise<void>;
  readonly snapshot: readonly Row<never>[];
  subscribe(
    listener: (rows: readonly Row<never>[], own: boolean) => void,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Stop;
  rows(options?: { readonly signal?: AbortSignal | undefined }): AsyncGenerator<unknown, void>;
}

/** A conflict, and what the log has of it. */
interface Known {
  readonly told: LoggedConflict;
  readonly conflict: OpenConflict;
}

/**
 * What is open of a collection; see `Collection.conflicts`. Who answers one has it gone at once,
 * also without a connection; if somebody else was first, the answer is rejected with `conflict`.
 */
export class OpenConflicts {
  /** What the store has of it is loaded. */
  readonly ready: Promise<void>;
  readonly #tab: Tab;
  readonly #entity: string;
  readonly #log: Log;
  /** By number. */
  #told = new Map<number, Known>();
  #rows: readonly Row<never>[] = NOTHING;
  /** That of their versions, and of the numbers. */
  #epoch: string | undefined;
  #all: readonly OpenConflict[] = NOTHING;
  #byId = new Map<string, readonly OpenConflict[]>();

  /** @internal `Collection.conflicts` makes it. */
  constructor(tab: Tab, entity: string, log: Log) {
    this.#tab = tab;
    this.#entity = entity;
    this.#log = log;
    this.ready = log.ready;
  }

  /** It has caught up with the server once; see `Collection.synced`. */
  get synced(): Promise<void> {
    return this.#log.synced;
  }

  /** All that are open, the oldest first; the same array as long as nothing changed. */
  get snapshot(): readonly OpenConflict[] {
    const rows = this.#log.snapshot;
    const epoch = this.#tab.epochOf(logOf(this.#entity)) ?? this.#epoch;
    if (rows !== this.#rows || epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#read((this.#rows = rows));
    }
    return this.#all;
  }

  /** Those of one record; the same array as long as nothing about them changed. */
  of(id: string): readonly OpenConflict[] {
    void this.snapshot;
    return this.#byId.get(id) ?? NOTHING;
  }

  /**
   * Calls `listener` with all that are open once they are loaded, and after each change.
   *
   * @param listener is given, beside them, whether it is called for a write of this tab.
   */
  subscribe(
    listener: (conflicts: readonly OpenConflict[], own: boolean) => void,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Stop {
    let last: readonly OpenConflict[] | undefined;
    return this.#log.subscribe((_, own) => {
      if (last !== (last = this.snapshot)) listener(last, own);
    }, options);
  }

  /** Each new snapshot; see `Collection.rows`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<readonly OpenConflict[], void> {
    let last: readonly OpenConflict[] | undefined;
    for await (const _ of this.#log.rows()) {
      if (last !== (last = this.snapshot)) yield last;
    }
  }

  #read(rows: readonly Row<never>[]): void {
    const found = rows.flatMap(({ id, data }) =>
      Object.entries<LoggedConflict>(data).flatMap(([name, told]) => {
        const [, digits] = /^\$(\d+)$/.exec(name) ?? [];
        return digits ? [this.#known(id, +digits, told)] : [];
      }),
    );
    this.#told = new Map(found.map((each) => [each.conflict.number!, each]));
    const all = found.map(({ conflict }) => conflict).sort((a, b) => a.number! - b.number!);
    this.#all = same(this.#all, all);
    const byId = new Map<string, OpenConflict[]>();
    for (const each of all) {
      const others = byId.get(each.id);
      if (others) others.push(each);
      else byId.set(each.id, [each]);
    }
    const last = this.#byId;
    this.#byId = new Map();
    for (const [id, now] of byId) this.#byId.set(id, same(last.get(id) ?? NOTHING, now));
  }

  /** It stays the same object as long as the log has the same. */
  #known(id: string, number: number, told: LoggedConflict): Known {
    const known = this.#told.get(number);
    const isSame = known?.conflict.id === id && known.conflict.epoch === this.#epoch;
    if (isSame && steady(known.told, told) === known.told) return known;
    const conflict = ofLog(this.#entity, id, number, told, this.#tab.clientId);
    return { told, conflict: answerable(this.#tab, { ...conflict, epoch: this.#epoch }) };
  }
}

/** The list that was there, if it has the same in it. */
function same<T>(before: readonly T[], now: readonly T[]): readonly T[] {
  const isSame = before.length === now.length && now.every((each, at) => each === before[at]);
  return isSame ? before : now;
}
