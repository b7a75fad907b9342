/**
 * Records as an application has them, and as the JSON that is sent, kept and judged.
 *
 * Knows what is another thing in the two. Must not know clients, nor rules: it looks at their
 * tables for names, keys and kinds.
 *
 * A record is the JSON itself wherever that is what its type says. Another object is made of one
 * in which
 *
 * - a field without presence is missing: it has its zero value then;
 * - a field with presence is `null`: it is missing then;
 * - a field has another name than its key;
 * - a field has a codec: bytes, integers that are texts in JSON, records.
 *
 * Keys that the schema does not have stay, as do words of enums that it does not have. Nothing
 * else is wrong with a record that was written under another schema but a value of another kind.
 */
import { RhtmxError, type Violation } from "../errors.ts";
import { type Field, type Message, PRESENCE, READ_ONLY } from "./message.ts";

/** How a kind of values stands in JSON. */
export interface Codec {
  /** What is where nothing is, if that is not what the kind says. */
  readonly zero?: unknown;
  /** Of JSON of this kind. */
  readonly read: (json: never) => unknown;
  /** To JSON. */
  readonly write: (value: unknown) => unknown;
}

/** What a record is made of. */
export interface Shape {
  /** The table of its rules. */
  readonly rules: Message;
  /** Of those fields that are not in JSON what they are in a record. */
  readonly codecs?: { readonly [name: string]: Codec };
}

/** Values by name or key. */
export type Values = { [name: string]: unknown };

/**
 * A record of JSON: the same object, if nothing is another thing.
 *
 * @param place - which record it is, for the error.
 * @throws RhtmxError `invalid_data`: a field has something else than the schema says.
 */
export function fromJson(shape: Shape, data: unknown, place = ""): object {
  if (!isObject(data)) throw unreadable(place, "", "must be an object");
  for (const field of shape.rules.fields) {
    const json = own(data, keyOf(field));
    if (json != null && field[1].read(json, undefined, 0n) === null)
      throw misfit(place, field, json);
  }
  return recordOf(shape, data);
}

/** The same of JSON that has been seen to be such a record, with all that is within. */
export function recordOf(shape: Shape, data: Values): object {
  let made = data;
  const copy = () => (made === data ? (made = { ...data }) : made);
  for (const field of shape.rules.fields) {
    const [name] = field;
    const key = keyOf(field);
    const json = own(data, key);
    const value = read(field, json, own(shape.codecs, name));
    if (value === json && (key === name || value === undefined)) continue;
    if (key !== name) delete copy()[key];
    if (value !== undefined) copy()[name] = value;
    else if (Object.hasOwn(made, name)) delete copy()[name];
  }
  return made;
}

/** What a field is in a record; undefined for missing. */
function read(field: Field, json: unknown, codec: Codec | undefined): unknown {
  const [, , flags = 0] = field;
  if (json == null) return flags & PRESENCE ? undefined : zeroOf(field, codec);
  return codec ? codec.read(json as never) : json;
}

/**
 * The JSON of a record: fields without presence are in it, zero or not.
 *
 * @param isNew - what the server fills in is left out, if nobody said it.
 */
export function toJson({ rules, codecs }: Shape, record: object, isNew = false): Values {
  const said = record as Values;
  const data = { ...said };
  for (const [name] of rules.fields) delete data[name];
  for (const field of rules.fields) {
    const [name, , flags = 0, , { default: filled } = {}] = field;
    const isLeft = flags & PRESENCE || (isNew && (filled || flags & READ_ONLY));
    const codec = own(codecs, name);
    const value = own(said, name) ?? (isLeft ? undefined : zeroOf(field, codec));
    if (value !== undefined) data[keyOf(field)] = written(field, codec, value);
  }
  return data;
}

/** A value of a field as it is sent and kept: as JSON, and normalised, if the field asks for that. */
export function written([, { clean }]: Field, codec: Codec | undefined, value: unknown): unknown {
  const json = codec ? codec.write(value) : value;
  return clean ? clean(json as never) : json;
}

/** What an object itself has under a name: a field may be called `toString`, as what all have is. */
export function own<V>(object: { readonly [name: string]: V } = {}, name: string): V | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** The key of a field in JSON. */
export function keyOf([name, , , , { key = name } = {}]: Field): string {
  return key;
}

/** What a field without presence is where JSON has nothing. */
function zeroOf([, kind]: Field, codec: Codec | undefined): unknown {
  if (codec && "zero" in codec) return codec.zero;
  if (kind.word === "map") return {};
  const { words } = kind as { words?: { readonly [word: string]: number } };
  return words ? Object.keys(words).find((each) => !words[each]) : kind.zero;
}

/** What is wrong with a value, as its kind says it. */
function misfit(place: string, [name, kind]: Field, json: unknown): RhtmxError {
  let found: RhtmxError | undefined;
  kind.read(
    json,
    (at, code, words) => {
      // Rules of what is within are none of reading.
      if (/^(type|range)$/.test(code)) found ??= unreadable(place, name + at, words);
    },
    0n,
  );
  return found ?? unreadable(place, name, `must be a ${kind.word}`);
}

function unreadable(place: string, field: string, message: string): RhtmxError {
  const words = [place, field, message].filter(Boolean).join(": ");
  const details = { violations: [{ field, code: "type", message }] };
  return new RhtmxError("invalid_data", words, { details });
}

/** The error of a write that would break rules. */
export function invalid(violations: readonly Violation[]): RhtmxError {
  const words = violations.map(({ field, message }) => (field ? `${field}: ${message}` : message));
  return new RhtmxError("invalid", words.join("; "), {
    details: { violations } as never,
  });
}

/** Whether a value is an object with fields. */
export function isObject(value: unknown): value is Values {
  return typeof value === "object" && !!value && !Array.isArray(value);
}
