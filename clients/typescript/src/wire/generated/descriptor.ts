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
  ";14 details server_value client_value metadata data value;10 retryable server_deleted" +
  " client_deleted watch reset if_unchanged more left duplicate;94 state data prepared where;02" +
  " last_seq heartbeat oldest message_bytes subscriptions requests size seconds nanos since" +
  " applied conflicts version;12 confirmed_seq retry_after since conflict limit missed clamped" +
  " before base_version schema_version version seq;13 token schema node server_client_id error" +
  " secret key form_instance member transaction subject client_id epoch scope request_id;03" +
  " session_id schema token hash name type error id message value transaction request_id form" +
  " epoch field entity_id entity";

/**
 * Each message, those of the envelope at their number there: who sends it (1 a client,
 * 2 a server, 3 either) and its `type`, then its fields in the order of their numbers,
 * from 1. A character is the place of the field in `FIELDS`, counted from
 * `0`; `!` is a number without a field.
 */
export const MESSAGES =
  " " + // 0
  "1hello,\u008f\u0084\u0085\u0090x\u0089G " + // 1 Hello
  "2welcome,\u0093\u00a0kl0K\u0094\u0089G\u0086 " + // 2 Welcome
  "1authenticate,\u0095\u0092 " + // 3 Authenticate
  "2authenticated,P\u0092 " + // 4 Authenticated
  "2error,\u009bF\u0092\u0083^Xy " + // 5 Error
  "3ping, " + // 6 Ping
  "3pong, " + // 7 Pong
  " " + // 8
  " " + // 9
  "1subscribe,JHj " + // 10 Subscribe
  "1unsubscribe,Jj " + // 11 Unsubscribe
  "1sync,\u00a3t\u0090\u0092j\u0091 " + // 12 Sync
  "2sync_complete,\u00a3w\u00a0W\u0092j\u0091 " + // 13 SyncComplete
  "2change,1 " + // 14 Change
  "1push,\u00a3\u00a2D\\\u0092\u0083\u0080\u0081 " + // 15 Push
  "2push_ack,\u00a3\u00a2w\u0092\u0083\u0090fSi " + // 16 PushAck
  "2sync_begin,\u00a3\u00a0WTj\u0091z " + // 17 SyncBegin
  " " + // 18
  " " + // 19
  "1subscribe_fields,JHj " + // 20 SubscribeFields
  "1unsubscribe_fields,Jj " + // 21 UnsubscribeFields
  "1sync_fields,\u00a3t\u0090\u0092j\u0091 " + // 22 SyncFields
  "2sync_fields_complete,\u00a3w\u00a0W\u0092j\u0091 " + // 23 SyncFieldsComplete
  "2field_change,2 " + // 24 FieldChange
  "1push_fields,\u00a3\u00a29\u0092\u0083\u0080c\u0081 " + // 25 PushFields
  "2field_push_ack,\u00a3\u00a2uv\u0082\u0092\u0083\u0090fS~i " + // 26 FieldPushAck
  "2field_conflict,\u00a3\u00a2\u00a1YLZM\u008254\u0083\u008a_`\u0087{ " + // 27 FieldConflict
  " " + // 28
  " " + // 29
  "1validate_field,\u009e\u009f\u00a1\u009c\u008bB " + // 30 ValidateField
  "2validation_result,\u009e\u009f\u00a1V\u0088[ " + // 31 ValidationResult
  "1validate_form,\u009e\u009f:\u008b " + // 32 ValidateForm
  "2form_validation_result,\u009e\u009fV; " + // 33 FormValidationResult
  " " + // 34
  " " + // 35
  " " + // 36
  " " + // 37
  " " + // 38
  " " + // 39
  "1transaction,<\u0092\u0083\u0081 " + // 40 Transaction
  "2transaction_ack,\u009d=\u0092\u0083\u0090fS " + // 41 TransactionAck
  "2transaction_complete,\u009d " + // 42 TransactionComplete
  " " + // 43
  " " + // 44
  " " + // 45
  " " + // 46
  " " + // 47
  " " + // 48
  " " + // 49
  "1history,\u00a3\u00a2\u007fQ|\u0092 " + // 50 History
  "2history_result,>\u007fU\u0092 " + // 51 HistoryResult
  "1blame,\u00a3\u00a2\u0092 " + // 52 Blame
  "2blame_result,?\u0092 " + // 53 BlameResult
  " " + // 54
  " " + // 55
  " " + // 56
  " " + // 57
  " " + // 58
  " " + // 59
  "1room_join,\u00a3\u00a2ga\u0092 " + // 60 RoomJoin
  "2room_joined,\u00a3\u00a2\u008c\u0092 " + // 61 RoomJoined
  "1room_leave,\u00a3\u00a2 " + // 62 RoomLeave
  "2room_members,\u00a3\u00a2C@bd} " + // 63 RoomMembers
  "3room_message,\u00a3\u00a2h\u008c " + // 64 RoomMessage
  "2room_closed,\u00a3\u00a2\u009bF " + // 65 RoomClosed
  ",w\u0096m " + // 66 SchemaVersion
  ",nop " + // 67 Limits
  ",\u00a0w\u0091 " + // 68 Position
  ",\u00a3\u00a2D\\w\u008fNe\u008d " + // 69 ChangeLog
  ",\u00a3\u00a2\u00a1]Ew\u008fOde\u008d " + // 70 FieldChangeLog
  ",\u00a1]EO " + // 71 FieldUpdate
  ",\u0097q\u0098 " + // 72 FormFile
  ",\u00a1\u009c8 " + // 73 FormFieldValue
  ",\u00a1\u0099 " + // 74 FieldError
  ",\u00a3\u00a23hA\u0080c " + // 75 TransactionWrite
  ",\u00a3\u00a2\u0082uv~i " + // 76 WriteResult
  ",7I\u008e " + // 77 HistoryCommit
  ",\u00a1wR\u008f\u008e " + // 78 FieldAuthor
  ",\u009a\u008eg " + // 79 RoomMember
  ",\u008a6 " + // 80 an entry of a map to Position
  ",rs"; // 81 google.protobuf.Timestamp

/** The spellings of each enum, by their number in protobuf. */
export const ENUMS: readonly (readonly string[])[] = [
  ",create,update,delete".split(","),
  ["", ...Object.keys(ERRORS)],
  ",update,delete,increment,add,remove,max,min,append,set_key,delete_key".split(","),
  ",last_write_wins,keep_both,server_wins,client_wins,counter,set".split(","),
  ",server,client".split(","),
];
