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
  " nanos since applied conflicts version;12 confirmed_seq retry_after since conflict limit" +
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
  "1hello,\u0091\u0086\u0087\u0094z\u008cG\u0092 " + // 1 Hello
  "2welcome,\u0097\u00a3mn0K\u0098\u008cG\u0088 " + // 2 Welcome
  "1authenticate,\u0099\u0096 " + // 3 Authenticate
  "2authenticated,P\u0096 " + // 4 Authenticated
  "2error,\u009fF\u0096\u0085bX{ " + // 5 Error
  "3ping, " + // 6 Ping
  "3pong, " + // 7 Pong
  " " + // 8
  " " + // 9
  "1subscribe,JHa " + // 10 Subscribe
  "1unsubscribe,Ja " + // 11 Unsubscribe
  "1sync,\u00a7v\u0094\u0096a\u0095 " + // 12 Sync
  "2sync_complete,\u00a7y\u00a3W\u0096a\u0095 " + // 13 SyncComplete
  "2change,1 " + // 14 Change
  "1push,\u00a7\u00a6D\\\u0096\u0085\u0082\u0083\u0092 " + // 15 Push
  "2push_ack,\u00a7\u00a6y\u0096\u0085\u0094kS` " + // 16 PushAck
  "2sync_begin,\u00a7\u00a3WTa\u0095| " + // 17 SyncBegin
  " " + // 18
  " " + // 19
  "1subscribe_fields,JHa " + // 20 SubscribeFields
  "1unsubscribe_fields,Ja " + // 21 UnsubscribeFields
  "1sync_fields,\u00a7v\u0094\u0096a\u0095 " + // 22 SyncFields
  "2sync_fields_complete,\u00a7y\u00a3W\u0096a\u0095 " + // 23 SyncFieldsComplete
  "2field_change,2 " + // 24 FieldChange
  "1push_fields,\u00a7\u00a69\u0096\u0085\u0082h\u0083\u0092 " + // 25 PushFields
  "2field_push_ack,\u00a7\u00a6wx\u0084\u0096\u0085\u0094kS\u0080` " + // 26 FieldPushAck
  "2field_conflict,\u00a7\u00a6\u00a5YLZM\u008454\u0085\u008dcd\u0089} " + // 27 FieldConflict
  " " + // 28
  " " + // 29
  "1validate_field,\u00a2\u00a4\u00a5\u00a0\u0093Bl " + // 30 ValidateField
  "2validation_result,\u00a2\u00a4\u00a5V\u008a[l\u0093 " + // 31 ValidationResult
  "1validate_form,\u00a2\u00a4:\u0093el " + // 32 ValidateForm
  "2form_validation_result,\u00a2\u00a4V;\u008bl " + // 33 FormValidationResult
  "1close_form,\u00a4\u0093 " + // 34 CloseForm
  " " + // 35
  " " + // 36
  " " + // 37
  " " + // 38
  " " + // 39
  "1transaction,<\u0096\u0085\u0083\u0092 " + // 40 Transaction
  "2transaction_ack,\u00a1=\u0096\u0085\u0094kS " + // 41 TransactionAck
  "2transaction_complete,\u00a1 " + // 42 TransactionComplete
  " " + // 43
  " " + // 44
  " " + // 45
  " " + // 46
  " " + // 47
  " " + // 48
  " " + // 49
  "1history,\u00a7\u00a6\u0081Q~\u0096 " + // 50 History
  "2history_result,>\u0081U\u0096 " + // 51 HistoryResult
  "1blame,\u00a7\u00a6\u0096 " + // 52 Blame
  "2blame_result,?\u0096 " + // 53 BlameResult
  " " + // 54
  " " + // 55
  " " + // 56
  " " + // 57
  " " + // 58
  " " + // 59
  "1room_join,\u00a7\u00a6^f\u0096 " + // 60 RoomJoin
  "2room_joined,\u00a7\u00a6\u008e\u0096 " + // 61 RoomJoined
  "1room_leave,\u00a7\u00a6 " + // 62 RoomLeave
  "2room_members,\u00a7\u00a6C@gi\u007f " + // 63 RoomMembers
  "3room_message,\u00a7\u00a6_\u008e " + // 64 RoomMessage
  "2room_closed,\u00a7\u00a6\u009fF " + // 65 RoomClosed
  ",y\u009ao " + // 66 SchemaVersion
  ",pqr " + // 67 Limits
  ",\u00a3y\u0095 " + // 68 Position
  ",\u00a7\u00a6D\\y\u0091Nj\u008f " + // 69 ChangeLog
  ",\u00a7\u00a6\u00a5]Ey\u0091Oij\u008f " + // 70 FieldChangeLog
  ",\u00a5]EO " + // 71 FieldUpdate
  ",\u009bs\u009c " + // 72 FormFile
  ",\u00a5\u00a08 " + // 73 FormFieldValue
  ",\u00a5\u009d " + // 74 FieldError
  ",\u00a7\u00a63_A\u0082h " + // 75 TransactionWrite
  ",\u00a7\u00a6\u0084wx\u0080` " + // 76 WriteResult
  ",7I\u0090 " + // 77 HistoryCommit
  ",\u00a5yR\u0091\u0090 " + // 78 FieldAuthor
  ",\u009e\u0090^ " + // 79 RoomMember
  ",\u008d6 " + // 80 an entry of a map to Position
  ",tu"; // 81 google.protobuf.Timestamp

/** The spellings of each enum, by their number in protobuf. */
export const ENUMS: readonly (readonly string[])[] = [
  ",create,update,delete".split(","),
  ["", ...Object.keys(ERRORS)],
  ",update,delete,increment,add,remove,max,min,append,set_key,delete_key".split(","),
  ",last_write_wins,keep_both,server_wins,client_wins,counter,set".split(","),
  ",server,client".split(","),
];
