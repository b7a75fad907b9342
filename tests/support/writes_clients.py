"""Those who write to two entities, and read them: cores of clients, raw ones, old ones.

Each is connected or not, and holds what is under way in both directions: what is not
delivered yet is lost with the connection. What each wants to write, it notes beside what it is
told of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias, cast

from rhtmx.core.events import Answered, Event, Refused
from rhtmx.core.granularity import Granularity
from rhtmx.core.transactions import TransactionWrites
from rhtmx.core.write_clock import WriteClock
from rhtmx.messages import (
    FieldAction,
    Push,
    PushFields,
    SyncBegin,
    SyncComplete,
    SyncFieldsComplete,
    Transaction,
    Welcome,
)
from rhtmx.stores.memory import MemoryStore
from rhtmx.values.transaction_writes import writes_of
from rhtmx.wire import Message
from rhtmx_server.access.grant import Grant
from rhtmx_server.model import Key
from rhtmx_server.times import to_datetime
from tests.support.parts_readers import Reader
from tests.support.stepped import Stepped
from tests.support.writes_server import ENTITIES, WritesServer

__all__ = [
    "ACCOUNTS",
    "COUNTERS",
    "LOOKED_AT",
    "PAIR",
    "Act",
    "Client",
    "CoreClient",
    "Intent",
    "votes_of",
]

ACCOUNTS: tuple[Key, ...] = tuple((entity, each) for entity in ENTITIES for each in ("a", "b"))
"""What they have together is always the same."""

PAIR: tuple[Key, ...] = (("orders", "p"), ("lines", "p"), ("lines", "q"))
"""They always hold the same."""

COUNTERS: tuple[Key, ...] = (("orders", "c"), ("lines", "c"))
"""Their `votes` are only counted."""

LOOKED_AT: tuple[Key, ...] = PAIR + ACCOUNTS + COUNTERS

Act: TypeAlias = Callable[[TransactionWrites], None]
"""Makes writes."""

_RECORDS, _FIELDS = Granularity.RECORDS, Granularity.FIELDS


@dataclass
class Intent:
    """A write, as its author meant it.

    Attributes:
        votes: what it counts, by record.
        told: what its author was told last: `done`, or the code of the error; empty for nothing.
        life: how often the server had been restored when it was told that.
    """

    votes: dict[Key, int] = field(default_factory=dict)
    told: str = ""
    life: int = 0


def votes_of(message: Push | PushFields | Transaction) -> dict[Key, int]:
    """What a write counts."""
    votes: dict[Key, int] = {}
    for write in writes_of(message):
        for update in write.fields if isinstance(write, PushFields) else ():
            key = write.entity, write.entity_id
            if update.action is FieldAction.INCREMENT and update.field == "votes":
                votes[key] = votes.get(key, 0) + int(update.value or b"0")
    return votes


class Client(Reader):
    """Somebody who reads both entities, and writes.

    Args:
        server: where.
        name: its user, and its client id.
        random: what it does of itself.

    Attributes:
        offline: it wants no connection.
        calm: it does only what it has to.
        granularities: how it reads each entity.
        intents: its writes, by their request id.
        looks: how often what it shows was looked at.
    """

    def __init__(self, server: WritesServer, name: str, random: Random) -> None:
        super().__init__(cast(Any, server), name, Grant(name), _RECORDS, None)
        self.home = server
        self.random = random
        self.offline = self.calm = False
        self.granularities = {each: random.choice([_RECORDS, _FIELDS]) for each in ENTITIES}
        self.intents: dict[str, Intent] = {}
        self.looks = 0
        self._least: dict[Key, int] = {}
        self.clock = WriteClock()
        self.skew = random.choice([0, 0, -2500, 2500])

    def act(self, act: Act, *, together: bool) -> None:
        """Write what is made: as one transaction, or each of it alone."""
        writes = TransactionWrites(self.time, self.seen)
        act(writes)
        message = writes.message()
        for each in [message] if together else writes_of(message):
            self.intents[self.put(each)] = Intent(votes_of(each))

    def time(self) -> Any:
        """When it writes, by its clock: later than before."""
        return self.clock.next(to_datetime(self.home.now + self.skew), waits=True)

    def tell(self, request_id: str, told: str) -> None:
        """Its author is told what became of a write."""
        intent = self.intents[request_id]
        if intent.life == self.home.restored and intent.told not in ("", told):
            raise AssertionError(f"{request_id} was {intent.told}, and now it is {told}")
        intent.told, intent.life = told, self.home.restored

    def connect(self) -> None:
        """Connect, if it is not, and wants to be."""
        if not self.offline:
            super().connect()

    def seen(self, entity: str, entity_id: str) -> int | None:
        """The version of a record that it has seen, if it says so."""
        raise NotImplementedError

    def put(self, message: Push | PushFields | Transaction) -> str:
        """Put a write in line; returns its id."""
        raise NotImplementedError

    def keep(self) -> None:
        """Store what there is to be stored."""

    def restart(self, *, stores: bool) -> None:
        """The program ends, with everything stored or not, and starts."""
        raise NotImplementedError

    def quiet(self) -> bool:
        """Whether none of its writes waits."""
        raise NotImplementedError

    def held(self) -> dict[str, dict[str, Any]]:
        """What it shows, by entity."""
        raise NotImplementedError

    # What is looked at after each message.

    def check_shown(self, shown: Mapping[Key, Any]) -> None:
        """Half of a transaction is never shown, nor an increment twice or not at all.

        Args:
            shown: what it shows of the records that are looked at.
        """
        self.looks += 1
        pair = [shown[key] for key in PAIR]
        assert pair.count(pair[0]) == len(pair), f"{self.name} sees a half of {PAIR}: {pair}"
        total = sum((shown[key] or {}).get("balance", 0) for key in ACCOUNTS)
        assert total == 0, f"{self.name} sees a half of a transfer: {total} in {ACCOUNTS}"
        if not self.home.restored:
            for key in COUNTERS:
                self._check_votes(key, (shown[key] or {}).get("votes", 0))

    def started(self, waiting: Collection[str]) -> None:
        """Its program has started anew; it may show an older version again.

        Args:
            waiting: the writes that its store has without an answer. What it has not at all, and
                had no answer, was never written; that one was refused may not be stored.
        """
        self._least.clear()
        for request_id, intent in list(self.intents.items()):
            if request_id not in waiting and not intent.told:
                del self.intents[request_id]
            elif request_id in waiting and intent.told != "done":
                intent.told = ""

    def _check_votes(self, key: Key, votes: int) -> None:
        """There is a version of the server with which, and all own writes, it is as it shows."""
        counts = self.home.counted[key]
        ids = self.home.oracle.done[self.name]
        for index in range(self._least.get(key, -1), len(counts)):
            done = set(ids[: counts[index].done.get(self.name, 0)]) if index >= 0 else set()
            waiting = [
                intent.votes.get(key, 0)
                for each, intent in self.intents.items()
                if each not in done and intent.told in ("", "done")
            ]
            if votes == (counts[index].votes if index >= 0 else 0) + sum(waiting):
                self._least[key] = index
                return
        raise AssertionError(f"{self.name} sees {votes} in {key}, after {counts[-3:]}")

    def compare(self) -> None:
        """Everything is quiet: it holds what the server has."""
        assert self.quiet(), f"{self.name}: a write waits for ever"
        for entity, held in self.held().items():
            right: dict[str, Any] = dict(self.home.oracle.states(entity))
            if self.granularities[entity] is _FIELDS:
                held, right = ({k: v for k, v in each.items() if v} for each in (held, right))
            assert held == right, f"{self.name} of {entity}: {held}, not {right}"


class CoreClient(Client):
    """The core of the Python client, with a store.

    It looks after each message: half of a transaction is never shown, nor an increment twice or
    not at all.
    """

    def __init__(self, server: WritesServer, name: str, random: Random) -> None:
        super().__init__(server, name, random)
        self.store = MemoryStore(name)
        self.starts = 0
        self._loading = self._stored_loading = frozenset(ENTITIES)
        self._ending: frozenset[str] = frozenset()
        self.session = self.start()

    def start(self) -> Stepped:
        """The program starts, with what is stored."""
        self.starts += 1
        numbers = iter([self.starts / 10_000])
        session = Stepped(self.name, lambda: next(numbers, 0.5))
        session.local.load(self.store.load())
        for entity, granularity in self.granularities.items():
            session.open(entity, granularity)
        self.started({row.id for row in session.local.writes.queue})
        self._loading = self._stored_loading
        return session

    def restart(self, *, stores: bool) -> None:
        """The program ends, with everything stored or not, and starts."""
        if stores:
            self.keep()
        self.lose()
        self.session = self.start()
        self.look()

    def keep(self) -> None:
        """Store what there is to be stored."""
        self.session.keep(self.store)
        self._stored_loading = self._loading
        self.note()

    def begin(self) -> None:
        self.session.connected(0.0)

    def lost(self) -> None:
        self.session.lost(0.0, 1006)
        self.look()

    def say(self) -> None:
        if self.random.random() < 0.8:
            self.keep()
        if self.connected:
            self.up += self.session.take(0.0)

    def receive(self, message: Message) -> None:
        self._watch(message)
        self.session.receive(message, 0.0)
        self.note()
        self.look()

    def put(self, message: Push | PushFields | Transaction) -> str:
        return str(self.session.push(message).id)

    def act(self, act: Act, *, together: bool) -> None:
        super().act(act, together=together)
        if self.random.random() < 0.7:
            self.keep()
        self.look()

    def seen(self, entity: str, entity_id: str) -> int | None:
        if self.random.random() < 0.3:
            return None
        version: int | None = self.session.local.base_version(entity, entity_id)
        return version

    def note(self) -> None:
        """Take what its authors are told."""
        for event in self.session.events():
            self._note(event)

    def _note(self, event: Event) -> None:
        if isinstance(event, Answered):
            self.tell(event.request_id, "done")
        elif isinstance(event, Refused):
            self.tell(event.request_id, event.error.code.name.lower())

    def quiet(self) -> bool:
        return not len(self.session.local.writes.queue)

    def held(self) -> dict[str, dict[str, Any]]:
        return {
            entity: {row.id: row.data for row in self.session.local.get(entity).overlay.snapshot()}
            for entity in ENTITIES
        }

    def _watch(self, message: Message) -> None:
        """While all of an entity comes anew, or for the first time, it shows as it comes."""
        if isinstance(message, Welcome):
            self._ending = frozenset()
            for entity in ENTITIES:
                position = self.session.local.get(entity).replica.position
                if position.epoch != message.epoch or not position.version:
                    self._loading |= {entity}
        elif isinstance(message, SyncBegin) and message.reset:
            self._loading |= {message.entity}
        elif isinstance(message, SyncComplete | SyncFieldsComplete):
            if message.reset:  # it was not known before
                self._loading |= {message.entity}
            self._ending |= {message.entity}

    def look(self) -> None:
        """Half of a transaction is never shown, nor an increment twice or not at all."""
        # What comes last may have to wait, as what came before.
        self._loading -= {
            each for each in self._ending if self.session.local.get(each).replica.live
        }
        if not self._loading:
            self.check_shown({key: self._shown(key) for key in LOOKED_AT})

    def _shown(self, key: Key) -> Any:
        entity, entity_id = key
        row = self.session.local.get(entity).overlay.get(entity_id)
        return None if row is None else row.data
