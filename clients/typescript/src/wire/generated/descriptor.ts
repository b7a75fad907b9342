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
  " server_value client_value metadata data value;10 retryable server_deleted client_deleted more" +
  " if_unchanged left duplicate;94 data prepared where;02 last_seq heartbeat oldest message_bytes" +
  " subscriptions requests size seconds nanos since applied conflicts version;12 confirmed_seq" +
  " retry_after since conflict limit clamped before base_version schema_version version seq;13" +
  " token schema node server_client_id error secret key form_instance transaction subject" +
  " client_id traceparent epoch scope request_id;03 session_id schema token message hash name" +
  " type error value transaction request_id form epoch field entity_id entity";

/**
 * Each message, those of the envelope at their number there: who sends it (1 a client,
 * 2 a server, 3 either) and its `type`, then its fields in the order of their numbers,
 * from 1. A character is the place of the field in `FIELDS`, counted from
 * `0`; `!` is a number without a field.
 */
export const MESSAGES =
  " " + // 0
  "1hello,\u0088~\u007f\u008as\u0083E\u0089 " + // 1 Hello
  "2welcome,\u008d\u0099fg0I\u008e\u0083E\u0080 " + // 2 Welcome
  "1authenticate,\u008f\u008c " + // 3 Authenticate
  "2authenticated,N\u008c " + // 4 Authenticated
  "2error,\u00904\u008c}\\Vt " + // 5 Error
  "3ping, " + // 6 Ping
  "3pong, " + // 7 Pong
  " " + // 8
  " " + // 9
  "1subscribe,HFe " + // 10 Subscribe
  "1unsubscribe,He " + // 11 Unsubscribe
  "1sync,\u009co\u008a\u008ce\u008b " + // 12 Sync
  "2sync_complete,\u009cr\u0099U\u008ce\u008b " + // 13 SyncComplete
  "2change,1 " + // 14 Change
  "1push,\u009c\u009bCZ\u008c}z{\u0089 " + // 15 Push
  "2push_ack,\u009c\u009br\u008c}\u008abQd " + // 16 PushAck
  "2sync_begin,\u009c\u0099URe\u008bu " + // 17 SyncBegin
  " " + // 18
  " " + // 19
  "1subscribe_fields,HFe " + // 20 SubscribeFields
  "1unsubscribe_fields,He " + // 21 UnsubscribeFields
  "1sync_fields,\u009co\u008a\u008ce\u008b " + // 22 SyncFields
  "2sync_fields_complete,\u009cr\u0099U\u008ce\u008b " + // 23 SyncFieldsComplete
  "2field_change,2 " + // 24 FieldChange
  "1push_fields,\u009c\u009b:\u008c}z`{\u0089 " + // 25 PushFields
  "2field_push_ack,\u009c\u009bpq|\u008c}\u008abQxd " + // 26 FieldPushAck
  "2field_conflict,\u009c\u009b\u009aWJXK|65}\u0084]^\u0081v " + // 27 FieldConflict
  " " + // 28
  " " + // 29
  "1validate_field,\u0097\u0098\u009a\u0095\u0085B " + // 30 ValidateField
  "2validation_result,\u0097\u0098\u009aT\u0082Y " + // 31 ValidationResult
  "1validate_form,\u0097\u0098;\u0085 " + // 32 ValidateForm
  "2form_validation_result,\u0097\u0098T< " + // 33 FormValidationResult
  " " + // 34
  " " + // 35
  " " + // 36
  " " + // 37
  " " + // 38
  " " + // 39
  "1transaction,=\u008c}{\u0089 " + // 40 Transaction
  "2transaction_ack,\u0096>\u008c}\u008abQ " + // 41 TransactionAck
  "2transaction_complete,\u0096 " + // 42 TransactionComplete
  " " + // 43
  " " + // 44
  " " + // 45
  " " + // 46
  " " + // 47
  " " + // 48
  " " + // 49
  "1history,\u009c\u009byOw\u008c " + // 50 History
  "2history_result,?yS\u008c " + // 51 HistoryResult
  "1blame,\u009c\u009b\u008c " + // 52 Blame
  "2blame_result,@\u008c " + // 53 BlameResult
  ",r\u0091h " + // 54 SchemaVersion
  ",ijk " + // 55 Limits
  ",\u0099r\u008b " + // 56 Position
  ",\u009c\u009bCZr\u0088La\u0086 " + // 57 ChangeLog
  ",\u009c\u009b\u009a[Dr\u0088M_a\u0086 " + // 58 FieldChangeLog
  ",\u009a[DM " + // 59 FieldUpdate
  ",\u0092l\u0093 " + // 60 FormFile
  ",\u009a\u00959 " + // 61 FormFieldValue
  ",\u009a\u0094 " + // 62 FieldError
  ",\u009c\u009b3cAz` " + // 63 TransactionWrite
  ",\u009c\u009b|pqxd " + // 64 WriteResult
  ",8G\u0087 " + // 65 HistoryCommit
  ",\u009arP\u0088\u0087 " + // 66 FieldAuthor
  ",\u00847 " + // 67 an entry of a map to Position
  ",mn"; // 68 google.protobuf.Timestamp

/** The spellings of each enum, by their number in protobuf. */
export const ENUMS: readonly (readonly string[])[] = [
  ",create,update,delete".split(","),
  ["", ...Object.keys(ERRORS)],
  ",update,delete,increment,add,remove,max,min,append,set_key,delete_key".split(","),
  ",last_write_wins,keep_both,server_wins,client_wins,counter,set".split(","),
  ",server,client".split(","),
];
