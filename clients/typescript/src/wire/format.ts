/**
 * The two formats of the wire.
 *
 * Knows their names, and what a client needs of either. Must not know how either looks.
 */
import type { ClientMessage, ServerMessage } from "../messages/types.ts";
import type { Note } from "./check.ts";

/** JSON in text frames, or protobuf in binary frames. */
export type Format = "json" | "proto";

/** What one WebSocket frame carries: text in JSON, bytes in protobuf. */
export type Frame = string | Uint8Array<ArrayBuffer>;

/** The WebSocket subprotocol of each format. */
export const SUBPROTOCOLS: Readonly<Record<Format, string>> = {
  json: "rhtmx.v1.json",
  proto: "rhtmx.v1.proto",
};

/** The client's side of one format. */
export interface Codec {
  readonly format: Format;
  /** Writes what a client may send. */
  encode(message: ClientMessage): Frame;
  /** Reads what a server may send; undefined for a message that is not known, which is noted. */
  decode(data: string | Uint8Array, note: Note): ServerMessage | undefined;
}
