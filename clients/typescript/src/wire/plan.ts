/**
 * What each message is made of, ready for the codec.
 *
 * Knows how the generated descriptor is written. Must not know either format:
 * `check.ts`, `reader.ts` and `writer.ts` go through these plans field by field.
 */
import { FIELDS, MESSAGES } from "./generated/descriptor.ts";

/** Something with fields that are not known to be right yet. */
export type Fields = { [key: string]: unknown };

/** Who sends a message; `EITHER` is both bits. */
export const CLIENT = 1;
export const SERVER = 2;
export const EITHER = 3;

/** Bits of `Field.many`. */
export const OMITTABLE = 1;
export const LIST = 2;
export const MAP = 4;
/** A JSON value that is left out where it is null. */
export const UNWRITTEN = 8;

/** Values of `Field.kind`. Up to `INTEGER` they are a varint, from `TIME` on a message. */
export const BOOLEAN = 0;
export const ENUM = 1;
export const INTEGER = 2;
export const STRING = 3;
export const JSON_VALUE = 4;
export const TIME = 5;
export const MESSAGE = 6;

/** Bit of `Field.tag`, set for what has its length before it; clear for a varint. */
export const LENGTH = 2;

/** One field of a message. */
export interface Field {
  readonly name: string;
  readonly kind: number;
  /** One value, a `LIST` or a `MAP`; and `OMITTABLE` if it may be left out. */
  readonly many: number;
  /** Which enum it is, or which plan; of a map, the plan of its entries. */
  readonly ref: number;
  /** Its number times eight plus the wire type, as it stands before the value. */
  readonly tag: number;
}

/** One message. */
export interface Plan {
  /** Its `type`; empty for what only lies inside another. */
  readonly type: string;
  /** Who sends it by itself: the bits `CLIENT` and `SERVER`; neither for the rest. */
  readonly sides: number;
  /** In the order of their numbers. */
  readonly fields: readonly Field[];
}

const kinds = /* @__PURE__ */ FIELDS.split(";").flatMap((group) => {
  const [head, ...names] = group.split(" ") as [string, ...string[]];
  return names.map((name) => ({ name, kind: +head[1]!, many: +head[0]!, ref: +head.slice(2) }));
});

/** Every message; those that travel by themselves at their number in the envelope. */
export const PLANS: readonly Plan[] = /* @__PURE__ */ MESSAGES.split(" ").map((row) => {
  const [name, keys = ""] = row.split(",") as [string, string?];
  return {
    type: name.slice(1),
    sides: +name[0]!,
    fields: [...keys].flatMap((key, at) => {
      const field = kinds[key.charCodeAt(0) - 48]; // 48 is `0`, the first
      return field ? { ...field, tag: ((at + 1) << 3) | (field.kind > INTEGER ? LENGTH : 0) } : [];
    }),
  };
});
