"""The parts of the protocol reference that no comment of the schema can say.

Knows the rules of both wire formats in words. Must not know the schema.
"""

from __future__ import annotations

__all__ = ["CLOSE_CODES", "GRPC", "INTRODUCTION"]

INTRODUCTION = """\
# Protocol

One WebSocket, at `/api/ws`, carries messages of the kinds below, in two formats:

| subprotocol | frames | one message is |
|---|---|---|
| `rhtmx.v1.json`, or none offered | text | a JSON object |
| `rhtmx.v1.proto` | binary | an `rhtmx.v1.Envelope` of `proto/rhtmx/v1/envelope.proto` |

In the JSON object `type` names the message, and its fields lie flat beside it. A frame of the
other kind than the connection's is refused. Several messages never share a frame.

## Rules of the JSON form

- **Fields.** Required ones must be there and not be `null`. For optional ones, absent and `null`
  are the same. Unknown fields are ignored, unknown values of `type` are not.
- **Integers** lie between -(2^53 - 1) and 2^53 - 1. `7.0` and `7e0` are the integer 7; `7.5` is
  refused.
- **Times** are RFC 3339 with a zone, upper-case `T` and `Z`, at most nine fractional digits, of
  which six are kept. They are written in UTC with `Z`, without a fraction if it is zero and with
  six digits otherwise. In protobuf they are `google.protobuf.Timestamp`, cut to microseconds.
- **Enums** are written as the words listed below.
- **JSON values** (`data`, `value`, `details` and the like) may be anything that JSON allows. Their
  integers pass untouched to the last digit. In protobuf they are `bytes` holding UTF-8 JSON; absent
  is `null`.
- **Strictness.** Refused with `bad_message`: invalid UTF-8; a key twice in one object; a NUL
  character or half of a surrogate pair in a string; in JSON values and as keys of a map, also
  nesting beyond 32 levels, numbers too large for a double, and the keys `__proto__`, `constructor`
  and `prototype`. No entity and no field of a record may be called one of these three.

## Rules of the binary form

- Required fields of message type must be there. Enums must have a known value other than 0.
- Integers outside the range above, times outside the years 1 to 9999, JSON values and strings that
  the JSON form would refuse are refused here too.
- Of several cases in one envelope the last counts. Unknown fields are ignored. An envelope without
  a known case is refused.

## A server that is newer than its client

So a server reads what clients say. What a server says is read more leniently, so that it may be
newer: a client notes what it does not know, once each, and passes it over.

- A **message**: nothing. A **field**: it is left out.
- The **word** of a field that may be left out (`code`, `winner`, `strategy`): it stays. A write
  that is refused in one is sent again if `retryable` or `retry_after` says so, and else refused for
  good.
- An **`action`**: it is taken for `update` if the message has a value, else for `delete`. The
  record is as the message tells it, and the position goes on.
- A required **time** that is missing: 1970-01-01 is taken for it.

For its part the schema gets optional fields, new messages and new words only, and a word only where
an older client can do without it, as above.
"""

CLOSE_CODES = """\
## Close codes

| code | meaning for the client |
|---|---|
| 4000 to 4499 | reconnect, after a random delay that grows with each failure |
| 4500 to 4999 | do not reconnect: it would fail again the same way |

The codes in use are in the table of error codes above.
"""

GRPC = """\
## gRPC

Backend services reach the same trackers through the service `rhtmx.v1.{name}`. Its messages are
those above, in their binary form without an envelope, and the few below.
"""
