/**
 * Tables of rules: what generated code says of a message, and of each of its fields.
 *
 * Knows what such a table is made of. Must not know how it is judged, nor single rules. Tables
 * are plain data, without a call, so that a bundler drops those that nobody uses.
 */

/**
 * Notes a violation.
 *
 * @param at - where within the value, such as `[2]`; empty for itself.
 * @param code - the id of the rule.
 * @param words - why, for the user.
 * @param own - the words are those of a message within, and stay.
 */
export type Bad = (at: string, code: string, words: string, own?: boolean) => void;

/** What a JSON value can be: how it is read, and how a value of it is shown. */
export interface Kind {
  /** What the ids of its rules begin with, `string`. */
  readonly word: string;
  /** What it is where JSON has nothing, in a field without presence. */
  readonly zero?: unknown;
  /** A value that is not `zero` itself is zero, such as another `[]`, or a message of zeros. */
  readonly empty?: (value: never) => boolean;
  /**
   * Reads a JSON value.
   *
   * @param json - it.
   * @param bad - notes what is wrong; without it, the value is read, but not judged.
   * @param now - nanoseconds since 1970.
   * @returns its value; null if it cannot be read.
   */
  readonly read: (json: unknown, bad: Bad | undefined, now: bigint) => unknown;
  /**
   * Reads what a person entered, as the value in JSON, of kinds that few forms have.
   *
   * @throws TextError: it stands for no value.
   */
  readonly enter?: (text: string) => unknown;
  /** What is kept in the place of a JSON value, where texts in it are normalised. */
  readonly clean?: (json: never) => unknown;
  /** Of a list, the kind of its items. */
  readonly item?: Kind;
  /** JSON has it as a text, though it is a number. */
  readonly inText?: true;
  /** Says a value, as a rule has it, for people. */
  readonly show?: (value: never) => string;
}

/** What is wrong with a value: the id of the rule, with a dot for the kind's word; and why. */
export type Failure = readonly [code: string, words: string];

/**
 * Judges a value by arguments, at a time in nanoseconds since 1970. `show` says a value of the
 * rule for people. It returns true for a value that is right.
 */
export type Check = (
  // biome-ignore lint/suspicious/noExplicitAny: of whichever kind the row is of
  value: any,
  // biome-ignore lint/suspicious/noExplicitAny: what follows it in its row
  args: readonly any[],
  now: bigint,
  show: (value: unknown) => string,
) => true | Failure;

/** One rule of a value: a check and its arguments, `[minLen, 1]`. */
export type Row = readonly [check: Check, ...args: unknown[]];

/** The value is there and, without `PRESENCE`, not zero. */
export const REQUIRED = 1;
/** Absent is something else than zero. */
export const PRESENCE = 2;
/** Zero is not judged. Beside `PRESENCE` it has no effect: what is there, is judged. */
export const IGNORE_ZERO = 4;
/** Only the server writes it. */
export const READ_ONLY = 8;
/** It is written when the record is created, and never again. */
export const IMMUTABLE = 16;
/** What it is, errors do not say, and drafts do not keep it. */
export const SECRET = 32;
/** The server has a rule of its own for it, or the program a validator. */
export const ASKS = 64;

/** What few fields have. */
export interface Traits {
  /** Its key in JSON, if that is another one than the name. */
  readonly key?: string;
  /** The name of its oneof. */
  readonly oneof?: string;
  /** Words of the application, by the id of the rule. */
  readonly words?: { readonly [code: string]: string };
  /** How concurrent writes of it are merged. */
  readonly merge?: string;
  /** Decimals of a counter that is a text. */
  readonly scale?: number;
  /** What it is where nobody says anything: a value, or the word for what makes it. */
  readonly default?:
    | {
        /** As JSON. */
        readonly value: unknown;
      }
    | "now"
    | "subject"
    | "uuid7";
  /** What people call it. */
  readonly label?: string;
  /** What helps people who fill it in. */
  readonly help?: string;
}

/** One field of a message: its name, its kind, its flags added up, its rules. */
export type Field = readonly [
  name: string,
  kind: Kind,
  flags?: number,
  rows?: readonly Row[],
  traits?: Traits,
];

/** Values of the fields of a message, by name. */
export type RuleValues = Readonly<Record<string, unknown>>;

/**
 * Judges a message as a whole.
 *
 * @param values - of the fields that the rule reads, by name.
 * @param rule - its row.
 * @param bad - notes what is wrong.
 * @param now - nanoseconds since 1970.
 */
export type MessageCheck = (values: RuleValues, rule: MessageRow, bad: Bad, now: bigint) => void;

/** One rule of a message: a check, the fields that it reads, and its arguments. */
export type MessageRow = readonly [
  check: MessageCheck,
  reads: readonly string[],
  // biome-ignore lint/suspicious/noExplicitAny: what its check takes
  ...args: any[],
];

/** The table of a message. */
export interface Message {
  /** Within its package. */
  readonly name: string;
  /** Its fields, in the order of the schema. */
  readonly fields: readonly Field[];
  /** The rules about it as a whole. */
  readonly rules?: readonly MessageRow[];
  /** Of a form: the server has a rule of its own about it as a whole. */
  readonly asks?: true;
}
