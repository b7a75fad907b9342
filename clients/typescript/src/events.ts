/**
 * What a session tells its owner.
 *
 * Knows the words of the conversation between session and shell. Must not know
 * what either does.
 */
import type { RhtmxError } from "./errors.ts";
import type { Position, ServerMessage } from "./messages/types.ts";
import type { Granularity, Log } from "./streams.ts";
import type { Frame } from "./wire/index.ts";

/**
 * - `connecting`: a connection is being made;
 * - `open`: it is there, and the server knows the client;
 * - `waiting`: it was lost, and the next attempt has its time;
 * - `closed`: for good.
 */
export type State = "connecting" | "open" | "waiting" | "closed";

/** What happened, in order. */
export type Event =
  /** The state is another one. */
  | { readonly event: "state"; readonly state: State; readonly error?: RhtmxError | undefined }
  /** To the shell: make a connection. */
  | { readonly event: "connect" }
  /** To the shell: end the connection, without waiting for the other side. */
  | { readonly event: "disconnect"; readonly code: number }
  /** A record or a field changed, by granularity. */
  | { readonly event: "changed"; readonly granularity: Granularity; readonly log: Log }
  /** What is held of this stream is to be dropped; all of it follows anew. */
  | { readonly event: "reset"; readonly granularity: Granularity; readonly entity: string }
  /** The stream has caught up. */
  | {
      readonly event: "synced";
      readonly granularity: Granularity;
      readonly entity: string;
      readonly position: Position;
    }
  /** A request was answered; `before` came ahead of the answer and belongs to it. */
  | {
      readonly event: "answered";
      readonly id: string;
      readonly message: ServerMessage;
      readonly before: readonly unknown[];
    }
  /** A request was refused. */
  | { readonly event: "refused"; readonly id: string; readonly error: RhtmxError }
  /** Something went wrong that was no answer to a request. */
  | { readonly event: "problem"; readonly error: RhtmxError };

/** What came of one call. */
export interface Output {
  /** To be sent, in order. */
  readonly frames: readonly Frame[];
  /** To be told, in order. */
  readonly events: readonly Event[];
}
