/**
 * The two formats of the wire.
 *
 * Knows their names. Must not know how either looks.
 */

/** JSON in text frames, or protobuf in binary frames. */
export type Format = "json" | "proto";

/** What one WebSocket frame carries: text in JSON, bytes in protobuf. */
export type Frame = string | Uint8Array<ArrayBuffer>;

/** The WebSocket subprotocol of each format. */
export const SUBPROTOCOLS: Readonly<Record<Format, string>> = {
  json: "rhtmx.v1.json",
  proto: "rhtmx.v1.proto",
};
