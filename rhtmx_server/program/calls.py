"""All that the program of the server may call while it runs, in one object.

Knows what each call needs of a running server. Must not know how a server is declared or made.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from rhtmx import wire
from rhtmx.schema.declared import entity_of
from rhtmx.schema.typed_edit import part_of
from rhtmx.values.json_value import Data, Json
from rhtmx_server.access.grant import Grant
from rhtmx_server.program.author import Authors
from rhtmx_server.program.collection import AppCollection, EntityPart
from rhtmx_server.program.life import AppLife
from rhtmx_server.program.typed_collection import AppTypedCollection
from rhtmx_server.record_page import HistoryPage, HistoryPosition
from rhtmx_server.times import to_micros
from rhtmx_server.trackers.changes import ChangeTracker
from rhtmx_server.trackers.fields import FieldTracker
from rhtmx_server.trackers.transaction import AppTransaction
from rhtmx_server.trackers.values import HistoryChange, history_change

__all__ = ["ProgramCalls"]

R = TypeVar("R")
T = TypeVar("T", bound=AppTransaction)


class ProgramCalls:
    """What `App` offers to its own program; each call is described there.

    Args:
        life: of the app.
        new_id: makes ids that nobody can guess.
    """

    def __init__(self, life: AppLife, new_id: Callable[[], str] = secrets.token_urlsafe) -> None:
        self._life = life
        self._authors = Authors(life, new_id)
        self._program = self._authors.of(None)

    def collection(self, entity: str, where: EntityPart, who: Grant | None) -> AppCollection[Data]:
        """See `App.collection`."""
        return AppCollection(self._life, self._authors.of(who), entity, where)

    def of(self, declared: type[R], where: EntityPart, who: Grant | None) -> AppTypedCollection[R]:
        """See `App.of`."""
        entity = entity_of(declared)
        part = None if where is None else part_of(entity, where)
        raw: AppCollection[Json] = self.collection(entity.name, part, who)
        return AppTypedCollection(raw, entity, trusted=who is None)

    @property
    def changes(self) -> ChangeTracker:
        """See `App.changes`."""
        services = self._life.running.services
        return ChangeTracker(self._program.submit, services.store, wire.check_json, services.past)

    @property
    def fields(self) -> FieldTracker:
        """See `App.fields`."""
        server = self._life.running
        submit, store, past = self._program.submit, server.services.store, server.services.past
        return FieldTracker(submit, store, wire.check_json, server.clock, past)

    def transaction(
        self,
        who: Grant | None,
        client_id: str | None,
        seq: int | None,
        timestamp: datetime | None,
        kind: Callable[..., T],
    ) -> T:
        """See `App.transaction`."""
        return kind(
            self._authors.of(who).submit,
            wire.check_json,
            lambda: self._life.running.clock(),
            client_id=client_id,
            seq=seq,
            timestamp=timestamp,
        )

    async def history(
        self,
        entity: str,
        entity_id: str | None,
        since: int | HistoryPosition,
        until: datetime | None,
        limit: int,
    ) -> HistoryPage[HistoryChange]:
        """See `App.history`."""
        last = None if until is None else to_micros(until)
        page = await self._life.running.services.store.history(
            entity, entity_id=entity_id, after=since, until=last, limit=limit
        )
        return page.map(history_change)
