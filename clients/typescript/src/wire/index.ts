/**
 * Messages to bytes and back, in both formats.
 *
 * Knows that both formats follow one set of rules: whatever the format and the
 * direction, a message passes the same generated check. Must not know sockets,
 * clocks or sessions.
 *
 * There is a pair of functions for the client's side, so that a browser need
 * not load the other half.
 */
import { refuse } from "./fail.ts";
import { CHECK_CLIENT, CHECK_SERVER } from "./generated/check.ts";
import { READ_CLIENT, READ_SERVER } from "./generated/read.ts";
import { WRITE_CLIENT, WRITE_SERVER } from "./generated/write.ts";
import { checkMessage, readJson } from "./json.ts";
import { readProto, writeProto } from "./proto.ts";
import type { Checks } from "./check.ts";
import type { Format, Frame } from "./format.ts";
import type { Reads } from "./reader.ts";
import type { Writes } from "./writer.ts";
import type { ClientMessage, Message, ServerMessage } from "../messages/types.ts";

export { SUBPROTOCOLS } from "./format.ts";
export type { Format, Frame } from "./format.ts";

// Marked as pure, so that a bundle which reads and writes one side only drops them.
const CHECK_ANY = /* @__PURE__ */ Object.assign({}, CHECK_CLIENT, CHECK_SERVER);
const READ_ANY = /* @__PURE__ */ Object.assign({}, READ_CLIENT, READ_SERVER);
const WRITE_ANY = /* @__PURE__ */ Object.assign({}, WRITE_CLIENT, WRITE_SERVER);

/**
 * Reads any message.
 *
 * @param data one frame's payload; text is JSON only.
 * @throws RhtmxError `bad_message`, saying which field is wrong and why. For a
 *   message type that is not known, `details` is `{"unknown_type": true}`.
 *
 * @example
 * decode('{"type":"ping"}', "json"); // { type: "ping" }
 */
export function decode(data: string | Uint8Array, format: Format): Message {
  return read(data, format, CHECK_ANY, READ_ANY);
}

/**
 * Writes any message: a string for JSON, bytes for protobuf.
 *
 * @throws RhtmxError `bad_message` for what the other side would refuse.
 */
export function encode(message: Message, format: Format): Frame {
  return write(message, format, CHECK_ANY, WRITE_ANY);
}

/** Reads what a server may send; see {@link decode}. */
export function decodeFromServer(data: string | Uint8Array, format: Format): ServerMessage {
  return read(data, format, CHECK_SERVER, READ_SERVER);
}

/** Writes what a client may send; see {@link encode}. */
export function encodeFromClient(message: ClientMessage, format: Format): Frame {
  return write(message, format, CHECK_CLIENT, WRITE_CLIENT);
}

/**
 * Returns a message in its normal form: known fields only, in the schema's order.
 *
 * @throws RhtmxError `bad_message` for what a server would refuse.
 */
export function checkFromClient<M extends ClientMessage>(message: M): M {
  return checkMessage<ClientMessage>({ ...message }, CHECK_CLIENT) as M;
}

function read<M extends Message>(
  data: string | Uint8Array,
  format: Format,
  checks: Checks<M>,
  reads: Reads,
): M {
  if (format === "json") return checkMessage(readJson(data), checks);
  if (typeof data === "string") return refuse("message", "a binary frame expected, got text");
  return checkMessage(readProto(data, reads), checks);
}

function write<M extends Message>(
  message: M,
  format: Format,
  checks: Checks<M>,
  writes: Writes<M>,
): Frame {
  const checked = checkMessage({ ...message }, checks);
  return format === "json" ? JSON.stringify(checked) : writeProto(checked, writes);
}
