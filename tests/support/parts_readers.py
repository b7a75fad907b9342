"""Readers of parts of an entity: the Python client's core, one that is literal, an old one.

Each is connected or not, and holds what is under way in both directions: what is not
delivered yet is lost with the connection.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from rhtmx.core import build_message
from rhtmx.core.granularity import Granularity
from rhtmx.core.where import Where, where_of
from rhtmx.messages import (
    Change,
    ChangeAction,
    FieldAction,
    FieldChange,
    Hello,
    Position,
    Subscribe,
    SubscribeFields,
    SyncBegin,
    SyncComplete,
    SyncFieldsComplete,
)
from rhtmx.messages.tables import SCHEMA_HASH
from rhtmx.stores.memory import MemoryStore
from rhtmx.wire import Message
from rhtmx_server.access.grant import Grant
from rhtmx_server.times import to_datetime
from tests.support.parts_server import ENTITY, Door, Server, State
from tests.support.stepped import Stepped

__all__ = ["CoreReader", "LiteralReader", "Reader"]

WhereValues = Mapping[str, Any] | None

_RECORDS, _FIELDS = Granularity.RECORDS, Granularity.FIELDS


class Reader:
    """A connection that comes and goes, and what is under way on it.

    Args:
        server: where it reads.
        name: its user, and its client id.
        grant: its user's rights.
        granularity: what it reads.
        where: the part that it reads.

    Attributes:
        passed: what has arrived, of both directions.
    """

    def __init__(
        self, server: Server, name: str, grant: Grant, granularity: Granularity, where: WhereValues
    ) -> None:
        self.server = server
        self.name = name
        self.grant = grant
        self.granularity = granularity
        self.where = where_of(where, ENTITY)
        self.door: Door | None = None
        self.up: list[Message] = []
        self.down: list[Message] = []
        self.passed: list[Message] = []

    @property
    def connected(self) -> bool:
        """Whether both sides know of a connection."""
        return self.door is not None and self.door in self.server.doors

    @property
    def unsure(self) -> bool:
        """Whether it has a position, and has yet to be told of which parts.

        It resumes there as one that reads the whole. If it never did before, and may now, it
        misses what it was not allowed to see.
        """
        return False

    def connect(self) -> None:
        """Connect, if it is not."""
        if self.door is None:
            self.door = self.server.door(self.grant)
            self.server.doors.append(self.door)
            self.begin()

    def lose(self) -> None:
        """Lose the connection, with all that is under way."""
        door, self.door = self.door, None
        self.up.clear()
        self.down.clear()
        if door is not None:
            if door in self.server.doors:
                door.close()
            self.lost()

    def notice(self) -> None:
        """Find out that the server has gone."""
        if self.door is not None and (self.door.dropped or not self.connected):
            self.lose()

    def claims(self, grant: Grant) -> None:
        """Its user has other rights from now on."""
        self.grant = grant
        if self.connected and self.door is not None:
            self.door.rescope(grant)

    def send(self, most: int) -> bool:
        """So many of its messages reach the server."""
        self.say()
        door = self.door
        if door is None or not self.connected:
            return False
        now, self.up = self.up[:most], self.up[most:]
        for message in now:
            self.passed.append(message)
            door.receive(message)
        return bool(now)

    def hear(self, most: int) -> bool:
        """So many of the server's messages reach it."""
        if self.door is None:
            return False
        self.down += self.door.out
        self.door.out = []
        now, self.down = self.down[:most], self.down[most:]
        for message in now:
            if self.door is not None:
                self.passed.append(message)
                self.receive(message)
        return bool(now)

    def right(self, where: Where | None) -> dict[str, State]:
        """What it has to hold once everything is quiet.

        Who reads fields is not told of a record that has none.
        """
        whole = self.granularity is _RECORDS
        return {
            entity_id: data
            for entity_id, data in self.server.oracle().items()
            if (data or whole)
            and self.server.may(self.grant, data)
            and (where is None or where.has(dict(data)))
        }

    # What each kind does in its own way.

    def begin(self) -> None:
        """There is a connection."""

    def lost(self) -> None:
        """There is none any more."""

    def say(self) -> None:
        """Put what it has to say into `up`."""

    def receive(self, message: Message) -> None:
        """Take a message."""

    def write(self, random: Random, entity_id: str, data: dict[str, Any]) -> None:
        """Its user writes."""

    def change(self, random: Random) -> None:
        """Its user does something else."""

    def compare(self) -> None:
        """Everything is quiet: it has to hold what it may see, and nothing else."""


class LiteralReader(Reader):
    """Does what the messages say, and no more.

    Args:
        old: it knows nothing of parts: it gives no scope back.
    """

    def __init__(self, *args: Any, old: bool = False) -> None:
        super().__init__(*args)
        self.old = old
        self.records: dict[str, dict[str, Any]] = {}
        self.position = Position(epoch="", version=0)
        self.seen: set[tuple[str, str]] = set()
        self.synced = False

    def claims(self, grant: Grant) -> None:
        """The same. Who reads the whole gives no scope back either, so an old one begins anew."""
        if self.old and grant.has_role("clerk") != self.grant.has_role("clerk"):
            self.lose()
            self.records, self.position = {}, Position(epoch="", version=0)
        super().claims(grant)

    def begin(self) -> None:
        self.up.append(Hello(client_id=self.name, schema="" if self.old else SCHEMA_HASH))
        self.ask()

    def ask(self) -> None:
        self.synced = False
        self.seen = set()
        kind = Subscribe if self.granularity is _RECORDS else SubscribeFields
        where = None if self.where is None else {ENTITY: json.loads(self.where.text)}
        text = None if where is None else json.dumps(where).encode()
        self.up.append(kind(entities=[ENTITY], since={ENTITY: self.position}, where=text))

    def receive(self, message: Message) -> None:
        if isinstance(message, Change) and message.change is not None:
            log = message.change
            self.seen.add((log.entity_id, ""))
            if log.action is ChangeAction.DELETE:
                self.records.pop(log.entity_id, None)
            else:
                self.records[log.entity_id] = json.loads(log.data or b"null")
            self.move(log.version)
        elif isinstance(message, FieldChange) and message.change is not None:
            field = message.change
            self.seen |= {(field.entity_id, ""), (field.entity_id, field.field)}
            record = self.records.setdefault(field.entity_id, {})
            if field.left and not self.old:
                self.records.pop(field.entity_id, None)
            elif field.action is FieldAction.DELETE:
                record.pop(field.field, None)
            else:
                record[field.field] = json.loads(field.value or b"null")
            if not field.more:
                self.move(field.version)
        elif isinstance(message, SyncComplete | SyncFieldsComplete):
            self.complete(message)
        elif isinstance(message, SyncBegin) and message.since is None and not self.old:
            self.synced = False
            self.seen = set()
            self.position = Position(epoch=message.epoch, version=0, scope=message.scope)

    def move(self, version: int) -> None:
        if self.synced:
            assert self.old or version > self.position.version, "a change came late, or twice"
            self.at(self.position.epoch, version, self.position.scope)

    def at(self, epoch: str, version: int, scope: str | None) -> None:
        self.position = Position(epoch=epoch, version=version, scope=None if self.old else scope)

    def complete(self, message: SyncComplete | SyncFieldsComplete) -> None:
        if message.reset and (self.synced or self.position.version):
            # What of all that came is new it cannot tell, so it begins anew.
            self.position = Position(epoch="", version=0)
            self.lose()
            return
        if message.reset or (not self.synced and not self.position.version):
            self.drop_unseen()
        self.synced = True
        self.at(message.epoch or "", message.version, message.scope)

    def drop_unseen(self) -> None:
        """What was not in a snapshot is no more: records, and their fields."""
        for entity_id, data in list(self.records.items()):
            if (entity_id, "") not in self.seen:
                del self.records[entity_id]
            elif self.granularity is _FIELDS:
                seen = {name for each, name in self.seen if each == entity_id}
                self.records[entity_id] = {name: data[name] for name in data.keys() & seen}

    def compare(self) -> None:
        whole = self.granularity is _RECORDS
        held = {entity_id: data for entity_id, data in self.records.items() if data or whole}
        assert held == self.right(self.where), (
            f"{self.name}, {self.granularity}: {self.grant}, {self.where}"
        )


class CoreReader(Reader):
    """The core of the Python client, with a store; it writes, and reads several parts."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.wheres: list[Where | None] = [self.where]
        self.store = MemoryStore(self.name)
        self.starts = 0
        self.session = self.start()

    @property
    def unsure(self) -> bool:
        view = self.session.local.get(ENTITY)
        position = None if view is None else view.replica.position
        partial = not self.grant.has_role("clerk")
        return partial and position is not None and position.scope is None

    def start(self) -> Stepped:
        self.starts += 1
        numbers = iter([self.starts / 10_000])
        session = Stepped(self.name, lambda: next(numbers, 0.5))
        session.local.load(self.store.load())
        for where in self.wheres:
            session.open(ENTITY, self.granularity, where)
        return session

    def begin(self) -> None:
        self.session.connected(0.0)

    def lost(self) -> None:
        self.session.lost(0.0, 1006)

    def say(self) -> None:
        self.session.keep(self.store)
        if self.connected:
            self.up += self.session.take(0.0)

    def receive(self, message: Message) -> None:
        self.session.receive(message, 0.0)
        self.session.events()

    def write(self, random: Random, entity_id: str, data: dict[str, Any]) -> None:
        what = random.randrange(6)
        base = None
        if random.random() < 0.3:
            base = self.session.local.base_version(ENTITY, entity_id)
        if what < 2:
            self.session.push(build_message.push(ENTITY, entity_id, data, base))
        elif what < 5:
            name = random.choice(sorted(data))
            at = to_datetime(self.server.now + random.randrange(-1000, 1000))
            patch = build_message.push_fields(ENTITY, entity_id, {name: data[name]}, (), base, at)
            self.session.push(patch)
        else:
            self.session.push(build_message.push_delete(ENTITY, entity_id, base))
        if random.random() < 0.7:
            self.session.keep(self.store)

    def change(self, random: Random) -> None:
        """Restart, or open or close a part."""
        if random.random() < 0.3:
            self.session.keep(self.store)
            self.lose()
            self.session = self.start()
        elif len(self.wheres) > 1 and random.random() < 0.5:
            where = self.wheres.pop(random.randrange(len(self.wheres)))
            self.session.shut(self.session.local.get(ENTITY, where))
        else:
            where = where_of(random.choice(PARTS), ENTITY)
            if where not in self.wheres:
                self.wheres.append(where)
                self.session.open(ENTITY, self.granularity, where)

    def compare(self) -> None:
        local = self.session.local
        assert len(local.writes.queue) == 0, "a write waits for ever"
        for where in self.wheres:
            view = local.get(ENTITY, where)
            held = {row.id: row.data for row in view.overlay.snapshot()}
            if self.granularity is _FIELDS:
                held = {entity_id: data for entity_id, data in held.items() if data}
            assert held == self.right(where), (
                f"{self.name}, {self.granularity}: {self.grant}, {where}"
            )


PARTS: tuple[WhereValues, ...] = (
    None,
    {"team": "red"},
    {"team": ["red", 1]},
    {"status": "open"},
    {"team": "blue", "status": ["open", "done"]},
)
"""What is asked for."""
