/**
 * The times of one client's writes: no two are equal, and none goes back.
 *
 * Knows the rule, in microseconds since 1970. Must not know the clock: what it
 * says is an argument.
 *
 * A clock may say the same twice, or be set back, also between two runs. Then a
 * write is given the microsecond after the one before it. So that a clock that
 * was wrong once does not stay wrong for ever, that ends where it would be more
 * than a minute ahead: the server brings such times back anyway, and by then it
 * has the earlier writes, and knows their order by their arrival. While some of
 * them still wait, it does not end.
 */
const MOST_AHEAD = 60_000_000;

/** See the head of the file. */
export class WriteClock {
  #last = 0;

  /** A write that waits has this time: the next one is later. */
  used(time: number): void {
    this.#last = Math.max(this.#last, time);
  }

  /** The time of the next write. `waits`: earlier ones have no answer yet. */
  next(now: number, waits: boolean): number {
    const ahead = this.#last - now;
    const isLate = ahead >= 0 && (waits || ahead <= MOST_AHEAD);
    return (this.#last = isLate ? this.#last + 1 : now);
  }
}
