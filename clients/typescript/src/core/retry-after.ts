/**
 * How long to leave a busy server alone.
 *
 * Knows the rule: what the server says, and on top of it a random wait that
 * grows with each refusal in a row, so that its clients do not come back
 * together. Must not know what was refused: times are in milliseconds.
 */

import type { Error as Failure } from "../messages/types.ts";
import { Backoff } from "./backoff.ts";

/** A wait that grows with each rejection in a row. */
export class RetryAfter {
  /** When to go on; undefined if nothing is held up. */
  until: number | undefined;
  readonly #backoff: Backoff;
  #jitter = 0;

  /** @param random a number from 0 to 1, 1 excluded, each time it is called. */
  constructor(random: () => number) {
    this.#backoff = new Backoff(random);
  }

  /**
   * Something was refused that may be taken later. What was under way with it is
   * refused, too: that is one refusal, and the longest of the waits counts.
   */
  refused({ retry_after = 0 }: Pick<Failure, "retry_after">, now: number): void {
    if (this.until === undefined) this.#jitter = this.#backoff.wait(now);
    this.until = Math.max(this.until ?? 0, now + retry_after + this.#jitter);
  }

  /** Something was taken: the next wait is a short one again. */
  passed(): void {
    if (this.until === undefined) this.#backoff.reset();
  }

  /** Time passed; returns whether it is over now. */
  tick(now: number): boolean {
    if (this.until === undefined || this.until > now) return false;
    this.until = undefined;
    return true;
  }
}
