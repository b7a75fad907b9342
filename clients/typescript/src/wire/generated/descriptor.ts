/**
 * What the messages are, for the codec; `../plan.ts` reads it.
 *
 * Generated from proto/ by `nox -s codegen`. Do not edit.
 */
import { ERRORS } from "../../messages/tables.ts";

/**
 * Every field, those of one kind together. Before them stand a digit (1: may be left
 * out, 2: a list, 4: a map, or their sum), a digit for the kind (0 a boolean, 1 an
 * enum, 2 an integer, 3 a string, 4 JSON, 5 a time, 6 a message), and the place of that
 * enum or message.
 */
export const FIELDS =
  "0634 limits;0636 change;0637 change;111 code;113 strategy;114 winner;1635 value;1639 file;2638" +
  " fields;2640 fields;2641 errors;3640 values;010 action;012 action;5642 since;1543 expires" +
  " server_time;00 reset valid;10 retryable more duplicate;23 entities;0543 server_time" +
  " server_timestamp client_timestamp created_at timestamp;14 details server_value client_value" +
  " metadata data value;12 confirmed_seq retry_after clamped base_version version seq;02 last_seq" +
  " heartbeat applied conflicts message_bytes subscriptions requests size seconds nanos since" +
  " version;13 token schema error key secret form_instance client_id epoch request_id;03" +
  " session_id schema token message name type error value epoch request_id form entity_id field" +
  " entity";

/**
 * Each message, those of the envelope at their number there: who sends it (1 a client,
 * 2 a server, 3 either) and its `type`, then its fields in the order of their numbers,
 * from 1. A character is the place of the field in `FIELDS`, counted from
 * `0`; `!` is a number without a field.
 */
export const MESSAGES =
  " " + // 0
  "1hello,jdekRh " + // 1 Hello
  "2welcome,muXY0Gnh " + // 2 Welcome
  "1authenticate,ol " + // 3 Authenticate
  "2authenticated,?l " + // 4 Authenticated
  "2error,p3lWCLS " + // 5 Error
  "3ping, " + // 6 Ping
  "3pong, " + // 7 Pong
  " " + // 8
  " " + // 9
  "1subscribe,F> " + // 10 Subscribe
  "1unsubscribe,F " + // 11 Unsubscribe
  "1sync,zbkl " + // 12 Sync
  "2sync_complete,zcuAl " + // 13 SyncComplete
  "2change,1 " + // 14 Change
  "1push,zx<PlWU " + // 15 Push
  "2push_ack,zxclWkE@ " + // 16 PushAck
  " " + // 17
  " " + // 18
  " " + // 19
  "1subscribe_fields,F> " + // 20 SubscribeFields
  "1unsubscribe_fields,F " + // 21 UnsubscribeFields
  "1sync_fields,zbkl " + // 22 SyncFields
  "2sync_fields_complete,zcuAl " + // 23 SyncFieldsComplete
  "2field_change,2 " + // 24 FieldChange
  "1push_fields,zx8lWU " + // 25 PushFields
  "2field_push_ack,zxZ[VlWkE@T " + // 26 FieldPushAck
  "2field_conflict,zxyMHNIV54W " + // 27 FieldConflict
  " " + // 28
  " " + // 29
  "1validate_field,vwyti; " + // 30 ValidateField
  "2validation_result,vwyBfO " + // 31 ValidationResult
  "1validate_form,vw9i " + // 32 ValidateForm
  "2form_validation_result,vwB: " + // 33 FormValidationResult
  ",\\]^ " + // 34 Limits
  ",uc " + // 35 Position
  ",zx<PcjJ " + // 36 ChangeLog
  ",zxyQ=cjKD " + // 37 FieldChangeLog
  ",yQ=K " + // 38 FieldUpdate
  ",q_r " + // 39 FormFile
  ",yt7 " + // 40 FormFieldValue
  ",ys " + // 41 FieldError
  ",g6 " + // 42 an entry of a map to Position
  ",`a"; // 43 google.protobuf.Timestamp

/** The spellings of each enum, by their number in protobuf. */
export const ENUMS: readonly (readonly string[])[] = [
  ",create,update,delete".split(","),
  ["", ...Object.keys(ERRORS)],
  ",update,delete".split(","),
  ",last_write_wins,keep_both,server_wins,client_wins".split(","),
  ",server,client".split(","),
];
