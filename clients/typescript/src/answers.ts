/**
 * Promises for what was asked and written.
 *
 * Knows ids. Must not know what the answers say.
 */
import type { RhtmxError } from "./errors.ts";
import type { Event } from "./events.ts";

/** An answer, and what came ahead of it and belongs to it. */
export interface Answer<M, B> {
  readonly message: M;
  readonly before: readonly B[];
}

interface Waiting {
  readonly resolve: (answer: Answer<never, never>) => void;
  readonly reject: (error: RhtmxError) => void;
}

/** Everything that has no answer yet. */
export class Answers {
  readonly #waiting = new Map<string, Waiting>();

  /** The answer to the request of that id, once it comes. */
  wait<M, B>(id: string): Promise<Answer<M, B>> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
  }

  /** Takes an event; false if it is no answer. */
  handle(event: Event): boolean {
    if (event.event !== "answered" && event.event !== "refused") return false;
    const waiting = this.#waiting.get(event.id);
    this.#waiting.delete(event.id);
    if (event.event === "refused") waiting?.reject(event.error);
    else waiting?.resolve(event as unknown as Answer<never, never>);
    return true;
  }
}
