/**
 * Writes the protobuf wire format.
 *
 * Knows tags, varints and lengths. Must not know any message: the plans tell.
 * Follows https://protobuf.dev/programming-guides/encoding/. What it is given has
 * passed the check.
 */
import { ENUMS } from "./generated/descriptor.ts";
import type { Field, Fields, Plan } from "./plan.ts";
import { ENUM, LENGTH, LIST, MAP, MESSAGE, PLANS, STRING, TIME } from "./plan.ts";
import { splitTime } from "./time.ts";
import { writeJson } from "./value.ts";

const UTF8 = new TextEncoder();

// One message is written at a time, its last byte first: so the length of what a
// field holds is known when it is its turn. A part is one byte, or a text.
let parts: (number | Uint8Array)[];
let size: number;

/** Writes one envelope around a message that has passed its check. */
export function writeEnvelope(message: Fields): Uint8Array<ArrayBuffer> {
  const ref = PLANS.findIndex((plan) => plan.type === message.type);
  parts = [];
  size = 0;
  writeOne({ kind: MESSAGE, ref, tag: (ref << 3) | LENGTH }, message);
  const bytes = new Uint8Array(size);
  for (const part of parts) {
    if (typeof part === "number") bytes[--size] = part;
    else bytes.set(part, (size -= part.length));
  }
  return bytes;
}

function writeMessage({ fields }: Plan, from: Fields): void {
  for (let index = fields.length; index--; ) {
    const field = fields[index]!;
    const { name, many } = field;
    const value = from[name];
    // Protobuf leaves out the zero value of a field that is never absent.
    if (value == null || !(many || value)) continue;
    const items =
      many & MAP
        ? Object.entries(value).map(([key, item]) => ({ key, value: item }))
        : many & LIST
          ? (value as unknown[])
          : [value];
    for (let item = items.length; item--; ) writeOne(field, items[item]);
  }
}

function writeOne({ kind, ref, tag }: Omit<Field, "name" | "many">, value: unknown): void {
  const before = size;
  if (kind === MESSAGE) writeMessage(PLANS[ref]!, value as Fields);
  else if (kind === TIME) writeMessage(PLANS[ref]!, splitTime(value as string));
  else if (tag & LENGTH) {
    const bytes = UTF8.encode(kind === STRING ? (value as string) : writeJson(value));
    size += bytes.length;
    parts.push(bytes);
  } else writeVarint(kind === ENUM ? ENUMS[ref]!.indexOf(value as string) : +(value as number));
  if (tag & LENGTH) writeVarint(size - before);
  writeVarint(tag);
}

/** Two's complement of 64 bits, seven in a byte; the first nine bytes may say that more follows. */
function writeVarint(value: number, more = 9): void {
  if (more && (value > 127 || value < 0)) {
    // A division, because a shift would cut off what is beyond 32 bits.
    writeVarint(Math.floor(value / 128), more - 1);
    value = (value & 127) | 128;
  }
  size++;
  parts.push(value < 0 ? 1 : value);
}
