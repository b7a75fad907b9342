/**
 * What a person entered into a field of a form, as the value that a record has in JSON.
 *
 * Knows the texts that inputs of a page send, and the one way to read each. Must not know rules (a
 * number may still be too large), records, or which field it is.
 *
 * The same in every client and in the server. No text is judged by `Number`, `parseInt` or
 * `trim()`: those take `0x1f`, `12abc` and an empty text, and other languages cut another space.
 *
 * An empty text, or one of nothing but space, is no value: undefined.
 */
import {
  type Duration,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  parseDuration,
  parseTimestamp,
  type Timestamp,
  writeDuration,
  writeTimestamp,
} from "./times.ts";

/**
 * What is cut from both ends of a text: the 25 letters that are White_Space in Unicode, and U+FEFF.
 *
 * Python's `strip` takes U+001C to U+001F, too; JavaScript's `trim` has no U+0085.
 */
export const SPACE =
  "\t\n\v\f\r \x85\xa0\u1680" +
  "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" +
  "\u2028\u2029\u202f\u205f\u3000\ufeff";

/** More digits are no number that a person typed. */
const LONGEST = 100;
const WORDS_SHOWN = 10;
const MINUTE = 60_000_000_000n;
const MOST_MINUTES = 24 * 60;

/**
 * A text cannot be read as what its field holds.
 *
 * Its message is in words for the user: what follows the name of the field.
 */
export class TextError extends Error {
  override readonly name = "TextError";
}

/**
 * Cuts space from both ends of a text: what is in `SPACE`, and nothing else.
 *
 * @example
 * trim("\u00a0 12\n"); // "12"
 */
export function trim(text: string): string {
  // An expression for the end would begin anew at each space within the text.
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.includes(text[start]!)) start += 1;
  while (start < end && SPACE.includes(text[end - 1]!)) end -= 1;
  return text.slice(start, end);
}

/** What a text is, unless it is empty. */
function entered<Value>(text: string, read: (entered: string) => Value): Value | undefined {
  const trimmed = trim(text);
  return trimmed ? read(trimmed) : undefined;
}

/**
 * Reads a whole number: ASCII digits, which may have a sign and zeros before them.
 *
 * `+5` is 5, `-0` is 0, `007` is 7. Neither `1.0`, `1e3`, `0x1f` nor `1_000` is one, and none has
 * more than 100 digits.
 *
 * @returns a bigint only where a number would not be exact.
 * @throws TextError: it is none.
 * @example
 * toInt(" 007 "); // 7
 */
export function toInt(text: string): number | bigint | undefined {
  return entered(text, (digits) => {
    if (digits.length > LONGEST || !/^[+-]?\d+$/.test(digits)) {
      throw new TextError("must be a whole number");
    }
    const number = Number(digits) + 0; // -0 is 0
    // `BigInt` takes no sign before a plus.
    return Number.isSafeInteger(number) ? number : BigInt(digits.replace("+", ""));
  });
}

/**
 * Reads a number: ASCII digits with a point, or with an exponent.
 *
 * `.5`, `1.` and `1e3` are numbers, and `-0` is 0. Neither `1,5`, `NaN`, `Infinity` nor `1e999` is
 * one, and none is longer than 100 letters.
 *
 * @throws TextError: it is none.
 * @example
 * toFloat(".5"); // 0.5
 */
export function toFloat(text: string): number | undefined {
  return entered(text, (digits) => {
    const number = Number(digits) + 0; // -0 is 0
    if (
      digits.length <= LONGEST &&
      /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(digits) &&
      Number.isFinite(number)
    ) {
      return number;
    }
    throw new TextError("must be a number");
  });
}

/**
 * Reads a checkbox, or a choice between true and false.
 *
 * @param text `on` or `true`, or `false`; undefined where the form has nothing of that name, as of
 *   a checkbox without its check: that is false. An empty text is no answer.
 * @throws TextError: it is another text.
 * @example
 * toBool("on"); // true
 */
export function toBool(text: string | undefined): boolean | undefined {
  if (text === undefined) return false;
  return entered(text, (word) => {
    if (!/^(?:on|true|false)$/.test(word)) throw new TextError("must be true or false");
    return word !== "false";
  });
}

/**
 * Reads a choice of several words, letter by letter.
 *
 * @param text what was entered.
 * @param words those of the enum.
 * @throws TextError: it is none of them; their numbers are none, either.
 * @example
 * toWord("low", ["low", "high"]); // "low"
 */
export function toWord(text: string, words: readonly string[]): string | undefined {
  return entered(text, (word) => {
    if (words.includes(word)) return word;
    const shown = words.slice(0, WORDS_SHOWN).join(", ");
    throw new TextError(`must be one of: ${shown}${words.length > WORDS_SHOWN ? ", …" : ""}`);
  });
}

/**
 * Reads a point in time, and writes it as a record has it: in UTC, with `Z`.
 *
 * @param text a whole time with its zone (RFC 3339), or what an input sends for a date and time of
 *   a place: `2026-11-29T15:00`, with seconds or without; a date alone is its midnight.
 * @param offsetMinutes how far the clocks of that place are ahead of UTC, less than a day: the
 *   reverse of `getTimezoneOffset()`. Undefined: no place is known, so a text must have its zone.
 * @throws TextError: it is no time, or one without a zone where no place is known, or it is, in
 *   UTC, not in the years 1 to 9999.
 * @throws RangeError: the offset is a day or more.
 * @example
 * toTimestamp("2026-11-29T15:00", 60); // "2026-11-29T14:00:00Z"
 */
export function toTimestamp(text: string, offsetMinutes?: number): Timestamp | undefined {
  if (offsetMinutes !== undefined && !(Math.abs(offsetMinutes) < MOST_MINUTES)) {
    throw new RangeError(`an offset of less than a day, in minutes, expected: ${offsetMinutes}`);
  }
  return entered(text, (moment) =>
    writeTimestamp(parseTimestamp(moment) ?? ofPlace(moment, offsetMinutes)),
  );
}

function ofPlace(text: string, offsetMinutes: number | undefined): bigint {
  const [, day, time = "T00:00", second = ":00"] =
    /^(\d{4}-\d\d-\d\d)(?:(T\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?)?$/.exec(text) ?? [];
  const local = parseTimestamp(`${day}${time}${second}Z`);
  if (local === undefined) throw new TextError("must be a date and time");
  if (offsetMinutes === undefined) throw new TextError("must have a time zone");
  const moment = local - BigInt(offsetMinutes) * MINUTE;
  if (moment < MIN_TIMESTAMP || moment > MAX_TIMESTAMP) {
    throw new TextError("must be in the years 1 to 9999");
  }
  return moment;
}

/**
 * Reads a date, as an input of a page sends it: `2026-11-29`, in the years 1 to 9999.
 *
 * @throws TextError: it is none.
 */
export function toDay(text: string): string | undefined {
  return entered(text, (date) => {
    if (/^[\d-]+$/.test(date) && parseTimestamp(`${date}T00:00:00Z`) !== undefined) return date;
    throw new TextError("must be a date");
  });
}

/**
 * Reads a length of time, and writes it as a record has it: `1.5s` becomes `1.500s`.
 *
 * @throws TextError: it is none, or it is longer than ten thousand years.
 */
export function toDuration(text: string): Duration | undefined {
  return entered(text, (seconds) => {
    const length = parseDuration(seconds);
    if (length === undefined) throw new TextError("must be a duration in seconds, such as 1.5s");
    return writeDuration(length);
  });
}

/**
 * Refuses a text for bytes: no input sends them.
 *
 * @throws TextError: the text is not empty.
 */
export function toBytes(text: string): undefined {
  return entered(text, () => {
    throw new TextError("cannot be entered as text");
  });
}
