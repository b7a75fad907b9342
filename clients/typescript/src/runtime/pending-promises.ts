/**
 * Promises for what was asked and written.
 *
 * Knows ids. Must not know what the answers say.
 */

import type { Question } from "../core/tab-messages.ts";
import type { Refusal, RhtmxError } from "../errors.ts";
import { typed } from "../errors.ts";

interface Waiting {
  readonly resolve: (message: never) => void;
  readonly reject: (error: RhtmxError) => void;
  /** What is asked again of a new leader; a write needs no such thing. */
  readonly question: Question | undefined;
}

/** Everything that has no answer yet. */
export class PendingPromises {
  readonly #waiting = new Map<string, Waiting>();

  /** The answer to the request of that id, once it comes: ask afterwards, it may come at once. */
  wait<M>(id: string, question?: Question): Promise<M> {
    const promise = new Promise<M>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, question });
    });
    // Who does not wait finds it in `rejected` and `onError`: that is no uncaught error.
    promise.catch(() => {});
    return promise;
  }

  /** The answer is there, or an error in its place. */
  settle(id: string, message: unknown, error: Refusal | undefined): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(typed(error));
    else waiting?.resolve(message as never);
  }

  /** Nothing will be answered any more. */
  end(error: Refusal | undefined): void {
    for (const [id] of this.all) this.settle(id, undefined, error);
  }

  /** Everything that waits; a write is no question. */
  get all(): [id: string, question: Question | undefined][] {
    return [...this.#waiting].map(([id, { question }]) => [id, question]);
  }
}
