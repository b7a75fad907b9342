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
  "0655 limits;0657 change;0658 change;110 action;111 code;113 strategy;114 winner;1656 value" +
  ";1657 change;1660 file;2659 fields;2661 fields;2662 errors;2663 writes;2664 results;2665" +
  " commits;2666 fields;3659 fields;3661 values;010 action;012 action;1654 app_schema;5667 since" +
  ";23 changed entities;0568 server_time server_timestamp client_timestamp created_at timestamp" +
  ";1568 expires until timestamp server_time;00 fields complete valid reset;14 details" +
  " server_value client_value metadata data value;10 retryable server_deleted client_deleted" +
  " with_receipt more if_unchanged left duplicate;94 data prepared where;02 last_seq heartbeat" +
  " oldest message_bytes subscriptions requests size seconds nanos since applied conflicts" +
  " version;12 confirmed_seq retry_after since conflict limit clamped before base_version" +
  " schema_version version seq;13 token schema node server_client_id error receipt secret key" +
  " form_instance transaction subject client_id epoch scope request_id;03 session_id schema token" +
  " message hash name type error value transaction request_id form epoch field entity_id entity";

/**
 * Each message, those of the envelope at their number there: who sends it (1 a client,
 * 2 a server, 3 either) and its `type`, then its fields in the order of their numbers,
 * from 1. A character is the place of the field in `FIELDS`, counted from
 * `0`; `!` is a number without a field.
 */
export const MESSAGES =
  " " + // 0
  "1hello,\u008a\u007f\u0080\u008bt\u0085E " + // 1 Hello
  "2welcome,\u008e\u009agh0I\u008f\u0085E\u0081 " + // 2 Welcome
  "1authenticate,\u0090\u008d " + // 3 Authenticate
  "2authenticated,N\u008d " + // 4 Authenticated
  "2error,\u00914\u008d~\\Vu " + // 5 Error
  "3ping, " + // 6 Ping
  "3pong, " + // 7 Pong
  " " + // 8
  " " + // 9
  "1subscribe,HFf " + // 10 Subscribe
  "1unsubscribe,Hf " + // 11 Unsubscribe
  "1sync,\u009dp\u008b\u008df\u008c " + // 12 Sync
  "2sync_complete,\u009ds\u009aU\u008df\u008c " + // 13 SyncComplete
  "2change,1 " + // 14 Change
  "1push,\u009d\u009cCZ\u008d~{| " + // 15 Push
  "2push_ack,\u009d\u009cs\u008d~\u008bcQe " + // 16 PushAck
  "2sync_begin,\u009d\u009aURf\u008cv " + // 17 SyncBegin
  " " + // 18
  " " + // 19
  "1subscribe_fields,HFf " + // 20 SubscribeFields
  "1unsubscribe_fields,Hf " + // 21 UnsubscribeFields
  "1sync_fields,\u009dp\u008b\u008df\u008c " + // 22 SyncFields
  "2sync_fields_complete,\u009ds\u009aU\u008df\u008c " + // 23 SyncFieldsComplete
  "2field_change,2 " + // 24 FieldChange
  "1push_fields,\u009d\u009c:\u008d~{a| " + // 25 PushFields
  "2field_push_ack,\u009d\u009cqr}\u008d~\u008bcQye " + // 26 FieldPushAck
  "2field_conflict,\u009d\u009c\u009bWJXK}65~\u0086]^\u0082w " + // 27 FieldConflict
  " " + // 28
  " " + // 29
  "1validate_field,\u0098\u0099\u009b\u0096\u0087B " + // 30 ValidateField
  "2validation_result,\u0098\u0099\u009bT\u0083Y " + // 31 ValidationResult
  "1validate_form,\u0098\u0099;\u0087_ " + // 32 ValidateForm
  "2form_validation_result,\u0098\u0099T<\u0084 " + // 33 FormValidationResult
  " " + // 34
  " " + // 35
  " " + // 36
  " " + // 37
  " " + // 38
  " " + // 39
  "1transaction,=\u008d~| " + // 40 Transaction
  "2transaction_ack,\u0097>\u008d~\u008bcQ " + // 41 TransactionAck
  "2transaction_complete,\u0097 " + // 42 TransactionComplete
  " " + // 43
  " " + // 44
  " " + // 45
  " " + // 46
  " " + // 47
  " " + // 48
  " " + // 49
  "1history,\u009d\u009czOx\u008d " + // 50 History
  "2history_result,?zS\u008d " + // 51 HistoryResult
  "1blame,\u009d\u009c\u008d " + // 52 Blame
  "2blame_result,@\u008d " + // 53 BlameResult
  ",s\u0092i " + // 54 SchemaVersion
  ",jkl " + // 55 Limits
  ",\u009as\u008c " + // 56 Position
  ",\u009d\u009cCZs\u008aLb\u0088 " + // 57 ChangeLog
  ",\u009d\u009c\u009b[Ds\u008aM`b\u0088 " + // 58 FieldChangeLog
  ",\u009b[DM " + // 59 FieldUpdate
  ",\u0093m\u0094 " + // 60 FormFile
  ",\u009b\u00969 " + // 61 FormFieldValue
  ",\u009b\u0095 " + // 62 FieldError
  ",\u009d\u009c3dA{a " + // 63 TransactionWrite
  ",\u009d\u009c}qrye " + // 64 WriteResult
  ",8G\u0089 " + // 65 HistoryCommit
  ",\u009bsP\u008a\u0089 " + // 66 FieldAuthor
  ",\u00867 " + // 67 an entry of a map to Position
  ",no"; // 68 google.protobuf.Timestamp

/** The spellings of each enum, by their number in protobuf. */
export const ENUMS: readonly (readonly string[])[] = [
  ",create,update,delete".split(","),
  ["", ...Object.keys(ERRORS)],
  ",update,delete,increment,add,remove,max,min,append,set_key,delete_key".split(","),
  ",last_write_wins,keep_both,server_wins,client_wins,counter,set".split(","),
  ",server,client".split(","),
];
