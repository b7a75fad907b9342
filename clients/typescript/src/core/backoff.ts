/**
 * How long to wait before connecting again.
 *
 * Knows the rule: full jitter under a doubling ceiling, so that the clients of
 * a restarted server do not come back together. Must not know clocks or
 * sockets: time and randomness are arguments, times are in milliseconds.
 */

/** The ceiling of the first wait. */
const FIRST = 1_000;
/** The ceiling of all waits. */
const LONGEST = 30_000;
/** A connection that held this long starts the count anew; a shorter one proves nothing. */
const STABLE = 60_000;

/** Counts attempts and says how long to wait before the next. */
export class Backoff {
  readonly #random: () => number;
  #attempts = 0;
  #openedAt: number | undefined;

  /** @param random a number from 0 to 1, 1 excluded, each time it is called. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** What was tried worked: the next wait is a short one again. */
  reset(): void {
    this.#attempts = 0;
  }

  /** The connection works since `now`. */
  opened(now: number): void {
    this.#openedAt = now;
  }

  /** The connection, or the attempt at one, ended at `now`: the wait before the next. */
  wait(now: number): number {
    if (this.#openedAt !== undefined && now - this.#openedAt >= STABLE) this.#attempts = 0;
    this.#openedAt = undefined;
    const ceiling = Math.min(LONGEST, FIRST * 2 ** this.#attempts);
    this.#attempts += 1;
    return this.#random() * ceiling;
  }
}
