/**
 * Conditions and collections of a rule at run time, where JavaScript's own operators are not enough.
 *
 * Knows how CEL absorbs errors, and how it compares and looks up. Must not know messages or rules.
 */

/**
 * An expression has no value: a division by zero, an index that is not there.
 *
 * It is no `Error`, since a record can have thousands of such values, and each `Error` writes down
 * its stack, which takes longer than the judgement of the record.
 */
export class CelError {
  /** Why, for the user. */
  readonly message: string;

  /** @param message - why, for the user. */
  constructor(message: string) {
    this.message = message;
  }
}

/** Whether all sides of `&&` hold; one that does not absorbs the errors of others. */
export function celAllOf(...sides: (() => boolean)[]): boolean {
  return celAll(sides, (side) => side());
}

/** Whether a side of `||` holds; one that does absorbs the errors of others. */
export function celAnyOf(...sides: (() => boolean)[]): boolean {
  return celExists(sides, (side) => side());
}

/** Whether something holds of all items; one of which it does not absorbs errors. */
export function celAll<Item>(items: Iterable<Item>, holds: (item: Item) => boolean): boolean {
  return !celExists(items, (item) => !holds(item));
}

/** Whether something holds of an item; one of which it does absorbs errors. */
export function celExists<Item>(items: Iterable<Item>, holds: (item: Item) => boolean): boolean {
  let failure: CelError | undefined;
  for (const item of items) {
    try {
      if (holds(item)) return true;
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      failure = error;
    }
  }
  if (failure) throw failure;
  return false;
}

/** Below zero, zero or above: how two texts are ordered by code points, not by UTF-16 units. */
export function celCompare(one: string, other: string): number {
  const end = Math.min(one.length, other.length);
  let at = 0;
  while (at < end && one[at] === other[at]) at++;
  if (at === end) return one.length - other.length;
  const left = one.charCodeAt(at);
  const right = other.charCodeAt(at);
  // A surrogate is half of a character beyond U+FFFF, although there are others above it.
  const past = Number(isSurrogate(left)) - Number(isSurrogate(right));
  return past || left - right;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xe000;
}

/** Below zero, zero or above: how bytes are ordered. */
export function celCompareBytes(one: Uint8Array, other: Uint8Array): number {
  const end = Math.min(one.length, other.length);
  for (let at = 0; at < end; at++) {
    if (one[at] !== other[at]) return one[at]! - other[at]!;
  }
  return one.length - other.length;
}

/** Whether two values are equal, lists and maps item by item. */
export function celEqual(one: unknown, other: unknown): boolean {
  if (one instanceof Uint8Array && other instanceof Uint8Array) {
    return celCompareBytes(one, other) === 0;
  }
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, at) => celEqual(item, other[at]));
  }
  if (one instanceof Map && other instanceof Map) {
    return (
      one.size === other.size &&
      [...one].every(([key, value]) => other.has(key) && celEqual(value, other.get(key)))
    );
  }
  // A bigint is equal to a double of its value, and absent is absent.
  // biome-ignore lint/suspicious/noDoubleEquals: types are known, and this is what == is for
  return one == other;
}

/** Whether a list has a value. */
export function celIn(value: unknown, items: readonly unknown[]): boolean {
  return items.some((item) => celEqual(value, item));
}

/** Whether no two items are equal. NaN equals nothing. */
export function celUnique(items: readonly unknown[]): boolean {
  // biome-ignore lint/suspicious/noSelfCompare: NaN
  const equal = items.filter((item) => item === item);
  return (
    new Set(equal.map((item) => (item instanceof Uint8Array ? `${item}` : item))).size ===
    equal.length
  );
}

/** A rule value: which type it has is known where the rule was compiled. */
// biome-ignore lint/suspicious/noExplicitAny: as the rest of generated code has it
type RuleValue = any;

/** An item of a list. Throws a `CelError` if there is none. */
export function celItem(items: readonly RuleValue[], index: number): RuleValue {
  if (index >= 0 && index < items.length) return items[Number(index)];
  throw new CelError(`there is no item ${index}`);
}

/** A value of a map. Throws a `CelError` if there is none. */
export function celValue(entries: ReadonlyMap<unknown, RuleValue>, key: unknown): RuleValue {
  if (entries.has(key)) return entries.get(key);
  throw new CelError(`there is no entry ${JSON.stringify(String(key))}`);
}

/** A value that must be there to be compared or counted with. Throws a `CelError` if it is not. */
export function celPresent(value: RuleValue): RuleValue {
  if (value != null) return value;
  throw new CelError("a value that the rule needs is not there");
}

/** The number of an enum. Throws a `CelError` for a word that this program does not know. */
export function celKnown(number: number | string): number {
  if (typeof number !== "string") return number;
  throw new CelError(`${JSON.stringify(number)} is a value that this program does not know`);
}

/** Whether bytes have others at a place. */
export function celBytesAt(value: Uint8Array, part: Uint8Array, at: number): boolean {
  return at >= 0 && celCompareBytes(value.subarray(at, at + part.length), part) === 0;
}

/** Whether bytes have others somewhere. */
export function celBytesHave(value: Uint8Array, part: Uint8Array): boolean {
  for (let at = 0; at <= value.length - part.length; at++) {
    if (celBytesAt(value, part, at)) return true;
  }
  return false;
}

/** Bytes, and others behind them. */
export function celJoinBytes(one: Uint8Array, other: Uint8Array): Uint8Array {
  return Uint8Array.from([...one, ...other]);
}

/** The function of a rule about a secret: why it failed, it does not say. */
export const celDiscreet =
  (holds: (self: RuleValue, now: bigint) => unknown) =>
  (self: RuleValue, now: bigint): unknown => {
    try {
      return holds(self, now);
    } catch {
      throw new CelError("a value is secret");
    }
  };
