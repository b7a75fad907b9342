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

/**
 * The time of the next write.
 *
 * @param last the latest time of a write that is known.
 * @param now what the clock says.
 * @param waits earlier writes have no answer yet.
 */
export function nextTime(last: number, now: number, waits: boolean): number {
  const ahead = last - now;
  const isLate = ahead >= 0 && (waits || ahead <= MOST_AHEAD);
  return isLate ? last + 1 : now;
}
