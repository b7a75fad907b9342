"""Short ways to write what the trackers' tests are about."""

from __future__ import annotations

from collections.abc import Sequence

from rhtmx.messages import (
    Blame,
    BlameResult,
    ChangeAction,
    FieldAction,
    FieldUpdate,
    History,
    HistoryResult,
    Push,
    PushFields,
)
from rhtmx_server.model import Clock, Commit, Context, Decision, Record, Scope
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers import json_text as jsontext

NOW = 1_790_000_000_000_000
SECOND = 1_000_000

UPDATE = ChangeAction.UPDATE
DELETE = ChangeAction.DELETE


def context(version: int = 1, now: int = NOW, client_id: str | None = None) -> Context:
    return Context(epoch="e1", version=version, now=now, client_id=client_id)


def push(
    data: bytes | None,
    action: ChangeAction = UPDATE,
    *,
    base_version: int | None = None,
    request_id: str | None = None,
    seq: int | None = None,
) -> Push:
    return Push(
        entity="users",
        entity_id="1",
        action=action,
        data=data,
        base_version=base_version,
        request_id=request_id,
        seq=seq,
    )


def put(field: str, value: bytes | None, timestamp: int = NOW) -> FieldUpdate:
    return FieldUpdate(
        field=field, value=value, action=FieldAction.UPDATE, timestamp=to_datetime(timestamp)
    )


def drop(field: str, timestamp: int = NOW) -> FieldUpdate:
    return FieldUpdate(field=field, action=FieldAction.DELETE, timestamp=to_datetime(timestamp))


def push_fields(
    *fields: FieldUpdate,
    base_version: int | None = None,
    request_id: str | None = None,
    seq: int | None = None,
) -> PushFields:
    return PushFields(
        entity="users",
        entity_id="1",
        fields=list(fields),
        base_version=base_version,
        request_id=request_id,
        seq=seq,
    )


def record(
    data: bytes | None,
    *,
    version: int = 1,
    action: ChangeAction = UPDATE,
    client_id: str | None = None,
    time: int = NOW,
    clocks: dict[str, Clock] | None = None,
) -> Record:
    """A record all of whose fields were written with it, unless told otherwise."""
    if clocks is None:
        clocks = {name: Clock(version, time, client_id) for name in jsontext.split(data)}
    return Record("users", "1", version, action, data, client_id, time, clocks)


def tombstone(*, version: int = 5, time: int = NOW, fields: Sequence[str] = ()) -> Record:
    clocks = {name: Clock(version, time, None, True) for name in fields}
    return record(None, version=version, action=DELETE, time=time, clocks=clocks)


def committed(decision: Decision) -> Commit:
    assert decision.commit is not None
    return decision.commit


def values(current: Record | None) -> dict[str, bytes]:
    """The fields of a record and their texts."""
    if current is None or not current.live:
        return {}
    return {name: bytes(text) for name, text in jsontext.split(current.data).items()}


class OneRecord(MemoryStore):
    """A store that holds one record."""

    def __init__(self, held: Record) -> None:
        super().__init__()
        self.held = held

    async def record(self, entity: str, entity_id: str) -> Record | None:
        return self.held if (entity, entity_id) == ("users", "1") else None


class Past:
    """Notes what is asked about records of before, and gives the same answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[History | Blame, Scope]] = []
        self.history = HistoryResult()
        self.authors = BlameResult()

    async def commits(self, asked: History, scope: Scope = None) -> HistoryResult:
        self.asked.append((asked, scope))
        return self.history

    async def blame(self, asked: Blame, scope: Scope = None) -> BlameResult:
        self.asked.append((asked, scope))
        return self.authors
