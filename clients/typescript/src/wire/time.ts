/**
 * Points in time: RFC 3339 text, and protobuf's seconds and nanoseconds.
 *
 * Knows both forms. Must not know what time it is.
 *
 * The normal form is UTC with `Z` and either no fraction or six digits of it,
 * which is what Python's `datetime` holds: finer digits are cut off.
 */

// RFC 3339, section 5.6, `date-time`, with upper-case letters; nanoseconds are
// the finest that protobuf holds.
const RFC_3339 =
  /^\d{4}-\d\d-(\d\d)T\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

const MIN_SECONDS = -62_135_596_800; // 0001-01-01T00:00:00Z
const MAX_SECONDS = 253_402_300_799; // 9999-12-31T23:59:59Z
const NANOS = 1_000_000_000;

/** The normal form of an RFC 3339 time; `undefined` if it is none. */
export function parseTime(value: unknown): string | undefined {
  const match = typeof value === "string" ? RFC_3339.exec(value) : null;
  if (!match) return undefined;
  const local = match[0].slice(0, 19);
  const seconds = Date.parse(`${local}Z`) / 1000;
  // `Date` takes the 30th of February for a day in March, and 24:00 for the next day.
  if (new Date(seconds * 1000).getUTCDate() !== Number(match[1])) return undefined;
  const nanos = match[2] ? Number(match[2].padEnd(9, "0")) : 0;
  if (!match[3]) return formatTime(seconds, nanos, local);
  const offset = Number(`${match[3]}1`) * (Number(match[4]) * 60 + Number(match[5])) * 60;
  return formatTime(seconds - offset, nanos);
}

/**
 * The normal form of a protobuf timestamp; `undefined` if it is out of range.
 *
 * @param whole its whole seconds as text, where they are known.
 */
export function formatTime(seconds: number, nanos: number, whole?: string): string | undefined {
  if (!(seconds >= MIN_SECONDS && seconds <= MAX_SECONDS && nanos >= 0 && nanos < NANOS)) {
    return undefined;
  }
  whole ??= new Date(seconds * 1000).toISOString().slice(0, 19);
  const micros = Math.trunc(nanos / 1000);
  return micros === 0 ? `${whole}Z` : `${whole}.${String(micros).padStart(6, "0")}Z`;
}

/** Seconds since 1970 and nanoseconds of a time in its normal form. */
export function splitTime(time: string): [seconds: number, nanos: number] {
  const seconds = Date.parse(`${time.slice(0, 19)}Z`) / 1000;
  return [seconds, Number(time.slice(20, -1)) * 1000];
}
