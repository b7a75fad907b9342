/**
 * The messages of the protocol, as they look in JSON.
 *
 * Generated from proto/ by `nox -s codegen`. Do not edit.
 */

/** Any JSON value; an integer that a number cannot hold to the digit is a bigint. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** One of the words that this client knows, or one that a newer server says. */
export type Open<T extends string> = T | (string & {});

/** What happened to a record. */
export type ChangeAction =
  /** There was no live record before. */
  | "create"
  /** There was one. */
  | "update"
  /** It is gone. */
  | "delete";

/** Why a request was refused, or a connection closed. */
export type ErrorCode =
  /**
   * The message cannot be understood: not valid in its wire format, a field
   * missing or of the wrong type, a value out of its range. The connection
   * survives ten of them.
   */
  | "bad_message"
  /** The server runs with a fixed list of entities and this is not one of them. */
  | "unknown_entity"
  /**
   * No form of this name is registered, or it has no field of this name; the
   * message suggests the one that may be meant.
   */
  | "unknown_form"
  /**
   * The write does not fit the record: fields pushed into a record whose data
   * is not a JSON object.
   */
  | "invalid_data"
  /**
   * The record has moved on since `base_version`. `details` holds it as it is
   * now.
   */
  | "conflict"
  /**
   * The `seq` leaves a gap after the last one that arrived, or was confirmed
   * long ago. `details` holds the last `seq`.
   */
  | "out_of_order"
  /** This `seq` was used before, for a mutation with other content. */
  | "seq_reused"
  /**
   * This `client_id` belongs to another subject, or to whoever has its secret:
   * use a new one.
   */
  | "client_id_taken"
  /** A newer validation of the same field took the place of this one. */
  | "superseded"
  /** A validator took longer than its time. */
  | "timeout"
  /** Too many requests are waiting for their answer on this connection. */
  | "too_many_requests"
  /** Too many subscriptions on this connection. */
  | "too_many_subscriptions"
  /** The message is larger than the server takes. Ends the connection. */
  | "too_large"
  /** A token is missing, wrong or expired. */
  | "unauthenticated"
  /** The subject may not do this. */
  | "forbidden"
  /** The server cannot do this, or is not configured to. */
  | "not_supported"
  /** The disk is full: nothing was written, reading goes on. */
  | "storage_full"
  /** The store did not answer: nothing was written. */
  | "storage_failed"
  /** The server failed; `details` holds the id to look for in its log. */
  | "internal"
  /** The server is stopping: reconnect. */
  | "shutting_down"
  /** The client stopped reading, or gave no sign of life: reconnect. */
  | "stalled"
  /** There is no such record. */
  | "not_found"
  /**
   * More messages or bytes a second than the server takes from one connection.
   * Nothing was done, no number is used up: send it again after `retry_after`.
   */
  | "rate_limited";

/** What happened to a field. */
export type FieldAction =
  /** It has this value now. */
  | "update"
  /** It is gone. */
  | "delete";

/** How two concurrent writes of one field become one. */
export type MergeStrategy =
  /** The later timestamp wins; equal ones are decided by client id, then value. */
  | "last_write_wins"
  /**
   * The stored value stays, the other one is kept in the history, and the
   * client decides.
   */
  | "keep_both"
  /** The stored value stays. */
  | "server_wins"
  /** The arriving value is taken. */
  | "client_wins";

/** Whose value a field has after a conflict. */
export type Winner =
  /** The value that was stored. */
  | "server"
  /** The value that was pushed. */
  | "client";

/**
 * Introduces the client. Optional, and first when sent: a client without it
 * has no `seq`, no heartbeat and no resume after a restore.
 */
export interface Hello {
  /** Which message it is. */
  readonly type: "hello";
  /**
   * Stable id of this client instance, 1 to 255 bytes; a copy of it is another
   * instance. Needed to send `seq`. It belongs to whoever first wrote under it.
   */
  readonly client_id?: string | undefined;
  /** Bearer token. */
  readonly token?: string | undefined;
  /** Hash of the schema that the client was generated from. */
  readonly schema?: string | undefined;
  /** The epoch that the client saw last. */
  readonly epoch?: string | undefined;
  /** Every answer up to this `seq` has arrived: the server may forget them. */
  readonly confirmed_seq?: number | undefined;
  /**
   * Where nobody is asked for a token: the right to write under this
   * `client_id` once mutations were numbered under it. What `welcome` gave, or
   * one of the client's own from the first `hello` on; 1 to 255 bytes.
   */
  readonly secret?: string | undefined;
}

/** What one connection may ask for. */
export interface Limits {
  /** Size of one message, in bytes. */
  readonly message_bytes: number;
  /** Entities subscribed to at a time. */
  readonly subscriptions: number;
  /** Requests (not pushes) waiting for their answer at a time. */
  readonly requests: number;
}

/** Answers `hello`. */
export interface Welcome {
  /** Which message it is. */
  readonly type: "welcome";
  /** Id of this connection, as found in the server's log. */
  readonly session_id: string;
  /** The store's epoch. */
  readonly epoch: string;
  /**
   * The last `seq` of this client that took effect or was rejected. Whatever
   * is above has to be sent again.
   */
  readonly last_seq: number;
  /**
   * Each side sends something at least this often, in milliseconds; a `ping`
   * if there is nothing else. Two of them in silence: the peer is gone.
   */
  readonly heartbeat: number;
  /** What this connection may ask for. */
  readonly limits: Limits;
  /** The server's clock. */
  readonly server_time: string;
  /** Hash of the schema that the server was generated from. */
  readonly schema: string;
  /**
   * Given where nobody is asked for a token, as long as nothing was numbered
   * under the `client_id` and `hello` had none. The first number binds the id
   * to it: keep it beside the id before that, and say it in every later
   * `hello`. The id itself is no secret, every change carries it.
   */
  readonly secret?: string | undefined;
}

/** Presents a fresh token on the live connection; the subject stays the same. */
export interface Authenticate {
  /** Which message it is. */
  readonly type: "authenticate";
  /** Bearer token. */
  readonly token: string;
  /** Comes back in the answer. */
  readonly request_id?: string | undefined;
}

/** Answers `authenticate`. */
export interface Authenticated {
  /** Which message it is. */
  readonly type: "authenticated";
  /** When the token expires, if it does. */
  readonly expires?: string | undefined;
  /** The request that this answers. */
  readonly request_id?: string | undefined;
}

/** Something could not be done. Answers the request named in `request_id`. */
export interface Error {
  /** Which message it is. */
  readonly type: "error";
  /** What was wrong, where, and what to do. */
  readonly message: string;
  /** The same, for programs. */
  readonly code?: Open<ErrorCode> | undefined;
  /** The request that failed, where it had an id. */
  readonly request_id?: string | undefined;
  /** The mutation that failed, where it had one. */
  readonly seq?: number | undefined;
  /** The same request may succeed later. */
  readonly retryable?: boolean | undefined;
  /**
   * What this code adds. Where a subscription to one entity is refused, which has
   * no id, `{"entity": …}` names it, unless the code adds something else.
   */
  readonly details: JsonValue;
  /** Wait this long before sending it again, in milliseconds. */
  readonly retry_after?: number | undefined;
}

/** Are you there? Answered with `pong`. */
export interface Ping {
  /** Which message it is. */
  readonly type: "ping";
}

/** Answers `ping`. */
export interface Pong {
  /** Which message it is. */
  readonly type: "pong";
}

/**
 * A place in the log of one entity. The two are never used apart: after a
 * restore the epoch is another one, and the same version means something else.
 */
export interface Position {
  /** The store's epoch when the version was read. */
  readonly epoch: string;
  /** The version up to which everything was received. */
  readonly version: number;
}

/**
 * Starts the live stream of whole records. Without `since` it starts with the
 * next change; a client that said `hello` is told where that is.
 */
export interface Subscribe {
  /** Which message it is. */
  readonly type: "subscribe";
  /** The collections. */
  readonly entities: readonly string[];
  /**
   * Where to resume, by entity; `sync_complete` tells when the stream has
   * caught up.
   */
  readonly since?: { readonly [key: string]: Position } | undefined;
}

/** Ends the live stream of whole records. */
export interface Unsubscribe {
  /** Which message it is. */
  readonly type: "unsubscribe";
  /** The collections. */
  readonly entities: readonly string[];
}

/** Asks for every record that changed after a version, each at its latest. */
export interface Sync {
  /** Which message it is. */
  readonly type: "sync";
  /** The collection. */
  readonly entity: string;
  /** The last version that the client has; 0 for everything. */
  readonly since: number;
  /** The epoch in which `since` was read. Without it the version is trusted. */
  readonly epoch?: string | undefined;
  /** Comes back in the answer. */
  readonly request_id?: string | undefined;
}

/** Ends the answer to `sync`, and the catching up of `subscribe` with `since`. */
export interface SyncComplete {
  /** Which message it is. */
  readonly type: "sync_complete";
  /** The collection. */
  readonly entity: string;
  /** The client has everything up to here. */
  readonly version: number;
  /** The epoch of that version. */
  readonly epoch: string;
  /**
   * The position could not be resumed and this was a full snapshot: what the
   * client holds beyond it is gone. Pending writes are not.
   */
  readonly reset: boolean;
  /** The request that this answers. */
  readonly request_id?: string | undefined;
}

/** One committed change of a record. */
export interface ChangeLog {
  /** The collection. */
  readonly entity: string;
  /** The record. */
  readonly entity_id: string;
  /** What happened. */
  readonly action: ChangeAction;
  /** The whole record after the change; `null` after a delete. */
  readonly data: JsonValue;
  /** Place in the entity's log: 1, 2, 3 … */
  readonly version: number;
  /** Who wrote it, if the client had introduced itself. */
  readonly client_id?: string | undefined;
  /** When it was committed, by the server's clock. */
  readonly created_at: string;
}

/** A record changed. */
export interface Change {
  /** Which message it is. */
  readonly type: "change";
  /** What changed. */
  readonly change: ChangeLog;
}

/** Writes a whole record, or deletes it. */
export interface Push {
  /** Which message it is. */
  readonly type: "push";
  /** The collection, 1 to 255 bytes. */
  readonly entity: string;
  /** The record, 1 to 255 bytes. */
  readonly entity_id: string;
  /** `delete`, or anything else: the log says what really happened. */
  readonly action: ChangeAction;
  /** The whole record. */
  readonly data: JsonValue;
  /** Comes back in the answer. */
  readonly request_id?: string | undefined;
  /**
   * Number of this mutation, 1, 2, 3 … by client: it takes effect once, however
   * often it is sent.
   */
  readonly seq?: number | undefined;
  /**
   * The version of the record that the client saw (0: none). If it has moved
   * on, the push is refused with `conflict`.
   */
  readonly base_version?: number | undefined;
}

/** The push is durable. */
export interface PushAck {
  /** Which message it is. */
  readonly type: "push_ack";
  /** The collection. */
  readonly entity: string;
  /** The record. */
  readonly entity_id: string;
  /**
   * The version that it got; for a delete of what was not there, the version
   * of the collection.
   */
  readonly version: number;
  /** The request that this answers. */
  readonly request_id?: string | undefined;
  /** The mutation that this answers. */
  readonly seq?: number | undefined;
  /** The epoch of the version. */
  readonly epoch?: string | undefined;
  /** It had arrived before; this is the same answer again. */
  readonly duplicate?: boolean | undefined;
  /** The server's clock. */
  readonly server_time?: string | undefined;
}

/**
 * Starts the live stream of field changes. Without `since` it starts with the
 * next change; a client that said `hello` is told where that is.
 */
export interface SubscribeFields {
  /** Which message it is. */
  readonly type: "subscribe_fields";
  /** The collections. */
  readonly entities: readonly string[];
  /**
   * Where to resume, by entity; `sync_fields_complete` tells when the stream
   * has caught up.
   */
  readonly since?: { readonly [key: string]: Position } | undefined;
}

/** Ends the live stream of field changes. */
export interface UnsubscribeFields {
  /** Which message it is. */
  readonly type: "unsubscribe_fields";
  /** The collections. */
  readonly entities: readonly string[];
}

/** Asks for every field that changed after a version, each at its latest. */
export interface SyncFields {
  /** Which message it is. */
  readonly type: "sync_fields";
  /** The collection. */
  readonly entity: string;
  /** The last version that the client has; 0 for everything. */
  readonly since: number;
  /** The epoch in which `since` was read. Without it the version is trusted. */
  readonly epoch?: string | undefined;
  /** Comes back in the answer. */
  readonly request_id?: string | undefined;
}

/**
 * Ends the answer to `sync_fields`, and the catching up of `subscribe_fields`
 * with `since`.
 */
export interface SyncFieldsComplete {
  /** Which message it is. */
  readonly type: "sync_fields_complete";
  /** The collection. */
  readonly entity: string;
  /** The client has everything up to here. */
  readonly version: number;
  /** The epoch of that version. */
  readonly epoch: string;
  /**
   * The position could not be resumed and this was a full snapshot: what the
   * client holds beyond it is gone. Pending writes are not.
   */
  readonly reset: boolean;
  /** The request that this answers. */
  readonly request_id?: string | undefined;
}

/** One committed change of a field. */
export interface FieldChangeLog {
  /** The collection. */
  readonly entity: string;
  /** The record. */
  readonly entity_id: string;
  /** The top-level key. */
  readonly field: string;
  /** Its value after the change; `null` after a delete. */
  readonly value: JsonValue;
  /** What happened. */
  readonly action: FieldAction;
  /** Place in the entity's log, the same log as that of whole records. */
  readonly version: number;
  /** Who wrote it, if the client had introduced itself. */
  readonly client_id?: string | undefined;
  /** When it was written, as merged. */
  readonly timestamp: string;
  /**
   * More follows before the client has everything up to this version: a client
   * that is cut off here resumes from the position it had before.
   */
  readonly more?: boolean | undefined;
}

/** A field changed. */
export interface FieldChange {
  /** Which message it is. */
  readonly type: "field_change";
  /** What changed. */
  readonly change: FieldChangeLog;
}

/** One field to write. */
export interface FieldUpdate {
  /** The top-level key, 1 to 255 bytes. */
  readonly field: string;
  /** Its new value. */
  readonly value: JsonValue;
  /** Set it or remove it. */
  readonly action: FieldAction;
  /**
   * When the user did it. Times ahead of the server's clock by more than a
   * minute are brought back to that.
   */
  readonly timestamp: string;
}

/** Writes some fields of one record, all or none of the winners in one version. */
export interface PushFields {
  /** Which message it is. */
  readonly type: "push_fields";
  /** The collection, 1 to 255 bytes. */
  readonly entity: string;
  /** The record, 1 to 255 bytes. */
  readonly entity_id: string;
  /** The fields, each at most once. */
  readonly fields: readonly FieldUpdate[];
  /** Comes back in the answer. */
  readonly request_id?: string | undefined;
  /** Number of this mutation, in one sequence with the pushes of whole records. */
  readonly seq?: number | undefined;
  /**
   * The version of the record that the client saw: a field that another client
   * wrote later is in conflict. Without it the timestamps decide.
   */
  readonly base_version?: number | undefined;
}

/** The field push is durable. */
export interface FieldPushAck {
  /** Which message it is. */
  readonly type: "field_push_ack";
  /** The collection. */
  readonly entity: string;
  /** The record. */
  readonly entity_id: string;
  /** How many fields have the pushed value now. */
  readonly applied: number;
  /** How many fields were in conflict; each has its own `field_conflict`. */
  readonly conflicts: number;
  /** The version of the record now. */
  readonly version?: number | undefined;
  /** The request that this answers. */
  readonly request_id?: string | undefined;
  /** The mutation that this answers. */
  readonly seq?: number | undefined;
  /** The epoch of the version. */
  readonly epoch?: string | undefined;
  /** It had arrived before; this is the same answer again. */
  readonly duplicate?: boolean | undefined;
  /** The server's clock. */
  readonly server_time?: string | undefined;
  /** How many timestamps lay in the future and were brought back. */
  readonly clamped?: number | undefined;
}

/**
 * A pushed field was in conflict with a write that the client had not seen.
 * Sent before the `field_push_ack`.
 */
export interface FieldConflict {
  /** Which message it is. */
  readonly type: "field_conflict";
  /** The collection. */
  readonly entity: string;
  /** The record. */
  readonly entity_id: string;
  /** The top-level key. */
  readonly field: string;
  /** The value that was stored; `null` if it was deleted. */
  readonly server_value: JsonValue;
  /** When that was written. */
  readonly server_timestamp: string;
  /** The value that was pushed; `null` if that was a delete. */
  readonly client_value: JsonValue;
  /** When that was written, as merged. */
  readonly client_timestamp: string;
  /** The version of the record now. */
  readonly version?: number | undefined;
  /** Whose value the field has now. */
  readonly winner?: Open<Winner> | undefined;
  /** The rule that decided. */
  readonly strategy?: Open<MergeStrategy> | undefined;
  /** The mutation that was in conflict. */
  readonly seq?: number | undefined;
}

/** A file that was chosen: what is known of it before it is uploaded. */
export interface FormFile {
  /** Its name, without a path. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
  /** Its media type, as far as the browser knows it; may be empty. */
  readonly type: string;
}

/**
 * One field of a form and one value of it. A field that has several values, as
 * several checkboxes of one name, stands in the list once for each of them.
 */
export interface FormFieldValue {
  /** The field's name. */
  readonly field: string;
  /** What the user entered; for a file its name. */
  readonly value: string;
  /** The file, if the value is one. */
  readonly file?: FormFile | undefined;
}

/**
 * Asks whether one value is valid. A newer one for the same form, instance and
 * field takes the place of one that is still running.
 */
export interface ValidateField {
  /** Which message it is. */
  readonly type: "validate_field";
  /** Comes back in the answer. */
  readonly request_id: string;
  /** The form's name. */
  readonly form: string;
  /** The field's name. */
  readonly field: string;
  /** What the user entered; the first, if the field has several values. */
  readonly value: string;
  /**
   * Which of several such forms on the page. With it, names that the form does not
   * have are taken for what else the page has there, unless one looks like a
   * misspelt field; without, they are errors.
   */
  readonly form_instance?: string | undefined;
  /**
   * The form's other values, for rules across fields. If the field itself stands
   * here, too, this is all that it has: several values, or a file.
   */
  readonly values?: readonly FormFieldValue[] | undefined;
}

/** Answers `validate_field`. */
export interface ValidationResult {
  /** Which message it is. */
  readonly type: "validation_result";
  /** The request that this answers. */
  readonly request_id: string;
  /** The form's name. */
  readonly form: string;
  /** The field's name. */
  readonly field: string;
  /** Whether the value is valid. */
  readonly valid: boolean;
  /** If not, why, in words for the user. */
  readonly error?: string | undefined;
  /** What the validator adds: a suggestion, a strength, a price. */
  readonly metadata: JsonValue;
}

/**
 * Asks whether a whole form is valid: every registered field is checked, also
 * those left out here.
 */
export interface ValidateForm {
  /** Which message it is. */
  readonly type: "validate_form";
  /** Comes back in the answer. */
  readonly request_id: string;
  /** The form's name. */
  readonly form: string;
  /** What the user entered. */
  readonly fields: readonly FormFieldValue[];
  /** Which of several such forms on the page; see `validate_field`. */
  readonly form_instance?: string | undefined;
}

/** What is wrong with one field of a form. */
export interface FieldError {
  /** The field's name; empty for the form as a whole. */
  readonly field: string;
  /** In words for the user. */
  readonly error: string;
}

/** Answers `validate_form`. */
export interface FormValidationResult {
  /** Which message it is. */
  readonly type: "form_validation_result";
  /** The request that this answers. */
  readonly request_id: string;
  /** The form's name. */
  readonly form: string;
  /** Whether all of it is valid. */
  readonly valid: boolean;
  /** Everything that is wrong. */
  readonly errors: readonly FieldError[];
}

/** What a client may send. */
export type ClientMessage =
  | Hello
  | Authenticate
  | Ping
  | Pong
  | Subscribe
  | Unsubscribe
  | Sync
  | Push
  | SubscribeFields
  | UnsubscribeFields
  | SyncFields
  | PushFields
  | ValidateField
  | ValidateForm;

/** What a server may send. */
export type ServerMessage =
  | Welcome
  | Authenticated
  | Error
  | Ping
  | Pong
  | SyncComplete
  | Change
  | PushAck
  | SyncFieldsComplete
  | FieldChange
  | FieldPushAck
  | FieldConflict
  | ValidationResult
  | FormValidationResult;

/** Any message; `type` tells which. */
export type Message = ClientMessage | ServerMessage;
