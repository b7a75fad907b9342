/**
 * Writes under way: sends them in order, and judges what the server answers.
 *
 * Knows which refusal is final and which is worth another try. Must not know
 * streams, questions or the connection's life; times are in milliseconds.
 */
import { Backoff } from "./backoff.ts";
import { RhtmxError } from "./errors.ts";
import { MutationQueue } from "./queue.ts";
import { checkFromClient } from "./wire/index.ts";
import type { Outbox } from "./outbox.ts";
import type { FieldConflict, FieldPushAck, Push, PushAck, PushFields } from "./messages/types.ts";
import type { Mutation, MutationStore } from "./queue.ts";

/** The outcome of a write that is settled. */
export interface Settled {
  readonly id: string;
  /** The conflicts that were told before the answer. */
  readonly before: readonly FieldConflict[];
}

/** The writes of one client. */
export class Pushes {
  readonly #outbox: Outbox;
  readonly #queue: MutationQueue;
  readonly #backoff: Backoff;
  #retryAt: number | undefined;
  #open = false;

  constructor(
    outbox: Outbox,
    random: () => number,
    numbered: boolean,
    store: MutationStore = new Map<string, Mutation>(),
  ) {
    this.#outbox = outbox;
    this.#backoff = new Backoff(random);
    this.#queue = new MutationQueue(store, numbered);
  }

  /** Every answer up to this `seq` has arrived. */
  get confirmed(): number | undefined {
    return this.#queue.confirmed;
  }

  /** The ids of all that wait for their answer. */
  get ids(): string[] {
    return this.#queue.all.map((each) => each.id);
  }

  /** When to call `flush` again; undefined if there is nothing to try again. */
  get retryAt(): number | undefined {
    return this.#open ? this.#retryAt : undefined;
  }

  /** Adds a write; it is copied, so that what is sent again is the same. */
  add(id: string, message: Push | PushFields): void {
    const checked = checkFromClient({ ...message, request_id: id, seq: undefined });
    this.#queue.add({ id, message: structuredClone(checked) });
  }

  /** The server welcomed the client; `settled` is the last `seq` that it knows. */
  begin(settled: number): void {
    this.#queue.begin(settled);
    this.#retryAt = undefined;
    this.#open = true;
  }

  /** The connection ended. */
  interrupted(): void {
    this.#open = false;
  }

  /** Sends what waits, in order; returns those that can never be sent. */
  flush(now: number): { id: string; error: RhtmxError }[] {
    if (!this.#open || (this.#retryAt ?? now) > now) return [];
    this.#retryAt = undefined;
    return this.#queue.waiting.flatMap((each) => {
      try {
        this.#outbox.send(this.#queue.numbered(each));
        this.#queue.sent(each);
        return [];
      } catch (error) {
        if (!(error instanceof RhtmxError)) throw error;
        this.#queue.settle(each.id);
        return [{ id: each.id, error }];
      }
    });
  }

  /** Keeps a conflict until the answer to its write. */
  conflict(conflict: FieldConflict): void {
    this.#queue.conflict(conflict);
  }

  /** A write is durable; undefined if it is none of ours. */
  acknowledged(message: PushAck | FieldPushAck): Settled | undefined {
    const mutation = this.#queue.find(message.request_id, message.seq);
    if (!mutation) return undefined;
    this.#backoff.reset();
    return { id: mutation.id, before: this.#queue.settle(mutation.id) };
  }

  /** A fresh token was accepted: what waited for one is sent. */
  authenticated(): void {
    this.#retryAt = undefined;
  }

  /**
   * A write failed.
   *
   * @returns the write, if that is final; `retry`, if it will be sent again;
   *   undefined, if it is none of ours.
   */
  failed(error: RhtmxError, now: number): Settled | "retry" | undefined {
    const mutation = this.#queue.find(error.request_id, error.seq);
    if (!mutation) return undefined;
    if (this.#retry(mutation, error, now)) return "retry";
    return { id: mutation.id, before: this.#queue.settle(mutation.id) };
  }

  /** Whether the write will be sent again. Without a number it might take effect twice. */
  #retry(mutation: Mutation, error: RhtmxError, now: number): boolean {
    if (mutation.seq === undefined) return false;
    if (error.code === "unauthenticated") {
      this.#queue.rewind(mutation);
      this.#retryAt = Number.POSITIVE_INFINITY;
      return true;
    }
    if (error.code === "out_of_order") return this.#reorder(mutation.seq, error, now);
    if (error.retryable) this.#rewind(mutation, now);
    return error.retryable;
  }

  /** The server misses what came before; false if it has forgotten the answer instead. */
  #reorder(seq: number, error: RhtmxError, now: number): boolean {
    const settled = lastSeq(error);
    const first = this.#queue.all[0];
    if (settled === undefined || settled >= seq || first?.seq === undefined) return false;
    this.#rewind(first, now);
    if (first.seq > settled + 1) this.#queue.renumber(settled);
    return true;
  }

  #rewind(mutation: Mutation, now: number): void {
    // Those sent after a failed one fail too, each with its own error: one wait is enough.
    if (this.#queue.rewind(mutation)) this.#retryAt ??= now + this.#backoff.wait(now);
  }
}

function lastSeq(error: RhtmxError): number | undefined {
  const { details } = error;
  if (typeof details !== "object" || details === null || !("last_seq" in details)) return undefined;
  return typeof details.last_seq === "number" ? details.last_seq : undefined;
}
