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
  "0654 limits;0656 change;0657 change;110 action;111 code;113 strategy;114 winner;1655 value" +
  ";1656 change;1659 file;2658 fields;2660 fields;2661 errors;2662 writes;2663 results;2664" +
  " commits;2665 fields;3658 fields;3660 values;010 action;012 action;5666 since;23 changed" +
  " entities;0567 server_time server_timestamp client_timestamp created_at timestamp;1567 expires" +
  " until timestamp server_time;00 fields complete valid reset;14 details server_value" +
  " client_value metadata data value;10 retryable server_deleted client_deleted more if_unchanged" +
  " left duplicate;94 data prepared where;02 last_seq heartbeat message_bytes subscriptions" +
  " requests size seconds nanos since applied conflicts version;12 confirmed_seq retry_after" +
  " since conflict limit clamped before base_version version seq;13 token schema server_client_id" +
  " error secret key form_instance transaction subject client_id epoch scope request_id;03" +
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
  "1hello,\u0084{|\u0085q\u007f " + // 1 Hello
  "2welcome,\u0088\u0093ef0H\u0089\u007f " + // 2 Welcome
  "1authenticate,\u008a\u0087 " + // 3 Authenticate
  "2authenticated,M\u0087 " + // 4 Authenticated
  "2error,\u008b4\u0087z[Ur " + // 5 Error
  "3ping, " + // 6 Ping
  "3pong, " + // 7 Pong
  " " + // 8
  " " + // 9
  "1subscribe,GEd " + // 10 Subscribe
  "1unsubscribe,Gd " + // 11 Unsubscribe
  "1sync,\u0096m\u0085\u0087d\u0086 " + // 12 Sync
  "2sync_complete,\u0096p\u0093T\u0087d\u0086 " + // 13 SyncComplete
  "2change,1 " + // 14 Change
  "1push,\u0096\u0095CY\u0087zx " + // 15 Push
  "2push_ack,\u0096\u0095p\u0087z\u0085aPc " + // 16 PushAck
  "2sync_begin,\u0096\u0093TQd\u0086s " + // 17 SyncBegin
  " " + // 18
  " " + // 19
  "1subscribe_fields,GEd " + // 20 SubscribeFields
  "1unsubscribe_fields,Gd " + // 21 UnsubscribeFields
  "1sync_fields,\u0096m\u0085\u0087d\u0086 " + // 22 SyncFields
  "2sync_fields_complete,\u0096p\u0093T\u0087d\u0086 " + // 23 SyncFieldsComplete
  "2field_change,2 " + // 24 FieldChange
  "1push_fields,\u0096\u0095:\u0087zx_ " + // 25 PushFields
  "2field_push_ack,\u0096\u0095noy\u0087z\u0085aPvc " + // 26 FieldPushAck
  "2field_conflict,\u0096\u0095\u0094VIWJy65z\u0080\\]}t " + // 27 FieldConflict
  " " + // 28
  " " + // 29
  "1validate_field,\u0091\u0092\u0094\u008f\u0081B " + // 30 ValidateField
  "2validation_result,\u0091\u0092\u0094S~X " + // 31 ValidationResult
  "1validate_form,\u0091\u0092;\u0081 " + // 32 ValidateForm
  "2form_validation_result,\u0091\u0092S< " + // 33 FormValidationResult
  " " + // 34
  " " + // 35
  " " + // 36
  " " + // 37
  " " + // 38
  " " + // 39
  "1transaction,=\u0087z " + // 40 Transaction
  "2transaction_ack,\u0090>\u0087z\u0085aP " + // 41 TransactionAck
  "2transaction_complete,\u0090 " + // 42 TransactionComplete
  " " + // 43
  " " + // 44
  " " + // 45
  " " + // 46
  " " + // 47
  " " + // 48
  " " + // 49
  "1history,\u0096\u0095wNu\u0087 " + // 50 History
  "2history_result,?wR\u0087 " + // 51 HistoryResult
  "1blame,\u0096\u0095\u0087 " + // 52 Blame
  "2blame_result,@\u0087 " + // 53 BlameResult
  ",ghi " + // 54 Limits
  ",\u0093p\u0086 " + // 55 Position
  ",\u0096\u0095CYp\u0084K`\u0082 " + // 56 ChangeLog
  ",\u0096\u0095\u0094ZDp\u0084L^`\u0082 " + // 57 FieldChangeLog
  ",\u0094ZDL " + // 58 FieldUpdate
  ",\u008cj\u008d " + // 59 FormFile
  ",\u0094\u008f9 " + // 60 FormFieldValue
  ",\u0094\u008e " + // 61 FieldError
  ",\u0096\u00953bAx_ " + // 62 TransactionWrite
  ",\u0096\u0095ynovc " + // 63 WriteResult
  ",8F\u0083 " + // 64 HistoryCommit
  ",\u0094pO\u0084\u0083 " + // 65 FieldAuthor
  ",\u00807 " + // 66 an entry of a map to Position
  ",kl"; // 67 google.protobuf.Timestamp

/** The spellings of each enum, by their number in protobuf. */
export const ENUMS: readonly (readonly string[])[] = [
  ",create,update,delete".split(","),
  ["", ...Object.keys(ERRORS)],
  ",update,delete,increment,add,remove,max,min,append,set_key,delete_key".split(","),
  ",last_write_wins,keep_both,server_wins,client_wins,counter,set".split(","),
  ",server,client".split(","),
];
