/**
 * Reads the protobuf wire format.
 *
 * Knows tags, varints and lengths. Must not know any message. Follows
 * https://protobuf.dev/programming-guides/encoding/ and refuses what is cut
 * off, longer than it may be, or nested too deep; what it does not know it
 * skips.
 */
import { refuse } from "./fail.ts";
import { formatTime } from "./time.ts";
import type { Fields } from "./check.ts";

/** A generated function that reads one message into `to`. */
export type Read = (from: Reader, to?: Fields) => Fields;

/** The readers of some messages, by their number in the envelope. */
export type Reads = Readonly<Record<number, Read>>;

/** Groups, which this schema never uses, may lie in each other this deep. */
const MAX_DEPTH = 100;
const TWO_32 = 0x1_0000_0000;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Stands for bytes that are no JSON, or no time; every check refuses it. */
const UNREADABLE = Symbol("bytes that cannot be read");

/** A cursor over the bytes of one message. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  /** The two halves of the last varint, unsigned. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** The next tag (number times eight plus wire type); 0 at the end. */
  tag(): number {
    if (this.#at === this.#end) return 0;
    const tag = this.#short();
    return tag < 8 ? broken("a field number") : tag;
  }

  /** An `int64`. What JavaScript cannot hold exactly stays above 2^53: the check refuses it. */
  int(): number {
    this.#varint();
    return (this.#high | 0) * TWO_32 + this.#low;
  }

  /** An `int32`, or the number of an enum. */
  int32(): number {
    this.#varint();
    return this.#low | 0;
  }

  /** The spelling of an enum's value; its number if it has none. */
  spelled(spellings: Readonly<Record<string, number>>): string | number {
    const number = this.int32();
    return Object.keys(spellings).find((each) => spellings[each] === number) ?? number;
  }

  /** A `bool`. */
  flag(): boolean {
    this.#varint();
    return (this.#low | this.#high) !== 0;
  }

  /** A `string`. */
  text(): string {
    const bytes = this.#slice();
    // A loop is quicker for short texts in ASCII, as most are.
    let text = "";
    let code;
    while (text.length < 24 && (code = bytes[text.length]!) < 0x80) {
      text += String.fromCharCode(code);
    }
    if (text.length === bytes.length) return text;
    try {
      return UTF8.decode(bytes);
    } catch {
      return broken("UTF-8");
    }
  }

  /** A JSON value in `bytes`. */
  json(): unknown {
    try {
      return JSON.parse(UTF8.decode(this.#slice()));
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TypeError) return UNREADABLE;
      throw error;
    }
  }

  /** A `google.protobuf.Timestamp`, in its normal text form. */
  time(): string | symbol {
    const { seconds, nanos } = this.message(readTimestamp) as { seconds: number; nanos: number };
    return formatTime(seconds, nanos) ?? UNREADABLE;
  }

  /** A message; `before` is what an earlier field of the same number held, to add to. */
  message(read: Read, before?: unknown): Fields {
    const inner = this.#inner();
    return before === undefined ? read(inner) : read(inner, before as Fields);
  }

  /** One entry of a map from text to messages. */
  entry(read: Read): [key: string, value: unknown] {
    const inner = this.#inner();
    let key = "";
    let value: Fields | undefined;
    for (let tag = inner.tag(); tag !== 0; tag = inner.tag()) {
      if (tag === 0x0a) key = inner.text();
      else if (tag === 0x12) value = inner.message(read, value);
      else inner.skip(tag);
    }
    return [key, value ?? read(new Reader(EMPTY))];
  }

  /** Passes over a field that is not known. */
  skip(tag: number, depth = 0): void {
    const type = tag & 7;
    if (type === 0) this.#varint();
    else if (type === 1) this.#forward(8);
    else if (type === 2) this.#slice();
    else if (type === 3 && depth < MAX_DEPTH) this.#skipGroup(tag, depth);
    else if (type === 5) this.#forward(4);
    else broken("a field");
  }

  #skipGroup(start: number, depth: number): void {
    // The tag that ends a group is the one that started it, plus one.
    for (let tag = this.tag(); tag !== start + 1; tag = this.tag()) {
      if (tag === 0) broken("the end of a group");
      this.skip(tag, depth + 1);
    }
  }

  #varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#forward(1)] as number;
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else if (shift > 28) high |= (byte & 0x7f) << (shift - 32);
      else {
        low |= (byte & 0x7f) << 28;
        high = (byte & 0x7f) >> 4;
      }
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    broken("a number of at most ten bytes");
  }

  /** A tag or a length: 32 bits in at most five bytes. */
  #short(): number {
    const start = this.#at;
    this.#varint();
    if (this.#high !== 0 || this.#at - start > 5) broken("a tag or a length");
    return this.#low;
  }

  /** Moves on; returns where it was. */
  #forward(count: number): number {
    const start = this.#at;
    if (count > this.#end - start) broken("more bytes");
    this.#at = start + count;
    return start;
  }

  #slice(): Uint8Array {
    const start = this.#forward(this.#short());
    return this.#bytes.subarray(start, this.#at);
  }

  #inner(): Reader {
    const start = this.#forward(this.#short());
    return new Reader(this.#bytes, start, this.#at);
  }
}

const EMPTY = new Uint8Array();

const readTimestamp: Read = (from, to = { seconds: 0, nanos: 0 }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 0x08) to.seconds = from.int();
    else if (tag === 0x10) to.nanos = from.int32();
    else from.skip(tag);
  }
  return to;
};

function broken(expected: string): never {
  return refuse("message", `not protobuf: ${expected} expected`);
}

/** Adds to an array in `to`. */
export function append(to: Fields, key: string, value: unknown): void {
  (to[key] as unknown[]).push(value);
}

/** Adds to a map in `to`. */
export function put(to: Fields, key: string, [name, value]: readonly [string, unknown]): void {
  // A bare property set would change the prototype if the name is `__proto__`.
  Object.defineProperty((to[key] ??= {}), name, { value, enumerable: true, configurable: true });
}
