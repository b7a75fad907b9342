/**
 * Writes on their way into the database, for the next page, should this one end
 * before they are there.
 *
 * Knows `localStorage`, which is there at once. Must not know what a write means.
 * Whoever sends a write has read the database before, or was told that it is stored: in
 * the first case what lies here was looked at, too, in the second it does not lie here any
 * more. So what is found here and is not in the database was never sent.
 *
 * A page whose database fails may send what it kept here by itself, and another one may find it
 * at the same time: so what is found is marked, and goes once it is stored. Each page that is about
 * to store it puts a space before it, which JSON passes over.
 *
 * What a page kept and does not lie here any more was found and stored by another, unless somebody
 * has cleared `localStorage`: then the mark is gone, too, which lies under the name of the database,
 * and whether another page had found it before only the database knows. No two marks are the same.
 */
import { marked, unmarked } from "../core/part.ts";
import type { Write } from "../core/storage-ops.ts";

/** A write, and the rejected one that it replaces. */
export type Entry = readonly [write: Write, instead: string];

/** Writes that may not reach the database. Where there is no `localStorage`, it keeps nothing. */
export class Journal {
  readonly #prefix: string;
  /** What this page has kept, and the mark that lay here then. */
  readonly #own = new Map<string, string>();
  /** What this page has found, and is storing. */
  readonly #taken = new Set<string>();
  /** How many marks this page has made. */
  #marks = 0;

  /** @param name of the database. */
  constructor(name: string) {
    this.#prefix = `rhtmx ${name} `;
  }

  /** Keeps a write, unless another page has found it. */
  hold(...entry: Entry): void {
    const { id } = entry[0];
    if (this.#isFound(id)) return;
    attempt((storage) => {
      const mark = storage.getItem(this.#prefix) ?? `${id} ${(this.#marks += 1)}`;
      storage.setItem(this.#prefix, mark);
      storage.setItem(this.#prefix + id, JSON.stringify(entry, marked));
      this.#own.set(id, mark);
    });
  }

  /** Whether a write that was kept here by this page has been found and stored by another. */
  isTaken(id: string): boolean {
    return this.#text(id) === null && this.#text("") === this.#own.get(id);
  }

  /** Whether one was cleared that was kept here by this page: another one may have found it before. */
  isCleared(id: string): boolean {
    return this.#own.has(id) && this.#text(id) === null && !this.isTaken(id);
  }

  /** Lets go of a write of this page; false if another page has found it, and stores it. */
  release(id: string): boolean {
    const isFound = this.#isFound(id);
    if (isFound) this.#own.delete(id);
    else this.drop(id);
    return !isFound;
  }

  /** What other pages left here. It is to be stored and dropped, or left to others again. */
  take(): Entry[] {
    const all = attempt((storage) => Object.entries<string>(storage)) ?? [];
    const left = all.filter(([key]) => key.startsWith(this.#prefix));
    const entries = left.map(([key, text]) =>
      attempt((storage) => {
        const entry = JSON.parse(text, unmarked) as Entry;
        const [{ id }] = entry;
        // What begins like this may be of a database whose name begins with this one's.
        if (key !== this.#prefix + id || this.#own.has(id)) return undefined;
        if (!this.#taken.has(id)) attempt(() => storage.setItem(key, ` ${text}`));
        this.#taken.add(id);
        return entry;
      }),
    );
    return entries.filter((each) => !!each);
  }

  /** What was taken could not be stored. */
  leave(): void {
    for (const id of this.#taken) {
      const text = this.#text(id);
      if (text?.startsWith(" "))
        attempt((storage) => storage.setItem(this.#prefix + id, text.slice(1)));
    }
    this.#taken.clear();
  }

  /** What was taken is stored. */
  dropTaken(): void {
    for (const id of this.#taken) this.drop(id, true);
    this.#taken.clear();
  }

  /** It is stored, or will never be. `own`: whether this page may have kept it. */
  drop(id: string, own = this.#own.delete(id)): void {
    if (own) attempt((storage) => storage.removeItem(this.#prefix + id));
  }

  /** Whether another page has found a write that was kept here by this one. */
  #isFound(id: string): boolean {
    return this.isTaken(id) || (this.#own.has(id) && !!this.#text(id)?.startsWith(" "));
  }

  /** What lies here under an id; undefined where nothing can. */
  #text(id: string): string | null | undefined {
    return attempt((storage) => storage.getItem(this.#prefix + id));
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
