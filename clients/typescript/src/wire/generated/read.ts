/**
 * Reads every message from protobuf; `check.ts` checks what comes out.
 *
 * Generated from proto/ by `nox -s codegen`. Do not edit.
 */
import { append, put } from "../reader.ts";
import {
  CHANGE_ACTION,
  ERROR_CODE,
  FIELD_ACTION,
  MERGE_STRATEGY,
  WINNER,
} from "../../messages/tables.ts";
import type { Read, Reads } from "../reader.ts";

const readHello: Read = (from, to = { type: "hello" }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.client_id = from.text();
    else if (tag === 18) to.token = from.text();
    else if (tag === 26) to.schema = from.text();
    else if (tag === 34) to.epoch = from.text();
    else if (tag === 40) to.confirmed_seq = from.int();
    else from.skip(tag);
  }
  return to;
};

const readLimits: Read = (from, to = { message_bytes: 0, subscriptions: 0, requests: 0 }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 8) to.message_bytes = from.int();
    else if (tag === 16) to.subscriptions = from.int();
    else if (tag === 24) to.requests = from.int();
    else from.skip(tag);
  }
  return to;
};

const readWelcome: Read = (
  from,
  to = {
    type: "welcome",
    session_id: "",
    epoch: "",
    last_seq: 0,
    heartbeat: 0,
    schema: "",
  },
) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.session_id = from.text();
    else if (tag === 18) to.epoch = from.text();
    else if (tag === 24) to.last_seq = from.int();
    else if (tag === 32) to.heartbeat = from.int();
    else if (tag === 42) to.limits = from.message(readLimits, to.limits);
    else if (tag === 50) to.server_time = from.time();
    else if (tag === 58) to.schema = from.text();
    else from.skip(tag);
  }
  return to;
};

const readAuthenticate: Read = (from, to = { type: "authenticate", token: "" }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.token = from.text();
    else if (tag === 18) to.request_id = from.text();
    else from.skip(tag);
  }
  return to;
};

const readAuthenticated: Read = (from, to = { type: "authenticated" }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.expires = from.time();
    else if (tag === 18) to.request_id = from.text();
    else from.skip(tag);
  }
  return to;
};

const readError: Read = (from, to = { type: "error", message: "" }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.message = from.text();
    else if (tag === 16) to.code = from.spelled(ERROR_CODE);
    else if (tag === 26) to.request_id = from.text();
    else if (tag === 32) to.seq = from.int();
    else if (tag === 40) to.retryable = from.flag();
    else if (tag === 50) to.details = from.json();
    else from.skip(tag);
  }
  return to;
};

const readPing: Read = (from, to = { type: "ping" }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    from.skip(tag);
  }
  return to;
};

const readPong: Read = (from, to = { type: "pong" }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    from.skip(tag);
  }
  return to;
};

const readPosition: Read = (from, to = { epoch: "", version: 0 }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.epoch = from.text();
    else if (tag === 16) to.version = from.int();
    else from.skip(tag);
  }
  return to;
};

const readSubscribe: Read = (from, to = { type: "subscribe", entities: [] }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) append(to, "entities", from.text());
    else if (tag === 18) put(to, "since", from.entry(readPosition));
    else from.skip(tag);
  }
  return to;
};

const readUnsubscribe: Read = (from, to = { type: "unsubscribe", entities: [] }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) append(to, "entities", from.text());
    else from.skip(tag);
  }
  return to;
};

const readSync: Read = (from, to = { type: "sync", entity: "", since: 0 }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.entity = from.text();
    else if (tag === 16) to.since = from.int();
    else if (tag === 26) to.epoch = from.text();
    else if (tag === 34) to.request_id = from.text();
    else from.skip(tag);
  }
  return to;
};

const readSyncComplete: Read = (
  from,
  to = {
    type: "sync_complete",
    entity: "",
    version: 0,
    epoch: "",
    reset: false,
  },
) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.entity = from.text();
    else if (tag === 16) to.version = from.int();
    else if (tag === 26) to.epoch = from.text();
    else if (tag === 32) to.reset = from.flag();
    else if (tag === 42) to.request_id = from.text();
    else from.skip(tag);
  }
  return to;
};

const readChangeLog: Read = (from, to = { entity: "", entity_id: "", action: 0, version: 0 }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.entity = from.text();
    else if (tag === 18) to.entity_id = from.text();
    else if (tag === 24) to.action = from.spelled(CHANGE_ACTION);
    else if (tag === 34) to.data = from.json();
    else if (tag === 40) to.version = from.int();
    else if (tag === 50) to.client_id = from.text();
    else if (tag === 58) to.created_at = from.time();
    else from.skip(tag);
  }
  return to;
};

const readChange: Read = (from, to = { type: "change" }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.change = from.message(readChangeLog, to.change);
    else from.skip(tag);
  }
  return to;
};

const readPush: Read = (from, to = { type: "push", entity: "", entity_id: "", action: 0 }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.entity = from.text();
    else if (tag === 18) to.entity_id = from.text();
    else if (tag === 24) to.action = from.spelled(CHANGE_ACTION);
    else if (tag === 34) to.data = from.json();
    else if (tag === 42) to.request_id = from.text();
    else if (tag === 48) to.seq = from.int();
    else if (tag === 56) to.base_version = from.int();
    else from.skip(tag);
  }
  return to;
};

const readPushAck: Read = (
  from,
  to = {
    type: "push_ack",
    entity: "",
    entity_id: "",
    version: 0,
  },
) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.entity = from.text();
    else if (tag === 18) to.entity_id = from.text();
    else if (tag === 24) to.version = from.int();
    else if (tag === 34) to.request_id = from.text();
    else if (tag === 40) to.seq = from.int();
    else if (tag === 50) to.epoch = from.text();
    else if (tag === 56) to.duplicate = from.flag();
    else if (tag === 66) to.server_time = from.time();
    else from.skip(tag);
  }
  return to;
};

const readSubscribeFields: Read = (from, to = { type: "subscribe_fields", entities: [] }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) append(to, "entities", from.text());
    else if (tag === 18) put(to, "since", from.entry(readPosition));
    else from.skip(tag);
  }
  return to;
};

const readUnsubscribeFields: Read = (from, to = { type: "unsubscribe_fields", entities: [] }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) append(to, "entities", from.text());
    else from.skip(tag);
  }
  return to;
};

const readSyncFields: Read = (from, to = { type: "sync_fields", entity: "", since: 0 }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.entity = from.text();
    else if (tag === 16) to.since = from.int();
    else if (tag === 26) to.epoch = from.text();
    else if (tag === 34) to.request_id = from.text();
    else from.skip(tag);
  }
  return to;
};

const readSyncFieldsComplete: Read = (
  from,
  to = {
    type: "sync_fields_complete",
    entity: "",
    version: 0,
    epoch: "",
    reset: false,
  },
) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.entity = from.text();
    else if (tag === 16) to.version = from.int();
    else if (tag === 26) to.epoch = from.text();
    else if (tag === 32) to.reset = from.flag();
    else if (tag === 42) to.request_id = from.text();
    else from.skip(tag);
  }
  return to;
};

const readFieldChangeLog: Read = (
  from,
  to = {
    entity: "",
    entity_id: "",
    field: "",
    action: 0,
    version: 0,
  },
) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.entity = from.text();
    else if (tag === 18) to.entity_id = from.text();
    else if (tag === 26) to.field = from.text();
    else if (tag === 34) to.value = from.json();
    else if (tag === 40) to.action = from.spelled(FIELD_ACTION);
    else if (tag === 48) to.version = from.int();
    else if (tag === 58) to.client_id = from.text();
    else if (tag === 66) to.timestamp = from.time();
    else if (tag === 72) to.more = from.flag();
    else from.skip(tag);
  }
  return to;
};

const readFieldChange: Read = (from, to = { type: "field_change" }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.change = from.message(readFieldChangeLog, to.change);
    else from.skip(tag);
  }
  return to;
};

const readFieldUpdate: Read = (from, to = { field: "", action: 0 }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.field = from.text();
    else if (tag === 18) to.value = from.json();
    else if (tag === 24) to.action = from.spelled(FIELD_ACTION);
    else if (tag === 34) to.timestamp = from.time();
    else from.skip(tag);
  }
  return to;
};

const readPushFields: Read = (
  from,
  to = {
    type: "push_fields",
    entity: "",
    entity_id: "",
    fields: [],
  },
) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.entity = from.text();
    else if (tag === 18) to.entity_id = from.text();
    else if (tag === 26) append(to, "fields", from.message(readFieldUpdate));
    else if (tag === 34) to.request_id = from.text();
    else if (tag === 40) to.seq = from.int();
    else if (tag === 48) to.base_version = from.int();
    else from.skip(tag);
  }
  return to;
};

const readFieldPushAck: Read = (
  from,
  to = {
    type: "field_push_ack",
    entity: "",
    entity_id: "",
    applied: 0,
    conflicts: 0,
  },
) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.entity = from.text();
    else if (tag === 18) to.entity_id = from.text();
    else if (tag === 24) to.applied = from.int();
    else if (tag === 32) to.conflicts = from.int();
    else if (tag === 40) to.version = from.int();
    else if (tag === 50) to.request_id = from.text();
    else if (tag === 56) to.seq = from.int();
    else if (tag === 66) to.epoch = from.text();
    else if (tag === 72) to.duplicate = from.flag();
    else if (tag === 82) to.server_time = from.time();
    else if (tag === 88) to.clamped = from.int();
    else from.skip(tag);
  }
  return to;
};

const readFieldConflict: Read = (
  from,
  to = {
    type: "field_conflict",
    entity: "",
    entity_id: "",
    field: "",
  },
) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.entity = from.text();
    else if (tag === 18) to.entity_id = from.text();
    else if (tag === 26) to.field = from.text();
    else if (tag === 34) to.server_value = from.json();
    else if (tag === 42) to.server_timestamp = from.time();
    else if (tag === 50) to.client_value = from.json();
    else if (tag === 58) to.client_timestamp = from.time();
    else if (tag === 64) to.version = from.int();
    else if (tag === 72) to.winner = from.spelled(WINNER);
    else if (tag === 80) to.strategy = from.spelled(MERGE_STRATEGY);
    else if (tag === 88) to.seq = from.int();
    else from.skip(tag);
  }
  return to;
};

const readFormFieldValue: Read = (from, to = { field: "", value: "" }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.field = from.text();
    else if (tag === 18) to.value = from.text();
    else from.skip(tag);
  }
  return to;
};

const readValidateField: Read = (
  from,
  to = {
    type: "validate_field",
    request_id: "",
    form: "",
    field: "",
    value: "",
    values: [],
  },
) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.request_id = from.text();
    else if (tag === 18) to.form = from.text();
    else if (tag === 26) to.field = from.text();
    else if (tag === 34) to.value = from.text();
    else if (tag === 42) to.form_instance = from.text();
    else if (tag === 50) append(to, "values", from.message(readFormFieldValue));
    else from.skip(tag);
  }
  return to;
};

const readValidationResult: Read = (
  from,
  to = {
    type: "validation_result",
    request_id: "",
    form: "",
    field: "",
    valid: false,
  },
) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.request_id = from.text();
    else if (tag === 18) to.form = from.text();
    else if (tag === 26) to.field = from.text();
    else if (tag === 32) to.valid = from.flag();
    else if (tag === 42) to.error = from.text();
    else if (tag === 50) to.metadata = from.json();
    else from.skip(tag);
  }
  return to;
};

const readValidateForm: Read = (
  from,
  to = {
    type: "validate_form",
    request_id: "",
    form: "",
    fields: [],
  },
) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.request_id = from.text();
    else if (tag === 18) to.form = from.text();
    else if (tag === 26) append(to, "fields", from.message(readFormFieldValue));
    else if (tag === 34) to.form_instance = from.text();
    else from.skip(tag);
  }
  return to;
};

const readFieldError: Read = (from, to = { field: "", error: "" }) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.field = from.text();
    else if (tag === 18) to.error = from.text();
    else from.skip(tag);
  }
  return to;
};

const readFormValidationResult: Read = (
  from,
  to = {
    type: "form_validation_result",
    request_id: "",
    form: "",
    valid: false,
    errors: [],
  },
) => {
  for (let tag = from.tag(); tag !== 0; tag = from.tag()) {
    if (tag === 10) to.request_id = from.text();
    else if (tag === 18) to.form = from.text();
    else if (tag === 24) to.valid = from.flag();
    else if (tag === 34) append(to, "errors", from.message(readFieldError));
    else from.skip(tag);
  }
  return to;
};

/** Reads what a client sends, by the number of the case in the envelope. */
export const READ_CLIENT: Reads = {
  1: readHello,
  3: readAuthenticate,
  6: readPing,
  7: readPong,
  10: readSubscribe,
  11: readUnsubscribe,
  12: readSync,
  15: readPush,
  20: readSubscribeFields,
  21: readUnsubscribeFields,
  22: readSyncFields,
  25: readPushFields,
  30: readValidateField,
  32: readValidateForm,
};

/** Reads what a server sends, by the number of the case in the envelope. */
export const READ_SERVER: Reads = {
  2: readWelcome,
  4: readAuthenticated,
  5: readError,
  6: readPing,
  7: readPong,
  13: readSyncComplete,
  14: readChange,
  16: readPushAck,
  23: readSyncFieldsComplete,
  24: readFieldChange,
  26: readFieldPushAck,
  27: readFieldConflict,
  31: readValidationResult,
  33: readFormValidationResult,
};
