/**
 * What the server tells that may have operations in it whose answers have not come.
 *
 * Knows their order. Must not know what is told.
 *
 * A value may be shown on top of a record that has it already; an operation may not: it would
 * count twice. Whether one that was sent is in what arrives only its answer says, and what arrives
 * may be faster: in a page of the past, or after a connection that was lost. So it waits for the
 * answers of the operations that were sent before, and what comes after it waits, too. If the
 * connection ends first, it is as if it had never come: it comes again. Where no operation waits
 * for its answer, nothing does.
 */
import type { WriteQueue } from "./write-queue.ts";

/** Takes what the server tells in the order in which it comes, some of it later. */
export class EarlyNews {
  readonly #queue: WriteQueue;
  /** The id of the last write that each waits for, if any, and what is done then. */
  #waiting: (readonly [id: string | undefined, take: () => void])[] = [];

  constructor(queue: WriteQueue) {
    this.#queue = queue;
  }

  /** Something has come, about an entity or about none: it is taken once it may be. */
  came(take: () => void, entity?: string): void {
    const id = entity && this.#queue.inDoubt(entity);
    if (id || this.#waiting.length) this.#waiting.push([id, take]);
    else take();
  }

  /** Answers may have come: takes what has waited for them. */
  release(): void {
    while (this.#waiting[0] && !this.#queue.isInDoubt(this.#waiting[0][0])) {
      this.#waiting.shift()![1]();
    }
  }

  /** The connection ended. */
  lost(): void {
    this.#waiting = [];
  }
}
