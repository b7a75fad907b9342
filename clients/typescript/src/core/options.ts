/**
 * What the calls of a client take and return, beside messages.
 *
 * Knows nothing but their shape.
 */
import type { Violation } from "../errors.ts";
import type { Conflict } from "./conflict.ts";

export type { PatchOptions, WriteOptions } from "./build-message.ts";

import type * as m from "../messages/types.ts";
import type { Format, Frame } from "../wire/index.ts";
import type { Operation } from "./operations.ts";
import type { Where } from "./part.ts";
import type { Rejection } from "./storage-ops.ts";
import type { Traceparent } from "./traceparent.ts";

/**
 * The part of a `WebSocket` that is used; the global one and that of `ws` have
 * it, with events of different types: hence `unknown`.
 */
export interface WebSocketLike {
  /** Set to `arraybuffer` for the binary format. */
  binaryType: string;
  /** The subprotocol that was chosen; empty for none. */
  readonly protocol?: string;
  /** 0 to 3, from connecting to closed. */
  readonly readyState?: number;
  /** Called once it is open. */
  onopen: unknown;
  /** Called with each frame. */
  onmessage: unknown;
  /** Called once it is closed, with the close code. */
  onclose: unknown;
  /** Called when it fails; `onclose` follows. */
  onerror: unknown;
  /** Sends a frame. */
  send(data: Frame): void;
  /** Closes it, with a close code. */
  close(code?: number): void;
}

/** A class to make WebSockets of. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocketLike;

/** Ends what was begun; calling it again does nothing. */
export type Stop = () => void;

/** How to connect. */
export interface ConnectOptions {
  /** The format of the wire; JSON if left out. */
  readonly format?: Format | undefined;
  /**
   * Bearer token, or what gets one: called for every connection, so that a
   * token that has expired ends nothing.
   */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /**
   * The name of the database that keeps records and writes; `rhtmx:` and the
   * URL if left out. All tabs share it, and one connection. `false`, or where
   * there is no IndexedDB, or a page has no Web Locks (without TLS): memory,
   * which lasts as long as the page.
   */
  readonly storage?: string | false | undefined;
  /**
   * Id of this client, 1 to 255 bytes; one that is made with the database if
   * left out. Two clients at a time must never share one.
   */
  readonly clientId?: string | undefined;
  /**
   * What gives the right to number writes under `clientId`, where nobody is asked
   * for a token. The server gives one if left out, and the database keeps it; give
   * both to go on under one id without a database.
   */
  readonly clientSecret?: string | undefined;
  /**
   * The application's schema, as `rhtmx codegen` has generated it. The server is told its version,
   * and every write says that it was made under it, so that a server of a later version knows what
   * it means. What is written by `Client.of` says so without this.
   */
  readonly schema?: m.SchemaVersion | undefined;
  /**
   * Where in a trace this page or program is, as W3C Trace Context writes it, or a function that
   * says so: it is called for each connection and each write, and what a server traces links to
   * it. What is none is left out.
   */
  readonly traceparent?: Traceparent;
  /** The class to make sockets of; the global one if left out. */
  readonly WebSocket?: WebSocketClass | undefined;
}

/** How to read a collection. */
export interface CollectionOptions {
  /** Whole records, or field by field; the same for all who read it. `records` if left out. */
  readonly granularity?: "records" | "fields" | undefined;
  /**
   * Only the records in which these fields have these values; a list means any of its values.
   * The server has to divide the entity by them (`partition`). All that one may read if left out.
   */
  readonly where?: Where | undefined;
}

/** Which changes to be told of. */
export interface ChangesOptions {
  /** Only those of a part of the entity; see {@link CollectionOptions}. */
  readonly where?: Where | undefined;
}

/** A value of a form: a text, or what rules can see of a file; a `File` will do. */
export type FormValue = string | m.FormFile;

/** Values by field; several of one field, as of checkboxes of one name, are a list. */
export type FormValues = Readonly<Record<string, FormValue | readonly FormValue[]>>;

/** What a question about a whole form may carry. */
export interface ValidateFormOptions {
  /** Which of several such forms on the page. */
  readonly formInstance?: string | undefined;
  /**
   * Whether a valid form is given a `receipt`, for the handler that it is sent to; a question about
   * one field has none.
   */
  readonly receipt?: boolean | undefined;
  /**
   * Whether `onValidation` is told when the verdict on a field changes because of records that its
   * rules read, until `closeForm`, or the connection is lost.
   */
  readonly live?: boolean | undefined;
}

/** What a question about one field may carry. */
export interface ValidateFieldOptions extends ValidateFormOptions {
  /** The form's other values, for rules across fields. */
  readonly values?: FormValues | undefined;
}

/** What came of a transaction. Of one whose answer this page has missed there are no `results`. */
export interface TransactionResult extends m.TransactionAck {
  /** How many fields were in conflict; `onConflict` gets each. */
  readonly conflicts: number;
}

/** A write that was rejected for good; kept until it is tried again or given up. */
export interface Rejected extends Rejection {
  /** The fields that are wrong, each with its words; see `RhtmxError`. */
  readonly violations: readonly Violation[];
  /** Writes it again, as a new write: a transaction as a whole. Resolves when that is durable. */
  retry(): Promise<m.PushAck | m.FieldPushAck | TransactionResult>;
  /** Gives it up. */
  discard(): void;
}

/**
 * A conflict that can be answered. Each answer resolves when it is durable. One in the log is gone
 * at once, and is answered once: whoever comes second with something to write is rejected with
 * `conflict`.
 */
export interface OpenConflict extends Conflict {
  /** `mine` is to stand: an operation is applied to what is there by then. Writes nothing if it does. */
  keepMine(): Promise<unknown>;
  /** `theirs` is to stand. Writes nothing if it does. */
  takeTheirs(): Promise<unknown>;
  /** What had lost is to stand. */
  keepLost(): Promise<unknown>;
  /** It is to stay as it is. */
  keepStanding(): Promise<unknown>;
  /** This value is to stand, or what comes of an operation; undefined deletes. */
  merge(value: m.JsonValue | Operation | undefined): Promise<unknown>;
}

/** What a client knows of itself. */
export interface Info {
  /** Empty until the store is loaded. */
  readonly clientId: string;
  /** The epoch of the server that was seen last. */
  readonly epoch?: string | undefined;
  /** The short name of the server that is connected to, or was last, if it is one of several. */
  readonly node?: string | undefined;
  /** Up to which version each entity was received, and each part: `orders where {"customer":"7"}`. */
  readonly positions: Readonly<Record<string, number | undefined>>;
  /**
   * What is written here outlives the page. False until the store is loaded, where there is
   * none, and while the browser's does not work: then all is kept in memory, and sent.
   */
  readonly stored: boolean;
  /** Whether this tab has the connection of all tabs. */
  readonly leads: boolean;
}
