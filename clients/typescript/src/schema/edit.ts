/**
 * What an edit of a typed record writes, and what a new one is: told by its shape.
 *
 * Knows declared fields, and operations on them. Must not know clients or the wire.
 */
import type { Fields } from "../core/build-message.ts";
import { apply, Operation } from "../core/operations.ts";
import { steady } from "../core/overlay.ts";
import type { PartValue, Where } from "../core/part.ts";
import type { Violation } from "../errors.ts";
import type { JsonValue } from "../messages/types.ts";
import {
  type Codec,
  invalid,
  keyOf,
  own,
  type Shape,
  toJson,
  type Values,
  written,
} from "./convert.ts";
import { type Field, IMMUTABLE, PRESENCE, READ_ONLY } from "./message.ts";

/** What is written of a record. */
export interface Edit {
  /** New values and operations, by key. */
  readonly values: Fields;
  /** The keys that go. */
  readonly gone: readonly string[];
  /** The fields that get a value, or go: with those that leave a oneof. */
  readonly names: ReadonlySet<string>;
  /** Those of which it says what is to be done. */
  readonly operated: ReadonlySet<string>;
}

/**
 * Reads what an application wants to write.
 *
 * @param fields - new values and operations by name; null: it goes.
 * @param left - names of fields that go, and keys that no schema has.
 * @param isWhole - the record is written as a whole, so that nobody is told which fields were
 *   named: `changedOf` says what may not become another value.
 * @throws RhtmxError `invalid`: nobody may write such a field here.
 */
export function editOf(
  { rules, codecs }: Shape,
  fields: object,
  left: readonly string[] = [],
  isWhole = false,
): Edit {
  const values: { [key: string]: JsonValue | Operation } = {};
  const gone = new Set<string>();
  const names = new Set<string>();
  const operated = new Set<string>();
  const all = Object.entries(fields).filter(([, given]) => given !== undefined);
  const known = new Map(rules.fields.map((field) => [field[0], field]));
  const leaving = rules.fields.filter(([name]) => left.includes(name));
  const told = [...all.map(([name]) => name), ...leaving.map(([name]) => name)];
  const isRefused = (name: string) => !isWhole || !known.has(name);
  refuse(told.filter(isRefused).map((name) => [name, known.get(name)]));
  const unfit = all.flatMap(([name, given]) => unfitting(known.get(name)!, given));
  if (unfit.length) throw invalid(unfit);
  for (const key of left) if (!known.has(key)) gone.add(key);
  for (const field of leaving) {
    names.add(field[0]);
    gone.add(keyOf(field));
  }
  for (const [name, given] of all) {
    const field = known.get(name)!;
    names.add(name);
    if (given instanceof Operation) operated.add(name);
    if (isGone(field, given)) gone.add(keyOf(field));
    else {
      values[keyOf(field)] = operand(field, own(codecs, name), given);
      // A oneof is one field for whoever merges: what is set takes all others away.
      for (const other of othersOf(rules.fields, field)) {
        names.add(other[0]);
        gone.add(keyOf(other));
      }
    }
  }
  return { values, gone: [...gone].filter((key) => !Object.hasOwn(values, key)), names, operated };
}

/** Throws, if some of these fields are not for whoever edits. */
function refuse(fields: readonly (readonly [name: string, field: Field | undefined])[]): void {
  const wrong = fields.flatMap(([name, field]): Violation[] => {
    const refused = refusal(field);
    return refused ? [{ field: name, ...refused }] : [];
  });
  if (wrong.length) throw invalid(wrong);
}

/** The operations on a field that is declared to be of one kind, as the server takes them. */
const TAKES = new Map([
  ["counter", ["increment"]],
  ["set", ["add", "remove"]],
]);

/** What is wrong with an operation, by how the field is declared. */
function unfitting([field, , , , traits]: Field, given: unknown): Violation[] {
  const { merge = "", scale = 0 } = traits ?? {};
  if (!(given instanceof Operation)) return [];
  const { action, value } = given;
  const takes = TAKES.get(merge);
  if (takes && !takes.includes(action)) {
    const message = `must be a ${merge}, which takes ${takes.join(" and ")}`;
    return [{ field, code: "operation", message }];
  }
  if (!scale || (typeof value === "string" && value.split(".")[1]?.length === scale)) return [];
  const message = `must be incremented by a text like "${(0).toFixed(scale)}"`;
  return [{ field, code: "operation.decimals", message }];
}

function isGone([, , flags = 0]: Field, given: unknown): boolean {
  return given === null && !!(flags & PRESENCE);
}

function operand(field: Field, codec: Codec | undefined, given: unknown): JsonValue | Operation {
  return given instanceof Operation ? given : (written(field, codec, given) as JsonValue);
}

function refusal(field: Field | undefined): { code: string; message: string } | undefined {
  const [, , flags = 0, , traits] = field ?? [];
  const said = (code: string, words: string) => ({
    code,
    message: own(traits?.words, code) ?? words,
  });
  if (!field) return said("unknown", "must be a field of the schema");
  if (flags & READ_ONLY) return said("read_only", "is set by the server");
  if (flags & IMMUTABLE) return said("immutable", "cannot be changed once it is written");
  return undefined;
}

function othersOf(fields: readonly Field[], field: Field): Field[] {
  const oneof = field[4]?.oneof;
  return oneof ? fields.filter((each) => each !== field && each[4]?.oneof === oneof) : [];
}

/** A record with an edit. What an operation cannot be applied to, stays: the server rejects it. */
export function edited(data: object, { values, gone }: Edit): { [key: string]: unknown } {
  const after: { [key: string]: unknown } = { ...data };
  for (const key of gone) delete after[key];
  for (const [key, said] of Object.entries(values)) {
    const held = own(after, key) as JsonValue | undefined;
    const now = said instanceof Operation ? apply(said.action, held, said.value) : said;
    if (now !== undefined) after[key] = now;
  }
  return after;
}

/**
 * The fields that have another value in a record that is written as a whole.
 *
 * @throws RhtmxError `invalid`: nobody may change one of these here. That it is spelt in another
 *   way is no change.
 */
export function changedOf({ rules }: Shape, before: object, after: object): string[] {
  const isIn = (field: Field, data: object) => Object.hasOwn(data, keyOf(field));
  const both = rules.fields.filter(
    (field) =>
      isIn(field, before) !== isIn(field, after) ||
      !isSame(own(before as Values, keyOf(field)), own(after as Values, keyOf(field))),
  );
  const other = both.filter((field) => {
    const value = valueIn(field, before);
    return value === null || !isSame(value, valueIn(field, after));
  });
  refuse(other.map((field) => [field[0], field]));
  return both.map(([name]) => name);
}

/** The value of a field in a record of JSON: undefined for nothing, null for none of its kind. */
function valueIn(field: Field, data: object): unknown {
  const [, kind, flags = 0] = field;
  const json = own(data as Values, keyOf(field));
  return json == null ? (flags & PRESENCE ? undefined : kind.zero) : kind.read(json, undefined, 0n);
}

function isSame(one: unknown, other: unknown): boolean {
  return steady(one, other) === one;
}

/**
 * A new record as it is written, and what an application may judge of it: not what the server
 * fills in.
 *
 * @throws RhtmxError `invalid`: a field that only the server writes has a value.
 */
export function created(shape: Shape, record: object): readonly [data: Values, said: string[]] {
  const { fields } = shape.rules;
  const data = toJson(shape, record, true);
  const ofServer = fields.filter(([, , flags = 0]) => flags & READ_ONLY);
  for (const field of ofServer) {
    // What it has where nobody has said anything is not said.
    if (isSame(valueIn(field, {}), valueIn(field, data))) delete data[keyOf(field)];
  }
  const isIn = (field: Field) => Object.hasOwn(data, keyOf(field));
  refuse(ofServer.filter(isIn).map((field) => [field[0], field]));
  const filled = ([, , flags = 0, , traits]: Field) => traits?.default || flags & READ_ONLY;
  return [data, fields.filter((field) => isIn(field) || !filled(field)).map(([name]) => name)];
}

/** A part as a collection takes it, of one by the schema's names. */
export function partOf({ rules, codecs }: Shape, where: object): Where {
  return Object.fromEntries(
    Object.entries(where).map(([name, given]) => {
      const field = rules.fields.find((each) => each[0] === name);
      const write = own(codecs, name)?.write ?? ((value: unknown) => value);
      const values = Array.isArray(given) ? given.map(write) : write(given);
      return [field ? keyOf(field) : name, values as PartValue];
    }),
  );
}
