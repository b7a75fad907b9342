/**
 * Judges the JSON form of a record by the table of its message.
 *
 * Knows in which order fields and rules are judged, and what a violation is. Must not know single
 * rules, nor where a record comes from. It is pure: the time is an argument.
 */
import type { Violation } from "../errors.ts";
import {
  type Bad,
  type Field,
  IGNORE_ZERO,
  type Kind,
  type Message,
  PRESENCE,
  REQUIRED,
  type Row,
} from "./message.ts";

/** How much of a record is judged, and when. */
export interface Judged {
  /**
   * The names of the fields that were written: only rules that read one of them are judged.
   * Without it all are, as for a record that is new.
   */
  readonly changed?: readonly string[] | undefined;
  /** Nanoseconds since 1970. */
  readonly now?: bigint | undefined;
}

/**
 * Judges a record, or what has been changed of one.
 *
 * @param message - the table of its rules.
 * @param data - the record as a whole, as JSON.
 * @param found - takes what is wrong.
 * @returns what is wrong, in the order of fields and rules; nothing, if all is right.
 *
 * @example
 * judge(TASK, { title: "" }, { changed: ["title"] });
 * // [{ field: "title", code: "string.min_len", message: "must have at least 1 character" }]
 */
export function judge(
  message: Message,
  data: object,
  { changed, now = 0n }: Judged = {},
  found: Violation[] = [],
): Violation[] {
  const bad: Bad = (field, code, words) => found.push({ field, code, message: words });
  judgeMessage(message, data, bad, now, changed);
  return found;
}

/**
 * Judges a message that may be within another, and reads it.
 *
 * @param bad - notes what is wrong; without it, the message is only read.
 * @param changed - the fields that were written, if not all are judged.
 * @returns the values of its fields by name; null if one of them cannot be read.
 */
export function judgeMessage(
  { fields, rules = [] }: Message,
  data: object,
  bad: Bad | undefined,
  now: bigint,
  changed?: readonly string[],
): unknown {
  const values: Record<string, unknown> = {};
  const isWritten = (name: string): boolean => !changed || changed.includes(name);
  const wanted = rules.filter(([, reads]) => !changed || reads.some(isWritten));
  for (const field of fields) {
    const [name] = field;
    if (isWritten(name)) values[name] = judgeField(field, data, bad, now);
    else if (wanted.some(([, reads]) => reads.includes(name)))
      values[name] = judgeField(field, data, undefined, now);
  }
  if (bad)
    for (const rule of wanted)
      if (rule[1].every((name) => values[name] !== null)) rule[0](values, rule, bad, now);
  return Object.values(values).includes(null) ? null : values;
}

/** Judges a field, and reads it. */
function judgeField(
  [name, kind, flags = 0, rows = [], { key = name, words = {} } = {}]: Field,
  data: object,
  bad: Bad | undefined,
  now: bigint,
): unknown {
  const json = Object.hasOwn(data, key) ? (data as Record<string, unknown>)[key] : null;
  const at: Bad | undefined =
    bad &&
    ((path, code, said, own) =>
      bad(name + path, code, !own && Object.hasOwn(words, code) ? words[code]! : said));
  const value =
    json == null ? (flags & PRESENCE ? undefined : kind.zero) : kind.read(json, at, now);
  judgeValue(kind, flags, rows, value, at, now);
  return value;
}

/**
 * Judges a value that has been read.
 *
 * @param value - null if it could not be read: what is wrong, has been noted.
 * @param bad - notes what is wrong; without it, nothing is judged.
 */
export function judgeValue(
  kind: Kind,
  flags: number,
  rows: readonly Row[],
  value: unknown,
  bad: Bad | undefined,
  now: bigint,
): void {
  if (!bad || value === null) return;
  if (flags & PRESENCE ? value !== undefined : !isZero(kind, value) || !(flags & GUARDED))
    judgeRows(kind, rows, value, bad, now);
  else if (flags & REQUIRED) bad("", "required", "is required");
}

const GUARDED = REQUIRED | IGNORE_ZERO;

/** It is what a field without presence has where nothing is said; −0 is not. */
export function isZero({ zero, empty }: Kind, value: unknown): boolean {
  return empty?.(value as never) ?? Object.is(value, zero);
}

function judgeRows(kind: Kind, rows: readonly Row[], value: unknown, bad: Bad, now: bigint): void {
  for (const [check, ...args] of rows) {
    const failure = check(value, args, now, (kind.show ?? String) as () => string);
    if (failure !== true) {
      const [code, words] = failure;
      bad("", code[0] === "." ? kind.word + code : code, words);
    }
  }
}
