/**
 * What a single JSON value can be: how it is read, and how a value is shown to people.
 *
 * Knows each kind of a single value, its zero, and the rules that reading implies. Must not know
 * rules that an application writes, nor fields.
 */
import type { Bad, Kind } from "./message.ts";
import { toBytes, toDuration, toTimestamp, trim } from "./text.ts";
import { parseDuration, parseTimestamp, writeDuration, writeTimestamp } from "./times.ts";

/** Notes that a value is of another type. */
export const wrong = (bad: Bad | undefined, what: string): null => {
  bad?.("", "type", `must be ${what}`);
  return null;
};

/** Notes that a value is out of the range of its kind. */
const outside = (bad: Bad | undefined, words: string): null => {
  bad?.("", "range", words);
  return null;
};

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === "object" && json !== null && !Array.isArray(json);

/** A text. */
export const STRING: Kind = {
  word: "string",
  zero: "",
  read: (json, bad) => (typeof json === "string" ? json : wrong(bad, "a text")),
};

/** True or false. */
export const BOOL: Kind = {
  word: "bool",
  zero: false,
  read: (json, bad) => (typeof json === "boolean" ? json : wrong(bad, "true or false")),
};

/** Any JSON value. */
export const VALUE: Kind = { word: "value", read: (json) => json };

/** Any JSON object. */
export const STRUCT: Kind = {
  word: "struct",
  read: (json, bad) => (isObject(json) ? json : wrong(bad, "an object")),
};

/** Any JSON array. */
export const LIST_VALUE: Kind = {
  word: "list_value",
  read: (json, bad) => (Array.isArray(json) ? json : wrong(bad, "a list")),
};

/** A message of whichever type: an object that says so in "@type". */
export const ANY: Kind = {
  word: "any",
  read: (json, bad) =>
    isObject(json) && typeof json["@type"] === "string"
      ? json
      : wrong(bad, 'an object with "@type"'),
};

// Whole numbers

const integer = (word: string, low: number, high: number): Kind => ({
  word,
  zero: 0,
  read: (json, bad) => {
    if (typeof json !== "bigint" && !Number.isInteger(json)) return wrong(bad, "a whole number");
    const value = json as number; // a bigint is out of range; and −0 is 0
    return value >= low && value <= high
      ? value + 0
      : outside(bad, `must be between ${low} and ${high}`);
  },
});

const signed32 = (word: string): Kind => integer(word, -2147483648, 2147483647);
const unsigned32 = (word: string): Kind => integer(word, 0, 4294967295);

/** A whole number of 32 bits; those below, too. */
export const INT32: Kind = /* @__PURE__ */ signed32("int32");
/** A whole number of 32 bits. */
export const SINT32: Kind = /* @__PURE__ */ signed32("sint32");
/** A whole number of 32 bits. */
export const SFIXED32: Kind = /* @__PURE__ */ signed32("sfixed32");
/** A whole number of 32 bits, not less than 0. */
export const UINT32: Kind = /* @__PURE__ */ unsigned32("uint32");
/** A whole number of 32 bits, not less than 0. */
export const FIXED32: Kind = /* @__PURE__ */ unsigned32("fixed32");

/** A number where it is one of those that numbers tell apart, else a bigint. */
const normal = (value: bigint): number | bigint =>
  value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;

const within = (
  value: bigint,
  bits: number,
  signed: boolean,
  bad: Bad | undefined,
): number | bigint | null => {
  const high = 2n ** BigInt(bits - +signed) - 1n;
  const low = signed ? -high - 1n : 0n;
  return value >= low && value <= high
    ? normal(value)
    : outside(bad, `must be between ${low} and ${high}`);
};

const integer64 = (word: string, signed: boolean): Kind => ({
  word,
  zero: 0,
  read: (json, bad) => {
    if (typeof json !== "bigint" && !Number.isInteger(json)) return wrong(bad, "a whole number");
    const value = within(BigInt(json as number), 64, signed, bad);
    if (typeof value === "bigint")
      bad?.(
        "",
        "safe_integer",
        `must be between ${signed ? -Number.MAX_SAFE_INTEGER : 0} and ${Number.MAX_SAFE_INTEGER}`,
      );
    return value;
  },
});

/** A whole number of 64 bits, of which a number can hold 53; those below, too. */
export const INT64: Kind = /* @__PURE__ */ integer64("int64", true);
/** A whole number of 64 bits, as `INT64`. */
export const SINT64: Kind = /* @__PURE__ */ integer64("sint64", true);
/** A whole number of 64 bits, as `INT64`. */
export const SFIXED64: Kind = /* @__PURE__ */ integer64("sfixed64", true);
/** A whole number of 64 bits, not less than 0. */
export const UINT64: Kind = /* @__PURE__ */ integer64("uint64", false);
/** A whole number of 64 bits, not less than 0. */
export const FIXED64: Kind = /* @__PURE__ */ integer64("fixed64", false);

/**
 * A whole number that is a text in JSON, `"9007199254740993"`.
 *
 * @param kind - of the number, such as `INT64`.
 */
export const textOf = ({ word, zero }: Kind): Kind => ({
  word,
  zero,
  inText: true,
  read: (json, bad) =>
    typeof json === "string" && /^(0|-?[1-9][0-9]{0,19})$/.test(json)
      ? within(BigInt(json), word.endsWith("32") ? 32 : 64, !/^u|^f/.test(word), bad)
      : wrong(bad, "a whole number as a text"),
});

// Numbers

const number = (json: unknown, bad: Bad | undefined): number | null => {
  const value =
    json === "NaN" || json === "Infinity" || json === "-Infinity" || typeof json === "bigint"
      ? Number(json)
      : json;
  if (typeof value !== "number") return wrong(bad, "a number");
  if (!Number.isFinite(value)) {
    if (typeof json === "bigint") return outside(bad, "must be a number of 64 bits");
    bad?.("", "finite", "must be a finite number");
  }
  return value;
};

/** A number of 64 bits. */
export const DOUBLE: Kind = { word: "double", zero: 0, read: number };

/** A number of 32 bits, to which what JSON has is rounded before anything is judged. */
export const FLOAT: Kind = {
  word: "float",
  zero: 0,
  read: (json, bad) => {
    const value = number(json, bad);
    const rounded = Math.fround(value!);
    if (value === null || Number.isFinite(rounded) || !Number.isFinite(value))
      return value && rounded;
    return outside(bad, "must be a number of 32 bits");
  },
  show: (value: number) => {
    let digits = 1;
    while (digits < 9 && Math.fround(+value.toPrecision(digits)) !== Math.fround(value)) digits++;
    return String(+value.toPrecision(digits));
  },
};

/**
 * Bytes, base64 in JSON: standard or for URLs, with its padding or without. Rules have bytes as
 * texts with one character for each.
 */
export const BYTES: Kind = {
  word: "bytes",
  enter: toBytes,
  zero: /* @__PURE__ */ new Uint8Array(),
  empty: (value: Uint8Array) => !value.length,
  read: (json, bad) => {
    try {
      if (typeof json === "string" && !/\s/.test(json)) {
        const text = atob(json.replaceAll("-", "+").replaceAll("_", "/"));
        const bytes = new Uint8Array(text.length);
        // One character is one byte. A loop: `Uint8Array.from` takes ten times as long.
        for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
        return bytes;
      }
    } catch {
      // it is not base64
    }
    return wrong(bad, "bytes in base64");
  },
  show: btoa,
};

// Enums

/** A kind of the words of an enum, with the number of each. */
export interface EnumKind extends Kind {
  /** The number of each word that the schema has. */
  readonly words: { readonly [word: string]: number };
}

/**
 * An enum: a word in JSON; a number is taken, too, and so is a word that nobody knows.
 *
 * @param words - the number of each word.
 */
export const enumOf = (words: { readonly [word: string]: number }): EnumKind => ({
  word: "enum",
  zero: 0,
  words,
  read: (json, bad) =>
    typeof json === "string"
      ? Object.hasOwn(words, json)
        ? words[json]
        : json
      : typeof json === "bigint" || Number.isInteger(json)
        ? INT32.read(json, bad, 0n)
        : wrong(bad, "one of the known words"),
  show: (value: number) =>
    Object.keys(words).find((each) => words[each] === value) ?? String(value),
});

// Times

/** A time as RFC 3339 writes it; its value is nanoseconds since 1970. */
export const TIMESTAMP: Kind = {
  word: "timestamp",
  empty: (value: bigint) => !value,
  enter: (text) => toTimestamp(text),
  read: (json, bad) =>
    (typeof json === "string" ? parseTimestamp(json) : undefined) ??
    wrong(bad, "a time such as 2026-01-31T09:30:00Z"),
  show: writeTimestamp,
};

/** A duration in seconds, `1.5s`; its value is nanoseconds. */
export const DURATION: Kind = {
  word: "duration",
  empty: (value: bigint) => !value,
  enter: toDuration,
  read: (json, bad) =>
    (typeof json === "string" ? parseDuration(json) : undefined) ??
    wrong(bad, "a duration such as 1.5s"),
  show: writeDuration,
};

/** Names of fields, with commas between them; its value is a list of them. */
export const FIELD_MASK: Kind = {
  word: "field_mask",
  empty: (value: string[]) => !value.length,
  read: (json, bad) => {
    if (typeof json !== "string") return wrong(bad, "names of fields, with commas between them");
    return json ? json.split(",") : [];
  },
};

// Kinds that are made of another one

/**
 * The same kind of texts, of which each is changed before it is judged and kept.
 *
 * @param steps - `trim`, and `nfc` for Unicode's form NFC, in the order in which they are done.
 */
export const normalized = (kind: Kind, ...steps: ("trim" | "nfc")[]): Kind => {
  const clean = (text: unknown) =>
    typeof text === "string"
      ? steps.reduce((made, step) => (step === "trim" ? trim(made) : made.normalize("NFC")), text)
      : text;
  return { ...kind, clean, read: (json, bad, now) => clean(kind.read(json, bad, now)) };
};

const IMPLIED = ["type", "range", "safe_integer", "finite"];

/** The same kind, which is read, but not judged: none of the rules inside of it is. */
export const unjudged = (kind: Kind): Kind => ({
  ...kind,
  read: (json, bad, now) =>
    kind.read(
      json,
      bad && ((at, code, words, own) => IMPLIED.includes(code) && bad(at, code, words, own)),
      now,
    ),
});
