"""A server in one process whose entity is divided into parts, moved step by step.

Real: store, batch with its guards, hub, subscriptions, handlers, access. Not here: sockets,
formats and the loop. A message stays an object: its frame is its number in a list.

It can be given two faults that a server of parts must not have, so that a test can show
that it would find them.
"""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import AsyncIterator, Awaitable, Coroutine, Mapping, Sequence
from random import Random
from typing import Any, TypeVar, cast

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Change,
    ChangeAction,
    Error,
    FieldChange,
    FieldChangeLog,
    Push,
    PushFields,
)
from rhtmx.wire import Message, ServerMessage
from rhtmx_server.access import claim, role
from rhtmx_server.access.access import Access
from rhtmx_server.access.entity import Entity, parse_partition
from rhtmx_server.access.grant import Grant
from rhtmx_server.config import Config
from rhtmx_server.connections.dispatch import HANDLERS
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.session import Session, SessionLimits
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.delivery.outbox import Outbox, Tick
from rhtmx_server.delivery.subscriptions import Subscriptions
from rhtmx_server.encoding.render import field_changes, state_messages
from rhtmx_server.failures import error_message
from rhtmx_server.metrics import Metrics
from rhtmx_server.model import Departure, Granularity, Mutation, Record
from rhtmx_server.ports import Decide
from rhtmx_server.record_page import FieldFrames
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.trackers.changes import changes_decider
from rhtmx_server.trackers.fields import fields_decider
from rhtmx_server.trackers.policy import Policy
from rhtmx_server.writing.batch import Batch
from tests.support.parts_schema import SECRET, AccessWords, declared_by_schema
from tests.unit.rhtmx_server.fakes import NOW, Soon, Steps, at_once, pause

__all__ = ["ENTITY", "LIVE_ONLY", "NO_DEPARTURES", "Door", "Numbers", "Server", "State"]

ENTITY = "tasks"
LIVE_ONLY = "the live stream is filtered, and nobody is told what left"
NO_DEPARTURES = "whoever catches up is not told what left"

State = Mapping[str, Any]
T = TypeVar("T")

_DECIDERS: Mapping[type[Push | PushFields], Decide] = {
    Push: changes_decider(lambda entity: Policy()),
    PushFields: fields_decider(lambda entity: Policy()),
}


def run(coroutine: Awaitable[T]) -> T:
    """The result of a coroutine that never really waits."""
    try:
        cast(Coroutine[Any, Any, T], coroutine).send(None)
    except StopIteration as done:
        return cast(T, done.value)
    raise AssertionError("it waits")


def tasks() -> Entity:
    """The entity: three partitions, and who may do what."""
    entity = Entity(ENTITY)
    entity.divide(parse_partition(ENTITY, [["team"], ["team", "status"], ["status"]], ()))
    return entity.access(all=claim("teams", field="team") | role("clerk"))


def may(grant: Grant, data: State | None) -> bool:
    """Whether somebody may see a record: what the rule of `tasks` says, said once more."""
    if data is None:
        return False
    return grant.has_role("clerk") or data.get("team") in grant.claims["teams"]


class _Store(MemoryStore):
    """A memory store whose reads take their time; it never forgets a client."""

    def __init__(self, pauses: tuple[int, int], page: int, fault: str) -> None:
        epochs = iter(range(1_000_000))
        super().__init__(new_epoch=lambda: f"e{next(epochs)}")
        self._pauses, self._page, self._fault = pauses, page, fault

    def backup(self) -> _Store:
        """What it holds now, as a store that another life can begin with."""
        return copy.deepcopy(self)

    async def since(
        self, entity: str, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> list[Record]:
        for _ in range(self._pauses[0]):
            await pause()
        page = await super().since(entity, after, upto, min(limit, self._page), clocks=clocks)
        for _ in range(self._pauses[1]):
            await pause()
        return page

    async def since_in(
        self, entity: str, parts: Any, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> list[Record | Departure]:
        for _ in range(self._pauses[0]):
            await pause()
        short = min(limit, self._page)
        page = await super().since_in(entity, parts, after, upto, short, clocks=clocks)
        while self._fault == NO_DEPARTURES and page:
            records: list[Record | Departure] = [e for e in page if isinstance(e, Record)]
            if records:
                return records
            last = page[-1].version
            page = await super().since_in(entity, parts, last, upto, short, clocks=clocks)
        for _ in range(self._pauses[1]):
            await pause()
        return page

    async def collect(self, **named: Any) -> None:
        clients, outcomes = self._clients, self._outcomes
        await super().collect(**named)
        self._clients, self._outcomes = clients, outcomes


class Numbers:
    """An encoding: the frame of a message is its number in a list."""

    def __init__(self, fault: str = "") -> None:
        self._all: list[ServerMessage] = []
        self._fault = fault

    def frame(self, message: ServerMessage) -> bytes:
        if self._fault == LIVE_ONLY and _left(message):
            return b""
        return self.number(message)

    def number(self, message: ServerMessage) -> bytes:
        self._all.append(message)
        return b"%d\n" % (len(self._all) - 1)

    def messages(self, frames: bytes) -> list[ServerMessage]:
        return [self._all[int(number)] for number in frames.split()]

    def changes(self, records: Sequence[Record]) -> bytes:
        states = (state_messages(record, Granularity.RECORDS, 0) for record in records)
        return b"".join(self.frame(message) for each in states for message in each)

    def field_changes(self, records: Sequence[Record], base: int) -> FieldFrames:
        changes = [change for record in records for change in field_changes(record, base)]
        frames = b"".join(self.frame(change) for change in changes[:-1])
        return FieldFrames(frames, max(0, len(changes) - 1), changes[-1] if changes else None)

    def decode(self, data: bytes, text: bool) -> Message:
        raise NotImplementedError


def _left(message: ServerMessage) -> bool:
    if not isinstance(message, Change | FieldChange):
        return False
    return message.change is not None and bool(message.change.left)


class Door:
    """A connection as handlers, hub and subscriptions see it; checks all that it is sent."""

    share = None

    def __init__(self, server: Server, grant: Grant) -> None:
        self.server = server
        self.services = server.services
        self.encoding = server.encoding
        self.session = Session("s", SessionLimits(), 0.0, locked=True)
        self.session.unlock(grant, None)
        self.rights = [grant]
        self.out: list[ServerMessage] = []
        self.outbox = Outbox(self._take, Tick(at_once), self._drop)
        self.dropped = False
        self.steps = Steps()
        self.subscriptions = Subscriptions(self, server.store, server.hub, self.steps.spawn)

    # What the client causes.

    def receive(self, message: Message) -> None:
        """Handle a message of the client."""
        self.session.receive(message)
        try:
            answer = HANDLERS[type(message)](cast(Any, self), message)
            if isinstance(answer, Awaitable):
                answer = run(answer)
        except RhtmxError as error:
            answer = error_message(error, message)
        if answer is not None:
            self.send(answer)

    def rescope(self, grant: Grant) -> None:
        """Its user has other rights from now on."""
        self.rights.append(grant)  # what was framed before is flushed by this
        self.session.unlock(grant, None)
        services = self.services
        run(
            self.subscriptions.rescope(
                lambda entity, where: services.still_reading(entity, grant, where)
            )
        )
        self.rights = [grant]

    def beat(self) -> None:
        """A heartbeat is due."""
        if self.session.greeted:
            self.subscriptions.tell_positions()

    def close(self) -> None:
        """The connection is gone."""
        self.subscriptions.close()
        self.steps.cancel()
        self.server.doors.remove(self)

    # What the server does with it.

    takes_ephemeral = True

    def hears_begin(self, *, asked: bool) -> bool:
        """It is told what its subscriptions read, once it has said hello."""
        return self.session.greeted and not asked

    def request(self) -> None:
        """It may have as many requests as it likes."""

    def submit(self, message: Push | PushFields) -> None:
        session = self.session
        self.server.waiting.append(
            Mutation(
                message,
                self._answered,
                session.client_id,
                session.subject,
                secret=session.secret,
                source=self,
                who=session.grant,
            )
        )

    def send(self, message: ServerMessage) -> None:
        self.outbox.put(self.encoding.number(message))

    def send_frames(self, kind: type[ServerMessage], count: int, frames: bytes) -> None:
        self.outbox.put(frames)

    def fell(self, entity: str, granularity: Granularity, sent: int) -> None:
        self.subscriptions.fell(entity, granularity, sent)

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[None]:
        while self.outbox.behind:
            await pause()
        yield

    def _answered(self, reply: Sequence[ServerMessage]) -> None:
        if self in self.server.doors:
            for message in reply:
                self.send(message)

    def _drop(self) -> None:
        self.dropped = True

    def _take(self, frames: bytes) -> None:
        for message in self.encoding.messages(frames):
            self.server.check(self.rights, message)
            self.out.append(message)


class Server:
    """Store, hub and connections.

    Args:
        random: how long reads take, and how large a page is.
        fault: `LIVE_ONLY`, `NO_DEPARTURES`, or none.
        variant: of the schemas of `parts_schema` the one that declares the entity; `None`: it is
            declared in Python.

    Attributes:
        states: each version of each record, as it was written: version, data.
        leaks: what somebody was told that they may not be told, in words.
    """

    def __init__(self, random: Random, fault: str = "", variant: int | None = None) -> None:
        self.words = None if variant is None else AccessWords(variant)
        entity = tasks() if variant is None else declared_by_schema(variant)
        self.access = Access({ENTITY: entity})
        self.store = _Store((random.randrange(2), random.randrange(2)), random.randint(1, 3), fault)
        self.encoding = Numbers(fault)
        self.doors: list[Door] = []
        self.waiting: list[Mutation] = []
        self.states: dict[str, list[tuple[int, State | None]]] = {}
        self.leaks: list[str] = []
        self._answered: set[tuple[str | None, int | None]] = set()
        self.now = NOW
        self._begin()

    def _begin(self) -> None:
        self.close()
        self.waiting.clear()
        self.held: list[tuple[Mutation, Sequence[ServerMessage], Any]] = []
        self.soon = Soon()
        tick = Tick(self.soon)
        self.hub = Hub(tick)
        self.hub.start(run(self.store.heads()))
        nothing = cast(Any, None)
        self.services = Services(
            config=Config(), store=self.store, hub=self.hub, committer=cast(Any, self), tick=tick,
            turns=nothing, forms=nothing, metrics=Metrics(), clock=lambda: self.now,
            now=lambda: 0.0, access=self.access,
        )  # fmt: skip

    # What happens to it.

    def door(self, grant: Grant) -> Door:
        """A connection of somebody with these rights."""
        return Door(self, grant)

    def confirm(self, client_id: str, seq: int) -> None:
        """Answers that are needed no more: they are kept here all the same."""

    def write(self, message: Push | PushFields) -> None:
        """The program of the server writes."""
        self.waiting.append(Mutation(message, lambda reply: None))

    def commit(self) -> None:
        """What waits becomes durable; nobody hears of it yet."""
        mutations, self.waiting = self.waiting, []
        self.now += 1000
        for mutation in mutations:
            batch = Batch(
                [mutation], _DECIDERS, self.store.epoch, self.now, guards=self.access.guards
            )
            run(self.store.commit(batch.wanted(), batch.decide))
            self._check_right(mutation, batch)
            self.held.append((mutation, batch.replies[0], batch.commits))
            for commit in batch.commits:
                record = commit.record
                data = None if record.data is None else json.loads(record.data)
                states = self.states.setdefault(record.entity_id, [])
                states.append((record.version, data))

    def hand_out(self) -> None:
        """What is durable is answered, and handed to those who read."""
        held, self.held = self.held, []
        for mutation, reply, commits in held:
            mutation.answer(reply)
            self.hub.deliver(commits)

    def collect(self, keep: int) -> None:
        """Forget what was deleted, or left, before the last `keep` commits."""
        before = self.now - keep * 1000 + 1
        run(self.store.collect(history_before=0, tombstones_before=before))
        self.hub.raise_floors(run(self.store.heads()))

    def close(self) -> None:
        """End at once."""
        for door in list(self.doors):
            door.close()

    def restart(self) -> None:
        """Begin anew, with the same store."""
        self._begin()

    def restore(self, backup: _Store) -> None:
        """Begin anew, with a store of some time ago."""
        self.close()  # what is sent until then is of the states that there were until then
        self.store = backup.backup()
        # Of another life: its epoch was never seen before.
        epoch = f"{self.now}"
        self.store._new_epoch = lambda: epoch
        run(self.store.renew_epoch())
        head = run(self.store.head(ENTITY)).version
        for entity_id, states in self.states.items():
            self.states[entity_id] = [each for each in states if each[0] <= head]
        self._begin()

    def turn(self) -> None:
        """The tick of the loop ends."""
        self.soon.turn()

    # What is true.

    def may(self, who: Grant, data: State | None, action: str = "read") -> bool:
        """Whether somebody may do something with a record."""
        if self.words is None or data is None:
            return may(who, data)
        return self.words.may(action, who, data)

    def _check_right(self, mutation: Mutation, batch: Batch) -> None:
        """What was written, its author may write; and what was not, they may not."""
        who, write = mutation.who, mutation.write
        if who is None:
            return
        states = self.states.get(write.entity_id)
        before = states[-1][1] if states else None
        for commit in batch.commits:
            data = None if commit.record.data is None else json.loads(commit.record.data)
            assert self._allows(who, before, data), f"{who} wrote {before}, {data}"
        answer, number = batch.replies[0][-1], (mutation.client_id, mutation.message.seq)
        if number in self._answered:
            return  # what it was answered then may have been right then
        self._answered.add(number)
        forbidden = isinstance(answer, Error) and answer.code is ErrorCode.FORBIDDEN
        if forbidden and isinstance(write, Push):
            data = json.loads(write.data or b"null")
            assert not self._allows(who, before, data), f"{who} may write {before}, {data}"

    def _allows(self, who: Grant, before: State | None, after: State | None) -> bool:
        action = "create" if before is None else "delete" if after is None else "update"
        both = [each for each in (before, after) if each is not None]
        seen = before is None or self.may(who, before)
        return seen and all(self.may(who, each, action) for each in both)

    def oracle(self) -> dict[str, State]:
        """Every record that there is."""
        latest = {each: states[-1][1] for each, states in self.states.items() if states}
        return {each: data for each, data in latest.items() if data is not None}

    def check(self, rights: Sequence[Grant], message: ServerMessage) -> None:
        """Nobody is sent what they may not see, nor ids and names that they never might."""
        if isinstance(message, Change) and message.change is not None:
            log = message.change
            seen = [
                data
                for version, data in self.states[log.entity_id]
                if version == log.version or log.action is ChangeAction.DELETE
            ]
        elif isinstance(message, FieldChange) and message.change is not None:
            seen = [
                data
                for version, data in self.states[message.change.entity_id]
                if _tells_of(message.change, version, data)
            ]
        else:
            return
        if SECRET in repr(message):
            self.leaks.append(f"told what never leaves the server: {message}")
        visible = any(
            self.may(grant, data) for grant in rights for data in seen if data is not None
        )
        if not visible:
            self.leaks.append(f"told what it may not see: {message}")


def _tells_of(log: FieldChangeLog, version: int, data: State | None) -> bool:
    """Whether it says nothing that is not in this state of the record."""
    if not log.field:
        return True
    if data is None or log.field not in data:
        return False
    return log.value is None or (
        version >= log.version and bool(data[log.field] == json.loads(log.value))
    )
