/**
 * What the messages are, for the codec; `../plan.ts` reads it.
 *
 * Generated from proto/ by `nox -s codegen`. Do not edit.
 */
import { ERRORS } from "../../messages/tables.ts";

/**
 * Every field, those of one kind together. Before them stand a digit (1: may be left
 * out, 2: a list, 4: a map, 8: is left out where it is null, or their sum), a digit for
 * the kind (0 a boolean, 1 an enum, 2 an integer, 3 a string, 4 JSON, 5 a time, 6 a
 * message), and the place of that enum or message.
 */
export const FIELDS =
  "0643 limits;0645 change;0646 change;110 action;111 code;113 strategy;114 winner;1644 value" +
  ";1648 file;2647 fields;2649 fields;2650 errors;2651 writes;2652 results;3647 fields;3649" +
  " values;010 action;012 action;5653 since;1554 expires server_time;23 entities;00 fields valid" +
  " reset;0554 server_time server_timestamp client_timestamp created_at timestamp;10 retryable" +
  " more left duplicate;14 details server_value client_value metadata data value;94 data prepared" +
  " where;12 confirmed_seq retry_after since clamped base_version version seq;02 last_seq" +
  " heartbeat message_bytes subscriptions requests size seconds nanos since applied conflicts" +
  " version;13 token schema error secret key form_instance transaction client_id epoch scope" +
  " request_id;03 session_id schema token message name type error value transaction request_id" +
  " form epoch field entity_id entity";

/**
 * Each message, those of the envelope at their number there: who sends it (1 a client,
 * 2 a server, 3 either) and its `type`, then its fields in the order of their numbers,
 * from 1. A character is the place of the field in `FIELDS`, counted from
 * `0`; `!` is a number without a field.
 */
export const MESSAGES =
  " " + // 0
  "1hello,unov[q " + // 1 Hello
  "2welcome,y\u0084bc0Izq " + // 2 Welcome
  "1authenticate,{x " + // 3 Authenticate
  "2authenticated,Cx " + // 4 Authenticated
  "2error,|4xaNR\\ " + // 5 Error
  "3ping, " + // 6 Ping
  "3pong, " + // 7 Pong
  " " + // 8
  " " + // 9
  "1subscribe,EBZ " + // 10 Subscribe
  "1unsubscribe,EZ " + // 11 Unsubscribe
  "1sync,\u0087jvxZw " + // 12 Sync
  "2sync_complete,\u0087m\u0084HxZw " + // 13 SyncComplete
  "2change,1 " + // 14 Change
  "1push,\u0087\u0086@Vxa_ " + // 15 Push
  "2push_ack,\u0087\u0086mxavQDY " + // 16 PushAck
  "2sync_begin,\u0087\u0084HFZw] " + // 17 SyncBegin
  " " + // 18
  " " + // 19
  "1subscribe_fields,EBZ " + // 20 SubscribeFields
  "1unsubscribe_fields,EZ " + // 21 UnsubscribeFields
  "1sync_fields,\u0087jvxZw " + // 22 SyncFields
  "2sync_fields_complete,\u0087m\u0084HxZw " + // 23 SyncFieldsComplete
  "2field_change,2 " + // 24 FieldChange
  "1push_fields,\u0087\u00869xa_ " + // 25 PushFields
  "2field_push_ack,\u0087\u0086kl`xavQD^Y " + // 26 FieldPushAck
  "2field_conflict,\u0087\u0086\u0085SJTK`65ar " + // 27 FieldConflict
  " " + // 28
  " " + // 29
  "1validate_field,\u0082\u0083\u0085\u0080s? " + // 30 ValidateField
  "2validation_result,\u0082\u0083\u0085GpU " + // 31 ValidationResult
  "1validate_form,\u0082\u0083:s " + // 32 ValidateForm
  "2form_validation_result,\u0082\u0083G; " + // 33 FormValidationResult
  " " + // 34
  " " + // 35
  " " + // 36
  " " + // 37
  " " + // 38
  " " + // 39
  "1transaction,<xa " + // 40 Transaction
  "2transaction_ack,\u0081=xavQD " + // 41 TransactionAck
  "2transaction_complete,\u0081 " + // 42 TransactionComplete
  ",def " + // 43 Limits
  ",\u0084mw " + // 44 Position
  ",\u0087\u0086@VmuLPt " + // 45 ChangeLog
  ",\u0087\u0086\u0085WAmuMOPt " + // 46 FieldChangeLog
  ",\u0085WAM " + // 47 FieldUpdate
  ",}g~ " + // 48 FormFile
  ",\u0085\u00808 " + // 49 FormFieldValue
  ",\u0085\u007f " + // 50 FieldError
  ",\u0087\u00863X>_ " + // 51 TransactionWrite
  ",\u0087\u0086`kl^Y " + // 52 WriteResult
  ",r7 " + // 53 an entry of a map to Position
  ",hi"; // 54 google.protobuf.Timestamp

/** The spellings of each enum, by their number in protobuf. */
export const ENUMS: readonly (readonly string[])[] = [
  ",create,update,delete".split(","),
  ["", ...Object.keys(ERRORS)],
  ",update,delete,increment,add,remove,max,min,append,set_key,delete_key".split(","),
  ",last_write_wins,keep_both,server_wins,client_wins,counter,set".split(","),
  ",server,client".split(","),
];
