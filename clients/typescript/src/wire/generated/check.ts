/**
 * Checks every message and returns it in its normal form.
 *
 * Generated from proto/ by `nox -s codegen`. Do not edit.
 */
import {
  flag,
  integer,
  json,
  list,
  map,
  message,
  optional,
  optionalList,
  spelled,
  text,
  time,
} from "../check.ts";
import {
  CHANGE_ACTION,
  ERROR_CODE,
  FIELD_ACTION,
  MERGE_STRATEGY,
  WINNER,
} from "../../messages/tables.ts";
import type { CheckMessage, Checks } from "../check.ts";
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

const checkHello: CheckMessage<Hello> = (from, at) => ({
  type: "hello",
  client_id: optional(from, at, "client_id", text),
  token: optional(from, at, "token", text),
  schema: optional(from, at, "schema", text),
  epoch: optional(from, at, "epoch", text),
  confirmed_seq: optional(from, at, "confirmed_seq", integer),
});

const checkLimits: CheckMessage<Limits> = (from, at) => ({
  message_bytes: integer(from, at, "message_bytes"),
  subscriptions: integer(from, at, "subscriptions"),
  requests: integer(from, at, "requests"),
});

const checkWelcome: CheckMessage<Welcome> = (from, at) => ({
  type: "welcome",
  session_id: text(from, at, "session_id"),
  epoch: text(from, at, "epoch"),
  last_seq: integer(from, at, "last_seq"),
  heartbeat: integer(from, at, "heartbeat"),
  limits: message(from, at, "limits", checkLimits),
  server_time: time(from, at, "server_time"),
  schema: text(from, at, "schema"),
});

const checkAuthenticate: CheckMessage<Authenticate> = (from, at) => ({
  type: "authenticate",
  token: text(from, at, "token"),
  request_id: optional(from, at, "request_id", text),
});

const checkAuthenticated: CheckMessage<Authenticated> = (from, at) => ({
  type: "authenticated",
  expires: optional(from, at, "expires", time),
  request_id: optional(from, at, "request_id", text),
});

const checkError: CheckMessage<Error> = (from, at) => ({
  type: "error",
  message: text(from, at, "message"),
  code: optional(from, at, "code", spelled, ERROR_CODE),
  request_id: optional(from, at, "request_id", text),
  seq: optional(from, at, "seq", integer),
  retryable: optional(from, at, "retryable", flag),
  details: json(from, at, "details"),
});

const checkPing: CheckMessage<Ping> = () => ({ type: "ping" });

const checkPong: CheckMessage<Pong> = () => ({ type: "pong" });

const checkPosition: CheckMessage<Position> = (from, at) => ({
  epoch: text(from, at, "epoch"),
  version: integer(from, at, "version"),
});

const checkSubscribe: CheckMessage<Subscribe> = (from, at) => ({
  type: "subscribe",
  entities: list(from, at, "entities", text),
  since: optional(from, at, "since", map, checkPosition),
});

const checkUnsubscribe: CheckMessage<Unsubscribe> = (from, at) => ({
  type: "unsubscribe",
  entities: list(from, at, "entities", text),
});

const checkSync: CheckMessage<Sync> = (from, at) => ({
  type: "sync",
  entity: text(from, at, "entity"),
  since: integer(from, at, "since"),
  epoch: optional(from, at, "epoch", text),
  request_id: optional(from, at, "request_id", text),
});

const checkSyncComplete: CheckMessage<SyncComplete> = (from, at) => ({
  type: "sync_complete",
  entity: text(from, at, "entity"),
  version: integer(from, at, "version"),
  epoch: text(from, at, "epoch"),
  reset: flag(from, at, "reset"),
  request_id: optional(from, at, "request_id", text),
});

const checkChangeLog: CheckMessage<ChangeLog> = (from, at) => ({
  entity: text(from, at, "entity"),
  entity_id: text(from, at, "entity_id"),
  action: spelled(from, at, "action", CHANGE_ACTION),
  data: json(from, at, "data"),
  version: integer(from, at, "version"),
  client_id: optional(from, at, "client_id", text),
  created_at: time(from, at, "created_at"),
});

const checkChange: CheckMessage<Change> = (from, at) => ({
  type: "change",
  change: message(from, at, "change", checkChangeLog),
});

const checkPush: CheckMessage<Push> = (from, at) => ({
  type: "push",
  entity: text(from, at, "entity"),
  entity_id: text(from, at, "entity_id"),
  action: spelled(from, at, "action", CHANGE_ACTION),
  data: json(from, at, "data"),
  request_id: optional(from, at, "request_id", text),
  seq: optional(from, at, "seq", integer),
  base_version: optional(from, at, "base_version", integer),
});

const checkPushAck: CheckMessage<PushAck> = (from, at) => ({
  type: "push_ack",
  entity: text(from, at, "entity"),
  entity_id: text(from, at, "entity_id"),
  version: integer(from, at, "version"),
  request_id: optional(from, at, "request_id", text),
  seq: optional(from, at, "seq", integer),
  epoch: optional(from, at, "epoch", text),
  duplicate: optional(from, at, "duplicate", flag),
  server_time: optional(from, at, "server_time", time),
});

const checkSubscribeFields: CheckMessage<SubscribeFields> = (from, at) => ({
  type: "subscribe_fields",
  entities: list(from, at, "entities", text),
  since: optional(from, at, "since", map, checkPosition),
});

const checkUnsubscribeFields: CheckMessage<UnsubscribeFields> = (from, at) => ({
  type: "unsubscribe_fields",
  entities: list(from, at, "entities", text),
});

const checkSyncFields: CheckMessage<SyncFields> = (from, at) => ({
  type: "sync_fields",
  entity: text(from, at, "entity"),
  since: integer(from, at, "since"),
  epoch: optional(from, at, "epoch", text),
  request_id: optional(from, at, "request_id", text),
});

const checkSyncFieldsComplete: CheckMessage<SyncFieldsComplete> = (from, at) => ({
  type: "sync_fields_complete",
  entity: text(from, at, "entity"),
  version: integer(from, at, "version"),
  epoch: text(from, at, "epoch"),
  reset: flag(from, at, "reset"),
  request_id: optional(from, at, "request_id", text),
});

const checkFieldChangeLog: CheckMessage<FieldChangeLog> = (from, at) => ({
  entity: text(from, at, "entity"),
  entity_id: text(from, at, "entity_id"),
  field: text(from, at, "field"),
  value: json(from, at, "value"),
  action: spelled(from, at, "action", FIELD_ACTION),
  version: integer(from, at, "version"),
  client_id: optional(from, at, "client_id", text),
  timestamp: time(from, at, "timestamp"),
  more: optional(from, at, "more", flag),
});

const checkFieldChange: CheckMessage<FieldChange> = (from, at) => ({
  type: "field_change",
  change: message(from, at, "change", checkFieldChangeLog),
});

const checkFieldUpdate: CheckMessage<FieldUpdate> = (from, at) => ({
  field: text(from, at, "field"),
  value: json(from, at, "value"),
  action: spelled(from, at, "action", FIELD_ACTION),
  timestamp: time(from, at, "timestamp"),
});

const checkPushFields: CheckMessage<PushFields> = (from, at) => ({
  type: "push_fields",
  entity: text(from, at, "entity"),
  entity_id: text(from, at, "entity_id"),
  fields: list(from, at, "fields", message, checkFieldUpdate),
  request_id: optional(from, at, "request_id", text),
  seq: optional(from, at, "seq", integer),
  base_version: optional(from, at, "base_version", integer),
});

const checkFieldPushAck: CheckMessage<FieldPushAck> = (from, at) => ({
  type: "field_push_ack",
  entity: text(from, at, "entity"),
  entity_id: text(from, at, "entity_id"),
  applied: integer(from, at, "applied"),
  conflicts: integer(from, at, "conflicts"),
  version: optional(from, at, "version", integer),
  request_id: optional(from, at, "request_id", text),
  seq: optional(from, at, "seq", integer),
  epoch: optional(from, at, "epoch", text),
  duplicate: optional(from, at, "duplicate", flag),
  server_time: optional(from, at, "server_time", time),
  clamped: optional(from, at, "clamped", integer),
});

const checkFieldConflict: CheckMessage<FieldConflict> = (from, at) => ({
  type: "field_conflict",
  entity: text(from, at, "entity"),
  entity_id: text(from, at, "entity_id"),
  field: text(from, at, "field"),
  server_value: json(from, at, "server_value"),
  server_timestamp: time(from, at, "server_timestamp"),
  client_value: json(from, at, "client_value"),
  client_timestamp: time(from, at, "client_timestamp"),
  version: optional(from, at, "version", integer),
  winner: optional(from, at, "winner", spelled, WINNER),
  strategy: optional(from, at, "strategy", spelled, MERGE_STRATEGY),
  seq: optional(from, at, "seq", integer),
});

const checkFormFieldValue: CheckMessage<FormFieldValue> = (from, at) => ({
  field: text(from, at, "field"),
  value: text(from, at, "value"),
});

const checkValidateField: CheckMessage<ValidateField> = (from, at) => ({
  type: "validate_field",
  request_id: text(from, at, "request_id"),
  form: text(from, at, "form"),
  field: text(from, at, "field"),
  value: text(from, at, "value"),
  form_instance: optional(from, at, "form_instance", text),
  values: optionalList(from, at, "values", message, checkFormFieldValue),
});

const checkValidationResult: CheckMessage<ValidationResult> = (from, at) => ({
  type: "validation_result",
  request_id: text(from, at, "request_id"),
  form: text(from, at, "form"),
  field: text(from, at, "field"),
  valid: flag(from, at, "valid"),
  error: optional(from, at, "error", text),
  metadata: json(from, at, "metadata"),
});

const checkValidateForm: CheckMessage<ValidateForm> = (from, at) => ({
  type: "validate_form",
  request_id: text(from, at, "request_id"),
  form: text(from, at, "form"),
  fields: list(from, at, "fields", message, checkFormFieldValue),
  form_instance: optional(from, at, "form_instance", text),
});

const checkFieldError: CheckMessage<FieldError> = (from, at) => ({
  field: text(from, at, "field"),
  error: text(from, at, "error"),
});

const checkFormValidationResult: CheckMessage<FormValidationResult> = (from, at) => ({
  type: "form_validation_result",
  request_id: text(from, at, "request_id"),
  form: text(from, at, "form"),
  valid: flag(from, at, "valid"),
  errors: list(from, at, "errors", message, checkFieldError),
});

/** The check of each message that a client sends, by its `type`. */
export const CHECK_CLIENT: Checks<ClientMessage> = {
  hello: checkHello,
  authenticate: checkAuthenticate,
  ping: checkPing,
  pong: checkPong,
  subscribe: checkSubscribe,
  unsubscribe: checkUnsubscribe,
  sync: checkSync,
  push: checkPush,
  subscribe_fields: checkSubscribeFields,
  unsubscribe_fields: checkUnsubscribeFields,
  sync_fields: checkSyncFields,
  push_fields: checkPushFields,
  validate_field: checkValidateField,
  validate_form: checkValidateForm,
};

/** The check of each message that a server sends, by its `type`. */
export const CHECK_SERVER: Checks<ServerMessage> = {
  welcome: checkWelcome,
  authenticated: checkAuthenticated,
  error: checkError,
  ping: checkPing,
  pong: checkPong,
  sync_complete: checkSyncComplete,
  change: checkChange,
  push_ack: checkPushAck,
  sync_fields_complete: checkSyncFieldsComplete,
  field_change: checkFieldChange,
  field_push_ack: checkFieldPushAck,
  field_conflict: checkFieldConflict,
  validation_result: checkValidationResult,
  form_validation_result: checkFormValidationResult,
};
