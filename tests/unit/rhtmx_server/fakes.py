"""Stand-ins for what surrounds the core: the loop's turns, peers, encodings.

Nothing here waits: a test says when a turn of the loop ends and when a
coroutine goes on.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator, Sequence
from typing import Any

from rhtmx import wire
from rhtmx.messages import (
    Change,
    ChangeAction,
    FieldAction,
    FieldChange,
    FieldUpdate,
    Push,
    PushFields,
)
from rhtmx.wire import Format, Message, ServerMessage
from rhtmx_server.delivery.groups import Encoding
from rhtmx_server.delivery.outbox import Outbox, Tick
from rhtmx_server.encoding.render import field_changes, state_messages
from rhtmx_server.model import Clock, Commit, Granularity, Record
from rhtmx_server.record_page import FieldFrames
from rhtmx_server.times import to_datetime

RECORDS, FIELDS, BOTH = Granularity.RECORDS, Granularity.FIELDS, Granularity.BOTH
NOW = 1_700_000_000_000_000


class Soon:
    """A `call_soon` whose turns a test ends itself."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def __call__(self, function: Callable[[], None]) -> None:
        self.calls.append(function)

    def turn(self) -> None:
        """Run what was put off, and what that puts off."""
        while self.calls:
            self.calls.pop(0)()


class Lines:
    """An encoding that can be read back: one line of JSON for each message."""

    def __init__(self) -> None:
        self.encoded: list[ServerMessage] = []

    def frame(self, message: ServerMessage) -> bytes:
        self.encoded.append(message)
        return wire.encode(message, Format.JSON) + b"\n"

    def changes(self, records: Sequence[Record]) -> bytes:
        return b"".join(
            self.frame(message)
            for record in records
            for message in state_messages(record, RECORDS, 0)
        )

    def field_changes(self, records: Sequence[Record], base: int) -> FieldFrames:
        changes = [change for record in records for change in field_changes(record, base)]
        frames = [self.frame(change) for change in changes[:-1]]
        return FieldFrames(b"".join(frames), len(frames), changes[-1] if changes else None)

    def decode(self, data: bytes, text: bool) -> Message:
        return wire.decode(data, Format.JSON)


def messages(data: bytes) -> list[Message]:
    """What was written in `Lines`."""
    return [wire.decode(line, Format.JSON) for line in data.splitlines()]


def version(message: object) -> int:
    """The version of a change, of either kind."""
    assert isinstance(message, Change | FieldChange)
    assert message.change is not None
    return message.change.version


def at_once(function: Callable[[], None]) -> None:
    """Ends a tick as soon as something is put off to its end."""
    function()


class Peer:
    """A subscriber that notes what it gets."""

    takes_ephemeral = True

    def __init__(self, encoding: Encoding | None = None) -> None:
        self.encoding: Encoding = encoding or Lines()
        self.deliveries: list[bytes] = []
        self.falls: list[tuple[str, int]] = []
        self.outbox = Outbox(self.deliveries.append, Tick(at_once))

    def fell(self, entity: str, granularity: Granularity, sent: int) -> None:
        self.falls.append((entity, sent))

    @property
    def got(self) -> list[Message]:
        return messages(b"".join(self.deliveries))

    @property
    def versions(self) -> list[int]:
        return [version(message) for message in self.got]


@types.coroutine
def pause() -> Generator[None, None, None]:
    """Give way once, without a loop."""
    yield


class Steps:
    """Runs coroutines one step at a time, up to their next `await` that waits."""

    def __init__(self) -> None:
        self.running: list[Coroutine[Any, Any, None]] = []

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> Any:
        self.running.append(coroutine)

    def step(self) -> None:
        """Let each of them go one step."""
        for coroutine in list(self.running):
            try:
                coroutine.send(None)
            except StopIteration:
                self.running.remove(coroutine)

    def cancel(self) -> None:
        """End them where they are."""
        for coroutine in self.running:
            coroutine.close()
        self.running.clear()


def record(
    entity_id: str,
    version: int,
    data: bytes | None = b'{"n":1}',
    *,
    entity: str = "tasks",
    clocks: dict[str, Clock] | None = None,
) -> Record:
    """A record; a tombstone if `data` is `None`."""
    action = ChangeAction.DELETE if data is None else ChangeAction.UPDATE
    return Record(entity, entity_id, version, action, data, "ada", NOW, clocks or {})


def commit(version: int, entity: str = "tasks", entity_id: str = "1") -> Commit:
    """A push of `{"n": version}`."""
    clocks = {"n": Clock(version, NOW, "ada")}
    data = b'{"n":%d}' % version
    written = record(entity_id, version, data, entity=entity, clocks=clocks)
    return Commit(written, RECORDS, ["n"])


def push(
    entity_id: str = "1",
    data: bytes | None = b'{"n":1}',
    *,
    entity: str = "tasks",
    action: ChangeAction = ChangeAction.UPDATE,
    seq: int | None = None,
    request_id: str | None = None,
    base_version: int | None = None,
    schema_version: int | None = None,
) -> Push:
    """A push of a whole record."""
    return Push(
        entity=entity,
        entity_id=entity_id,
        action=action,
        data=data,
        seq=seq,
        request_id=request_id,
        base_version=base_version,
        schema_version=schema_version,
    )


def push_fields(
    *fields: FieldUpdate,
    entity: str = "tasks",
    entity_id: str = "1",
    seq: int | None = None,
    schema_version: int | None = None,
) -> PushFields:
    """A push of some fields."""
    return PushFields(
        entity=entity,
        entity_id=entity_id,
        fields=list(fields),
        seq=seq,
        schema_version=schema_version,
    )


def update(field: str, value: bytes | None, time: int = NOW) -> FieldUpdate:
    """One field set to a value."""
    return FieldUpdate(
        field=field, value=value, action=FieldAction.UPDATE, timestamp=to_datetime(time)
    )
