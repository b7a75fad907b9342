/**
 * Numbers of a rule at run time, where JavaScript's own operators are not exact.
 *
 * Knows the ranges of CEL's numbers and how it divides. Must not know messages or rules.
 *
 * A whole number is a number while that is exact, and else a bigint: never a bigint that a number
 * could be. `Whole` says `number` for both, as comparisons of the two are exact, too.
 */

import { CelError } from "./cel-logic.ts";

/** A number, or a bigint where no number is exact. */
export type Whole = number;

/** A number of CEL, as the rules have it. */
export type Amount = number | bigint;

const LEAST = -(2n ** 63n);

function whole(value: bigint): Whole {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : (value as unknown as Whole);
}

function tooLarge(): CelError {
  return new CelError("a number is too large to count with");
}

/** The sum of two whole numbers, of any size. */
export function celAdd(one: Amount, other: Amount): Whole {
  return whole(BigInt(one) + BigInt(other));
}

/** The difference of two whole numbers, of any size. */
export function celSubtract(one: Amount, other: Amount): Whole {
  return whole(BigInt(one) - BigInt(other));
}

/** The product of two whole numbers, of any size. */
export function celMultiply(one: Amount, other: Amount): Whole {
  return whole(BigInt(one) * BigInt(other));
}

/** The quotient, without what is behind the point. Throws a `CelError` if there is none. */
export function celQuotient(one: Amount, other: Amount): Whole {
  checkDivision(one, other);
  return whole(BigInt(one) / BigInt(other));
}

/** What is left of a division, with the sign of the dividend. Throws a `CelError` if nothing is. */
export function celRemainder(one: Amount, other: Amount): Whole {
  checkDivision(one, other);
  return whole(BigInt(one) % BigInt(other));
}

function checkDivision(one: Amount, other: Amount): void {
  if (BigInt(other) === 0n) throw new CelError("a number is divided by zero");
  if (BigInt(other) === -1n && BigInt(one) === LEAST) throw tooLarge();
}

/** A whole number that fits 64 bits. Throws a `CelError` if it does not. */
export function celInt(value: Amount): Whole {
  if (value >= LEAST && value < 2n ** 63n) return value as Whole;
  throw tooLarge();
}

/** A whole number that fits 64 bits without a sign. Throws a `CelError` if it does not. */
export function celUint(value: Amount): Whole {
  if (value >= 0 && value < 2n ** 64n) return value as Whole;
  throw new CelError("a number is below zero or too large to count with");
}

/** A number without what is behind the point. Throws a `CelError` if it does not fit 64 bits. */
export function celIntFromDouble(value: number): Whole {
  if (value > -(2 ** 63) && value < 2 ** 63) return whole(BigInt(Math.trunc(value)));
  throw tooLarge();
}

/** A number without what is behind the point. Throws a `CelError` if it is not within 64 bits. */
export function celUintFromDouble(value: number): Whole {
  if (value >= 0 && value < 2 ** 64) return whole(BigInt(Math.trunc(value)));
  throw new CelError("a number is below zero or too large to count with");
}

/** The whole number that a text says. Throws a `CelError` if it says none. */
export function celParseInt(text: string): Whole {
  if (text.length < 100 && /^[+-]?[0-9]+$/.test(text))
    return whole(BigInt(text.replace(/^\+/, "")));
  throw new CelError(`${JSON.stringify(text)} is no whole number`);
}

/** The number that a text says. Throws a `CelError` if it says none. */
export function celParseDouble(text: string): number {
  const found =
    /^([+-]?)(?:((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|nan)|inf(?:inity)?)$/i.exec(text);
  if (!found) throw new CelError(`${JSON.stringify(text)} is no number`);
  const value = found[2] ? Number(found[2]) : Number.POSITIVE_INFINITY;
  return found[1] === "-" ? -value : value;
}

/** The truth that a text says. Throws a `CelError` if it says none. */
export function celParseBool(text: string): boolean {
  if (/^(?:true|True|TRUE|t|1)$/.test(text)) return true;
  if (/^(?:false|False|FALSE|f|0)$/.test(text)) return false;
  throw new CelError(`${JSON.stringify(text)} is neither true nor false`);
}

/** Whether a number is infinite: above zero only if the sign is, below likewise, zero for both. */
export function celIsInf(value: number, sign = 0): boolean {
  return Math.abs(value) === Number.POSITIVE_INFINITY && (sign === 0 || sign > 0 === value > 0);
}
