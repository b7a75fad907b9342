/**
 * What the calls of a client take and return, beside messages.
 *
 * Knows nothing but their shape.
 */
import type * as m from "./messages/types.ts";
import type { WebSocketClass } from "./socket.ts";
import type { Log } from "./streams.ts";
import type { Format } from "./wire/index.ts";

/** How to connect. */
export interface ConnectOptions {
  /** The format of the wire; JSON if left out. */
  readonly format?: Format | undefined;
  /** Bearer token. */
  readonly token?: string | undefined;
  /**
   * Id of this client, 1 to 255 bytes; a fresh one if left out. Two clients at
   * a time must never share one. `null`: none, and then a write whose answer
   * was lost may take effect twice.
   */
  readonly clientId?: string | null | undefined;
  /** The class to make sockets of; the global one if left out. */
  readonly WebSocket?: WebSocketClass | undefined;
}

/** How to subscribe. */
export interface SubscribeOptions {
  /** Where to start: a position, or 0 for everything; at the next change if left out. */
  readonly since?: m.Position | 0 | undefined;
  /**
   * What was delivered so far is to be dropped; all of it follows anew. Called
   * when the server could not resume where the stream was cut.
   */
  readonly onReset?: (() => void) | undefined;
  /** Everything up to this position was delivered; live changes follow. */
  readonly onSynced?: ((position: m.Position) => void) | undefined;
}

/** What a write may carry. */
export interface PushOptions {
  /** The version of the record that the user saw; 0 for none. */
  readonly baseVersion?: number | undefined;
}

/** What a write of fields may carry. */
export interface PushFieldsOptions extends PushOptions {
  /** Fields to remove. */
  readonly delete?: readonly string[] | undefined;
  /** When the user did it; now if left out. */
  readonly timestamp?: Date | undefined;
}

/** What a question about a whole form may carry. */
export interface ValidateFormOptions {
  /** Which of several such forms on the page. */
  readonly formInstance?: string | undefined;
}

/** What a question about one field may carry. */
export interface ValidateFieldOptions extends ValidateFormOptions {
  /** The form's other values, for rules across fields. */
  readonly values?: Readonly<Record<string, string>> | undefined;
}

/** The outcome of a write of fields. */
export interface PushFieldsResult {
  readonly ack: m.FieldPushAck;
  readonly conflicts: readonly m.FieldConflict[];
}

/** What a sync brought. */
export interface SyncResult<L extends Log> {
  /** In version order; of what changed twice meanwhile, the later change counts. */
  readonly changes: readonly L[];
  /** Everything up to here is known now. */
  readonly position: m.Position;
  /** This is a full snapshot: what was held before is to be dropped. */
  readonly reset: boolean;
}
