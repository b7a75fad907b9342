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
  "0634 limits;0636 change;0637 change;111 code;113 strategy;114 winner;1635 value;1639 file;2638" +
  " fields;2640 fields;2641 errors;3640 values;010 action;012 action;5642 since;1543 expires" +
  " server_time;23 entities;00 fields valid reset;0543 server_time server_timestamp" +
  " client_timestamp created_at timestamp;10 retryable more duplicate left;14 details" +
  " server_value client_value metadata data value;94 where;12 confirmed_seq retry_after clamped" +
  " base_version version seq;02 last_seq heartbeat applied conflicts message_bytes subscriptions" +
  " requests size seconds nanos since version;13 token schema error secret key form_instance" +
  " client_id epoch scope request_id;03 session_id schema token message name type error value" +
  " request_id form epoch entity_id field entity";

/**
 * Each message, those of the envelope at their number there: who sends it (1 a client,
 * 2 a server, 3 either) and its `type`, then its fields in the order of their numbers,
 * from 1. A character is the place of the field in `FIELDS`, counted from
 * `0`; `!` is a number without a field.
 */
export const MESSAGES =
  " " + // 0
  "1hello,mghnUj " + // 1 Hello
  "2welcome,q{[\\0Erj " + // 2 Welcome
  "1authenticate,sp " + // 3 Authenticate
  "2authenticated,?p " + // 4 Authenticated
  "2error,t3pZJNV " + // 5 Error
  "3ping, " + // 6 Ping
  "3pong, " + // 7 Pong
  " " + // 8
  " " + // 9
  "1subscribe,A>T " + // 10 Subscribe
  "1unsubscribe,AT " + // 11 Unsubscribe
  "1sync,~enpTo " + // 12 Sync
  "2sync_complete,~f{DpTo " + // 13 SyncComplete
  "2change,1 " + // 14 Change
  "1push,~|<RpZX " + // 15 Push
  "2push_ack,~|fpZnL@ " + // 16 PushAck
  "2sync_begin,~{DBTo " + // 17 SyncBegin
  " " + // 18
  " " + // 19
  "1subscribe_fields,A>T " + // 20 SubscribeFields
  "1unsubscribe_fields,AT " + // 21 UnsubscribeFields
  "1sync_fields,~enpTo " + // 22 SyncFields
  "2sync_fields_complete,~f{DpTo " + // 23 SyncFieldsComplete
  "2field_change,2 " + // 24 FieldChange
  "1push_fields,~|8pZX " + // 25 PushFields
  "2field_push_ack,~|]^YpZnL@W " + // 26 FieldPushAck
  "2field_conflict,~|}OFPGY54Zk " + // 27 FieldConflict
  " " + // 28
  " " + // 29
  "1validate_field,yz}xl; " + // 30 ValidateField
  "2validation_result,yz}CiQ " + // 31 ValidationResult
  "1validate_form,yz9l " + // 32 ValidateForm
  "2form_validation_result,yzC: " + // 33 FormValidationResult
  ",_`a " + // 34 Limits
  ",{fo " + // 35 Position
  ",~|<RfmHM " + // 36 ChangeLog
  ",~|}S=fmIKM " + // 37 FieldChangeLog
  ",}S=I " + // 38 FieldUpdate
  ",ubv " + // 39 FormFile
  ",}x7 " + // 40 FormFieldValue
  ",}w " + // 41 FieldError
  ",k6 " + // 42 an entry of a map to Position
  ",cd"; // 43 google.protobuf.Timestamp

/** The spellings of each enum, by their number in protobuf. */
export const ENUMS: readonly (readonly string[])[] = [
  ",create,update,delete".split(","),
  ["", ...Object.keys(ERRORS)],
  ",update,delete,increment,add,remove,max,min,append,set_key,delete_key".split(","),
  ",last_write_wins,keep_both,server_wins,client_wins,counter,set".split(","),
  ",server,client".split(","),
];
