/**
 * Writes every message as protobuf.
 *
 * Generated from proto/ by `nox -s codegen`. Do not edit.
 */
import {
  CHANGE_ACTION,
  ERROR_CODE,
  FIELD_ACTION,
  MERGE_STRATEGY,
  WINNER,
} from "../../messages/tables.ts";
import type { Write, Writes } from "../writer.ts";
import type {
  Authenticate,
  Authenticated,
  Change,
  ChangeLog,
  ClientMessage,
  Error,
  FieldChange,
  FieldChangeLog,
  FieldConflict,
  FieldError,
  FieldPushAck,
  FieldUpdate,
  FormFieldValue,
  FormValidationResult,
  Hello,
  Limits,
  Ping,
  Pong,
  Position,
  Push,
  PushAck,
  PushFields,
  ServerMessage,
  Subscribe,
  SubscribeFields,
  Sync,
  SyncComplete,
  SyncFields,
  SyncFieldsComplete,
  Unsubscribe,
  UnsubscribeFields,
  ValidateField,
  ValidateForm,
  ValidationResult,
  Welcome,
} from "../../messages/types.ts";

const writeHello: Write<Hello> = (to, from) => {
  to.text(1, from.client_id);
  to.text(2, from.token);
  to.text(3, from.schema);
  to.text(4, from.epoch);
  to.int(5, from.confirmed_seq);
};

const writeLimits: Write<Limits> = (to, from) => {
  to.int(1, from.message_bytes || undefined);
  to.int(2, from.subscriptions || undefined);
  to.int(3, from.requests || undefined);
};

const writeWelcome: Write<Welcome> = (to, from) => {
  to.text(1, from.session_id || undefined);
  to.text(2, from.epoch || undefined);
  to.int(3, from.last_seq || undefined);
  to.int(4, from.heartbeat || undefined);
  to.message(5, writeLimits, from.limits);
  to.time(6, from.server_time);
  to.text(7, from.schema || undefined);
};

const writeAuthenticate: Write<Authenticate> = (to, from) => {
  to.text(1, from.token || undefined);
  to.text(2, from.request_id);
};

const writeAuthenticated: Write<Authenticated> = (to, from) => {
  to.time(1, from.expires);
  to.text(2, from.request_id);
};

const writeError: Write<Error> = (to, from) => {
  to.text(1, from.message || undefined);
  to.int(2, from.code && ERROR_CODE[from.code]);
  to.text(3, from.request_id);
  to.int(4, from.seq);
  to.flag(5, from.retryable);
  to.json(6, from.details);
};

const writePing: Write<Ping> = () => {};

const writePong: Write<Pong> = () => {};

const writePosition: Write<Position> = (to, from) => {
  to.text(1, from.epoch || undefined);
  to.int(2, from.version || undefined);
};

const writeSubscribe: Write<Subscribe> = (to, from) => {
  for (const item of from.entities) to.text(1, item);
  to.map(2, writePosition, from.since);
};

const writeUnsubscribe: Write<Unsubscribe> = (to, from) => {
  for (const item of from.entities) to.text(1, item);
};

const writeSync: Write<Sync> = (to, from) => {
  to.text(1, from.entity || undefined);
  to.int(2, from.since || undefined);
  to.text(3, from.epoch);
  to.text(4, from.request_id);
};

const writeSyncComplete: Write<SyncComplete> = (to, from) => {
  to.text(1, from.entity || undefined);
  to.int(2, from.version || undefined);
  to.text(3, from.epoch || undefined);
  to.flag(4, from.reset || undefined);
  to.text(5, from.request_id);
};

const writeChangeLog: Write<ChangeLog> = (to, from) => {
  to.text(1, from.entity || undefined);
  to.text(2, from.entity_id || undefined);
  to.int(3, CHANGE_ACTION[from.action]);
  to.json(4, from.data);
  to.int(5, from.version || undefined);
  to.text(6, from.client_id);
  to.time(7, from.created_at);
};

const writeChange: Write<Change> = (to, from) => {
  to.message(1, writeChangeLog, from.change);
};

const writePush: Write<Push> = (to, from) => {
  to.text(1, from.entity || undefined);
  to.text(2, from.entity_id || undefined);
  to.int(3, CHANGE_ACTION[from.action]);
  to.json(4, from.data);
  to.text(5, from.request_id);
  to.int(6, from.seq);
  to.int(7, from.base_version);
};

const writePushAck: Write<PushAck> = (to, from) => {
  to.text(1, from.entity || undefined);
  to.text(2, from.entity_id || undefined);
  to.int(3, from.version || undefined);
  to.text(4, from.request_id);
  to.int(5, from.seq);
  to.text(6, from.epoch);
  to.flag(7, from.duplicate);
  to.time(8, from.server_time);
};

const writeSubscribeFields: Write<SubscribeFields> = (to, from) => {
  for (const item of from.entities) to.text(1, item);
  to.map(2, writePosition, from.since);
};

const writeUnsubscribeFields: Write<UnsubscribeFields> = (to, from) => {
  for (const item of from.entities) to.text(1, item);
};

const writeSyncFields: Write<SyncFields> = (to, from) => {
  to.text(1, from.entity || undefined);
  to.int(2, from.since || undefined);
  to.text(3, from.epoch);
  to.text(4, from.request_id);
};

const writeSyncFieldsComplete: Write<SyncFieldsComplete> = (to, from) => {
  to.text(1, from.entity || undefined);
  to.int(2, from.version || undefined);
  to.text(3, from.epoch || undefined);
  to.flag(4, from.reset || undefined);
  to.text(5, from.request_id);
};

const writeFieldChangeLog: Write<FieldChangeLog> = (to, from) => {
  to.text(1, from.entity || undefined);
  to.text(2, from.entity_id || undefined);
  to.text(3, from.field || undefined);
  to.json(4, from.value);
  to.int(5, FIELD_ACTION[from.action]);
  to.int(6, from.version || undefined);
  to.text(7, from.client_id);
  to.time(8, from.timestamp);
  to.flag(9, from.more);
};

const writeFieldChange: Write<FieldChange> = (to, from) => {
  to.message(1, writeFieldChangeLog, from.change);
};

const writeFieldUpdate: Write<FieldUpdate> = (to, from) => {
  to.text(1, from.field || undefined);
  to.json(2, from.value);
  to.int(3, FIELD_ACTION[from.action]);
  to.time(4, from.timestamp);
};

const writePushFields: Write<PushFields> = (to, from) => {
  to.text(1, from.entity || undefined);
  to.text(2, from.entity_id || undefined);
  for (const item of from.fields) to.message(3, writeFieldUpdate, item);
  to.text(4, from.request_id);
  to.int(5, from.seq);
  to.int(6, from.base_version);
};

const writeFieldPushAck: Write<FieldPushAck> = (to, from) => {
  to.text(1, from.entity || undefined);
  to.text(2, from.entity_id || undefined);
  to.int(3, from.applied || undefined);
  to.int(4, from.conflicts || undefined);
  to.int(5, from.version);
  to.text(6, from.request_id);
  to.int(7, from.seq);
  to.text(8, from.epoch);
  to.flag(9, from.duplicate);
  to.time(10, from.server_time);
  to.int(11, from.clamped);
};

const writeFieldConflict: Write<FieldConflict> = (to, from) => {
  to.text(1, from.entity || undefined);
  to.text(2, from.entity_id || undefined);
  to.text(3, from.field || undefined);
  to.json(4, from.server_value);
  to.time(5, from.server_timestamp);
  to.json(6, from.client_value);
  to.time(7, from.client_timestamp);
  to.int(8, from.version);
  to.int(9, from.winner && WINNER[from.winner]);
  to.int(10, from.strategy && MERGE_STRATEGY[from.strategy]);
  to.int(11, from.seq);
};

const writeFormFieldValue: Write<FormFieldValue> = (to, from) => {
  to.text(1, from.field || undefined);
  to.text(2, from.value || undefined);
};

const writeValidateField: Write<ValidateField> = (to, from) => {
  to.text(1, from.request_id || undefined);
  to.text(2, from.form || undefined);
  to.text(3, from.field || undefined);
  to.text(4, from.value || undefined);
  to.text(5, from.form_instance);
  for (const item of from.values ?? []) to.message(6, writeFormFieldValue, item);
};

const writeValidationResult: Write<ValidationResult> = (to, from) => {
  to.text(1, from.request_id || undefined);
  to.text(2, from.form || undefined);
  to.text(3, from.field || undefined);
  to.flag(4, from.valid || undefined);
  to.text(5, from.error);
  to.json(6, from.metadata);
};

const writeValidateForm: Write<ValidateForm> = (to, from) => {
  to.text(1, from.request_id || undefined);
  to.text(2, from.form || undefined);
  for (const item of from.fields) to.message(3, writeFormFieldValue, item);
  to.text(4, from.form_instance);
};

const writeFieldError: Write<FieldError> = (to, from) => {
  to.text(1, from.field || undefined);
  to.text(2, from.error || undefined);
};

const writeFormValidationResult: Write<FormValidationResult> = (to, from) => {
  to.text(1, from.request_id || undefined);
  to.text(2, from.form || undefined);
  to.flag(3, from.valid || undefined);
  for (const item of from.errors) to.message(4, writeFieldError, item);
};

/** The case in the envelope and the writer of what a client sends, by its `type`. */
export const WRITE_CLIENT: Writes<ClientMessage> = {
  hello: [1, writeHello],
  authenticate: [3, writeAuthenticate],
  ping: [6, writePing],
  pong: [7, writePong],
  subscribe: [10, writeSubscribe],
  unsubscribe: [11, writeUnsubscribe],
  sync: [12, writeSync],
  push: [15, writePush],
  subscribe_fields: [20, writeSubscribeFields],
  unsubscribe_fields: [21, writeUnsubscribeFields],
  sync_fields: [22, writeSyncFields],
  push_fields: [25, writePushFields],
  validate_field: [30, writeValidateField],
  validate_form: [32, writeValidateForm],
};

/** The case in the envelope and the writer of what a server sends, by its `type`. */
export const WRITE_SERVER: Writes<ServerMessage> = {
  welcome: [2, writeWelcome],
  authenticated: [4, writeAuthenticated],
  error: [5, writeError],
  ping: [6, writePing],
  pong: [7, writePong],
  sync_complete: [13, writeSyncComplete],
  change: [14, writeChange],
  push_ack: [16, writePushAck],
  sync_fields_complete: [23, writeSyncFieldsComplete],
  field_change: [24, writeFieldChange],
  field_push_ack: [26, writeFieldPushAck],
  field_conflict: [27, writeFieldConflict],
  validation_result: [31, writeValidationResult],
  form_validation_result: [33, writeFormValidationResult],
};
