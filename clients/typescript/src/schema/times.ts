/**
 * Points in time and lengths of time: their text in JSON, and integers of nanoseconds.
 *
 * Knows the two forms of text that JSON of Protobuf has, RFC 3339 and `1.5s`, and `Date`. Must not
 * know the present time, fields, or rules.
 *
 * A row holds the text, because a `Date` cuts it to milliseconds: two times would be one, and
 * writing it back would change what nobody changed.
 */

const SECOND = 1_000_000_000n;
const MILLISECOND = 1_000_000n;
/** 0001-01-01T00:00:00Z, in milliseconds since 1970. */
const FIRST = -62_135_596_800_000;

/** The same, in nanoseconds. */
export const MIN_TIMESTAMP = -62_135_596_800_000_000_000n;

/** 9999-12-31T23:59:59.999999999Z, in nanoseconds since 1970. */
export const MAX_TIMESTAMP = 253_402_300_799_999_999_999n;

/** 315576000000.999999999s: ten thousand years, as `google.protobuf.Duration` has it. */
export const MAX_DURATION = 315_576_000_000_999_999_999n;

/** The same, back in time. */
export const MIN_DURATION = -315_576_000_000_999_999_999n;

declare const kind: unique symbol;

/** A point in time as a row holds it: RFC 3339, such as `2026-11-29T15:00:00.250Z`. */
export type Timestamp = string & {
  /** Tells it from other texts, for the compiler only. */
  readonly [kind]: "Timestamp";
};

/** A length of time as a row holds it: seconds, such as `1.500s`. */
export type Duration = string & {
  /** Tells it from other texts, for the compiler only. */
  readonly [kind]: "Duration";
};

/**
 * Reads a point in time: RFC 3339, of the years 1 to 9999.
 *
 * `T` and `Z` are capital letters, as in JSON of Protobuf; an offset may stand in place of the
 * `Z`. Second 60 is none, not even where a leap second was.
 *
 * @param text the text as it is, with up to nine digits of a second.
 * @returns nanoseconds since 1970, UTC; undefined for any other text.
 * @example
 * parseTimestamp("1970-01-01T01:00:00.5+01:00"); // 500_000_000n
 */
export function parseTimestamp(text: string): bigint | undefined {
  const [, moment, fraction = "", offset] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-](?:[01]\d|2[0-3]):[0-5]\d))$/.exec(
      text,
    ) ?? [];
  const local = Date.parse(`${moment}Z`);
  // `Date.parse` takes the 30th of February for a day of March, and knows a year 0.
  if (!(local >= FIRST) || wholeSeconds(local) !== moment) return;
  const at = BigInt(local - minutes(offset) * 60_000) * MILLISECOND;
  const nanoseconds = at + BigInt(fraction.padEnd(9, "0"));
  return isInYears(nanoseconds) ? nanoseconds : undefined;
}

/** A time without its fraction and its zone; its year has four digits. */
function wholeSeconds(at: number): string {
  return new Date(at).toISOString().slice(0, 19);
}

/** How many minutes a clock with such an offset is ahead. */
function minutes(offset = "+00:00"): number {
  const ahead = +offset.slice(1, 3) * 60 + +offset.slice(4);
  return offset.startsWith("-") ? -ahead : ahead;
}

/**
 * Writes a point in time as every writer does: with `Z`, and 0, 3, 6 or 9 digits of a second.
 *
 * @param nanoseconds since 1970, UTC.
 * @throws RangeError: it is not in the years 1 to 9999.
 * @example
 * writeTimestamp(500_000_000n); // "1970-01-01T00:00:00.500Z"
 */
export function writeTimestamp(nanoseconds: bigint): Timestamp {
  if (!isInYears(nanoseconds)) {
    throw new RangeError(`a time of the years 1 to 9999 expected, got ${nanoseconds} nanoseconds`);
  }
  const rest = modulo(nanoseconds, SECOND);
  const at = Number((nanoseconds - rest) / MILLISECOND);
  return `${wholeSeconds(at)}${fractionOf(rest)}Z` as Timestamp;
}

function isInYears(nanoseconds: bigint): boolean {
  return MIN_TIMESTAMP <= nanoseconds && nanoseconds <= MAX_TIMESTAMP;
}

/** What is left above a multiple of a unit, also before 1970. */
function modulo(nanoseconds: bigint, unit: bigint): bigint {
  return ((nanoseconds % unit) + unit) % unit;
}

function fractionOf(nanoseconds: bigint): string {
  const digits = `${nanoseconds}`.padStart(9, "0").replace(/(?:000){1,3}$/, "");
  return digits && `.${digits}`;
}

/**
 * Reads a length of time: seconds with up to nine digits after the point, and an `s`.
 *
 * @param text the text as it is; a `-` before it goes back in time, and a `+` is none.
 * @returns nanoseconds; undefined for any other text, and beyond ten thousand years.
 * @example
 * parseDuration("-1.5s"); // -1_500_000_000n
 */
export function parseDuration(text: string): bigint | undefined {
  const [, sign, seconds, fraction = ""] = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(text) ?? [];
  if (seconds === undefined) return;
  const length = BigInt(seconds) * SECOND + BigInt(fraction.padEnd(9, "0"));
  if (length > MAX_DURATION) return;
  return sign ? -length : length;
}

/**
 * Writes a length of time as every writer does: with 0, 3, 6 or 9 digits after the point.
 *
 * @throws RangeError: it is longer than ten thousand years.
 * @example
 * writeDuration(-1_500_000_000n); // "-1.500s"
 */
export function writeDuration(nanoseconds: bigint): Duration {
  const length = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (length > MAX_DURATION) {
    throw new RangeError(
      `a duration of up to 315576000000 seconds expected, got ${nanoseconds} nanoseconds`,
    );
  }
  const sign = nanoseconds < 0n ? "-" : "";
  return `${sign}${length / SECOND}${fractionOf(length % SECOND)}s` as Duration;
}

/**
 * Makes a point in time a `Date`, cut to its millisecond.
 *
 * @throws RangeError: it is no point in time.
 */
export function toDate(timestamp: Timestamp): Date {
  const nanoseconds = parseTimestamp(timestamp);
  if (nanoseconds === undefined) {
    throw new RangeError(`a time such as 2026-11-29T15:00:00Z expected, got ${timestamp}`);
  }
  return new Date(Number((nanoseconds - modulo(nanoseconds, MILLISECOND)) / MILLISECOND));
}

/**
 * Makes a `Date` a point in time.
 *
 * @throws RangeError: it is an invalid date, or not in the years 1 to 9999.
 * @example
 * timestampFrom(new Date(500)); // "1970-01-01T00:00:00.500Z"
 */
export function timestampFrom(date: Date): Timestamp {
  const at = date.getTime();
  if (Number.isNaN(at)) throw new RangeError("a valid date expected, got an invalid one");
  return writeTimestamp(BigInt(at) * MILLISECOND);
}
