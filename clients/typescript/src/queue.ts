/**
 * The writes of one client, from the call until their answer.
 *
 * Knows order and numbers. Must not know the connection, clocks or disks. It is
 * the one place that numbers a write and the one place that forgets it; where
 * writes wait is an argument.
 */
import type { FieldConflict, Push, PushFields } from "./messages/types.ts";

/** One write. */
export interface Mutation {
  /** Its `request_id`, the same however often it is sent. */
  readonly id: string;
  /** Without `seq`. */
  readonly message: Push | PushFields;
  /** Its number; absent until it is first sent, and for a client without `client_id`. */
  readonly seq?: number | undefined;
}

/** Where writes wait for their answer, oldest first. A `Map` does, as long as the page lives. */
export interface MutationStore {
  get(id: string): Mutation | undefined;
  /** Adds a write at the end, or replaces it where it stands. */
  set(id: string, mutation: Mutation): unknown;
  delete(id: string): unknown;
  values(): Iterable<Mutation>;
}

/** Sends writes in order, each until it is answered. */
export class MutationQueue {
  readonly #store: MutationStore;
  readonly #numbered: boolean;
  /** Not sent on this connection; always the last ones of the store. */
  #waiting = new Set<string>();
  readonly #conflicts = new Map<string, FieldConflict[]>();
  /** The highest number used; unknown until the server has said. */
  #last: number | undefined;

  /** @param numbered whether the client has a `client_id`, without which there is no `seq`. */
  constructor(store: MutationStore, numbered: boolean) {
    this.#store = store;
    this.#numbered = numbered;
    this.#waiting = new Set(this.all.map((each) => each.id));
  }

  /** All writes without an answer, in order. */
  get all(): Mutation[] {
    return [...this.#store.values()];
  }

  /** Those of them that are to be sent, in order. */
  get waiting(): Mutation[] {
    return [...this.#waiting].flatMap((id) => this.#store.get(id) ?? []);
  }

  /** Every answer up to this number has arrived. */
  get confirmed(): number | undefined {
    if (!this.#numbered) return undefined;
    const first = this.all[0]?.seq;
    return first === undefined ? this.#last : first - 1;
  }

  /** Puts a write at the end. */
  add(mutation: Mutation): void {
    this.#store.set(mutation.id, mutation);
    this.#waiting.add(mutation.id);
  }

  /** The write with that id or, failing that, number. */
  find(id: string | undefined, seq: number | undefined): Mutation | undefined {
    const found = id === undefined ? undefined : this.#store.get(id);
    if (found !== undefined || seq === undefined) return found;
    return this.all.find((each) => each.seq === seq);
  }

  /** Forgets a write that was answered; returns the conflicts that were told before. */
  settle(id: string): FieldConflict[] {
    const conflicts = this.#conflicts.get(id) ?? [];
    this.#conflicts.delete(id);
    this.#waiting.delete(id);
    this.#store.delete(id);
    return conflicts;
  }

  /** Keeps a conflict until the answer to its write. */
  conflict(conflict: FieldConflict): void {
    const mutation =
      this.find(undefined, conflict.seq) ?? this.all.find((each) => concerns(conflict, each));
    if (mutation === undefined) return;
    const before = this.#conflicts.get(mutation.id) ?? [];
    this.#conflicts.set(mutation.id, [...before, conflict]);
  }

  /** A connection begins; `settled` is the last number that the server knows. */
  begin(settled: number): void {
    this.#conflicts.clear();
    this.#waiting = new Set(this.all.map((each) => each.id));
    const numbers = this.all.flatMap((each) => each.seq ?? []);
    const first = numbers[0];
    if (first !== undefined && first > settled + 1) this.renumber(settled);
    else this.#last = Math.max(settled, numbers.at(-1) ?? 0);
  }

  /** The server knows nothing above `settled`, as after a restore: numbers go on from there. */
  renumber(settled: number): void {
    this.#last = settled;
    for (const each of this.all) this.#store.set(each.id, { ...each, seq: undefined });
    this.#waiting = new Set(this.all.map((each) => each.id));
  }

  /** Takes a write and all after it for not sent; false if it was not sent anyway. */
  rewind(mutation: Mutation): boolean {
    if (this.#waiting.has(mutation.id)) return false;
    const ids = this.all.map((each) => each.id);
    this.#waiting = new Set(ids.slice(ids.indexOf(mutation.id)));
    return true;
  }

  /** The message to send for a write, numbered. */
  numbered(mutation: Mutation): Push | PushFields {
    if (!this.#numbered) return mutation.message;
    return { ...mutation.message, seq: mutation.seq ?? (this.#last ?? 0) + 1 };
  }

  /** What `numbered` gave was sent. */
  sent(mutation: Mutation): void {
    this.#waiting.delete(mutation.id);
    if (!this.#numbered || mutation.seq !== undefined) return;
    this.#last = (this.#last ?? 0) + 1;
    this.#store.set(mutation.id, { ...mutation, seq: this.#last });
  }
}

function concerns(conflict: FieldConflict, { message }: Mutation): boolean {
  return (
    message.type === "push_fields" &&
    message.entity === conflict.entity &&
    message.entity_id === conflict.entity_id
  );
}
