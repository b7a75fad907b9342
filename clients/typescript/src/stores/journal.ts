/**
 * Writes on their way into the database, for the next page, should this one end
 * before they are there.
 *
 * Knows `localStorage`, which is there at once. Must not know what a write means.
 * Whoever sends a write has read the database before, or was told that it is stored: in
 * the first case what lies here was looked at, too, in the second it does not lie here any
 * more. So what is found here and is not in the database was never sent.
 */
import { marked, unmarked } from "../core/part.ts";
import type { Write } from "../core/storage-ops.ts";

/** A write, and the rejected one that it replaces. */
export type Entry = readonly [write: Write, instead: string];

/** Writes that may not reach the database. Where there is no `localStorage`, it keeps nothing. */
export class Journal {
  readonly #prefix: string;
  readonly #own = new Set<string>();

  /** @param name of the database. */
  constructor(name: string) {
    this.#prefix = `rhtmx ${name} `;
  }

  /** Keeps a write. */
  hold(...entry: Entry): void {
    const { id } = entry[0];
    attempt((storage) => {
      storage.setItem(this.#prefix + id, JSON.stringify(entry, marked));
      this.#own.add(id);
    });
  }

  /** Whether a write that was kept here by this page has been found and stored by another. */
  isTaken(id: string): boolean {
    return this.#own.has(id) && attempt((storage) => storage.getItem(this.#prefix + id)) === null;
  }

  /** What other pages left here. */
  get found(): Entry[] {
    const all = attempt((storage) => Object.entries<string>(storage)) ?? [];
    const left = all.filter(([key]) => key.startsWith(this.#prefix));
    const entries = left.map(([key, text]) =>
      attempt(() => {
        const entry = JSON.parse(text, unmarked) as Entry;
        const [{ id }] = entry;
        // What begins like this may be of a database whose name begins with this one's.
        return key === this.#prefix + id && !this.#own.has(id) ? entry : undefined;
      }),
    );
    return entries.filter((each) => !!each);
  }

  /** It is stored, or will never be. `own`: whether this page may have kept it. */
  drop(id: string, own = this.#own.delete(id)): void {
    if (own) attempt((storage) => storage.removeItem(this.#prefix + id));
  }
}

/** Some browsers throw as soon as it is looked at; workers have none. */
function attempt<T>(act: (storage: Storage) => T): T | undefined {
  try {
    return act(localStorage);
  } catch {
    return undefined;
  }
}
