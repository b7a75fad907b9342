/**
 * Messages to bytes and back, in both formats.
 *
 * Knows that both formats follow one set of rules: whatever the format and the
 * direction, a message passes the same check. Must not know sockets, clocks or
 * sessions.
 *
 * There is a pair of functions for the client's side, so that a browser need
 * not load the other half.
 */

import type { ClientMessage, Message, ServerMessage } from "../messages/types.ts";
import type { Note } from "./check.ts";
import { checkMessage, checkTyped, nested, noteTo } from "./check.ts";
import { refuse } from "./fail.ts";
import type { Codec, Format, Frame } from "./format.ts";
import type { Fields } from "./plan.ts";
import { CLIENT, EITHER, SERVER } from "./plan.ts";
import { readEnvelope } from "./reader.ts";
import { checkSizes } from "./sizes.ts";
import { beginReading, endReading, isInexact, parseJson, writeJson } from "./value.ts";
import { writeEnvelope } from "./writer.ts";

export type { Codec, Format, Frame } from "./format.ts";
export { SUBPROTOCOLS } from "./format.ts";

/**
 * Reads any message, strictly, as a server does.
 *
 * @param data one frame's payload; text is JSON only.
 * @throws RhtmxError `bad_message`, saying which field is wrong and why.
 *
 * @example
 * decode('{"type":"ping"}', "json"); // { type: "ping" }
 */
export function decode(data: string | Uint8Array, format: Format): Message {
  return read(data, format, EITHER) as Message;
}

/**
 * Writes any message: a string for JSON, bytes for protobuf.
 *
 * @throws RhtmxError `bad_message` for what the other side would refuse.
 */
export function encode(message: Message, format: Format): Frame {
  return write(message, format, EITHER);
}

/**
 * Reads what a server may send, which may be newer than this client: what it does not
 * know is noted and passed over.
 *
 * - A message that is not known is none: undefined.
 * - A word that is not known stays, as in `error.code`, where it may be left out (in
 *   protobuf it is a number, here its digits). An action, which may not, is `update` if
 *   the message has a value, else `delete`: it tells of the record as it is now.
 * - A time that is left out is that of 1970.
 *
 * @param note is told of each, every time.
 * @throws RhtmxError `bad_message`, as {@link decode} does.
 */
export function decodeFromServer(
  data: string | Uint8Array,
  format: Format,
  note: Note,
): ServerMessage | undefined {
  noteTo(note);
  try {
    return read(data, format, SERVER) as ServerMessage | undefined;
  } finally {
    noteTo();
  }
}

/** Writes what a client may send; see {@link encode}. */
export function encodeFromClient(message: ClientMessage, format: Format): Frame {
  return write(message, format, CLIENT);
}

/** The client's side of a format. */
export function codecOf(format: Format): Codec {
  return {
    format,
    encode: (message) => encodeFromClient(message, format),
    decode: (data, note) => decodeFromServer(data, format, note),
  };
}

/**
 * Returns a copy of a message in its normal form: known fields only, in the schema's order.
 *
 * @throws RhtmxError `bad_message` for what a server would refuse.
 */
export function checkFromClient<M extends ClientMessage>(message: M): M {
  const checked = checkTyped(message as unknown as Fields, CLIENT)!;
  checkSizes(checked, message.type);
  return checked as unknown as M;
}

function read(data: string | Uint8Array, format: Format, sides: number): unknown {
  beginReading();
  try {
    const first = readOnce(data, format, sides);
    return isInexact() ? readOnce(data, format, sides) : first;
  } finally {
    endReading();
  }
}

function readOnce(data: string | Uint8Array, format: Format, sides: number): unknown {
  if (format === "json") return checkTyped(nested(parseJson(data, "message"), "message"), sides);
  if (typeof data === "string") refuse("message", "not binary");
  const found = readEnvelope(data, sides);
  return found && checkMessage(...found, true);
}

function write(message: Message, format: Format, sides: number): Frame {
  const checked = checkTyped(message as unknown as Fields, sides)!;
  return format === "json" ? writeJson(checked) : writeEnvelope(checked);
}
