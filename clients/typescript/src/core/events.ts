/**
 * What a session tells its owner.
 *
 * Knows the words of the conversation between session and leader. Must not know
 * what either does.
 */

import type { Frame } from "../wire/index.ts";
import type { Op, Write } from "./storage-ops.ts";
import type { TabMessage } from "./tab-channel.ts";

/** What the leader is to do. */
export type Command =
  /** Make a connection. */
  | { readonly type: "connect" }
  /** End the connection, without waiting for the other side. */
  | { readonly type: "disconnect"; readonly code: number }
  /** Find out why no connection can be made; so many attempts in a row have failed. */
  | { readonly type: "explain"; readonly times: number }
  /** Get a fresh token, if the application gives one. */
  | { readonly type: "token" }
  /** Have the store give this write a fresh number. */
  | { readonly type: "renew"; readonly write: Write }
  /** Have everybody say again what they have open and ask. */
  | { readonly type: "again" }
  /** Load the queue anew: a write is missing. */
  | { readonly type: "reload" };

/** What happened, in order. */
export type Event = TabMessage | Command;

/** What came of one call. */
export interface Output {
  /** To be sent, in order. */
  readonly frames: readonly Frame[];
  /** To be told, in order. */
  readonly events: readonly Event[];
  /** Applied to memory, to be stored. */
  readonly ops: readonly Op[];
}
