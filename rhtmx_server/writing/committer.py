"""Group commit: all writes that wait become one transaction.

Knows the order of things: written, durable, answered, delivered. Must not know
what a mutation means or who is subscribed.

Mutations wait for no timer. While one transaction is being written the next batch
gathers; a batch is as large as the load makes it. Before each one the loop gets
one turn: it sends the answers of the batch before, and reads what has arrived
since. If that brings more it gets another one, `MOST_TURNS` at most: what is sent
together is read in steps (`turns`), and each transaction costs as much as a dozen
mutations. To one turn alone this is, with sockets that wait for each answer: with 8
of them a quarter more mutations a second and a third less to wait in the median,
with 64 a tenth and an eighth; with 200 under way on one socket a quarter and a
seventh. A lone socket sees no difference. With 512, what one turn brings is a large batch
already: waiting for more made 0.92 of the rate there, and the slowest wait a sixth longer.

What clients confirm is in no hurry: it only makes room. It goes along with the
next mutations; if there are none it waits a second for company. Each in a
transaction of its own, 1,500 clients that come back cost as many syncs.

========  ==========  ==================  ==========  ===========================
state     `submit`    `confirm`           `stop`      a batch is written, or fails
========  ==========  ==================  ==========  ===========================
idle      writing     idle, and writing   ended       -
                      after `PATIENCE`
writing   writing     writing             stopping    idle, or writing where more
                                                      has gathered
stopping  stopping    stopping            stopping    ended, or stopping where
                                                      more has gathered
ended     ended,      ended, forgotten    ended       -
          failed
========  ==========  ==================  ==========  ===========================

Whatever ends `run` (a cancellation, too) leads to `ended`: those who still wait
are told that it is not known whether their mutation was written. `begin_anew` changes no state.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import Protocol, TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Push, PushFields
from rhtmx.wire import ServerMessage
from rhtmx_server.access.guard import Guard
from rhtmx_server.conflict_log import log_of
from rhtmx_server.failures import error_message, place, raise_if_error, unexpected
from rhtmx_server.model import Commit, Mutation, Record
from rhtmx_server.ports import Decide, Store
from rhtmx_server.times import to_datetime
from rhtmx_server.tracing import Tracing
from rhtmx_server.trackers.state import live
from rhtmx_server.writing.admit import Admit, anything
from rhtmx_server.writing.batch import Batch
from rhtmx_server.writing.conflict_logs import ConflictLogs, by_program
from rhtmx_server.writing.decisions import keys_of
from rhtmx_server.writing.entity_functions import EntityFunctions
from rhtmx_server.writing.fair_queue import MAX_BATCH, FairQueue
from rhtmx_server.writing.rejections import begun_anew

__all__ = ["CommitMeter", "Committer", "Turn", "at_once"]

log = logging.getLogger("rhtmx_server")

MAX_CONFIRMED = 10_000
"""Clients whose confirmation waits to be written. One beyond that is forgotten: its client
says it again when it connects the next time."""

PATIENCE = 1.0
"""Seconds after which confirmations are written although nothing else is."""

MOST_TURNS = 4
"""Turns of the loop that a batch waits for at most, as long as each brings more. Twice as many make
a push among 200 two percent cheaper."""


Turn: TypeAlias = Callable[[Callable[[], Iterable[str]]], AbstractAsyncContextManager[None]]
"""Waits until a batch is to be taken; see `SharedStore.turn`."""


def at_once(waiting: Callable[[], Iterable[str]]) -> AbstractAsyncContextManager[None]:
    """A `Turn` that waits for nobody: that of a server that writes alone."""
    return nullcontext()


class CommitMeter(Protocol):
    """Takes the figures of each batch."""

    def committed(self, mutations: int, seconds: float) -> None:
        """A batch of so many mutations became durable in so many seconds."""


class Committer:
    """Takes mutations and makes them durable, those of a source in the order in which they came.

    Args:
        store: where they go.
        deciders: the rule for each kind of mutation.
        clock: the time; microseconds.
        meter: takes figures.
        most_clients: so many clients may be known.
        patience: seconds that a confirmation may wait for mutations to go along with.
        admit: see `Batch`.
        guards: see `Batch`.
        elapsed: seconds, of a clock that does not jump.
        functions: see `Batch`.
        logs: see `Batch`.
        turn: waits until this server may write, where several write the same.
        tracing: traces each transaction, if something does.
    """

    def __init__(
        self,
        store: Store,
        deciders: Mapping[type[Push | PushFields], Decide],
        clock: Callable[[], int],
        meter: CommitMeter,
        *,
        most_clients: int = sys.maxsize,
        patience: float = PATIENCE,
        admit: Admit = anything,
        guards: Mapping[str, Guard] = MappingProxyType({}),
        elapsed: Callable[[], float] = time.perf_counter,
        functions: EntityFunctions | None = None,
        logs: ConflictLogs | None = None,
        turn: Turn = at_once,
        tracing: Tracing | None = None,
    ) -> None:
        self._store = store
        self._deciders = deciders
        self._clock = clock
        self._meter = meter
        self._most_clients = most_clients
        self._patience = patience
        self._confirmed: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = False
        self._admit = admit
        self._guards = guards
        self._elapsed = elapsed
        self._functions = functions
        self._logs = logs
        self._turn = turn
        self._tracing = tracing
        self._queue = FairQueue()
        self._taken: Sequence[Mutation] = ()
        self._settling: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        self._lives = 0
        self._stopping = False
        self._ended = False

    def submit(self, mutation: Mutation) -> None:
        """Put a mutation in line. Its `answer` is called once, when it is durable or failed."""
        if self._ended:
            # Later, as any answer: nobody expects to be answered from within `submit`.
            asyncio.get_running_loop().call_soon(self._fail, [mutation], _stopped())
        else:
            self._queue.put(mutation)
            self._wake.set()

    def begin_anew(self) -> None:
        """Refuse all that waits, as the store has another epoch: it is to be sent again.

        The numbers of before are void: a client of which something was lost has given them to
        other writes by now, at another node.
        """
        self._lives += 1
        self._confirmed.clear()
        self._fail(self._queue.clear(), begun_anew())

    def confirm(self, client_id: str, seq: int) -> None:
        """Have a client's answers up to `seq` forgotten, before long."""
        known = self._confirmed.get(client_id)
        # Bounded by dropping what is new: a client that is known already replaces its own number.
        if self._ended or (known is None and len(self._confirmed) >= MAX_CONFIRMED):
            return
        self._confirmed[client_id] = max(seq, known or 0)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._patience, self._hasten)

    async def settle(self, concerns: Callable[[Mutation], bool]) -> None:
        """Wait until all that is in line now is answered; not what comes meanwhile.

        Args:
            concerns: of these only.
        """
        left = [each for each in (*self._taken, *self._queue) if concerns(each)]
        while left and not self._ended:
            batch: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._settling.append(batch)
            await batch
            # By identity: others may say the same.
            waiting = {id(each) for each in (*self._taken, *self._queue)}
            left = [each for each in left if id(each) in waiting]

    async def run(self) -> AsyncIterator[Sequence[Commit]]:
        """Commit whatever is submitted, until `stop` is called and all is done.

        Yields:
            The commits of each batch, after their senders were answered.
        """
        try:
            while not (self._stopping and not self._queue):
                await self._wake.wait()
                self._wake.clear()
                while self._queue or (self._due and self._confirmed):
                    await self._gather()
                    commits = await self._commit_next()
                    if commits:
                        yield commits
                # With nothing left to write, what is confirmed from now on waits for company again;
                # but not while stopping.
                self._due = self._stopping
        finally:
            self._ended = True
            self._fail(self._queue.clear(), _stopped())
            self._settled()
            if self._timer is not None:
                self._timer.cancel()

    async def realign(self, entity: str) -> None:
        """Have the conflict log of an entity be where its records are; to be called before `run`.

        They may have moved while no log was kept, or by fields that were not looked at. What is
        open of fields that are hidden by now, is no more.

        Raises:
            RhtmxError: it could not be written: somebody might read there what is not theirs.
        """
        if self._logs is None or not self._logs.may_be_misplaced(entity):
            return
        log, read = log_of(entity), 0
        upto = (await self._store.head(log)).version
        while page := await self._store.since(log, read, upto, MAX_BATCH, clocks=False):
            read, at = page[-1].version, to_datetime(self._clock())
            writes: list[Mutation] = []
            for each in page:
                writes += map(by_program, await self._realigning(entity, each, at))
            replies: list[Sequence[ServerMessage]] = []
            for mutation in writes:
                mutation.answer = replies.append
            while writes:
                await self._commit(writes, {})
                writes = list(self._queue.take()) if self._queue else []  # no time for these
            for reply in replies:
                raise_if_error(reply[-1])

    async def _realigning(
        self, entity: str, log: Record, at: datetime
    ) -> Sequence[Push | PushFields]:
        """What is to be done to a record of a conflict log."""
        if self._logs is None or not log.live:
            return ()
        record = live(await self._store.record(entity, log.entity_id))
        moved = None if record is None else self._logs.realigned(record, log, at)
        untold = self._logs.told_no_more(entity, log, at)
        return [each for each in (moved, untold) if each is not None]

    def stop(self) -> None:
        """Have `run` return when nothing waits any more."""
        self._stopping = self._due = True
        self._wake.set()

    async def _gather(self) -> None:
        """Let the loop send the answers and read what has come: see above."""
        for _ in range(MOST_TURNS):
            waited = len(self._queue)
            await asyncio.sleep(0)
            if not waited < len(self._queue) < MAX_BATCH:
                break

    def _settled(self) -> None:
        settling, self._settling = self._settling, []
        for each in settling:
            if not each.done():
                each.set_result(None)

    def _hasten(self) -> None:
        self._timer, self._due = None, True
        self._wake.set()

    def _take_confirmed(self) -> Mapping[str, int]:
        if len(self._confirmed) <= MAX_BATCH:
            taken, self._confirmed = self._confirmed, {}
        else:
            taken = dict(islice(self._confirmed.items(), MAX_BATCH))
            for client_id in taken:
                del self._confirmed[client_id]
        return taken

    async def _commit_next(self) -> Sequence[Commit]:
        """Commit what is next in line by the time at which this server may write."""
        async with self._turn(self._entities):
            self._taken = self._queue.take()
            try:
                return await self._commit(self._taken, self._take_confirmed())
            finally:
                self._taken = ()
                self._settled()

    def _entities(self) -> Iterable[str]:
        """The entities that those in line are about to write."""
        return {entity for each in self._queue for entity, _ in keys_of(each, {})}

    async def _commit(
        self, mutations: Sequence[Mutation], confirmed: Mapping[str, int]
    ) -> Sequence[Commit]:
        started, life = self._elapsed(), self._lives
        try:
            batch = Batch(
                mutations,
                self._deciders,
                self._store.epoch,
                self._clock(),
                confirmed=confirmed,
                most_clients=self._most_clients,
                admit=self._admit,
                guards=self._guards,
                elapsed=self._elapsed,
                functions=self._functions,
                logs=self._logs,
            )
            with nullcontext() if self._tracing is None else self._tracing.commit(mutations):
                await self._store.commit(batch.wanted(), batch.decide)
        except RhtmxError as error:
            log.error(
                "%d mutations and %d confirmations were not written: %s (%r)",
                len(mutations),
                len(confirmed),
                error,
                error.__cause__,
            )
            self._fail(mutations, error)
            return ()
        # The transaction may be done or not: its authors are told so, and may ask again by `seq`.
        except asyncio.CancelledError:
            self._fail(mutations, _stopped())
            raise
        except Exception as failure:
            self._fail(mutations, unexpected(failure, "committing a batch"))
            return ()
        # The batch had no time for the others, or the store had not read their records.
        decided = mutations[: len(batch.replies)]
        left = mutations[len(decided) :]
        if life == self._lives:
            self._queue.put_back(left)
        else:
            self._fail(left, begun_anew())
        if decided:
            self._meter.committed(len(decided), self._elapsed() - started)
        # Answered before the change is handed out: its author knows the version when it sees it.
        for mutation, reply in zip(decided, batch.replies, strict=True):
            _answer(mutation, reply)
        return batch.commits

    def _fail(self, mutations: Sequence[Mutation], error: RhtmxError) -> None:
        for mutation in mutations:
            _answer(mutation, [error_message(error, mutation.message)])


def _answer(mutation: Mutation, reply: Sequence[ServerMessage]) -> None:
    try:
        mutation.answer(reply)
    except Exception as failure:
        log.error("answering a mutation failed: %s", place(failure))


def _stopped() -> RhtmxError:
    return RhtmxError(
        ErrorCode.SHUTTING_DOWN,
        "the server is stopping, and it is not known whether this was written: send it again",
    )
