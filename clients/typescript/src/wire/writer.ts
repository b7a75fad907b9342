/**
 * Writes the protobuf wire format.
 *
 * Knows tags, varints and lengths. Must not know any message. Follows
 * https://protobuf.dev/programming-guides/encoding/. What it is given has
 * passed the checks; `undefined` is left out.
 */
import { splitTime } from "./time.ts";

/** A generated function that writes the fields of one message. */
export type Write<T> = (to: Writer, from: T) => void;

/** The number in the envelope and the writer of some messages, by their `type`. */
export type Writes<M extends { readonly type: string }> = {
  readonly [T in M["type"]]: readonly [number, Write<Extract<M, { readonly type: T }>>];
};

const VARINT = 0;
const LENGTH = 2;
const UTF8 = new TextEncoder();

/** Collects the bytes of one message. */
export class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** What was written so far. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** An `int64`, `int32` or enum. */
  int(field: number, value: number | undefined): void {
    if (value === undefined) return;
    this.#varint((field << 3) | VARINT);
    this.#varint(value);
  }

  /** A `bool`. */
  flag(field: number, value: boolean | undefined): void {
    if (value !== undefined) this.int(field, Number(value));
  }

  /** A `string`. */
  text(field: number, value: string | undefined): void {
    if (value !== undefined) this.message(field, writeText, value);
  }

  /** A JSON value, as `bytes`; `null` is left out. */
  json(field: number, value: unknown): void {
    if (value !== null) this.text(field, JSON.stringify(value));
  }

  /** A `google.protobuf.Timestamp`, from its normal text form. */
  time(field: number, value: string | undefined): void {
    if (value !== undefined) this.message(field, writeTimestamp, value);
  }

  /** A message. */
  message<T>(field: number, write: Write<T>, value: T | undefined): void {
    if (value === undefined) return;
    this.#varint((field << 3) | LENGTH);
    // Written in place, with room for a length of one byte; a longer one moves it.
    this.#reserve(1);
    const start = ++this.#length;
    write(this, value);
    const length = this.#length - start;
    let more = 0;
    for (let rest = length; rest > 0x7f; rest >>>= 7) more++;
    if (more > 0) {
      this.#reserve(more);
      this.#bytes.copyWithin(start + more, start, this.#length);
    }
    this.#length = start - 1;
    this.#varint(length);
    this.#length += length;
  }

  /** The characters of a text, as UTF-8. */
  characters(value: string): void {
    this.#reserve(value.length * 3);
    let count = 0;
    // A loop is quicker for short texts in ASCII, as nearly all are.
    for (let code; count < 64 && (code = value.charCodeAt(count)) < 0x80; count++) {
      this.#bytes[this.#length++] = code;
    }
    if (count < value.length) {
      const rest = this.#bytes.subarray(this.#length);
      this.#length += UTF8.encodeInto(value.slice(count), rest).written;
    }
  }

  /** A map from text to messages. */
  map<T>(field: number, write: Write<T>, value: Readonly<Record<string, T>> | undefined): void {
    for (const [key, item] of Object.entries(value ?? {})) {
      this.message(
        field,
        (to) => {
          to.text(1, key);
          to.message(2, write, item);
        },
        null,
      );
    }
  }

  #varint(value: number): void {
    this.#reserve(10);
    // Two's complement in two halves of 32 bits: a bit operation takes no more.
    let low = value >>> 0;
    let high = Math.floor(value / 0x1_0000_0000) >>> 0;
    while (high > 0 || low > 0x7f) {
      this.#bytes[this.#length++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#bytes[this.#length++] = low;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(needed * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

const writeText: Write<string> = (to, value) => to.characters(value);

const writeTimestamp: Write<string> = (to, time) => {
  const [seconds, nanos] = splitTime(time);
  to.int(1, seconds || undefined);
  to.int(2, nanos || undefined);
};
