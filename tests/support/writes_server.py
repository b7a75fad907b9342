"""A server of two entities in one process, moved step by step, that is held against an oracle.

Real: store (in memory, or SQLite), batch, hub, subscriptions, handlers, services. Not here:
sockets, formats and the loop. Each decision is compared with what `writes_oracle` says of it:
the commits, what their records hold, and the answer.

It can be given faults, so that a test can show that it would find them.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections import defaultdict
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeVar, cast

from msgspec.structs import replace

from rhtmx.messages import (
    Error,
    FieldAction,
    FieldPushAck,
    FieldUpdate,
    Push,
    PushAck,
    PushFields,
    Transaction,
    TransactionAck,
)
from rhtmx.messages.tables import ERRORS
from rhtmx.values.transaction_writes import writes_of
from rhtmx.wire import ServerMessage
from rhtmx_server.access.access import Access
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.guard import Guard
from rhtmx_server.config import Config
from rhtmx_server.connections.services import Services
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.delivery.outbox import Tick
from rhtmx_server.metrics import Metrics
from rhtmx_server.model import THE_APP, Commit, Context, Decision, Key, Mutation, Record
from rhtmx_server.ports import Decide
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.stores.sqlite import retention
from rhtmx_server.stores.sqlite.store import SqliteStore
from rhtmx_server.trackers.changes import changes_decider
from rhtmx_server.trackers.fields import fields_decider
from rhtmx_server.trackers.policy import PolicyOf, parse_policy, policies
from rhtmx_server.writing.batch import Batch
from tests.support.parts_server import Door, Numbers
from tests.support.writes_oracle import KINDS, Expected, Oracle
from tests.support.writes_schema import WordedRules, declared_by_schema
from tests.unit.rhtmx_server.fakes import NOW, Soon, pause

__all__ = [
    "CHANGE_BY_CHANGE",
    "ENTITIES",
    "LAST_WRITE_WINS",
    "TWICE",
    "Count",
    "WritesServer",
    "compare_answer",
    "run",
]

ENTITIES = ("orders", "lines")
LAST_WRITE_WINS = "an increment is a value that its author has counted, and the last one wins"
CHANGE_BY_CHANGE = "a transaction is handed out change by change"
TWICE = "what is sent again takes effect again"

T = TypeVar("T")
_POLICY = parse_policy(KINDS)


def run(coroutine: Awaitable[T]) -> T:
    """The result of a coroutine that waits for nothing but its turn."""
    steps = cast(Coroutine[Any, Any, T], coroutine)
    for _ in range(100):
        try:
            steps.send(None)
        except StopIteration as done:
            return cast(T, done.value)
    raise AssertionError("it waits")


class Count(NamedTuple):
    """What was counted in a record.

    Args:
        votes: the number.
        done: for each client, how many of its writes had taken effect by then.
    """

    votes: int
    done: dict[str, int]


class Disk:
    """Where the server's store is, from one life to the next.

    Args:
        folder: of its SQLite file; `None`: it is in memory.
        pauses: how long a read takes, before and after it.
        page: records in a page at most.
    """

    def __init__(self, folder: Path | None, pauses: tuple[int, int], page: int) -> None:
        self._folder = folder
        self._pauses, self._page = pauses, page
        self._epochs = 0
        self.store: Any = None

    def open(self) -> Any:
        """The store, as it was left."""
        if self._folder is None:
            self.store = self.store or MemoryStore(new_epoch=self._epoch)
        else:
            self.close()
            path, still = self._folder / "server.db", lambda: 0.0
            self.store = SqliteStore(path, new_epoch=self._epoch, clock=still)
        run(self.store.open())
        return self

    def close(self) -> None:
        """The program ends."""
        if self._folder is not None and self.store is not None:
            run(self.store.close())

    def backup(self) -> Any:
        """A copy of what it has now."""
        if self._folder is None:
            return _copy(self.store)
        self.close()
        copied = shutil.copy(self._folder / "server.db", self._folder / "backup.db")
        self.open()
        return copied

    def restore(self, backup: Any) -> None:
        """Put a copy in its place, and say that it is one."""
        if self._folder is None:
            self.store = _copy(backup)
        else:
            self.close()
            for each in self._folder.glob("server.db*"):
                each.unlink()
            shutil.copy(backup, self._folder / "server.db")
            self.open()
        run(self.store.renew_epoch())

    def forget(self, before: int) -> None:
        """Deletions are remembered no more; clients and their numbers are."""
        if isinstance(self.store, SqliteStore):
            run(self.store._repeat(retention.forget_tombstones, before))
            return
        kept = self.store._clients, self.store._outcomes
        run(self.store.collect(history_before=0, tombstones_before=before))
        self.store._clients, self.store._outcomes = kept

    async def since(
        self, entity: str, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> list[Record]:
        """A short page, that takes its time."""
        for _ in range(self._pauses[0]):
            await pause()
        short = min(limit, self._page)
        page: list[Record] = await self.store.since(entity, after, upto, short, clocks=clocks)
        for _ in range(self._pauses[1]):
            await pause()
        return page

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["store"], name)

    def _epoch(self) -> str:
        self._epochs += 1
        return f"e{self._epochs}"


def _copy(store: MemoryStore) -> MemoryStore:
    new_epoch, store._new_epoch = store._new_epoch, str
    copied = copy.deepcopy(store)
    store._new_epoch = copied._new_epoch = new_epoch
    return copied


class WritingDoor(Door):
    """A connection that may write whatever there is to write."""

    def submit(self, message: Push | PushFields | Transaction) -> None:
        session = self.session
        self.services.submit(
            Mutation(
                message,
                self._answered,
                session.client_id,
                session.subject,
                None,
                session.secret,
                source=self,
                who=session.grant,
            )
        )


class WritesServer:
    """See the head of the file.

    Args:
        random: how long reads take, and how large a page is.
        folder: of the SQLite file; `None`: the store is in memory.
        fault: which one it has.
        variant: of the schemas of `writes_schema` the one that declares its entities; `None`:
            none does.

    Attributes:
        oracle: what is right.
        restored: how often an older store took the place of this one.
        counted: for each record, what had been counted in it after each mutation.
    """

    def __init__(
        self,
        random: Random,
        folder: Path | None,
        fault: str = "",
        variant: int | None = None,
    ) -> None:
        pauses = random.randrange(2), random.randrange(2)
        self.store: Any = Disk(folder, pauses, random.randint(1, 4)).open()
        self.encoding = Numbers()
        self._policy_of: PolicyOf = lambda entity: _POLICY
        self._guards: Mapping[str, Guard] = {}
        if variant is not None:
            declared, self._guards = declared_by_schema(variant)
            self._policy_of = policies(declared)
        self.oracle = Oracle(None if variant is None else WordedRules(variant))
        self.random = random
        self.fault = fault
        self.restored = 0
        self.now = NOW
        self.doors: list[Door] = []
        self.waiting: list[Mutation] = []
        self._states: defaultdict[Key, list[tuple[int, Any]]] = defaultdict(list)
        self.counted: defaultdict[Key, list[Count]] = defaultdict(list)
        self._begin()

    def _begin(self) -> None:
        for door in list(self.doors):
            door.close()
        self.waiting.clear()
        self.answers: list[tuple[Mutation, Sequence[ServerMessage]]] = []
        self.commits: list[Commit] = []
        self._confirmed: dict[str, int] = {}
        self.soon = Soon()
        tick = Tick(self.soon)
        self.hub = Hub(tick)
        self.hub.start(run(self.store.heads()))
        nothing = cast(Any, None)
        self.services = Services(
            config=Config(), store=self.store, hub=self.hub, committer=cast(Any, self), tick=tick,
            turns=nothing, forms=nothing, metrics=Metrics(), clock=lambda: self.now,
            now=lambda: 0.0, access=Access(),
        )  # fmt: skip

    def door(self, grant: Grant) -> Door:
        """A connection of somebody."""
        return WritingDoor(cast(Any, self), grant)

    def check(self, rights: Sequence[Grant], message: ServerMessage) -> None:
        """Everybody may be told everything."""

    # As its services see it, it is the committer.

    def submit(self, mutation: Mutation) -> None:
        """Put a mutation in line."""
        self.waiting.append(mutation)

    def confirm(self, client_id: str, seq: int) -> None:
        """A client needs its answers up to there no more."""
        self._confirmed[client_id] = max(seq, self._confirmed.get(client_id, 0))

    # What happens to it.

    def write(self, message: Push | PushFields | Transaction) -> None:
        """The program of the server writes."""
        self.services.submit(Mutation(message, lambda reply: None, secret=THE_APP))

    def commit(self, most: int) -> None:
        """So many of those that wait become durable together; nobody hears of it yet."""
        mutations, self.waiting = self.waiting[:most], self.waiting[most:]
        if self.fault == TWICE:
            mutations = [each for one in mutations for each in (*self._once_more(one), one)]
        self.now += 1000
        confirmed, self._confirmed = self._confirmed, {}
        batch = Batch(
            mutations,
            self._deciders(),
            self.store.epoch,
            self.now,
            confirmed=confirmed,
            guards=self._guards,
        )
        run(self.store.commit(batch.wanted(), batch.decide))
        assert len(batch.replies) == len(mutations)
        self._compare(mutations, batch)
        for client, seq in confirmed.items():
            self.oracle.confirm(client, seq)
        self.answers += zip(mutations, batch.replies, strict=True)
        self.commits += batch.commits

    def _deciders(self) -> dict[type[Push | PushFields], Decide]:
        fields, whole = fields_decider(self._policy_of), changes_decider(self._policy_of)
        if self.fault != LAST_WRITE_WINS:
            return {Push: whole, PushFields: fields}

        def decide(
            message: Push | PushFields, current: Record | None, context: Context
        ) -> Decision:
            assert isinstance(message, PushFields)
            return fields(self._as_values(message), current, context)

        return {Push: whole, PushFields: decide}

    def _compare(self, mutations: Sequence[Mutation], batch: Batch) -> None:
        """What was decided is what the oracle says."""
        right, made = [], iter(batch.commits)
        for mutation, reply in zip(mutations, batch.replies, strict=True):
            expected = self.oracle.take(mutation.message, mutation.client_id, self.now)
            right += expected.effects
            for effect in {each[:2]: each for each in expected.effects}.values():
                done = {client: len(ids) for client, ids in self.oracle.done.items()}
                votes = (effect.data or {}).get("votes", 0)
                self.counted[effect.entity, effect.entity_id].append(Count(votes, done))
            if self.fault:
                continue
            compare_answer(mutation, expected, reply)
            own = [next(made) for _ in expected.effects]
            names = {each.transaction for each in own}
            assert len(names) <= 1, f"{names} for one transaction"
            assert all(names) == isinstance(mutation.message, Transaction) or not own
        for commit in batch.commits:
            record = commit.record
            data = None if record.data is None else json.loads(record.data)
            self._states[record.entity, record.entity_id].append((record.version, data))
        if self.fault:
            return
        for commit, effect in zip(batch.commits, right, strict=True):
            record = commit.record
            data = None if record.data is None else json.loads(record.data)
            at = record.entity, record.entity_id, record.version
            assert (*at, data) == effect, f"{mutations}: {effect} expected, got {data} at {at}"

    def answer(self) -> None:
        """The authors of what is durable are told."""
        answers, self.answers = self.answers, []
        for mutation, reply in answers:
            mutation.answer(reply)

    def hand_out(self) -> None:
        """What is durable is handed to those who read; their authors have been told."""
        self.answer()
        commits, self.commits = self.commits, []
        if self.fault != CHANGE_BY_CHANGE:
            self.hub.deliver(commits)
            return
        for commit in commits:
            commit.transaction = ""
            self.hub.deliver([commit])
            self.turn()

    def collect(self, keep: int) -> None:
        """Forget what was deleted before the last `keep` commits."""
        before = self.now - keep * 1000 + 1
        self.store.forget(before)
        self.oracle.forget(before)
        self.hub.raise_floors(run(self.store.heads()))

    def close(self) -> None:
        """End at once."""
        for door in list(self.doors):
            door.close()
        self.store.close()

    def restart(self) -> None:
        """End at once, and begin anew with the same store."""
        self.store.open()
        self._begin()

    def backup(self) -> tuple[Any, Oracle]:
        """A copy of everything; the server is started anew for it."""
        backup = self.store.backup()
        self._begin()
        return backup, self.oracle.backup()

    def restore(self, backup: tuple[Any, Oracle]) -> None:
        """End at once, and begin anew with an older store."""
        self.restored += 1
        self.store.restore(backup[0])
        self.oracle = backup[1].backup()
        self._begin()

    def turn(self) -> None:
        """The tick of the loop ends."""
        self.soon.turn()

    # The faults.

    def _as_values(self, message: PushFields) -> PushFields:
        """What comes of an increment where it is only a value that was counted by its author."""
        key, base = (message.entity, message.entity_id), message.base_version
        known: dict[str, Any] = {}
        for version, data in self._states.get(key, ()):
            if base is None or version <= base:
                known = data or {}
        fields = [_as_value(each, known) for each in message.fields]
        return PushFields(*key, fields, message.request_id, message.seq, base)

    def _once_more(self, mutation: Mutation) -> Sequence[Mutation]:
        """What has been there before, as if it had not."""
        client, seq = mutation.client_id, mutation.message.seq
        if client is None or seq is None or seq > self.oracle.last[client]:
            return ()
        again = copy.copy(mutation.message)
        again.seq, again.request_id = None, None
        writes = [replace(each, client_id=None, secret=THE_APP) for each in mutation.writes]
        return [Mutation(again, lambda reply: None, secret=THE_APP, writes=writes)]


def _as_value(update: FieldUpdate, known: dict[str, Any]) -> FieldUpdate:
    if update.field != "votes" or update.action is not FieldAction.INCREMENT:
        return update
    value = known.get(update.field, 0) + json.loads(update.value or b"0")
    text = json.dumps(value).encode()
    return FieldUpdate(update.field, text, FieldAction.UPDATE, update.timestamp)


def compare_answer(mutation: Mutation, expected: Expected, reply: Sequence[ServerMessage]) -> None:
    """An author is told what the oracle says."""
    said = f"{mutation.message}: {expected} expected, got {reply}"
    *conflicts, answer = reply
    if isinstance(answer, Error):
        assert expected.code, said
        assert answer.code is not None, said
        assert ERRORS[answer.code].spelling == expected.code, said
        return
    assert not expected.code, said
    assert isinstance(answer, PushAck | FieldPushAck | TransactionAck), said
    assert bool(answer.duplicate) == expected.duplicate, said
    results = answer.results if isinstance(answer, TransactionAck) else [answer]
    fields = [
        (each.applied, each.conflicts)
        for each, write in zip(results, writes_of(mutation.message), strict=True)
        if isinstance(write, PushFields) and not isinstance(each, PushAck)
    ]
    assert fields == expected.fields, said
    assert len(conflicts) == sum(count for _, count in fields), said
