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
  /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

const MIN_SECONDS = -62_135_596_800; // 0001-01-01T00:00:00Z
const MAX_SECONDS = 253_402_300_799; // 9999-12-31T23:59:59Z
const NANOS = 1_000_000_000;

/** The normal form of an RFC 3339 time; `undefined` if it is none. */
export function parseTime(value: unknown): string | undefined {
  const match = typeof value === "string" ? RFC_3339.exec(value) : null;
  if (!match) return undefined;
  const [, date, clock, fraction = "", , sign, hours, minutes] = match;
  const local = `${date}T${clock}.000Z`;
  const milliseconds = Date.parse(local);
  // `Date` takes the 30th of February for a day in March.
  const exists = !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === local;
  if (!exists) return undefined;
  const offset = sign ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60 : 0;
  return formatTime(milliseconds / 1000 - offset, Number(fraction.padEnd(9, "0")));
}

/** The normal form of a protobuf timestamp; `undefined` if it is out of range. */
export function formatTime(seconds: number, nanos: number): string | undefined {
  if (!(seconds >= MIN_SECONDS && seconds <= MAX_SECONDS && nanos >= 0 && nanos < NANOS)) {
    return undefined;
  }
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  const micros = Math.trunc(nanos / 1000);
  return micros === 0 ? `${whole}Z` : `${whole}.${String(micros).padStart(6, "0")}Z`;
}

/** Seconds since 1970 and nanoseconds of a time in its normal form. */
export function splitTime(time: string): [seconds: number, nanos: number] {
  const seconds = Date.parse(`${time.slice(0, 19)}Z`) / 1000;
  return [seconds, Number(time.slice(20, -1)) * 1000];
}
