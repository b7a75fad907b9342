/**
 * How values stand in JSON that a row has as something else: bytes, large integers, records.
 *
 * Knows those kinds only: whatever else there is, is in a row as it is in JSON. Must not know
 * rules. What is read has been seen to be of its kind before; what is written and is of another
 * one stays as it is, so that whoever judges it sees it.
 */
import type { Codec, Shape } from "./convert.ts";
import { recordOf, toJson, type Values } from "./convert.ts";
import { BYTES, type EnumKind, FLOAT, INT32 } from "./kinds.ts";

/** Bytes: base64 in JSON. */
export const bytesCodec: Codec = {
  read: (json: string) => BYTES.read(json, undefined, 0n),
  write: (value) => {
    if (!(value instanceof Uint8Array)) return value;
    let text = "";
    for (const each of value) text += String.fromCharCode(each);
    return btoa(text);
  },
};

/** An integer that is a text in JSON. */
export const bigintCodec: Codec = {
  zero: 0n,
  read: BigInt,
  write: (value) => (/^(bi|n)/.test(typeof value) ? String(value) : value),
};

/** A number of 32 bits: as short a one is written as is the same in 32 bits. */
export const floatCodec: Codec = {
  read: (json) => json,
  write: (value) =>
    typeof value === "number" && Number.isFinite(value) ? +FLOAT.show!(value as never) : value,
};

/**
 * An enum: its word, also where JSON has its number. A number that stands for no word is a text of
 * its digits, and is written as that number again.
 */
export const enumCodec = ({ words }: EnumKind): Codec => ({
  read: (json: string | number) =>
    typeof json === "string"
      ? json
      : (Object.keys(words).find((each) => words[each] === +json) ?? String(+json)),
  write: (value) =>
    typeof value === "string" &&
    /^(0|-?[1-9]\d{0,9})$/.test(value) &&
    !Object.hasOwn(words, value) &&
    INT32.read(+value, undefined, 0n) !== null
      ? +value
      : value,
});

/** A list. The same one, if none of its items changes. */
export const listCodec = ({ read, write }: Codec): Codec => ({
  read: (json: readonly unknown[]) =>
    same(
      json,
      json.map((each) => read(each as never)),
    ),
  write: (value) => (Array.isArray(value) ? value.map(write) : value),
});

function same<T extends readonly unknown[]>(before: T, now: T): T {
  return now.every((each, at) => each === before[at]) ? before : now;
}

/** A map. The same one, if none of its values changes. */
export const mapCodec = ({ read, write }: Codec): Codec => ({
  read: (json: object) => {
    const values = Object.values(json);
    const now = values.map((each) => read(each as never));
    return same(values, now) === values ? json : withValues(json, now);
  },
  write: (value) =>
    typeof value === "object" && value ? withValues(value, Object.values(value).map(write)) : value,
});

function withValues(object: object, values: readonly unknown[]): object {
  return Object.fromEntries(Object.keys(object).map((key, at) => [key, values[at]]));
}

/** A record within another one. `shape` is a function, since two may hold each other. */
export const recordCodec = (shape: () => Shape): Codec => ({
  read: (json: Values) => recordOf(shape(), json),
  write: (value) => (typeof value === "object" && value ? toJson(shape(), value) : value),
});
