/**
 * What is being written and was not saved yet survives a reload of the tab.
 *
 * Knows a storage of texts. Must not know the page.
 */

import type { TextStorage } from "../inspector/connection.ts";

/** A text that is being written. */
export interface Draft {
  readonly text: string;
  /** The value and its version that the user saw on beginning to write. */
  readonly seen: string;
  readonly version: number;
}

const KEY = "rhtmx-demo:drafts";

/** See the head of the file. */
export class Drafts {
  readonly #storage: TextStorage;
  /** By task and field. */
  readonly #drafts: Map<string, Map<string, Draft>>;

  constructor(storage: TextStorage) {
    this.#storage = storage;
    this.#drafts = read(storage);
  }

  /** The tasks in which something is being written. */
  get ids(): readonly string[] {
    return [...this.#drafts.keys()];
  }

  /** What is being written in a task, by field. */
  of(id: string): ReadonlyMap<string, Draft> {
    return this.#drafts.get(id) ?? new Map();
  }

  /** Keeps a draft; forgets it if it is undefined. */
  keep(id: string, field: string, draft: Draft | undefined): void {
    const fields = this.#drafts.get(id) ?? new Map<string, Draft>();
    if (draft) fields.set(field, draft);
    else if (!fields.delete(field)) return;
    if (fields.size > 0) this.#drafts.set(id, fields);
    else this.#drafts.delete(id);
    this.#write();
  }

  /** Forgets all of a task. */
  forget(id: string): void {
    if (this.#drafts.delete(id)) this.#write();
  }

  #write(): void {
    const plain = [...this.#drafts].map(([id, fields]) => [id, [...fields]]);
    // A storage that is full or forbidden costs what a reload takes, and nothing else.
    try {
      this.#storage.setItem(KEY, JSON.stringify(plain));
    } catch {}
  }
}

function read(storage: TextStorage): Map<string, Map<string, Draft>> {
  try {
    const plain = JSON.parse(storage.getItem(KEY) ?? "[]") as [string, [string, Draft][]][];
    return new Map(plain.map(([id, fields]) => [id, new Map(fields)]));
  } catch {
    return new Map();
  }
}
