/**
 * Messages as protobuf: one `Envelope`, whose one field is the message.
 *
 * Knows the envelope. Must not know any message.
 */
import { unknownType } from "./fail.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";
import type { Fields } from "./check.ts";
import type { Reads } from "./reader.ts";
import type { Write, Writes } from "./writer.ts";
import type { Message } from "../messages/types.ts";

const LENGTH = 2;

/** Reads one envelope; what it carries is not checked yet. */
export function readProto(data: Uint8Array, reads: Reads): Fields {
  const from = new Reader(data);
  let found: { number: number; fields: Fields } | undefined;
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    const number = tag >>> 3;
    const read = (tag & 7) === LENGTH ? reads[number] : undefined;
    if (!read) from.skip(tag);
    else {
      // As in any oneof, the last case wins, and one that comes again adds to itself.
      const before = found?.number === number ? found.fields : undefined;
      found = { number, fields: from.message(read, before) };
    }
  }
  if (found) return found.fields;
  return unknownType("message", "the envelope is empty, or its message is unknown");
}

/** Writes one envelope around a message that has passed its check. */
export function writeProto<M extends Message>(
  message: M,
  writes: Writes<M>,
): Uint8Array<ArrayBuffer> {
  const [number, write] = writes[message.type as M["type"]];
  const to = new Writer();
  to.message(number, write as Write<M>, message);
  return to.finish();
}
