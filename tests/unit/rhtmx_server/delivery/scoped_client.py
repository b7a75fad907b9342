"""The core of the Python client as a reader of several parts of one entity, with a store.

It says what that says, and hears what it is sent, one message at a time. On the way it holds
the server to what that would pass over: a state of a record never comes after a newer one.
"""

from __future__ import annotations

from typing import Any

from rhtmx.core.events import Received
from rhtmx.core.granularity import Granularity as Level
from rhtmx.core.where import Where
from rhtmx.messages import (
    Change,
    ChangeAction,
    ChangeLog,
    FieldAction,
    FieldChange,
    FieldChangeLog,
)
from rhtmx.stores.memory import MemoryStore
from rhtmx.wire import ClientMessage, Message
from rhtmx_server.model import Granularity
from tests.support.stepped import Stepped
from tests.unit.rhtmx_server.fakes import FIELDS

ENTITY = "tasks"


class ScopedClient:
    """A client.

    Args:
        granularity: what it reads.

    Attributes:
        wheres: the parts that it reads.
    """

    def __init__(self, granularity: Granularity) -> None:
        self.wheres: list[Where | None] = []
        self._level = Level.FIELDS if granularity is FIELDS else Level.RECORDS
        self._store = MemoryStore("c")
        self._begin()

    def _begin(self) -> None:
        self._session = Stepped("c", lambda: 0.5)
        self._session.local.load(self._store.load())
        for where in self.wheres:
            self._session.open(ENTITY, self._level, where)
        self._connect()

    def _connect(self) -> None:
        self._newest: dict[str, int] = {}
        self._session.connected(0.0)

    # What its user does.

    def open(self, where: Where | None) -> None:
        """Read a part, from where it was read last."""
        self.wheres.append(where)
        self._session.open(ENTITY, self._level, where)

    def close(self, where: Where | None) -> None:
        """Read a part no more."""
        self.wheres.remove(where)
        self._session.shut(self._session.local.get(ENTITY, where))

    def restart(self) -> None:
        """The program ends, and begins again with what was stored."""
        self._begin()

    def shown(self, where: Where | None) -> dict[str, Any]:
        """The records of a part, as its user sees them."""
        view = self._session.local.get(ENTITY, where)
        return {row.id: row.data for row in view.overlay.snapshot()}

    @property
    def live(self) -> bool:
        """Whether all that it reads has caught up."""
        return all(view.replica.live for view in self._session.local)

    # Its connection.

    def cut(self) -> None:
        """The connection is gone, with all that was on its way; there is a new one."""
        self._session.lost(0.0, 1006)
        self._connect()

    def says(self) -> list[ClientMessage]:
        """What it has to say now."""
        messages: list[ClientMessage] = self._session.take(0.0)
        return messages

    def keep(self) -> None:
        """Store what there is to be stored."""
        self._session.keep(self._store)

    def take(self, message: Message) -> None:
        """Hear a message."""
        if isinstance(message, Change | FieldChange) and message.change is not None:
            self._check(message.change)
        assert self._session.step(Received(message), 0.0).alive

    def _check(self, log: ChangeLog | FieldChangeLog) -> None:
        # Not `in`: as numbers, a word of one enum equals another word of the other one.
        if log.action is not ChangeAction.DELETE and log.action is not FieldAction.DELETE:
            newest = self._newest.get(log.entity_id, 0)
            assert log.version >= newest, "an older state of a record came after it"
            self._newest[log.entity_id] = log.version
