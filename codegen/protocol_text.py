"""The parts of the protocol reference that are not comments of the schema.

Knows the rules of both wire formats in words. Must not know the schema.
"""

from __future__ import annotations

__all__ = ["CLOSE_CODES", "GRPC", "HISTORY", "INTRODUCTION"]

INTRODUCTION = """\
# Protocol

One WebSocket, at `/api/ws`, carries the messages below, in one of two formats:

| subprotocol | frames | one message is |
|---|---|---|
| `rhtmx.v1.json`, or none offered | text | a JSON object |
| `rhtmx.v1.proto` | binary | an `rhtmx.v1.Envelope` of `proto/rhtmx/v1/envelope.proto` |

In the JSON object, `type` names the message, and the fields of the message are members of the same
object. The server rejects a frame in the other format than the connection's. A frame contains
exactly one message.

## Rules of the JSON form

- **Fields.** A required field must be present and not `null`. For an optional field, absent and
  `null` are the same. The server ignores unknown fields, and rejects unknown values of `type`.
- **Integers** are between -(2^53 - 1) and 2^53 - 1. `7.0` and `7e0` are the integer 7; `7.5` is
  rejected.
- **Times** are RFC 3339 with a zone, upper-case `T` and `Z`, and at most nine fractional digits, of
  which six are kept. They are written in UTC with `Z`, without a fraction if it is zero and with
  six digits otherwise. In protobuf they are `google.protobuf.Timestamp`, cut to microseconds.
- **Enums** are written as the words listed below.
- **JSON values** (`data`, `value`, `details` and similar fields) may be anything that JSON allows.
  Their integers keep every digit. In protobuf they are `bytes` that contain UTF-8 JSON; absent is
  `null`.
- **Strictness.** The server rejects with `bad_message`: invalid UTF-8; a key that appears twice in
  one object; a NUL character or half of a surrogate pair in a string. In JSON values and keys of a
  map it also rejects more than 32 levels of nesting, numbers too large for a double, and the keys
  `__proto__`, `constructor` and `prototype`. No entity and no field of a record may have one of
  these three names.

## Rules of the binary form

- Required fields of a message type must be present. Enums must have a known value other than 0.
- Integers outside the range above, times outside the years 1 to 9999, and JSON values and strings
  that are rejected in the JSON form are rejected here too.
- If an envelope contains several cases, the last one counts. Unknown fields are ignored. An
  envelope without a known case is rejected.

## A server that is newer than its client

The rules above are those of a server that reads messages of a client. A client reads messages of a
server more leniently, because the server may be newer. The client ignores what it does not know,
and reports each unknown thing once:

- An unknown **message** or an unknown **field** is ignored.
- An unknown **word** of an optional field (`code`, `winner`, `strategy`) is kept. A write that is
  answered with an unknown `code` is sent again if `retryable` or `retry_after` says so, and is
  rejected otherwise.
- An unknown **`action`** counts as `update` if the message has a value, and as `delete` otherwise.
  The client takes the record from the message, and moves its position forward.
- If a required **time** is missing, the client uses 1970-01-01.

So the schema may only get new optional fields, new messages and new words, and a new word only
where an older client can work without it, as above.
"""

CONFLICTS = """\
## Conflicts as data

A field write that is in conflict is told to its author, by a `field_conflict`. It is kept, too,
until somebody answers it: the entity `tasks` has a **conflict log**, the entity
`$conflicts/tasks`, with one record for each task that has open conflicts, under the id of the
task. It is written in the same transaction, and read like any other entity, as whole records:
`subscribe`, `sync`, `Watch`, from a position and live.

```text
{"type": "change", "change": {"entity": "$conflicts/tasks", "entity_id": "7", "action": "create",
 "version": 12, "created_at": "2026-01-01T12:00:02Z", "data": {
  "team": "red",
  "$12": {"field": "title", "winner": "client", "strategy": "last_write_wins",
   "base_version": 3, "version": 5,
   "stored": {"value": "a", "action": "update", "timestamp": "2026-01-01T12:00:00Z",
    "client_id": "c1", "subject": "ann"},
   "pushed": {"value": "b", "action": "update", "timestamp": "2026-01-01T12:00:01Z",
    "client_id": "c2", "subject": "ben"}}}}}
```

- Each field `$` with a number is a [Conflict](#conflict). Its number is the version of the log
  that opened it, and is told as `field_conflict.conflict`. `winner` says which of the two stands.
  Other fields are copies of values of the task, by which it is said who may read it.
- **An answer** removes the field, with the number as `base_version` and `if_unchanged`. It is one
  transaction with what shall stand instead, if that is not what stands already:

```text
{"type": "transaction", "writes": [
 {"entity": "tasks", "entity_id": "7", "base_version": 5, "fields": [
  {"field": "title", "action": "update", "value": "a", "timestamp": "2026-01-01T12:00:09Z"}]},
 {"entity": "$conflicts/tasks", "entity_id": "7", "base_version": 12, "if_unchanged": true,
  "fields": [{"field": "$12", "action": "delete", "timestamp": "2026-01-01T12:00:09Z"}]}]}
```

- It is answered once: for whoever comes later the whole is rejected as a `conflict`. A client
  writes nothing else into a log (`not_supported`). When the last one is answered, the record of
  the log is deleted.
- In a transaction answers are decided before all other writes, whatever their place: what is
  written with one may move or delete the task.
- **Who may** both read and update the task reads its conflicts and answers them. They follow the
  task, as long as nobody gets to see it by that who could not before: to those nothing is shown of
  what others wrote and lost, and the open conflicts end. If the task is deleted they are gone; if
  what was written too late for the delete lost against it, that is a new one. Those who create the
  task anew where others read it do not get them.
- Each conflict is a version of the log. What one push, or one transaction, opens is told as one
  change: the last version, which has them all.
- **At most** 64 conflicts of a record are open, in 64 KiB (`--max-size`, if that is less): the
  oldest go first. Of one client, what lost in the same field before goes when it loses there
  again. A conflict whose values are too large, or deeper than 29 levels, is told to its author,
  as `field_conflict` without `conflict`, and not kept here. What goes, or was answered, stays in
  the history of its record.
- Of a log no commit is kept but the last one of each record, and no field is read alone. It does
  not count as an entity (`--entities`). An entity that is declared with `conflicts=False` or
  `fields=False` has none. No other entity has a name that begins with `$`.
"""

HISTORY = """\
## The history of a record

- **Pages.** `history_result` ends before it weighs much more than 256 KiB of data, also before
  `limit`. As long as it has a `before`, there may be more: ask again with that. If it has none and
  is not `complete`, the server does not keep what was before any more.
- **As of a time.** `until` and a `limit` of 1 give the record as it was: the one commit, or none if
  the record did not exist yet (`complete`). A `delete` says that it did not exist then.
- **Taking a commit back.** `before` one more than its version and a `limit` of 2 give a commit and
  what was before it. With `base_version` of that version, and for fields with `if_unchanged`, what
  it replaced is written back only if nothing came after it.
- **Parts of an entity.** Whoever reads parts is told of a record that is in them now. A commit that
  took it out of them is a `delete` with `left`; of what happened to it elsewhere, of who did so,
  and of fields that it only had elsewhere, nothing is told.
- **Unchanged.** `if_unchanged` looks at each field's last write. The delete of the field or of the
  record is one, and so are operations and one's own writes; a write that lost is none. The error is
  `conflict`. Its `details` are the record as it is, as a `ChangeLog`, and beside it `fields`, the
  names of the fields that were written.
"""

CLOSE_CODES = """\
## Close codes

| code | meaning for the client |
|---|---|
| 4000 to 4499 | reconnect, after a random delay that grows with each failure |
| 4500 to 4999 | do not reconnect: it would fail again the same way |

The codes in use are in the table of error codes above.

A client that is done closes with 1000. One whose page is left may say 4100, as browsers say 1001:
whoever was in a [room](guides/presence.md) is shown there for five seconds more, in which another
tab or the next page may go on.
"""

GRPC = """\
## gRPC

Backends use the same trackers through the service `rhtmx.v1.{name}`. Its messages are those above,
in their binary form without an envelope, and those below.
"""
