/**
 * Points in time: RFC 3339 text, and protobuf's seconds and nanoseconds.
 *
 * Knows both forms. Must not know what time it is.
 *
 * The normal form is UTC with `Z` and either no fraction or six digits of it,
 * which is what Python's `datetime` holds: finer digits are cut off.
 */

/** A `google.protobuf.Timestamp`: since 1970; what is zero may be left out. */
export interface Timestamp {
  readonly seconds?: number;
  readonly nanos?: number;
}

// RFC 3339, section 5.6, `date-time`, with upper-case letters and without a 60th second;
// nanoseconds are the finest that protobuf holds. What passes every engine reads alike, but for a
// day that its month lacks. What else it may say they do not: to WebKitGTK 2.50 10:00:60 is 10:01,
// to Chromium 156 the letters may be small, to all three 24:00 is the next day.
const RFC_3339 =
  /^(\d{4}-(?:0\d|1[0-2])-[0-3]\dT(?:[01]\d|2[0-3])(?::[0-5]\d){2})(\.\d{1,9})?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

// What a server writes, but for days that not every month has.
const NORMAL =
  /^(?!0000|.{5}02-(?:29|30))\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|30)T(?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.(?!000000)\d{6})?Z$/;

/** The normal form of an RFC 3339 time; `undefined` if it is none. */
export function parseTime(value: unknown): string | undefined {
  // To take it apart and write it anew costs as much as all else of a message.
  if (typeof value === "string" && NORMAL.test(value)) return value;
  const match = typeof value === "string" && RFC_3339.exec(value);
  const [, local = "", fraction = "", zone] = match || [];
  // The 30th of February is a day in March to Chromium 156 and Firefox 153, and none to WebKitGTK 2.50.
  if (new Date(`${local}Z`).getUTCDate() !== +local.slice(8, 10)) return undefined;
  return formatTime({
    seconds: Date.parse(local + zone) / 1000,
    nanos: Math.round(+fraction * 1e9),
  });
}

/** The normal form of a protobuf timestamp; `undefined` if it is out of range. */
export function formatTime({ seconds = 0, nanos = 0 }: Timestamp): string | undefined {
  nanos |= 0; // an `int32`
  const date = new Date(seconds * 1000);
  const year = date.getUTCFullYear();
  if (!(year > 0 && year < 10_000 && nanos >= 0 && nanos < 1e9)) return undefined;
  const micros = (nanos / 1000) | 0;
  return `${date.toISOString().slice(0, 19)}${micros ? `.${`${1e6 + micros}`.slice(1)}` : ""}Z`;
}

/** The protobuf timestamp of a time in its normal form. */
export function splitTime(time: string): Required<Timestamp> {
  return { seconds: Date.parse(`${time.slice(0, 19)}Z`) / 1000, nanos: +time.slice(20, -1) * 1000 };
}

/** The moment of an RFC 3339 time, to the millisecond; `undefined` if it is none. */
export function toDate(value: unknown): Date | undefined {
  const time = parseTime(value);
  if (!time) return undefined;
  const { seconds, nanos } = splitTime(time);
  return new Date(seconds * 1000 + nanos / 1e6);
}
