/**
 * Times of a rule at run time: whole nanoseconds.
 *
 * Knows the ranges of timestamps and durations. Must not know messages or rules.
 */

import { CelError } from "./cel-logic.ts";

const SECOND = 1_000_000_000n;

/** Nanoseconds. The difference of two values of type `any` is a number to TypeScript. */
export type Nanoseconds = bigint | number;

/** A time between the years 1 and 9999. Throws a `CelError` if it is not between them. */
export function celTimestamp(nanoseconds: Nanoseconds): bigint {
  if (nanoseconds >= -62135596800n * SECOND && nanoseconds < 253402300800n * SECOND) {
    return nanoseconds as bigint;
  }
  throw new CelError("a time is before the year 1 or after 9999");
}

/** A duration that fits 64 bits of nanoseconds. Throws a `CelError` if it does not. */
export function celDuration(nanoseconds: Nanoseconds): bigint {
  const long = BigInt(nanoseconds);
  if (BigInt.asIntN(64, long) === long) return long;
  throw new CelError("a duration is longer than 292 years");
}

function floor(nanoseconds: bigint, unit: bigint): number {
  return Number((nanoseconds - (((nanoseconds % unit) + unit) % unit)) / unit);
}

/** The whole seconds since 1970, rounded down. */
export function celSeconds(nanoseconds: bigint): number {
  return floor(nanoseconds, SECOND);
}

/** A time as a `Date` that is `minutes` east of Greenwich, of which one asks the UTC parts. */
export function celDate(nanoseconds: bigint, minutes: number): Date {
  return new Date(floor(nanoseconds, 1_000_000n) + minutes * 60_000);
}

/** The day of the year, from 0. */
export function celDayOfYear(nanoseconds: bigint, minutes: number): number {
  const date = celDate(nanoseconds, minutes);
  const first = new Date(date).setUTCMonth(0, 1);
  return Math.round((date.getTime() - first) / 86_400_000);
}
