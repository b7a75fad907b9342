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
  " server_value client_value metadata data value;94 data prepared where;10 retryable" +
  " server_deleted client_deleted with_receipt more if_unchanged left duplicate live;02 last_seq" +
  " heartbeat oldest message_bytes subscriptions requests size seconds nanos since applied" +
  " conflicts version;12 confirmed_seq retry_after since conflict limit clamped before" +
  " base_version schema_version version seq;13 token schema node server_client_id error receipt" +
  " secret key transaction subject client_id traceparent form_instance epoch scope request_id;03" +
  " session_id schema token message hash name type error value transaction request_id epoch form" +
  " field entity_id entity";

/**
 * Each message, those of the envelope at their number there: who sends it (1 a client,
 * 2 a server, 3 either) and its `type`, then its fields in the order of their numbers,
 * from 1. A character is the place of the field in `FIELDS`, counted from
 * `0`; `!` is a number without a field.
 */
export const MESSAGES =
  " " + // 0
  "1hello,\u008a\u0080\u0081\u008du\u0086E\u008b " + // 1 Hello
  "2welcome,\u0090\u009bhi0I\u0091\u0086E\u0082 " + // 2 Welcome
  "1authenticate,\u0092\u008f " + // 3 Authenticate
  "2authenticated,N\u008f " + // 4 Authenticated
  "2error,\u00934\u008f\u007f_Vv " + // 5 Error
  "3ping, " + // 6 Ping
  "3pong, " + // 7 Pong
  " " + // 8
  " " + // 9
  "1subscribe,HF^ " + // 10 Subscribe
  "1unsubscribe,H^ " + // 11 Unsubscribe
  "1sync,\u009fq\u008d\u008f^\u008e " + // 12 Sync
  "2sync_complete,\u009ft\u009bU\u008f^\u008e " + // 13 SyncComplete
  "2change,1 " + // 14 Change
  "1push,\u009f\u009eCZ\u008f\u007f|}\u008b " + // 15 Push
  "2push_ack,\u009f\u009et\u008f\u007f\u008dfQ] " + // 16 PushAck
  "2sync_begin,\u009f\u009bUR^\u008ew " + // 17 SyncBegin
  " " + // 18
  " " + // 19
  "1subscribe_fields,HF^ " + // 20 SubscribeFields
  "1unsubscribe_fields,H^ " + // 21 UnsubscribeFields
  "1sync_fields,\u009fq\u008d\u008f^\u008e " + // 22 SyncFields
  "2sync_fields_complete,\u009ft\u009bU\u008f^\u008e " + // 23 SyncFieldsComplete
  "2field_change,2 " + // 24 FieldChange
  "1push_fields,\u009f\u009e:\u008f\u007f|d}\u008b " + // 25 PushFields
  "2field_push_ack,\u009f\u009ers~\u008f\u007f\u008dfQz] " + // 26 FieldPushAck
  "2field_conflict,\u009f\u009e\u009dWJXK~65\u007f\u0087`a\u0083x " + // 27 FieldConflict
  " " + // 28
  " " + // 29
  "1validate_field,\u009a\u009c\u009d\u0098\u008cBg " + // 30 ValidateField
  "2validation_result,\u009a\u009c\u009dT\u0084Yg\u008c " + // 31 ValidationResult
  "1validate_form,\u009a\u009c;\u008cbg " + // 32 ValidateForm
  "2form_validation_result,\u009a\u009cT<\u0085g " + // 33 FormValidationResult
  "1close_form,\u009c\u008c " + // 34 CloseForm
  " " + // 35
  " " + // 36
  " " + // 37
  " " + // 38
  " " + // 39
  "1transaction,=\u008f\u007f}\u008b " + // 40 Transaction
  "2transaction_ack,\u0099>\u008f\u007f\u008dfQ " + // 41 TransactionAck
  "2transaction_complete,\u0099 " + // 42 TransactionComplete
  " " + // 43
  " " + // 44
  " " + // 45
  " " + // 46
  " " + // 47
  " " + // 48
  " " + // 49
  "1history,\u009f\u009e{Oy\u008f " + // 50 History
  "2history_result,?{S\u008f " + // 51 HistoryResult
  "1blame,\u009f\u009e\u008f " + // 52 Blame
  "2blame_result,@\u008f " + // 53 BlameResult
  ",t\u0094j " + // 54 SchemaVersion
  ",klm " + // 55 Limits
  ",\u009bt\u008e " + // 56 Position
  ",\u009f\u009eCZt\u008aLe\u0088 " + // 57 ChangeLog
  ",\u009f\u009e\u009d[Dt\u008aMce\u0088 " + // 58 FieldChangeLog
  ",\u009d[DM " + // 59 FieldUpdate
  ",\u0095n\u0096 " + // 60 FormFile
  ",\u009d\u00989 " + // 61 FormFieldValue
  ",\u009d\u0097 " + // 62 FieldError
  ",\u009f\u009e3\\A|d " + // 63 TransactionWrite
  ",\u009f\u009e~rsz] " + // 64 WriteResult
  ",8G\u0089 " + // 65 HistoryCommit
  ",\u009dtP\u008a\u0089 " + // 66 FieldAuthor
  ",\u00877 " + // 67 an entry of a map to Position
  ",op"; // 68 google.protobuf.Timestamp

/** The spellings of each enum, by their number in protobuf. */
export const ENUMS: readonly (readonly string[])[] = [
  ",create,update,delete".split(","),
  ["", ...Object.keys(ERRORS)],
  ",update,delete,increment,add,remove,max,min,append,set_key,delete_key".split(","),
  ",last_write_wins,keep_both,server_wins,client_wins,counter,set".split(","),
  ",server,client".split(","),
];
