/**
 * Strings of a rule at run time, where JavaScript's own methods are not enough: positions are those
 * of characters, not of UTF-16 units.
 *
 * Knows CEL's functions of strings and how it writes values. Must not know messages or rules.
 */

import { CelError } from "./cel-logic.ts";

function outside(at: number): CelError {
  return new CelError(`${at} is outside of the text`);
}

/** How many characters a text has. */
export function celLength(text: string): number {
  let count = 0;
  for (const _character of text) count++;
  return count;
}

/** One character of a text, or nothing right behind the last one. Throws a `CelError` outside. */
export function celCharAt(text: string, at: number): string {
  const characters = [...text];
  if (at >= 0 && at <= characters.length) return characters[Number(at)] ?? "";
  throw outside(at);
}

/** A piece of a text. Throws a `CelError` if it is not within the text. */
export function celSubstring(text: string, begin: number, end?: number): string {
  const characters = [...text];
  const last = end ?? characters.length;
  if (begin >= 0 && begin <= last && last <= characters.length) {
    return characters.slice(Number(begin), Number(last)).join("");
  }
  throw outside(end ?? begin);
}

/** Where a part begins first from a place on, or -1. Throws a `CelError` outside. */
export function celIndexOf(text: string, part: string, at = 0): number {
  const before = celSubstring(text, 0, at);
  const found = text.indexOf(part, before.length);
  return found < 0 ? found : celLength(text.slice(0, found));
}

/** Where a part begins last, at a place at the latest, or -1. Throws a `CelError` outside. */
export function celLastIndexOf(text: string, part: string, at?: number): number {
  const before = at === undefined ? text : celSubstring(text, 0, at);
  const found = text.lastIndexOf(part, before.length);
  return found < 0 ? found : celLength(text.slice(0, found));
}

/** A text with A to Z as a to z. */
export function celLowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (found) => found.toLowerCase());
}

/** A text with a to z as A to Z. */
export function celUpperAscii(text: string): string {
  return text.replace(/[a-z]+/g, (found) => found.toUpperCase());
}

/** A text where a part is replaced, `most` times if that is not below zero. */
export function celReplace(text: string, part: string, by: string, most = -1): string {
  const parts = part ? text.split(part) : ["", ...text, ""];
  if (most >= 0 && most < parts.length - 1) {
    return (
      parts.slice(0, Number(most) + 1).join(by) + part + parts.slice(Number(most) + 1).join(part)
    );
  }
  return parts.join(by);
}

/** The parts of a text, `most` of them if that is not below zero. */
export function celSplit(text: string, between: string, most = -1): string[] {
  const parts = between ? text.split(between) : [...text];
  if (most === 0) return [];
  if (most < 0 || most >= parts.length) return parts;
  return [...parts.slice(0, Number(most) - 1), parts.slice(Number(most) - 1).join(between)];
}

/** A text without the spaces around it; what a space is does not depend on the engine. */
export function celTrim(text: string): string {
  const space = "[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
  return text.replace(new RegExp(`^${space}|${space}$`, "g"), "");
}

/** The text that bytes are. Throws a `CelError` if they are none. */
export function celTextBytes(value: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    throw new CelError("the bytes are no text");
  }
}

/** A number as the shortest text that means it. */
export function celTextDouble(value: number): string {
  return String(value);
}

/** Bytes as hexadecimal digits. */
export function celHex(value: Uint8Array): string {
  return [...value].map((byte) => (byte + 256).toString(16).slice(1)).join("");
}

/** A number with a fixed count of digits behind the point; a half goes to the even neighbour. */
export function celFixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return signOf(value) + pointed(rounded(size, digits), digits);
}

/** A number as `1.5e+03`; a half goes to the even neighbour. */
export function celScientific(value: number, digits: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  let power = Number(size.toExponential().split("e")[1]);
  let figures = rounded(size, digits - power);
  // The shortest text that means a number can be the next power of ten, or rounding leads there.
  if (size && figures < 10n ** BigInt(digits)) figures = rounded(size, digits - --power);
  if (figures >= 10n ** BigInt(digits + 1)) figures = rounded(size, digits - ++power);
  const shown = String(Math.abs(power)).padStart(2, "0");
  return `${signOf(value)}${pointed(figures, digits)}e${power < 0 ? "-" : "+"}${shown}`;
}

function signOf(value: number): string {
  return value < 0 || Object.is(value, -0) ? "-" : "";
}

function pointed(figures: bigint, digits: number): string {
  const text = String(figures).padStart(digits + 1, "0");
  const point = text.length - digits;
  return digits ? `${text.slice(0, point)}.${text.slice(point)}` : text;
}

/** A number times ten to the power of `digits`, exactly, and then rounded half to even. */
function rounded(value: number, digits: number): bigint {
  let halvings = 0n;
  let whole = value;
  for (; !Number.isInteger(whole); whole *= 2) halvings++;
  const top = BigInt(whole) * 10n ** BigInt(Math.max(digits, 0));
  const bottom = 2n ** halvings * 10n ** BigInt(Math.max(-digits, 0));
  const found = top / bottom;
  const twice = 2n * (top % bottom);
  return twice > bottom || (twice === bottom && found % 2n === 1n) ? found + 1n : found;
}
