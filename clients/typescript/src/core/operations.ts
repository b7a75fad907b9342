/**
 * What an operation makes of the value of a field, and how an application asks for one.
 *
 * Knows JSON values. Must not know records, nor who writes what. The server follows the same
 * rules, so that what is shown is what it will say: `tests/vectors/operations.json`.
 */
import type { FieldAction, JsonValue } from "../messages/types.ts";
import { nested } from "../wire/check.ts";
import { refuse } from "../wire/fail.ts";
import { checkJson } from "../wire/value.ts";

/** The actions that depend on what is there. */
export type OperationAction = Exclude<FieldAction, "update" | "delete">;

/** What a set may contain: strings, integers and booleans. */
export type Element = string | number | bigint | boolean;

/** Any value, whose literals stay what they are. */
export type AnyValue = Element | object | null;

/**
 * What a field has; `null` and undefined are nothing: 0, an empty list, an empty object. To a
 * decimal number an empty text is nothing as well: a schema has it where nobody said any.
 */
type Value = JsonValue | undefined;

/** Elements of a list or a set, and keys of an object. */
const MOST_ITEMS = 1_000;

/** A decimal number of at most 38 digits. */
const DECIMAL = /^-?(?=(?:\.?\d){1,38}$)(?:0|[1-9]\d*)(?:\.(\d+))?$/;

/**
 * What to do with a field instead of giving it a value: made by `inc`, `add`, `remove`, `max`,
 * `min`, `append`, `setKey` and `deleteKey`, and given to `patch` or `pushFields`. Of operations
 * that several clients ask for at once, none is lost.
 */
export class Operation<A extends OperationAction = OperationAction, V = unknown> {
  /** What it takes, for the compiler: it tells the fields that it can be applied to. */
  declare protected readonly takes: V;
  /** @internal */
  readonly action: A;
  /** Its operand. @internal */
  readonly value: JsonValue;

  /** @internal */
  constructor(action: A, operand: unknown, words = "nothing to do, or nothing that a field takes") {
    this.action = action;
    this.value = checkJson(operand, action);
    try {
      if (typeof this.value === "object" && !sizeOf(this.value)) misfit();
      // What cannot be applied to nothing, no field can take.
      APPLY[action](this.value);
    } catch {
      refuse(action, words);
    }
  }
}

/** The operations that a field of this type can take. */
export type OperationOn<F> =
  | (number extends F ? Operation<"increment", number> : never)
  | (string extends F ? Operation<"increment", string> : never)
  | Operation<"max" | "min", Extract<F, string | number | bigint>>
  | OperationOnItems<F>;

/** The operations that a list, a set or an object can take. */
export type OperationOnItems<F> = F extends readonly (infer E)[]
  ? Operation<"append", E> | Operation<"add" | "remove", Extract<E, Element>>
  : F extends object
    ? Operation<"set_key", Partial<F>> | Operation<"delete_key", keyof F>
    : never;

/**
 * Adds to a number: an integer, or a text with a decimal number, which is added to the digit and
 * has as many decimals as the field.
 *
 * @throws RhtmxError `bad_message`: it is a fraction, or neither.
 *
 * @example
 * void client.pushFields("stock", "7", { left: inc(-1), price: inc("0.50") });
 * client.queue.length; // 1
 */
export function inc<V extends number | string>(
  by: V,
): Operation<"increment", V extends string ? string : number> {
  return new Operation("increment", by, 'not an integer below 2^53, or a text like "0.50"');
}

/**
 * Adds elements to a set: a list of strings, integers and booleans, each once, in order.
 *
 * @throws RhtmxError `bad_message`: there is none, or one cannot be in a set.
 *
 * @example
 * const notes = client.collection<{ labels: string[] }>("notes");
 * void notes.patch("1", { labels: add("urgent", "home") });
 * notes.row("1")?.data.labels; // ["home", "urgent"]
 */
export function add<E extends readonly Element[]>(...elements: E): Operation<"add", E[number]> {
  return new Operation("add", elements);
}

/**
 * Removes elements from a set, as far as they have been seen here: one that somebody else adds
 * at the same time stays.
 *
 * @throws RhtmxError `bad_message`: there is none, or one cannot be in a set.
 *
 * @example
 * const tags = client.collection<{ of: string[] }>("tags");
 * void tags.set("1", { of: ["a", "b"] });
 * void tags.patch("1", { of: remove("a") });
 * tags.row("1")?.data.of; // ["b"]
 */
export function remove<E extends readonly Element[]>(
  ...elements: E
): Operation<"remove", E[number]> {
  return new Operation("remove", elements);
}

/**
 * The larger one of the field and a value: two numbers, or two strings by their code points.
 *
 * @throws RhtmxError `bad_message`: it is neither.
 *
 * @example
 * const games = client.collection<{ best: number }>("games");
 * void games.set("1", { best: 40 });
 * void games.patch("1", { best: max(37) });
 * games.row("1")?.data.best; // 40
 */
export function max<V extends string | number | bigint>(value: V): Operation<"max", V> {
  return new Operation("max", value);
}

/**
 * The smaller one of the field and a value.
 *
 * @throws RhtmxError `bad_message`: it is no number and no string.
 *
 * @example
 * const laps = client.collection<{ fastest: number }>("laps");
 * void laps.patch("1", { fastest: min(61.5) });
 * laps.row("1")?.data.fastest; // 61.5
 */
export function min<V extends string | number | bigint>(value: V): Operation<"min", V> {
  return new Operation("min", value);
}

/**
 * Adds elements at the end of a list, which has at most 1,000.
 *
 * @throws RhtmxError `bad_message`: there is none, or one is no JSON.
 *
 * @example
 * const logs = client.collection<{ lines: string[] }>("logs");
 * void logs.patch("1", { lines: append("begun") });
 * void logs.patch("1", { lines: append("done") });
 * logs.row("1")?.data.lines; // ["begun", "done"]
 */
export function append<E extends readonly AnyValue[]>(
  ...elements: E
): Operation<"append", E[number]> {
  return new Operation("append", elements);
}

/**
 * Sets keys of an object; its other keys stay.
 *
 * @throws RhtmxError `bad_message`: there is none, or a value is no JSON.
 *
 * @example
 * const people = client.collection<{ votes: Record<string, number> }>("people");
 * void people.patch("1", { votes: setKey({ ada: 3 }) });
 * void people.patch("1", { votes: setKey({ bob: 4 }) });
 * people.row("1")?.data.votes; // { ada: 3, bob: 4 }
 */
export function setKey<V extends object>(keys: V): Operation<"set_key", V>;
/** Sets one key. */
export function setKey<K extends string, V extends AnyValue>(
  key: K,
  value: V,
): Operation<"set_key", { [key in K]: V }>;
export function setKey(keys: string | object, value?: unknown): Operation<"set_key", never> {
  return new Operation("set_key", typeof keys === "string" ? { [keys]: value } : keys);
}

/**
 * Deletes keys of an object, as far as they have been seen here.
 *
 * @throws RhtmxError `bad_message`: there is none.
 *
 * @example
 * const rooms = client.collection<{ seats: Record<string, string> }>("rooms");
 * void rooms.set("1", { seats: { a: "ada", b: "bob" } });
 * void rooms.patch("1", { seats: deleteKey("a") });
 * rooms.row("1")?.data.seats; // { b: "bob" }
 */
export function deleteKey<K extends string>(...keys: readonly K[]): Operation<"delete_key", K> {
  return new Operation("delete_key", keys);
}

/** Whether an action depends on what is there. */
export function isOperation(action: FieldAction): action is OperationAction {
  return action !== "update" && action !== "delete";
}

/** What becomes of a field; one that cannot take the operation stays as it is. */
export function apply(action: OperationAction, held: Value, operand: JsonValue): Value {
  try {
    return APPLY[action](operand, held ?? undefined);
  } catch {
    // It does not fit, or another version of this client has stored what is not known here.
    return held;
  }
}

/** Each throws where it cannot be applied; without `held` there is nothing. */
const APPLY: Readonly<Record<OperationAction, (operand: JsonValue, held?: JsonValue) => Value>> = {
  increment(by, given) {
    const scale = scaleOf(by);
    const held = given === "" && isString(by) ? undefined : given;
    if (scaleOf(held ?? by) !== scale) misfit();
    const [one, other] = [by, held ?? 0].map((each) => BigInt(`${each}`.replace(".", "")));
    const total = `${one! + other!}`;
    const sum = scale < 0 ? +total : withPoint(total, scale);
    // One that is too large is no number any more.
    scaleOf(sum);
    return sum;
  },
  add(operand, held = []) {
    const before = elements(held);
    return fitting(before, elements([...before, ...elements(operand)]));
  },
  remove(operand, held) {
    const named = elements(operand);
    return held && elements(held).filter((each) => !named.includes(each));
  },
  max: (operand, held = operand) => outermost(operand, held, true),
  min: (operand, held = operand) => outermost(operand, held, false),
  append: (operand, held = []) => fitting(held, [...listed(held), ...listed(operand)]),
  set_key: (operand, held = {}) => fitting(held, { ...keyed(held), ...keyed(operand) }),
  delete_key(operand, held) {
    const names = listed(operand);
    if (!names.every(isString)) misfit();
    const stays = ([key]: [string, unknown]) => !names.includes(key);
    return held && Object.fromEntries(Object.entries(keyed(held)).filter(stays));
  },
};

/** How many decimals the text of a decimal number has, -1 for an integer. */
function scaleOf(value: JsonValue): number {
  if (Number.isSafeInteger(value)) return -1;
  const found = isString(value) && DECIMAL.exec(value);
  return found ? (found[1] ?? "").length : misfit();
}

function withPoint(total: string, scale: number): string {
  const digits = total.replace(/\d+/, (each) => each.padStart(scale + 1, "0"));
  return digits.replace(RegExp(`(?=.{${scale}}$)`), scale ? "." : "");
}

/** The elements of a set, in its order, each once. */
function elements(value: JsonValue): Element[] {
  const all = listed(value);
  if (!all.every(isElement)) misfit();
  const rank = (each: Element) => +isString(each) - +(typeof each === "boolean");
  return [...new Set(all as Element[])].sort(
    (one, other) => rank(one) - rank(other) || (isLess(one, other) ? -1 : 1),
  );
}

function isElement(value: JsonValue): value is Element {
  return /^[bs]/.test(typeof value) || Number.isInteger(value);
}

function outermost(operand: JsonValue, held: JsonValue, isMax: boolean): Value {
  const isScalar = (each: JsonValue) => /^(n|bi|s)/.test(typeof each);
  const fits = isScalar(operand) && isScalar(held) && isString(operand) === isString(held);
  return fits ? (isLess(held as Element, operand as Element) === isMax ? operand : held) : misfit();
}

/** Two of one kind. A number and a bigint compare to the digit. */
function isLess(one: Element, other: Element): boolean {
  return inOrder(one) < inOrder(other);
}

/** What compares as a string does by its code points: those of two code units are last. */
function inOrder(value: Element): Element {
  return isString(value) ? value.replace(/./gsu, (each) => each.length + each) : value;
}

function isString(value: JsonValue): value is string {
  return typeof value === "string";
}

function listed(value: JsonValue): readonly JsonValue[] {
  return nested(value, "", true) as never;
}

function keyed(value: JsonValue): { readonly [key: string]: JsonValue } {
  return nested(value, "") as never;
}

/** What has not become too large; what was too large before may become smaller, or stay. */
function fitting(before: JsonValue, after: JsonValue): JsonValue {
  return sizeOf(after) > Math.max(MOST_ITEMS, sizeOf(before)) ? misfit() : after;
}

function sizeOf(value: JsonValue): number {
  return Object.keys(value as object).length;
}

function misfit(): never {
  return refuse("", "");
}
