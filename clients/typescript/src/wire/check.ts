/**
 * Checks a message and returns it in its normal form: known fields only, in the
 * schema's order.
 *
 * Knows what each kind of field may hold. Must not know any message: the plans
 * tell. Every message passes here, in whichever format it came or goes, so that
 * there is one set of rules.
 */
import { refuse, show } from "./fail.ts";
import { ENUMS } from "./generated/descriptor.ts";
import type { Field, Fields, Plan } from "./plan.ts";
import {
  BOOLEAN,
  ENUM,
  INTEGER,
  JSON_VALUE,
  LIST,
  MAP,
  MESSAGE,
  OMITTABLE,
  PLANS,
  TIME,
  UNWRITTEN,
} from "./plan.ts";
import { formatTime, parseTime } from "./time.ts";
import { checkJson, entriesOf, isText, parseJson } from "./value.ts";

/** What each kind may hold, in the order of `Field.kind`; an enum has words of its own. */
const WORDS = ["true or false", "", "an integer below 2^53", "a string", "", "an RFC 3339 time"];

/** What protobuf leaves out of each kind, in that order. */
const ZEROS = [false, undefined, 0, ""];

/** Is told of what a newer peer says: where it stands, and what it is. */
export type Note = (at: string, what: string) => void;

// One message is checked at a time: this is the module's, and undefined where nothing may be new.
let note: Note | undefined;

/** From here on what is not known is told to `to` and passed over; without one it is refused. */
export function noteTo(to?: Note): void {
  note = to;
}

/** What stands `at` a place is not known: that is noted, where it is. */
export function noted(at: string, what: string): void {
  note?.(at, what);
}

/** A message of a type that is not known; undefined where that is only noted. */
export function unknownType(at: string, what: string): undefined {
  if (!note) refuse(at, `unknown ${what}`);
  note(at, what);
}

/** Checks a message whose `type` is among those that `sides` send. */
export function checkTyped(from: Fields, sides: number): Fields | undefined {
  const { type } = from;
  if (typeof type !== "string") return refuse("type", "not a string");
  const plan = PLANS.find((each) => each.type === type && each.sides & sides);
  return plan ? checkMessage(plan, from) : unknownType("type", `message ${show(type)}`);
}

/**
 * Checks all fields of one message.
 *
 * @param binary whether `from` was read from protobuf, which leaves out zeros,
 *   and in which JSON is still bytes and a time its seconds and nanoseconds.
 * @param at the place of the message, for errors.
 */
export function checkMessage(
  plan: Plan,
  from: Fields,
  binary?: boolean,
  at: string = plan.type,
): Fields {
  const to: Fields = plan.type ? { type: plan.type } : {};
  let unknown = "";
  let known = plan.type ? 1 : 0;
  for (const field of plan.fields) {
    const { name, many } = field;
    const said = from[name];
    const value = (to[name] = checkField(field, said, `${at}.${name}`, binary));
    if (said !== undefined) known += 1;
    if (value === undefined && !(many & OMITTABLE)) unknown = name;
  }
  if (unknown) {
    // What happened is not known; what there is now is.
    const { name } = plan.fields.find(({ kind }) => kind === JSON_VALUE)!;
    to[unknown] = to[name] === null ? "delete" : "update";
  }
  // To look at each key of each message would cost more than to count them.
  if (note && !binary && Object.keys(from).length > known) noteNew(from, to, at);
  return to;
}

function noteNew(from: Fields, to: Fields, at: string): void {
  for (const key in from) if (!(key in to)) noted(at, `field ${show(key)}`);
}

function checkField(field: Field, value: unknown, at: string, binary?: boolean): unknown {
  const { kind, many } = field;
  if (value == null) {
    if (many & OMITTABLE) return kind === JSON_VALUE && many < UNWRITTEN ? null : undefined;
    if (binary) value = many ? [] : ZEROS[kind];
  }
  return many & (LIST | MAP)
    ? checkMany(field, value, at, binary)
    : checkOne(field, value, at, binary);
}

function checkMany(field: Field, value: unknown, at: string, binary?: boolean): unknown {
  const { many, ref } = field;
  const list = !!(many & LIST);
  const single = list ? field : PLANS[ref]!.fields[1]!;
  const items = entriesOf(nested(value, at, list), at).map(
    ([key, item]) =>
      [key, checkOne(single, item, `${at}[${list ? key : show(key)}]`, binary)] as const,
  );
  // An empty one that may be left out is.
  if (many & OMITTABLE && !items.length) return undefined;
  return list ? items.map(([, item]) => item) : Object.fromEntries(items);
}

function checkOne(field: Field, value: unknown, at: string, binary?: boolean): unknown {
  const { kind, ref } = field;
  if (kind === MESSAGE) return checkMessage(PLANS[ref]!, nested(value, at), binary, at);
  if (kind === JSON_VALUE) {
    return checkJson(binary ? parseJson(value as Uint8Array, at) : value, at);
  }
  const said = value;
  if (kind === TIME) value = binary && value ? formatTime(value) : parseTime(value);
  // A zero may be -0, which this makes plain.
  return isRight(field, value) ? value || ZEROS[kind] : checkNew(field, said, at, binary);
}

function isRight({ kind, ref }: Field, value: unknown): boolean {
  switch (kind) {
    case INTEGER:
      return Number.isSafeInteger(value);
    case BOOLEAN:
      return typeof value === "boolean";
    case ENUM:
      return ENUMS[ref]!.indexOf(value as string) > 0;
    default:
      return isText(value);
  }
}

/** A word of a newer server is kept where it may lack; a time that it leaves out is that of 1970. */
function checkNew({ kind, many, ref }: Field, said: unknown, at: string, binary?: boolean) {
  const word = kind === ENUM && said && (binary ? +said : isText(said));
  if (!note || !(word || (kind === TIME && said == null))) {
    return refuse(at, `not ${WORDS[kind] || `one of${ENUMS[ref]!.join(" ")}`}`);
  }
  note(at, word ? `the word ${show(`${said}`)}` : "left out");
  return word ? (many & OMITTABLE ? `${said}` : undefined) : formatTime({});
}

/** Returns `value` if it is an array, or an object that is none. */
export function nested(value: unknown, at: string, array = false): Fields {
  if (typeof value !== "object" || !value || Array.isArray(value) !== array) {
    refuse(at, array ? "not an array" : "not an object");
  }
  return value as Fields;
}
