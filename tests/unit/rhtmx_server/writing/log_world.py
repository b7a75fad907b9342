"""A store, and batches on it whose conflicts are kept; what of them is open."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import structs

from rhtmx.errors import ErrorCode
from rhtmx.messages import (
    ChangeAction,
    Error,
    FieldAction,
    FieldConflict,
    FieldUpdate,
    Push,
    PushFields,
)
from rhtmx.values.transaction_writes import transaction_of, writes_of
from rhtmx.wire import ServerMessage
from rhtmx_server.access.grant import GUEST, Grant
from rhtmx_server.access.guard import Guard
from rhtmx_server.model import Mutation, Record, Scope
from rhtmx_server.ports import Decide, Store
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers.changes import changes_decider
from rhtmx_server.trackers.fields import MAX_RECORD, fields_decider
from rhtmx_server.trackers.policy import Policy, policies
from rhtmx_server.writing.admit import Admit, anything
from rhtmx_server.writing.batch import Batch
from rhtmx_server.writing.conflict_logs import ConflictLogs
from tests.unit.rhtmx_server.delivery.reading_world import run
from tests.unit.rhtmx_server.fakes import NOW

LOG = "$conflicts/tasks"


class LoggedServer:
    """Batches on a store.

    Args:
        store: by default one in memory.
        policy: how fields are merged.
        guards: of the entities, and of their logs.
        unlogged: the entities that have no log.
        most_bytes: of the record of a log.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        policy: Policy | None = None,
        guards: Mapping[str, Guard] = MappingProxyType({}),
        unlogged: Collection[str] = (),
        most_bytes: int = MAX_RECORD,
    ) -> None:
        self.store = store or MemoryStore(new_epoch=lambda: "e")
        self.guards = guards
        policy_of = policies({"tasks": policy or Policy()})
        self.deciders: Mapping[type[Push | PushFields], Decide] = {
            Push: changes_decider(policy_of),
            PushFields: fields_decider(policy_of),
        }
        self.logs = ConflictLogs(guards, unlogged, most_bytes=most_bytes)
        self.last: Batch | None = None
        self.admit: Admit = anything
        self.now = NOW

    def batch(self, *mutations: Mutation) -> list[list[ServerMessage]]:
        """Commit these together; their replies."""
        self.now += 1
        self.last = Batch(
            mutations,
            self.deciders,
            "e",
            self.now,
            admit=self.admit,
            guards=self.guards,
            logs=self.logs,
        )
        run(self.store.commit(self.last.wanted(), self.last.decide))
        return [list(reply) for reply in self.last.replies]

    def one(
        self, message: Push | PushFields, client: str | None = None, **more: Any
    ) -> list[ServerMessage]:
        """Commit it alone; its reply."""
        return self.batch(by(message, client, **more))[0]

    def together(
        self, *writes: Push | PushFields, client: str | None = None, who: Grant | None = GUEST
    ) -> list[ServerMessage]:
        """Commit a transaction; its reply."""
        return self.batch(transaction(*writes, client=client, who=who))[0]

    def record(self, entity: str = LOG, entity_id: str = "1") -> Record | None:
        return run(self.store.record(entity, entity_id))

    def log(self, entity_id: str = "1") -> dict[str, Any] | None:
        """What is in the log of a record; `None` if it has none."""
        record = self.record(LOG, entity_id)
        if record is None or not record.live:
            return None
        data: dict[str, Any] = json.loads(record.data or b"null")
        return data

    def open(self, entity_id: str = "1") -> list[str]:
        """The fields of the open conflicts of a record, in order."""
        found = [name for name in self.log(entity_id) or {} if name.startswith("$")]
        return sorted(found, key=lambda name: int(name[1:]))

    def data(self, entity_id: str = "1") -> Any:
        record = self.record("tasks", entity_id)
        return None if record is None or record.data is None else json.loads(record.data)


def by(
    message: Push | PushFields,
    client: str | None = None,
    *,
    who: Grant | None = GUEST,
    reads: Scope = frozenset(),
) -> Mutation:
    subject = "" if who is None else who.subject
    return Mutation(message, lambda _: None, client, subject, who=who, reads=reads)


def transaction(
    *writes: Push | PushFields, client: str | None = None, who: Grant | None = GUEST
) -> Mutation:
    message = transaction_of(writes)
    subject = "" if who is None else who.subject
    whole = Mutation(message, lambda _: None, client, subject, who=who)
    whole.writes = [structs.replace(whole, message=each) for each in writes_of(message)]
    return whole


def put(entity_id: str = "1", base: int | None = None, /, **data: Any) -> Push:
    text = json.dumps(data).encode()
    return Push("tasks", entity_id, ChangeAction.UPDATE, text, base_version=base)


def drop(entity_id: str = "1") -> Push:
    return Push("tasks", entity_id, ChangeAction.DELETE)


def fields(
    entity_id: str = "1",
    base: int | None = None,
    /,
    time: int = NOW,
    delete: Collection[str] = (),
    **values: Any,
) -> PushFields:
    """Write some fields of a task."""
    return field_push(entity_id, base, values, time, delete)


def field_push(
    entity_id: str,
    base: int | None,
    values: Mapping[str, Any],
    time: int = NOW,
    delete: Collection[str] = (),
) -> PushFields:
    """Write some fields of a task, whatever they are called."""
    at = to_datetime(time)
    updates = [
        FieldUpdate(name, json.dumps(value).encode(), FieldAction.UPDATE, at)
        if value is not None
        else FieldUpdate(name, None, FieldAction.UPDATE, at)
        for name, value in values.items()
    ]
    updates += [FieldUpdate(name, None, FieldAction.DELETE, at) for name in delete]
    return PushFields("tasks", entity_id, updates, base_version=base)


def answer(*numbers: int, entity_id: str = "1", base: int | None = None) -> PushFields:
    """Answer some conflicts, and leave what stands."""
    at = to_datetime(NOW)
    updates = [FieldUpdate(f"${each}", None, FieldAction.DELETE, at) for each in numbers]
    base = max(numbers) if base is None else base
    return PushFields(LOG, entity_id, updates, base_version=base, if_unchanged=True)


def numbers(reply: list[ServerMessage]) -> list[int | None]:
    """The numbers of the conflicts in a reply."""
    return [each.conflict for each in reply if isinstance(each, FieldConflict)]


def code(reply: list[ServerMessage]) -> ErrorCode | None:
    last = reply[-1]
    return last.code if isinstance(last, Error) else None
