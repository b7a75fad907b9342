"""The two WebSocket endpoints that `/api/ws` takes the place of.

Knows the words of the old protocols: which messages there were, what they were
called and which members they had. Must not know what a message does: behind
the words it is the same session as on `/api/ws`.

A text frame is the JSON of a message, a binary frame its gzip.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from rhtmx import wire
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Change,
    Error,
    FieldChange,
    FieldConflict,
    FieldPushAck,
    FieldUpdate,
    Pong,
    PushAck,
    PushFields,
    Subscribe,
    SubscribeFields,
    Sync,
    SyncFields,
)
from rhtmx.wire import Message, ServerMessage
from rhtmx_server.connections.services import Services
from rhtmx_server.encoding.framing import BINARY, TEXT, frame
from rhtmx_server.encoding.render import field_changes, state_messages
from rhtmx_server.model import Granularity, Record
from rhtmx_server.record_page import FieldFrames
from rhtmx_server.transports.deprecation import HEADERS, Notice
from rhtmx_server.transports.gzipped import compress, decompress
from rhtmx_server.transports.handshakes import Negotiated, SocketEndpoint
from rhtmx_server.transports.shapes import Members, join, log_entry, pick, split, told

__all__ = ["ENDPOINTS", "FIELDS", "RECORDS", "LegacyDialect", "Vocabulary"]


@dataclass(frozen=True, slots=True)
class Sent:
    """How a message of ours is said in an old protocol.

    Args:
        name: its `type` there.
        members: the members that it has there.
    """

    name: str
    members: Sequence[str] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """What may be said on an old endpoint.

    Args:
        path: the endpoint.
        takes: the members of each message that a client may send.
        means: messages that stand for another one here.
        sends: the messages that a client gets; it gets no other.
    """

    path: str
    takes: Mapping[str, Sequence[str]]
    sends: Mapping[type[ServerMessage], Sent]
    means: Mapping[type[Message], Callable[..., Message]] = field(default_factory=dict)


_COMMON: Mapping[type[ServerMessage], Sent] = {
    Error: Sent("error", ("message",)),
    Pong: Sent("pong"),
}

RECORDS = Vocabulary(
    path="/api/sync/ws",
    takes={
        "subscribe": ("entities",),
        "sync": ("entity", "since"),
        "push": ("entity", "entity_id", "action", "data"),
        "ping": (),
    },
    sends={
        Change: Sent("change"),
        PushAck: Sent("push_ack", ("entity", "entity_id", "version")),
        **_COMMON,
    },
)


def _each_field_once(message: PushFields) -> PushFields:
    """Keep the latest write of each field; of two at one time, the second.

    After some time offline an old client sends all its edits of a record in one
    message, those of one field one after the other, and forgets them.
    """
    latest: dict[str, FieldUpdate] = {}
    for update in message.fields:
        known = latest.get(update.field)
        if known is None or _time(update) >= _time(known):
            latest[update.field] = update
    return replace(message, fields=list(latest.values()))


def _time(update: FieldUpdate) -> datetime:
    assert update.timestamp is not None  # the wire has made sure of it
    return update.timestamp


FIELDS = Vocabulary(
    path="/api/field-sync/ws",
    takes={
        "subscribe": ("entities",),
        "sync": ("entity", "since"),
        "push_fields": ("entity", "entity_id", "fields"),
        "ping": (),
    },
    means={
        Subscribe: lambda message: SubscribeFields(entities=message.entities),
        Sync: lambda message: SyncFields(entity=message.entity, since=message.since),
        PushFields: _each_field_once,
    },
    sends={
        FieldChange: Sent("field_change"),
        FieldPushAck: Sent("push_ack", ("entity", "entity_id", "applied", "conflicts")),
        FieldConflict: Sent(
            "conflict",
            (
                "entity",
                "entity_id",
                "field",
                "server_value",
                "server_timestamp",
                "client_value",
                "client_timestamp",
            ),
        ),
        **_COMMON,
    },
)


class LegacyDialect:
    """What an old endpoint speaks. One object serves all its connections.

    Args:
        vocabulary: what may be said.
        max_size: bytes of a message after decompression.
        threshold: bytes of JSON below which a message is sent as text.
        level: gzip's compression level.
    """

    def __init__(self, vocabulary: Vocabulary, max_size: int, threshold: int, level: int) -> None:
        self._vocabulary = vocabulary
        self._max_size = max_size
        self._threshold = threshold
        self._level = level

    def decode(self, data: bytes, text: bool) -> Message:
        """Return the message in a frame; members that an old client may add are ignored."""
        payload = data if text else decompress(data, self._max_size)
        members = _members(payload)
        name = _name(members)
        taken = self._vocabulary.takes.get(name)
        if taken is None:
            raise RhtmxError(ErrorCode.BAD_MESSAGE, self._not_taken(name))
        # What we take today and they never had must not begin to mean something.
        known = {key: members[key] for key in ("type", *taken) if key in members}
        message = wire.decode_json(join(known))
        meaning = self._vocabulary.means.get(type(message))
        return message if meaning is None else meaning(message)

    def frame(self, message: ServerMessage) -> bytes:
        """Return a message as a frame; empty if it does not exist here."""
        sent = self._vocabulary.sends.get(type(message))
        if sent is None or not told(message):
            return b""
        members: dict[str, object] = {"type": sent.name}
        if isinstance(message, Change | FieldChange):
            members["change"] = log_entry(message)
        else:
            members.update(pick(split(wire.encode_json(message)), sent.members))
        payload = join(members)
        if len(payload) >= self._threshold:
            small = compress(payload, self._level)
            if len(small) < len(payload):
                return frame(BINARY, small)
        return frame(TEXT, payload)

    def changes(self, records: Sequence[Record]) -> bytes:
        """Return records as `change` frames; nothing where changes are not sent."""
        return b"".join(
            [
                self.frame(message)
                for record in records
                for message in state_messages(record, Granularity.RECORDS, 0)
            ]
        )

    def field_changes(self, records: Sequence[Record], base: int) -> FieldFrames:
        """Return their fields written after `base` as `field_change` frames."""
        changes = [change for record in records for change in field_changes(record, base)]
        if not changes:
            return FieldFrames()
        last = changes.pop()
        frames = [frame for change in changes if (frame := self.frame(change))]
        return FieldFrames(b"".join(frames), len(frames), last)

    def _not_taken(self, name: str) -> str:
        takes = ", ".join(self._vocabulary.takes)
        return (
            f"type: {name[:40]!r} is not taken on {self._vocabulary.path}: {takes} expected "
            "(/api/ws takes every message)"
        )


def _members(payload: bytes) -> Members:
    try:
        return split(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        wire.decode_json(payload)  # says what is wrong, and where
        raise RhtmxError(ErrorCode.BAD_MESSAGE, "message: cannot be read as JSON") from None


def _name(members: Members) -> str:
    value = members.get("type", msgspec.Raw(b"null"))
    try:
        return msgspec.json.decode(value, type=str)
    except (msgspec.MsgspecError, ValueError):
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, "type: the name of a message expected, as in 'ping'"
        ) from None


@functools.cache
def _dialect(vocabulary: Vocabulary, max_size: int, threshold: int, level: int) -> LegacyDialect:
    """Return the one dialect object for these parameters: the hub encodes once for it."""
    return LegacyDialect(vocabulary, max_size, threshold, level)


def _endpoint(name: str, vocabulary: Vocabulary) -> SocketEndpoint:
    notice = Notice(vocabulary.path)

    def dialect(services: Services, negotiated: Negotiated) -> LegacyDialect:
        config = services.config
        return _dialect(vocabulary, config.max_size, config.gzip_threshold, config.gzip_level)

    def accepted(services: Services, address: str) -> None:
        services.metrics.legacy_user(name)
        notice.used(address or "a local socket")

    return SocketEndpoint(name, dialect, accepted, HEADERS)


ENDPOINTS: Mapping[str, SocketEndpoint] = {
    RECORDS.path: _endpoint("sync", RECORDS),
    FIELDS.path: _endpoint("field_sync", FIELDS),
}
"""The old endpoints, by path."""
