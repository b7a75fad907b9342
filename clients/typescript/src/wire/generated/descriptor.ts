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
  " where;12 confirmed_seq retry_after clamped base_version version seq;02 last_seq heartbeat" +
  " message_bytes subscriptions requests size seconds nanos since applied conflicts version;13" +
  " token schema error secret key form_instance transaction client_id epoch scope request_id;03" +
  " session_id schema token message name type error value transaction request_id form epoch field" +
  " entity_id entity";

/**
 * Each message, those of the envelope at their number there: who sends it (1 a client,
 * 2 a server, 3 either) and its `type`, then its fields in the order of their numbers,
 * from 1. A character is the place of the field in `FIELDS`, counted from
 * `0`; `!` is a number without a field.
 */
export const MESSAGES =
  " " + // 0
  "1hello,tmnu[p " + // 1 Hello
  "2welcome,x\u0083ab0Iyp " + // 2 Welcome
  "1authenticate,zw " + // 3 Authenticate
  "2authenticated,Cw " + // 4 Authenticated
  "2error,{4w`NR\\ " + // 5 Error
  "3ping, " + // 6 Ping
  "3pong, " + // 7 Pong
  " " + // 8
  " " + // 9
  "1subscribe,EBZ " + // 10 Subscribe
  "1unsubscribe,EZ " + // 11 Unsubscribe
  "1sync,\u0086iuwZv " + // 12 Sync
  "2sync_complete,\u0086l\u0083HwZv " + // 13 SyncComplete
  "2change,1 " + // 14 Change
  "1push,\u0086\u0085@Vw`^ " + // 15 Push
  "2push_ack,\u0086\u0085lw`uQDY " + // 16 PushAck
  "2sync_begin,\u0086\u0083HFZv " + // 17 SyncBegin
  " " + // 18
  " " + // 19
  "1subscribe_fields,EBZ " + // 20 SubscribeFields
  "1unsubscribe_fields,EZ " + // 21 UnsubscribeFields
  "1sync_fields,\u0086iuwZv " + // 22 SyncFields
  "2sync_fields_complete,\u0086l\u0083HwZv " + // 23 SyncFieldsComplete
  "2field_change,2 " + // 24 FieldChange
  "1push_fields,\u0086\u00859w`^ " + // 25 PushFields
  "2field_push_ack,\u0086\u0085jk_w`uQD]Y " + // 26 FieldPushAck
  "2field_conflict,\u0086\u0085\u0084SJTK_65`q " + // 27 FieldConflict
  " " + // 28
  " " + // 29
  "1validate_field,\u0081\u0082\u0084\u007fr? " + // 30 ValidateField
  "2validation_result,\u0081\u0082\u0084GoU " + // 31 ValidationResult
  "1validate_form,\u0081\u0082:r " + // 32 ValidateForm
  "2form_validation_result,\u0081\u0082G; " + // 33 FormValidationResult
  " " + // 34
  " " + // 35
  " " + // 36
  " " + // 37
  " " + // 38
  " " + // 39
  "1transaction,<w` " + // 40 Transaction
  "2transaction_ack,\u0080=w`uQD " + // 41 TransactionAck
  "2transaction_complete,\u0080 " + // 42 TransactionComplete
  ",cde " + // 43 Limits
  ",\u0083lv " + // 44 Position
  ",\u0086\u0085@VltLPs " + // 45 ChangeLog
  ",\u0086\u0085\u0084WAltMOPs " + // 46 FieldChangeLog
  ",\u0084WAM " + // 47 FieldUpdate
  ",|f} " + // 48 FormFile
  ",\u0084\u007f8 " + // 49 FormFieldValue
  ",\u0084~ " + // 50 FieldError
  ",\u0086\u00853X>^ " + // 51 TransactionWrite
  ",\u0086\u0085_jk]Y " + // 52 WriteResult
  ",q7 " + // 53 an entry of a map to Position
  ",gh"; // 54 google.protobuf.Timestamp

/** The spellings of each enum, by their number in protobuf. */
export const ENUMS: readonly (readonly string[])[] = [
  ",create,update,delete".split(","),
  ["", ...Object.keys(ERRORS)],
  ",update,delete,increment,add,remove,max,min,append,set_key,delete_key".split(","),
  ",last_write_wins,keep_both,server_wins,client_wins,counter,set".split(","),
  ",server,client".split(","),
];
