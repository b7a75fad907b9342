/**
 * What a session tells its owner.
 *
 * Knows the words of the conversation between session and leader. Must not know
 * what either does.
 */

import type { Refusal } from "../errors.ts";
import type { Frame } from "../wire/index.ts";
import type { Op, Write } from "./storage-ops.ts";
import type { TabMessage } from "./tab-messages.ts";

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

/** What a session takes, beside what tabs say. */
export type Input =
  /** Time passed. The first one makes the first connection. */
  | { readonly type: "tick" }
  /** The socket opened. */
  | { readonly type: "opened" }
  | { readonly type: "frame"; readonly data: string | Uint8Array }
  /**
   * The connection ended, with a close code if there was one, or could not be made; why, if
   * that is known.
   */
  | { readonly type: "ended"; readonly code?: number | undefined; readonly why?: Refusal }
  /** It turned out why no connection can be made. It is tried again all the same: somebody may mend it. */
  | { readonly type: "explained"; readonly why: Refusal }
  /** These are in the store. */
  | { readonly type: "stored"; readonly ops: readonly Op[] }
  /** The store could not give this write a fresh number. */
  | { readonly type: "unnumbered"; readonly id: string }
  /** The queue was loaded anew. */
  | { readonly type: "loaded" }
  | TabMessage;

/** What came of one input. */
export interface Output {
  /** To be sent, in order. */
  readonly frames: readonly Frame[];
  /** To be passed on, in order. */
  readonly events: readonly Event[];
  /** Applied to memory, to be stored. */
  readonly ops: readonly Op[];
  /** When to say `tick`; undefined for never. */
  readonly deadline: number | undefined;
}
