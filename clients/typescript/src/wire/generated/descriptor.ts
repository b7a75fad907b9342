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
  "0667 limits;0669 change;0670 change;110 action;113 strategy;114 winner;1668 value;1669 change" +
  ";1672 file;2671 fields;2673 fields;2674 errors;2675 writes;2676 results;2677 commits;2678" +
  " fields;33 gone;3671 fields;3673 values;3679 members;010 action;012 action;111 code;1666" +
  " app_schema;5680 since;23 changed entities;0581 server_time server_timestamp client_timestamp" +
  " created_at timestamp;1581 expires until timestamp server_time;00 fields complete valid reset" +
  ";14 details server_value client_value metadata data value;94 state data prepared where;10" +
  " retryable server_deleted client_deleted with_receipt watch reset if_unchanged more left" +
  " duplicate live;02 last_seq heartbeat oldest message_bytes subscriptions requests size seconds" +
  " nanos since applied conflicts version;12 confirmed_seq retry_after since head conflict limit" +
  " missed clamped before base_version schema_version version seq;13 token schema node" +
  " server_client_id error receipt secret key member transaction subject client_id traceparent" +
  " form_instance epoch scope request_id;03 session_id schema token hash name type error id" +
  " message value transaction request_id epoch form field entity_id entity";

/**
 * Each message, those of the envelope at their number there: who sends it (1 a client,
 * 2 a server, 3 either) and its `type`, then its fields in the order of their numbers,
 * from 1. A character is the place of the field in `FIELDS`, counted from
 * `0`; `!` is a number without a field.
 */
export const MESSAGES =
  " " + // 0
  "1hello,\u0092\u0087\u0088\u0095z\u008dG\u0093 " + // 1 Hello
  "2welcome,\u0098\u00a4mn0K\u0099\u008dG\u0089 " + // 2 Welcome
  "1authenticate,\u009a\u0097 " + // 3 Authenticate
  "2authenticated,P\u0097 " + // 4 Authenticated
  "2error,\u00a0F\u0097\u0086bX{ " + // 5 Error
  "3ping, " + // 6 Ping
  "3pong, " + // 7 Pong
  " " + // 8
  " " + // 9
  "1subscribe,JHa " + // 10 Subscribe
  "1unsubscribe,Ja " + // 11 Unsubscribe
  "1sync,\u00a8v\u0095\u0097a\u0096 " + // 12 Sync
  "2sync_complete,\u00a8y\u00a4W\u0097a\u0096 " + // 13 SyncComplete
  "2change,1 " + // 14 Change
  "1push,\u00a8\u00a7D\\\u0097\u0086\u0083\u0084\u0093 " + // 15 Push
  "2push_ack,\u00a8\u00a7y\u0097\u0086\u0095kS` " + // 16 PushAck
  "2sync_begin,\u00a8\u00a4WTa\u0096|} " + // 17 SyncBegin
  " " + // 18
  " " + // 19
  "1subscribe_fields,JHa " + // 20 SubscribeFields
  "1unsubscribe_fields,Ja " + // 21 UnsubscribeFields
  "1sync_fields,\u00a8v\u0095\u0097a\u0096 " + // 22 SyncFields
  "2sync_fields_complete,\u00a8y\u00a4W\u0097a\u0096 " + // 23 SyncFieldsComplete
  "2field_change,2 " + // 24 FieldChange
  "1push_fields,\u00a8\u00a79\u0097\u0086\u0083h\u0084\u0093 " + // 25 PushFields
  "2field_push_ack,\u00a8\u00a7wx\u0085\u0097\u0086\u0095kS\u0081` " + // 26 FieldPushAck
  "2field_conflict,\u00a8\u00a7\u00a6YLZM\u008554\u0086\u008ecd\u008a~ " + // 27 FieldConflict
  " " + // 28
  " " + // 29
  "1validate_field,\u00a3\u00a5\u00a6\u00a1\u0094Bl " + // 30 ValidateField
  "2validation_result,\u00a3\u00a5\u00a6V\u008b[l\u0094 " + // 31 ValidationResult
  "1validate_form,\u00a3\u00a5:\u0094el " + // 32 ValidateForm
  "2form_validation_result,\u00a3\u00a5V;\u008cl " + // 33 FormValidationResult
  "1close_form,\u00a5\u0094 " + // 34 CloseForm
  " " + // 35
  " " + // 36
  " " + // 37
  " " + // 38
  " " + // 39
  "1transaction,<\u0097\u0086\u0084\u0093 " + // 40 Transaction
  "2transaction_ack,\u00a2=\u0097\u0086\u0095kS " + // 41 TransactionAck
  "2transaction_complete,\u00a2 " + // 42 TransactionComplete
  " " + // 43
  " " + // 44
  " " + // 45
  " " + // 46
  " " + // 47
  " " + // 48
  " " + // 49
  "1history,\u00a8\u00a7\u0082Q\u007f\u0097 " + // 50 History
  "2history_result,>\u0082U\u0097 " + // 51 HistoryResult
  "1blame,\u00a8\u00a7\u0097 " + // 52 Blame
  "2blame_result,?\u0097 " + // 53 BlameResult
  " " + // 54
  " " + // 55
  " " + // 56
  " " + // 57
  " " + // 58
  " " + // 59
  "1room_join,\u00a8\u00a7^f\u0097 " + // 60 RoomJoin
  "2room_joined,\u00a8\u00a7\u008f\u0097 " + // 61 RoomJoined
  "1room_leave,\u00a8\u00a7 " + // 62 RoomLeave
  "2room_members,\u00a8\u00a7C@gi\u0080 " + // 63 RoomMembers
  "3room_message,\u00a8\u00a7_\u008f " + // 64 RoomMessage
  "2room_closed,\u00a8\u00a7\u00a0F " + // 65 RoomClosed
  ",y\u009bo " + // 66 SchemaVersion
  ",pqr " + // 67 Limits
  ",\u00a4y\u0096 " + // 68 Position
  ",\u00a8\u00a7D\\y\u0092Nj\u0090 " + // 69 ChangeLog
  ",\u00a8\u00a7\u00a6]Ey\u0092Oij\u0090 " + // 70 FieldChangeLog
  ",\u00a6]EO " + // 71 FieldUpdate
  ",\u009cs\u009d " + // 72 FormFile
  ",\u00a6\u00a18 " + // 73 FormFieldValue
  ",\u00a6\u009e " + // 74 FieldError
  ",\u00a8\u00a73_A\u0083h " + // 75 TransactionWrite
  ",\u00a8\u00a7\u0085wx\u0081` " + // 76 WriteResult
  ",7I\u0091 " + // 77 HistoryCommit
  ",\u00a6yR\u0092\u0091 " + // 78 FieldAuthor
  ",\u009f\u0091^ " + // 79 RoomMember
  ",\u008e6 " + // 80 an entry of a map to Position
  ",tu"; // 81 google.protobuf.Timestamp

/** The spellings of each enum, by their number in protobuf. */
export const ENUMS: readonly (readonly string[])[] = [
  ",create,update,delete".split(","),
  ["", ...Object.keys(ERRORS)],
  ",update,delete,increment,add,remove,max,min,append,set_key,delete_key".split(","),
  ",last_write_wins,keep_both,server_wins,client_wins,counter,set".split(","),
  ",server,client".split(","),
];
