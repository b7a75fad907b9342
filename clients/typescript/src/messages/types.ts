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
  /** There was no record before, or it had been deleted. */
  | "create"
  /** There was a record before. */
  | "update"
  /** The record was deleted. */
  | "delete";

/** Why a request was rejected, or a connection was closed. */
export type ErrorCode =
  /**
   * The server cannot read the message: it is not valid in its wire format, a
   * field is missing or has the wrong type, or a value is out of range. The
   * connection survives ten of them.
   */
  | "bad_message"
  /** The server has a fixed list of entities, and this is not one of them. */
  | "unknown_entity"
  /**
   * No form of this name is registered, or the form has no field of this name;
   * the message suggests a name that may be meant.
   */
  | "unknown_form"
  /**
   * The write does not fit the record: an operation on a value of another kind,
   * say. Where fields are at fault, `details` names them as those of `invalid`.
   */
  | "invalid_data"
  /**
   * The record has changed since `base_version`. `details` contains the current
   * record.
   */
  | "conflict"
  /**
   * The `seq` leaves a gap after the last one that arrived, or was confirmed
   * long ago. `details` contains the last `seq`.
   */
  | "out_of_order"
  /** This `seq` was used before, for a mutation with other content. */
  | "seq_reused"
  /**
   * This `client_id` belongs to another subject, or to the client that has its
   * secret: use a new one.
   */
  | "client_id_taken"
  /** A newer validation of the same field replaced this one. */
  | "superseded"
  /** A validator took longer than its time limit. */
  | "timeout"
  /** Too many requests wait for their answer on this connection. */
  | "too_many_requests"
  /** Too many subscriptions on this connection. */
  | "too_many_subscriptions"
  /**
   * The message is larger than the server accepts. The server closes the
   * connection.
   */
  | "too_large"
  /** A token is missing, wrong or expired. */
  | "unauthenticated"
  /** The subject may not do this. */
  | "forbidden"
  /** The server cannot do this, or is not configured to. */
  | "not_supported"
  /** The disk is full: nothing was written; reading still works. */
  | "storage_full"
  /** The store did not answer: nothing was written. */
  | "storage_failed"
  /**
   * The server failed; `details` contains an id: search the server's log for
   * it.
   */
  | "internal"
  /** The server is stopping: reconnect. */
  | "shutting_down"
  /** The client stopped reading, or gave no sign of life: reconnect. */
  | "stalled"
  /** There is no such record. */
  | "not_found"
  /**
   * More messages or bytes a second than the server accepts from one
   * connection. Nothing was done, and no number is used up: send the message
   * again after `retry_after`.
   */
  | "rate_limited"
  /**
   * The record would not be valid: a check of the application refuses it.
   * `details` names the fields that are at fault: `{"violations": [{"field":
   * "end", "code": "too_early", "message": "ends before it starts"}]}`. `field` is
   * empty for the record as a whole, `code` is a word of the application, or
   * empty. Over gRPC they are in the details of the status, too, as
   * `buf.validate.Violations`.
   */
  | "invalid"
  /**
   * The write was made under a version of the application's schema that is too
   * old for this server: it cannot be made one of today. Nothing was written;
   * the client keeps it until somebody decides.
   */
  | "upgrade_required";

/** What happened to a field. */
export type FieldAction =
  /** The field now has this value. */
  | "update"
  /** The field was removed. */
  | "delete"
  /**
   * Adds `value` to a number: both are integers, and the sum is between
   * -(2^53 - 1) and 2^53 - 1; or both are strings of a decimal number, with as
   * many decimals as the field is declared to have.
   */
  | "increment"
  /**
   * Adds the elements of `value`, a list of strings, integers and booleans, to
   * a set. A set is kept as a list in its order: booleans, integers, strings by
   * their code points.
   */
  | "add"
  /**
   * Removes the elements of `value` from a set, as far as the client had seen
   * them: one that somebody else added after `base_version` stays.
   */
  | "remove"
  /**
   * The larger one of the field and `value`: two numbers, or two strings by
   * their code points.
   */
  | "max"
  /** The smaller one of the field and `value`. */
  | "min"
  /**
   * Adds the elements of `value`, a list, at the end of a list, which has at
   * most 1,000.
   */
  | "append"
  /**
   * Sets the keys of `value`, an object, in an object. If somebody else wrote
   * one of them after `base_version`, that is replaced, and is a conflict.
   */
  | "set_key"
  /**
   * Deletes the keys in `value`, a list of strings, from an object, as far as
   * the client had seen them.
   */
  | "delete_key";

/** Which of two concurrent writes of one field wins. */
export type MergeStrategy =
  /**
   * The later timestamp wins; if they are equal, the client id decides, then
   * the value.
   */
  | "last_write_wins"
  /**
   * The stored value stays, the other one is kept in the history, and the
   * client decides.
   */
  | "keep_both"
  /** The stored value stays. */
  | "server_wins"
  /** The arriving value replaces the stored one. */
  | "client_wins"
  /**
   * The field is a number that is counted by `increment`. A value that is
   * written to it is in conflict with every increment that its author had not
   * seen, also with one that came to the same number; the later one wins.
   */
  | "counter"
  /**
   * The field is a set, changed by `add` and `remove`. A value that is written
   * to it is a list of elements; the later of two concurrent ones wins.
   */
  | "set";

/** Whose value a field has after a conflict. */
export type Winner =
  /** The value that was stored. */
  | "server"
  /** The value that was pushed. */
  | "client";

/**
 * A version of the application's schema: what it declares of entities and
 * forms. It is not the protocol's own schema, and a peer without one says
 * nothing of it.
 */
export interface SchemaVersion {
  /**
   * 1, 2, 3 …: raised by each change after which older clients write something
   * else.
   */
  readonly version: number;
  /** Tells two states of one version apart. */
  readonly hash: string;
  /**
   * Writes that were made under an older version than this are refused with
   * `upgrade_required`; 0: none are.
   */
  readonly oldest: number;
}

/**
 * Introduces the client. It is optional, and must be the first message. A
 * client without it has no `seq`, no heartbeat, and cannot resume after a
 * restore.
 */
export interface Hello {
  /** Which message it is. */
  readonly type: "hello";
  /**
   * Stable id of this client instance, 1 to 255 bytes; a copy of the client is
   * another instance. Required to send `seq`. The id belongs to whoever
   * first wrote under it.
   */
  readonly client_id?: string | undefined;
  /** Bearer token. */
  readonly token?: string | undefined;
  /** Hash of the schema that the client was generated from. */
  readonly schema?: string | undefined;
  /** The last epoch that the client saw. */
  readonly epoch?: string | undefined;
  /**
   * The client has received every answer up to this `seq`: the server may
   * forget them.
   */
  readonly confirmed_seq?: number | undefined;
  /**
   * If the server asks for no tokens: the secret that gives the right to write
   * under this `client_id` after mutations were numbered under it. It is the
   * one of `welcome`, or one that the client made itself and sends from the
   * first `hello` on; 1 to 255 bytes.
   */
  readonly secret?: string | undefined;
  /** The application's schema that the client was built with. */
  readonly app_schema?: SchemaVersion | undefined;
  /**
   * The span of the client's trace in which it connects, as a `traceparent` of
   * W3C Trace Context: what the server traces of this connection links to it,
   * unless it has one of its own. One that is none is passed over.
   */
  readonly traceparent?: string | undefined;
}

/** Limits of one connection. */
export interface Limits {
  /** Size of one message, in bytes. */
  readonly message_bytes: number;
  /** How many entities may be subscribed to at a time. */
  readonly subscriptions: number;
  /** How many requests, other than pushes, may wait for their answer at a time. */
  readonly requests: number;
}

/** Answers `hello`. */
export interface Welcome {
  /** Which message it is. */
  readonly type: "welcome";
  /** Id of this connection, as in the server's log. */
  readonly session_id: string;
  /** The store's epoch. */
  readonly epoch: string;
  /**
   * The last `seq` of this client that took effect or was rejected. The client
   * has to send all later ones again.
   */
  readonly last_seq: number;
  /**
   * Each side sends something at least this often, in milliseconds: a `ping` if
   * there is nothing else. If the other side is silent for two of these
   * intervals, it is gone.
   */
  readonly heartbeat: number;
  /** Limits of this connection. */
  readonly limits: Limits;
  /** The time of the server's clock. */
  readonly server_time: string;
  /** Hash of the schema that the server was generated from. */
  readonly schema: string;
  /**
   * Sent if the server asks for no tokens, nothing was numbered under the
   * `client_id` so far, and `hello` had no secret. The first number binds the
   * id to the secret: the client stores the secret beside the id before that,
   * and sends it in every later `hello`. The id itself is no secret: every
   * change contains it.
   */
  readonly secret?: string | undefined;
  /** The application's schema of the server. */
  readonly app_schema?: SchemaVersion | undefined;
  /** The short name of the server, if it is one of several that share a store. */
  readonly node?: string | undefined;
}

/** Sends a new token on the open connection; the subject must be the same. */
export interface Authenticate {
  /** Which message it is. */
  readonly type: "authenticate";
  /** Bearer token. */
  readonly token: string;
  /** The answer contains the same value. */
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

/** Reports a request that failed: the one with this `request_id`. */
export interface Error {
  /** Which message it is. */
  readonly type: "error";
  /** What was wrong, where, and what to do about it. */
  readonly message: string;
  /** The reason, for programs. */
  readonly code?: Open<ErrorCode> | undefined;
  /** The request that failed, if it had an id. */
  readonly request_id?: string | undefined;
  /** The mutation that failed, if it had a number. */
  readonly seq?: number | undefined;
  /** Whether the same request may succeed later. */
  readonly retryable?: boolean | undefined;
  /**
   * What this code adds. If the server rejects a subscription to one entity,
   * which has no id, this is `{"entity": …}`, unless the code adds something
   * else. If it rejects a message that it never stores, which has no id either,
   * `type` is the name of the message.
   */
  readonly details: JsonValue;
  /** How long to wait before sending the request again, in milliseconds. */
  readonly retry_after?: number | undefined;
}

/** Asks whether the other side is there; it answers with `pong`. */
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
 * A place in the log of one entity. Always use the epoch and the version
 * together: after a restore the epoch is another one, and the same version
 * means something else.
 */
export interface Position {
  /** The store's epoch when the version was read. */
  readonly epoch: string;
  /** The version up to which the client has received everything. */
  readonly version: number;
  /**
   * What the client may read of the entity, as the server sent it with this
   * position. Absent for a whole entity.
   */
  readonly scope?: string | undefined;
}

/**
 * Starts the live stream of whole records. Without `since` it starts with the
 * next change; a client that sent `hello` gets a `sync_complete` that says
 * where that is.
 */
export interface Subscribe {
  /** Which message it is. */
  readonly type: "subscribe";
  /** The entities. */
  readonly entities: readonly string[];
  /**
   * Where to resume, by entity; `sync_complete` says when the stream has caught
   * up.
   */
  readonly since?: { readonly [key: string]: Position } | undefined;
  /**
   * By entity, the part of it that is wanted: `{"orders": {"customer": "7"}}`.
   * A list means any of its values. Only fields by which the entity is divided
   * (`partition`). One client may read several parts of one entity: each is a
   * subscription of its own.
   */
  readonly where?: JsonValue | undefined;
}

/** Ends the live stream of whole records. */
export interface Unsubscribe {
  /** Which message it is. */
  readonly type: "unsubscribe";
  /** The entities. */
  readonly entities: readonly string[];
  /**
   * By entity, the part whose subscription ends, as it was given to
   * `subscribe`.
   */
  readonly where?: JsonValue | undefined;
}

/** Asks for every record that changed after a version, each in its latest state. */
export interface Sync {
  /** Which message it is. */
  readonly type: "sync";
  /** The entity. */
  readonly entity: string;
  /** The last version that the client has; 0 for everything. */
  readonly since: number;
  /** The epoch of `since`. Without it the server trusts the version. */
  readonly epoch?: string | undefined;
  /** The answer contains the same value. */
  readonly request_id?: string | undefined;
  /** The part of the entity that is wanted: `{"customer": "7"}`. */
  readonly where?: JsonValue | undefined;
  /**
   * The scope of `since`, as the server sent it. Without it the version counts
   * for the whole entity.
   */
  readonly scope?: string | undefined;
}

/**
 * Ends the answer to `sync`. After `subscribe`, it says that the stream has
 * caught up.
 */
export interface SyncComplete {
  /** Which message it is. */
  readonly type: "sync_complete";
  /** The entity. */
  readonly entity: string;
  /** The client now has everything up to this version. */
  readonly version: number;
  /** The epoch of that version. */
  readonly epoch: string;
  /**
   * The server could not resume from the position and has sent a full snapshot.
   * The client drops all records that are not in it, but keeps the writes that
   * wait.
   */
  readonly reset: boolean;
  /** The request that this answers. */
  readonly request_id?: string | undefined;
  /** The part of the entity that this is about, as the client gave it. */
  readonly where?: JsonValue | undefined;
  /**
   * What this client may read of that part: it belongs to the position. Absent
   * for a whole entity.
   */
  readonly scope?: string | undefined;
}

/** One committed change of a record. */
export interface ChangeLog {
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
  /** What happened. */
  readonly action: ChangeAction;
  /** The whole record after the change; `null` after a delete. */
  readonly data: JsonValue;
  /** The place in the entity's log: 1, 2, 3 … */
  readonly version: number;
  /** The client that wrote it, if it sent `hello` before. */
  readonly client_id?: string | undefined;
  /** When it was committed, by the server's clock. */
  readonly created_at: string;
  /**
   * The record has left the part of the entity that this client reads. It is
   * gone for this client, and is still there for others.
   */
  readonly left?: boolean | undefined;
  /**
   * The transaction that it was part of: more changes of it may follow, until
   * `transaction_complete`. Absent in what a client catches up with.
   */
  readonly transaction?: string | undefined;
}

/** Reports that a record changed. */
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
  /** The entity, 1 to 255 bytes. */
  readonly entity: string;
  /** The id of the record, 1 to 255 bytes. */
  readonly entity_id: string;
  /**
   * `delete`, or any other action to write the record: the log says whether it
   * was created or updated.
   */
  readonly action: ChangeAction;
  /** The whole record. */
  readonly data: JsonValue;
  /** The answer contains the same value. */
  readonly request_id?: string | undefined;
  /**
   * The number of this mutation, 1, 2, 3 … by client: it takes effect once,
   * however often it is sent.
   */
  readonly seq?: number | undefined;
  /**
   * The version of the record that the client saw (0: none). If the record has
   * changed since, the push is rejected with `conflict`.
   */
  readonly base_version?: number | undefined;
  /**
   * The version of the application's schema under which the write was made: it
   * stays what it was, however late the write is sent. The server makes of a
   * write of an older version one of its own. Absent from clients without such
   * a schema.
   */
  readonly schema_version?: number | undefined;
  /**
   * The span of the author's trace in which the write was made, as a
   * `traceparent` of W3C Trace Context: the server's own trace links to it. It
   * changes nothing else, and one that is none is passed over.
   */
  readonly traceparent?: string | undefined;
}

/** Says that the push is durable. */
export interface PushAck {
  /** Which message it is. */
  readonly type: "push_ack";
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
  /**
   * The version of the write; for a delete of a record that does not exist, the
   * version of the entity.
   */
  readonly version: number;
  /** The request that this answers. */
  readonly request_id?: string | undefined;
  /** The mutation that this answers. */
  readonly seq?: number | undefined;
  /** The epoch of the version. */
  readonly epoch?: string | undefined;
  /** The mutation had arrived before, and this is the same answer again. */
  readonly duplicate?: boolean | undefined;
  /** The time of the server's clock. */
  readonly server_time?: string | undefined;
  /**
   * The fields that are kept otherwise than they were pushed: filled in by the
   * server's program when the record was created, or normalised as the
   * application's schema says: an object. The record holds them from this
   * version on.
   */
  readonly prepared?: JsonValue | undefined;
}

/**
 * Says from where a subscription is read, before the first change of that, if
 * the client could not know it: all of it comes anew, or it is read from the
 * beginning and belongs to a scope, or there is so much of it that somebody may
 * want to see how far it is. A client that is cut off before
 * `sync_complete` knows by this what it has. It may come again before that: then
 * what came since the last one is void, too, and there is one `sync_complete`.
 * Sent to clients that sent `hello`, and over gRPC, there before the answer to
 * `Sync`, too.
 */
export interface SyncBegin {
  /** Which message it is. */
  readonly type: "sync_begin";
  /** The entity. */
  readonly entity: string;
  /** The epoch of the versions that follow. */
  readonly epoch: string;
  /**
   * All that the client holds of this is void, except for what comes until
   * `sync_complete`: the position could not be resumed, or what the client may
   * read has changed.
   */
  readonly reset: boolean;
  /** Whether it is the stream of fields. */
  readonly fields: boolean;
  /** The part of the entity that this is about, as the client gave it. */
  readonly where?: JsonValue | undefined;
  /**
   * What the client may read of that part: from here on it belongs to each
   * position. Absent for a whole entity.
   */
  readonly scope?: string | undefined;
  /**
   * The version after which it is read, for a client that was too slow for the
   * live stream: it is live again with `sync_complete`. Absent where it is read
   * from the beginning.
   */
  readonly since?: number | undefined;
  /**
   * The newest version of the entity, where much is read from the beginning:
   * changes come in the order of their versions, so one with version 30 is a
   * tenth of the way to 300. More may be written meanwhile.
   */
  readonly head?: number | undefined;
}

/**
 * Starts the live stream of field changes. Without `since` it starts with the
 * next change; a client that sent `hello` gets a `sync_fields_complete` that
 * says where that is.
 */
export interface SubscribeFields {
  /** Which message it is. */
  readonly type: "subscribe_fields";
  /** The entities. */
  readonly entities: readonly string[];
  /**
   * Where to resume, by entity; `sync_fields_complete` says when the stream has
   * caught up.
   */
  readonly since?: { readonly [key: string]: Position } | undefined;
  /**
   * By entity, the part of it that is wanted: `{"orders": {"customer": "7"}}`.
   * A list means any of its values. Only fields by which the entity is divided
   * (`partition`). One client may read several parts of one entity: each is a
   * subscription of its own.
   */
  readonly where?: JsonValue | undefined;
}

/** Ends the live stream of field changes. */
export interface UnsubscribeFields {
  /** Which message it is. */
  readonly type: "unsubscribe_fields";
  /** The entities. */
  readonly entities: readonly string[];
  /**
   * By entity, the part whose subscription ends, as it was given to
   * `subscribe_fields`.
   */
  readonly where?: JsonValue | undefined;
}

/** Asks for every field that changed after a version, each in its latest state. */
export interface SyncFields {
  /** Which message it is. */
  readonly type: "sync_fields";
  /** The entity. */
  readonly entity: string;
  /** The last version that the client has; 0 for everything. */
  readonly since: number;
  /** The epoch of `since`. Without it the server trusts the version. */
  readonly epoch?: string | undefined;
  /** The answer contains the same value. */
  readonly request_id?: string | undefined;
  /** The part of the entity that is wanted: `{"customer": "7"}`. */
  readonly where?: JsonValue | undefined;
  /**
   * The scope of `since`, as the server sent it. Without it the version counts
   * for the whole entity.
   */
  readonly scope?: string | undefined;
}

/**
 * Ends the answer to `sync_fields`. After `subscribe_fields`, it says that the
 * stream has caught up.
 */
export interface SyncFieldsComplete {
  /** Which message it is. */
  readonly type: "sync_fields_complete";
  /** The entity. */
  readonly entity: string;
  /** The client now has everything up to this version. */
  readonly version: number;
  /** The epoch of that version. */
  readonly epoch: string;
  /**
   * The server could not resume from the position and has sent a full snapshot.
   * The client drops all records that are not in it, but keeps the writes that
   * wait.
   */
  readonly reset: boolean;
  /** The request that this answers. */
  readonly request_id?: string | undefined;
  /** The part of the entity that this is about, as the client gave it. */
  readonly where?: JsonValue | undefined;
  /**
   * What this client may read of that part: it belongs to the position. Absent
   * for a whole entity.
   */
  readonly scope?: string | undefined;
}

/** One committed change of a field. */
export interface FieldChangeLog {
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
  /** The top-level key. */
  readonly field: string;
  /** The value after the change; `null` after a delete. */
  readonly value: JsonValue;
  /** What happened. */
  readonly action: FieldAction;
  /** The place in the entity's log; whole records and fields share one log. */
  readonly version: number;
  /** The client that wrote it, if it sent `hello` before. */
  readonly client_id?: string | undefined;
  /** When it was written, as used for merging. */
  readonly timestamp: string;
  /**
   * More changes of this version follow. A client that loses the connection
   * here resumes from the position that it had before.
   */
  readonly more?: boolean | undefined;
  /**
   * The record has left the part of the entity that this client reads. It is
   * gone for this client, and is still there for others. `field` is empty, or
   * names one of those that go with it. If updates of the same version follow,
   * the record is sent anew: those are all the fields that it has.
   */
  readonly left?: boolean | undefined;
  /**
   * The transaction that it was part of: more changes of it may follow, until
   * `transaction_complete`. Absent in what a client catches up with.
   */
  readonly transaction?: string | undefined;
}

/** Reports that a field changed. */
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
  /** Its new value, or the operand of an operation. */
  readonly value: JsonValue;
  /** Whether to set the field, to remove it, or which operation to apply. */
  readonly action: FieldAction;
  /**
   * When the user did it. A time more than a minute ahead of the server's clock
   * is set to one minute ahead.
   */
  readonly timestamp: string;
}

/**
 * Writes some fields of one record. The fields that win are written in one
 * version, all or none.
 */
export interface PushFields {
  /** Which message it is. */
  readonly type: "push_fields";
  /** The entity, 1 to 255 bytes. */
  readonly entity: string;
  /** The id of the record, 1 to 255 bytes. */
  readonly entity_id: string;
  /** The fields, each at most once. */
  readonly fields: readonly FieldUpdate[];
  /** The answer contains the same value. */
  readonly request_id?: string | undefined;
  /**
   * The number of this mutation, in one sequence with the pushes of whole
   * records.
   */
  readonly seq?: number | undefined;
  /**
   * The version of the record that the client saw: a field that another client
   * wrote later is in conflict. Without it the timestamps decide.
   */
  readonly base_version?: number | undefined;
  /**
   * Write only if none of the fields was written after `base_version`, by
   * whomever: otherwise all of it is rejected as a `conflict`. Without a
   * `base_version`: only if none of them was ever written.
   */
  readonly if_unchanged?: boolean | undefined;
  /**
   * The version of the application's schema under which the write was made: it
   * stays what it was, however late the write is sent. The server makes of a
   * write of an older version one of its own. Absent from clients without such
   * a schema.
   */
  readonly schema_version?: number | undefined;
  /**
   * The span of the author's trace in which the write was made, as a
   * `traceparent` of W3C Trace Context: the server's own trace links to it. It
   * changes nothing else, and one that is none is passed over.
   */
  readonly traceparent?: string | undefined;
}

/** Says that the field push is durable. */
export interface FieldPushAck {
  /** Which message it is. */
  readonly type: "field_push_ack";
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
  /** How many fields now have the pushed value. */
  readonly applied: number;
  /** How many fields were in conflict; each has its own `field_conflict`. */
  readonly conflicts: number;
  /** The current version of the record. */
  readonly version?: number | undefined;
  /** The request that this answers. */
  readonly request_id?: string | undefined;
  /** The mutation that this answers. */
  readonly seq?: number | undefined;
  /** The epoch of the version. */
  readonly epoch?: string | undefined;
  /** The mutation had arrived before, and this is the same answer again. */
  readonly duplicate?: boolean | undefined;
  /** The time of the server's clock. */
  readonly server_time?: string | undefined;
  /** How many timestamps were too far in the future and were corrected. */
  readonly clamped?: number | undefined;
  /**
   * The fields that are kept otherwise than they were pushed, as in `push_ack`.
   * One that the server's program filled in with another value is not `applied`.
   */
  readonly prepared?: JsonValue | undefined;
}

/**
 * Reports that a pushed field was in conflict with a write that the client had
 * not seen. Sent before the `field_push_ack`.
 */
export interface FieldConflict {
  /** Which message it is. */
  readonly type: "field_conflict";
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
  /** The top-level key. */
  readonly field: string;
  /** The value that was stored; `null` if it was deleted. */
  readonly server_value: JsonValue;
  /** When that value was written. */
  readonly server_timestamp: string;
  /** The value that was pushed; `null` if that was a delete. */
  readonly client_value: JsonValue;
  /** When that value was written, as used for merging. */
  readonly client_timestamp: string;
  /** The current version of the record. */
  readonly version?: number | undefined;
  /** Whose value the field has now. */
  readonly winner?: Open<Winner> | undefined;
  /** The strategy that decided. */
  readonly strategy?: Open<MergeStrategy> | undefined;
  /** The mutation that was in conflict. */
  readonly seq?: number | undefined;
  /**
   * The key in the field, if the conflict is about one (`set_key`): both values
   * are of this key.
   */
  readonly key?: string | undefined;
  /**
   * The stored write was a delete: its value is `null` and says nothing. Absent
   * from a server that cannot tell.
   */
  readonly server_deleted?: boolean | undefined;
  /** The pushed write was a delete. */
  readonly client_deleted?: boolean | undefined;
  /** The client that wrote the stored value, if it sent `hello` before. */
  readonly server_client_id?: string | undefined;
  /**
   * The number under which the conflict is open until somebody answers it; see
   * `Conflict`.
   */
  readonly conflict?: number | undefined;
}

/** A chosen file: what is known about it before it is uploaded. */
export interface FormFile {
  /** Its name, without a path. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
  /** Its media type, as far as the browser knows it; may be empty. */
  readonly type: string;
}

/**
 * One field of a form and one value of it. A field with several values, such as
 * several checkboxes of one name, appears in the list once for each value.
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
 * Asks whether one value is valid. A newer question about the same form,
 * instance and field replaces one that is still running.
 */
export interface ValidateField {
  /** Which message it is. */
  readonly type: "validate_field";
  /** The answer contains the same value. */
  readonly request_id: string;
  /** The form's name. */
  readonly form: string;
  /** The field's name. */
  readonly field: string;
  /** What the user entered; the first value, if the field has several. */
  readonly value: string;
  /**
   * Which of several such forms on the page. With it, the server ignores names
   * that the form does not have, unless one looks like a misspelt field;
   * without it, such names are errors.
   */
  readonly form_instance?: string | undefined;
  /**
   * The form's other values, for rules across fields. If the field itself is in
   * the list too, these are all of its values: several, or a file.
   */
  readonly values?: readonly FormFieldValue[] | undefined;
  /**
   * Whether to say so when the verdict changes while the form is open, because
   * records have changed that the rules of the field read. The server keeps the
   * values of the form until `close_form`, or the end of the connection.
   */
  readonly live?: boolean | undefined;
}

/**
 * Answers `validate_field`; or says that the verdict on a field of an open form is
 * another one now, if the client asked about the form with `live`.
 */
export interface ValidationResult {
  /** Which message it is. */
  readonly type: "validation_result";
  /** The request that this answers; empty if nobody asked. */
  readonly request_id: string;
  /** The form's name. */
  readonly form: string;
  /** The field's name. */
  readonly field: string;
  /** Whether the value is valid. */
  readonly valid: boolean;
  /** If it is not valid, the reason, in words for the user. */
  readonly error?: string | undefined;
  /** What the validator adds: a suggestion, a strength, a price. */
  readonly metadata: JsonValue;
  /** Whether the server says so when this verdict changes. */
  readonly live?: boolean | undefined;
  /** The instance of the form, if nobody asked and the form has one. */
  readonly form_instance?: string | undefined;
}

/**
 * Asks whether a whole form is valid: the server checks every registered field,
 * also those that are not in `fields`.
 */
export interface ValidateForm {
  /** Which message it is. */
  readonly type: "validate_form";
  /** The answer contains the same value. */
  readonly request_id: string;
  /** The form's name. */
  readonly form: string;
  /** What the user entered. */
  readonly fields: readonly FormFieldValue[];
  /** Which of several such forms on the page; see `validate_field`. */
  readonly form_instance?: string | undefined;
  /**
   * Whether to attest the verdict, if the form is valid: see `receipt` of the
   * answer.
   */
  readonly with_receipt?: boolean | undefined;
  /** As in `validate_field`, for all fields. */
  readonly live?: boolean | undefined;
}

/** What is wrong with one field of a form. */
export interface FieldError {
  /** The field's name; empty for the form as a whole. */
  readonly field: string;
  /** What is wrong, in words for the user. */
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
  /** Whether the whole form is valid. */
  readonly valid: boolean;
  /** All errors. */
  readonly errors: readonly FieldError[];
  /**
   * If it was asked for: attests what the validators of the server's program
   * have found. A page sends it along with the form, as `_rhtmx_receipt`, and the
   * handler that takes the form need not run them again for the same values.
   * Absent if the form is not valid, or has no such validators.
   */
  readonly receipt?: string | undefined;
  /** Whether the server says so when the verdict on a field changes. */
  readonly live?: boolean | undefined;
}

/**
 * Says that a form is not open any more: the server forgets its values. Only
 * sent to a server that has answered `live` for the form.
 */
export interface CloseForm {
  /** Which message it is. */
  readonly type: "close_form";
  /** The form's name. */
  readonly form: string;
  /** Which of several such forms on the page. */
  readonly form_instance?: string | undefined;
}

/**
 * One write of a transaction: of a whole record, with an `action`, or of some
 * fields, with `fields`.
 */
export interface TransactionWrite {
  /** The entity, 1 to 255 bytes. */
  readonly entity: string;
  /** The id of the record, 1 to 255 bytes. */
  readonly entity_id: string;
  /** To write a whole record: `delete`, or any other action. */
  readonly action?: ChangeAction | undefined;
  /** The whole record. */
  readonly data?: JsonValue | undefined;
  /** To write fields: these, each at most once. */
  readonly fields?: readonly FieldUpdate[] | undefined;
  /**
   * The version of the record that the client saw, as in `push` and
   * `push_fields`.
   */
  readonly base_version?: number | undefined;
  /**
   * Of fields: write only if none of them was written after `base_version`, as
   * in `push_fields`.
   */
  readonly if_unchanged?: boolean | undefined;
}

/**
 * Writes several records, of one entity or of several: all of them or none. The
 * writes are decided in their order, each on what the ones before it made; only
 * answers to conflicts come before all others.
 */
export interface Transaction {
  /** Which message it is. */
  readonly type: "transaction";
  /** The writes, 1 to 500. */
  readonly writes: readonly TransactionWrite[];
  /** The answer contains the same value. */
  readonly request_id?: string | undefined;
  /**
   * The number of this mutation, in one sequence with the pushes: it takes
   * effect once, however often it is sent.
   */
  readonly seq?: number | undefined;
  /**
   * The version of the application's schema under which its writes were made: it
   * stays what it was, however late it is sent. The server makes of a
   * write of an older version one of its own. Absent from clients without such
   * a schema.
   */
  readonly schema_version?: number | undefined;
  /**
   * The span of the author's trace in which the write was made, as a
   * `traceparent` of W3C Trace Context: the server's own trace links to it. It
   * changes nothing else, and one that is none is passed over.
   */
  readonly traceparent?: string | undefined;
}

/** What came of one write of a transaction. */
export interface WriteResult {
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
  /**
   * The current version of the record; for a delete of a record that does not
   * exist, the version of the entity.
   */
  readonly version?: number | undefined;
  /** How many fields now have the pushed value; 0 for a whole record. */
  readonly applied: number;
  /** How many fields were in conflict. */
  readonly conflicts: number;
  /** How many timestamps were too far in the future and were corrected. */
  readonly clamped?: number | undefined;
  /** The fields that are kept otherwise than they were pushed, as in `push_ack`. */
  readonly prepared?: JsonValue | undefined;
}

/**
 * Says that the whole transaction is durable. A `field_conflict` for each field
 * that was in conflict comes before it.
 */
export interface TransactionAck {
  /** Which message it is. */
  readonly type: "transaction_ack";
  /** The id of the transaction: every change of it contains this. */
  readonly transaction: string;
  /** What came of each write, in their order. */
  readonly results: readonly WriteResult[];
  /** The request that this answers. */
  readonly request_id?: string | undefined;
  /** The mutation that this answers. */
  readonly seq?: number | undefined;
  /** The epoch of the versions. */
  readonly epoch?: string | undefined;
  /** The mutation had arrived before, and this is the same answer again. */
  readonly duplicate?: boolean | undefined;
  /** The time of the server's clock. */
  readonly server_time?: string | undefined;
}

/**
 * Says that every change of a transaction that this client reads live has been
 * sent. Until then it shows none of them: half a transaction is no state that
 * ever was. Sent to clients that sent `hello`.
 */
export interface TransactionComplete {
  /** Which message it is. */
  readonly type: "transaction_complete";
  /** The id of the transaction. */
  readonly transaction: string;
}

/**
 * Asks for the commits of one record, the newest first. They are kept for some
 * days, by the server's configuration; the newest one always is. A deleted
 * record has a history as long as the server remembers it. `not_found` if there
 * is no such record, or none that may be read now.
 */
export interface History {
  /** Which message it is. */
  readonly type: "history";
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
  /**
   * Only commits before this version: where the last answer says that there are
   * more.
   */
  readonly before?: number | undefined;
  /** Only commits up to this time: with a `limit` of 1, the record as it was then. */
  readonly until?: string | undefined;
  /** At most so many, 1 to 1000; 100 without it. */
  readonly limit?: number | undefined;
  /** The answer contains the same value. */
  readonly request_id?: string | undefined;
}

/** One commit of a record. */
export interface HistoryCommit {
  /**
   * The record as the commit left it. A commit that took it out of what may be
   * read is a `delete` with `left`.
   */
  readonly change?: ChangeLog | undefined;
  /**
   * The names of the fields that it set or removed, in order. Empty if the
   * record is no object, or what it was before is not kept any more.
   */
  readonly changed: readonly string[];
  /** The subject that wrote it, if its client has one. */
  readonly subject?: string | undefined;
}

/** The commits of one record. */
export interface HistoryResult {
  /** Which message it is. */
  readonly type: "history_result";
  /** The commits, the newest first. */
  readonly commits: readonly HistoryCommit[];
  /**
   * There may be more: ask for those before this version. Absent if there are
   * none that are kept.
   */
  readonly before?: number | undefined;
  /**
   * The last one of the commits is the first of the record, or nothing of
   * before may be read. Otherwise, and where there are no more to ask for, what
   * was before is not kept any more.
   */
  readonly complete: boolean;
  /** The request that this answers. */
  readonly request_id?: string | undefined;
}

/**
 * Asks who wrote which field of a record. `not_found` if there is no such record,
 * or none that may be read.
 */
export interface Blame {
  /** Which message it is. */
  readonly type: "blame";
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
  /** The answer contains the same value. */
  readonly request_id?: string | undefined;
}

/** The last write of one field. */
export interface FieldAuthor {
  /** The top-level key. */
  readonly field: string;
  /** The commit that wrote it. */
  readonly version: number;
  /** When it was written, as used for merging. */
  readonly timestamp?: string | undefined;
  /** The client that wrote it, if it sent `hello` before. */
  readonly client_id?: string | undefined;
  /** The subject that wrote it, if its client has one. */
  readonly subject?: string | undefined;
}

/** Who wrote which field of a record. */
export interface BlameResult {
  /** Which message it is. */
  readonly type: "blame_result";
  /** The fields that the record has, by name. */
  readonly fields: readonly FieldAuthor[];
  /** The request that this answers. */
  readonly request_id?: string | undefined;
}

/**
 * Enters the room of a record, or says something else of oneself there. Whoever
 * may read the record may: others are answered as when they read it, with
 * `forbidden` or `not_found`. The client is in the room until it leaves, its
 * connection ends, or it may read the record no more; it enters again on its
 * next connection. A client is one member, whatever the number of its
 * connections. When it has come in, `room_members` tells it of all who are
 * there.
 */
export interface RoomJoin {
  /** Which message it is. */
  readonly type: "room_join";
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
  /**
   * What the others see of this member: a name, a colour, what is typed in. At
   * most 4,096 bytes.
   */
  readonly state?: JsonValue | undefined;
  /** Only sees who is there, and is no member. */
  readonly watch?: boolean | undefined;
  /** The answer contains the same value. */
  readonly request_id?: string | undefined;
}

/** Answers `room_join`: the client is in the room. */
export interface RoomJoined {
  /** Which message it is. */
  readonly type: "room_joined";
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
  /** Under which id the others see this client; absent if it only watches. */
  readonly member?: string | undefined;
  /** The request that this answers. */
  readonly request_id?: string | undefined;
}

/** Leaves the room of a record. It is no error not to be there. */
export interface RoomLeave {
  /** Which message it is. */
  readonly type: "room_leave";
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
}

/** One member of a room. */
export interface RoomMember {
  /**
   * Tells it from the others; the same in all rooms, and after a reconnect. It
   * is not the `client_id`.
   */
  readonly id: string;
  /**
   * The user for whom it acts, as the server has found out; absent if nobody is
   * asked.
   */
  readonly subject?: string | undefined;
  /** What it says of itself. */
  readonly state?: JsonValue | undefined;
}

/**
 * Who has come to a room, changed there, or left. What happens within some
 * hundredths of a second comes in one message.
 */
export interface RoomMembers {
  /** Which message it is. */
  readonly type: "room_members";
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
  /** Who came, or says something else of itself now. */
  readonly members?: readonly RoomMember[] | undefined;
  /** The ids of those who left. One who never came may be among them. */
  readonly gone?: readonly string[] | undefined;
  /** What was sent before is void: this begins with all who are there. */
  readonly reset?: boolean | undefined;
  /**
   * The rest follows in the next message: who is there is known after the last
   * one.
   */
  readonly more?: boolean | undefined;
  /**
   * So many messages of the room were not sent to this client since the last
   * `room_members`, as it did not read fast enough.
   */
  readonly missed?: number | undefined;
}

/**
 * Tells the other members and watchers of a room something, now or never. Only
 * a member may. Who is slow misses it.
 */
export interface RoomMessage {
  /** Which message it is. */
  readonly type: "room_message";
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
  /** What is told: at most 4,096 bytes. */
  readonly data?: JsonValue | undefined;
  /** Who tells it; set by the server. Absent if that is the program of the server. */
  readonly member?: string | undefined;
}

/**
 * The client is in the room no more: it may not read the record any more, or
 * the record is gone.
 */
export interface RoomClosed {
  /** Which message it is. */
  readonly type: "room_closed";
  /** The entity. */
  readonly entity: string;
  /** The id of the record. */
  readonly entity_id: string;
  /** Why, in words. */
  readonly message: string;
  /** The reason, for programs: what `room_join` would be answered now. */
  readonly code?: Open<ErrorCode> | undefined;
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
  | ValidateForm
  | CloseForm
  | Transaction
  | History
  | Blame
  | RoomJoin
  | RoomLeave
  | RoomMessage;

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
  | SyncBegin
  | SyncFieldsComplete
  | FieldChange
  | FieldPushAck
  | FieldConflict
  | ValidationResult
  | FormValidationResult
  | TransactionAck
  | TransactionComplete
  | HistoryResult
  | BlameResult
  | RoomJoined
  | RoomMembers
  | RoomMessage
  | RoomClosed;

/** What is asked. */
export type Question = Authenticate | ValidateField | ValidateForm | History | Blame | RoomJoin;

/** What answers that, with the same `request_id`. */
export type Answer =
  | Authenticated
  | ValidationResult
  | FormValidationResult
  | HistoryResult
  | BlameResult
  | RoomJoined;

/** What is told to those whom it concerns now, and never stored. */
export type Ephemeral = RoomMembers | RoomMessage | RoomClosed;

/** Any message; `type` tells which. */
export type Message = ClientMessage | ServerMessage;
