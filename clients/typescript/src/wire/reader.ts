/**
 * Reads the protobuf wire format.
 *
 * Knows tags, varints and lengths. Must not know any message: the plans tell.
 * Follows https://protobuf.dev/programming-guides/encoding/ and refuses what is
 * cut off, longer than it may be, or nested too deep; what it does not know it
 * skips.
 */
import { noted, unknownType } from "./check.ts";
import { refuse } from "./fail.ts";
import { ENUMS } from "./generated/descriptor.ts";
import type { Field, Fields, Plan } from "./plan.ts";
import { BOOLEAN, ENUM, JSON_VALUE, LENGTH, LIST, MAP, PLANS, TIME } from "./plan.ts";
import { UTF8 } from "./value.ts";

/** Groups, which this schema never uses, may lie in each other this deep. */
const MAX_DEPTH = 100;

// One message is read at a time, from start to end: the cursor is the module's.
let bytes: Uint8Array;
let at: number;
let end: number;

/**
 * Reads one envelope: an `Envelope`, whose one field is the message.
 *
 * @param sides who may have sent it.
 * @returns the plan of the message and its fields, not checked yet: what is zero
 *   is absent, JSON is still bytes, and a time is its seconds and nanoseconds.
 *   Undefined for a message that is not known, where that is only noted.
 */
export function readEnvelope(
  data: Uint8Array,
  sides: number,
): [plan: Plan, fields: Fields] | undefined {
  bytes = data;
  at = 0;
  end = data.length;
  let found: Plan | undefined;
  let fields: Fields = {};
  let unknown = 0;
  while (at < end) {
    const tag = readTag();
    // No plan has a broken number, so any other wire type finds none.
    const plan = PLANS[(tag - LENGTH) / 8];
    if (!plan || !(plan.sides & sides)) {
      unknown = tag >>> 3;
      skip(tag, 0);
      continue;
    }
    // As in any oneof, the last case wins, and one that comes again adds to itself.
    fields = readMessage(plan, plan === found ? fields : {}, plan.type);
    found = plan;
  }
  return found ? [found, fields] : unknownType("message", `message ${unknown}`);
}

/** Reads one message into `to`, with its length before it; `place` is where it stands. */
function readMessage(plan: Plan, to: Fields, place: string): Fields {
  const outer = end;
  const start = readLength();
  end = at;
  at = start;
  while (at < end) {
    const tag = readTag();
    const field = plan.fields.find((each) => each.tag === tag);
    if (field) readField(field, to, `${place}.${field.name}`);
    else {
      noted(place, `field ${tag >>> 3}`);
      skip(tag, 0);
    }
  }
  end = outer;
  return to;
}

function readField(field: Field, to: Fields, place: string): void {
  const { name, many } = field;
  if (many & LIST) ((to[name] ??= []) as unknown[]).push(readOne(field, place));
  else if (many & MAP) {
    const entry = readOne(field, place) as { key?: string; value?: unknown };
    // Written so, the key `__proto__` is one like any other.
    to[name] = { ...(to[name] as Fields), [entry.key ?? ""]: entry.value ?? {} };
  } else to[name] = readOne(field, place, to[name]);
}

/** One value; `before` is what an earlier field of the same number held, to add to. */
function readOne({ kind, ref, tag }: Field, place: string, before?: unknown): unknown {
  if (!(tag & LENGTH)) {
    const value = readVarint();
    if (kind === BOOLEAN) return !!value;
    // An enum has 32 bits. A number without a spelling stays: the check refuses it.
    return (kind === ENUM && ENUMS[ref]![value | 0]) || value;
  }
  if (kind >= TIME) return readMessage(PLANS[ref]!, (before ?? {}) as Fields, place);
  const start = readLength();
  const slice = bytes.subarray(start, at);
  return kind === JSON_VALUE ? slice : readText(slice);
}

function readText(from: Uint8Array): string {
  try {
    return UTF8.decode(from);
  } catch {
    return broken();
  }
}

/** Passes over a field that is not known. */
function skip(tag: number, depth: number): void {
  const type = tag & 7;
  if (type === 3 && depth < MAX_DEPTH) {
    // The tag that ends a group is the one that started it, plus one.
    for (let inner: number; (inner = readTag()) !== tag + 1; ) skip(inner, depth + 1);
  } else if (type === 0) readVarint();
  else if (type === LENGTH) readLength();
  else forward(type === 1 ? 8 : type === 5 ? 4 : Infinity);
}

/** The next tag: the number of a field times eight plus its wire type. */
function readTag(): number {
  const tag = readVarint(35);
  return tag < 8 || tag >= 2 ** 32 ? broken() : tag;
}

/** Reads a length and moves on by it; returns where that began. */
function readLength(): number {
  return forward(readVarint(35));
}

/**
 * An `int64` of at most so many bits, seven in a byte. What JavaScript cannot
 * hold exactly is above 2^53 here too: the check refuses it.
 */
function readVarint(bits = 70): number {
  // In two parts, either of which a number holds exactly: the low 28 bits, and the others.
  let low = 0;
  let high = 0;
  for (let scale = 1; scale < 2 ** bits; scale *= 128) {
    const byte = bytes[forward(1)]!;
    const part = (byte & 127) * scale;
    if (scale < 2 ** 28) low += part;
    else high += part;
    // Two's complement, of 64 bits.
    if (byte < 128) return ((high + 2 ** 63) % 2 ** 64) - 2 ** 63 + low;
  }
  return broken();
}

/** Moves on; returns where it was. */
function forward(count: number): number {
  if (count > end - at) broken();
  at += count;
  return at - count;
}

function broken(): never {
  return refuse("message", "not protobuf");
}
