"""Applies what an application has written from its own SQL, on the server that leads.

Knows when to look, and the order of things. Must not know what a write means, nor how a store
keeps it.

Nobody says that there is something to apply: in the transaction of the application a NOTIFY would
have all of them commit one after the other. So it is looked for, more often while something comes:

========  ======================  =====================  =====================
state     looked: something       looked: nothing        failed, or leads no
                                                         more
========  ======================  =====================  =====================
quick     applied; quick          slower, step by step   slow, begins anew
slow      applied; quick          slow                   slow, begins anew
========  ======================  =====================  =====================

What is begun in order ends in order: if the server cannot write something now, or not at one time,
all that was to come after it waits, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire import ServerMessage
from rhtmx_server.failures import place
from rhtmx_server.model import Mutation
from rhtmx_server.sql_writes import EVERYTHING, SqlMark, SqlStore, SqlWrite
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers.calls import CheckJson
from rhtmx_server.writing.sql_mutations import (
    MOST_WRITES,
    SqlVerdict,
    mutation_of,
    steps_of,
    verdict_of,
)

__all__ = ["SqlFeed", "SqlMeter"]

log = logging.getLogger("rhtmx_server")

QUICK = 0.05
"""Seconds between two looks while something comes."""

SLOW = 0.25
"""Seconds between two looks while nothing does."""

SLOWER = 1.3
"""How much longer each pause is than the one before, while nothing comes."""

ANEW = 240
"""After so many looks one looks at everything, a minute at most: to be sure."""

_ORDER = "it waits for what comes before it"


class SqlMeter(Protocol):
    """Takes the figures."""

    def sql_writes(self, result: str, count: int) -> None:
        """So many writes were `applied`, or `rejected`."""


class SqlFeed:
    """Reads what an application has written, and has it applied.

    Args:
        store: that has it.
        submit: puts a mutation in line.
        clock: the time; microseconds since 1970.
        check: the wire's check of JSON texts.
        leads: whether this server is the one that does it.
        meter: takes figures.
        epoch: of the store; another one says that it may lack what was there.
    """

    def __init__(
        self,
        store: SqlStore,
        submit: Callable[[Mutation], object],
        clock: Callable[[], int],
        check: CheckJson,
        leads: Callable[[], bool],
        meter: SqlMeter,
        epoch: Callable[[], str],
    ) -> None:
        self._store = store
        self._submit = submit
        self._clock = clock
        self._check = check
        self._leads = leads
        self._meter = meter
        self._epoch = epoch
        self._seen = EVERYTHING
        self._seen_in = ""
        self._looks = 0

    async def run(self) -> None:
        """Apply whatever comes while this server leads, until cancelled."""
        pause = SLOW
        while True:
            await asyncio.sleep(pause)
            try:
                found = await self.step()
                pause = QUICK if found else min(SLOW, pause * SLOWER)
            except RhtmxError as error:
                log.debug("what was written by SQL waits: %s", error)
                pause = SLOW
            except Exception as failure:
                log.error("applying what was written by SQL failed: %s", place(failure))
                pause = SLOW

    async def step(self) -> bool:
        """Look once, and apply what is there; returns whether there was anything.

        Raises:
            RhtmxError: the store cannot be asked, or cannot write now.
        """
        since, self._seen = self._since(), EVERYTHING
        if not self._leads():
            return False
        epoch, all_done = self._epoch(), True
        look = await self._store.sql_look(since)
        left = list(look.transactions)
        while left:
            asked = left[:MOST_WRITES]
            page = await self._store.sql_page(asked, MOST_WRITES)
            all_done = await self._apply(steps_of(page)) and all_done
            # The last one that was read may have more, unless that was all.
            read = len(asked) if page.whole else left.index(page.writes[-1].transaction)
            del left[:read]
        if all_done and look.whole:
            self._seen, self._seen_in = look.mark, epoch
        return bool(look.transactions)

    def _since(self) -> SqlMark:
        self._looks += 1
        known = self._seen_in == self._epoch() and self._looks % ANEW
        return self._seen if known else EVERYTHING

    async def _apply(self, steps: Sequence[Sequence[SqlWrite]]) -> bool:
        """Apply some writes, in order; returns whether none was another server's."""
        all_ours = True
        while steps:
            verdicts = await self._decide(steps)
            rejected = {row: why for each in verdicts for row, why in each.rejected.items()}
            for row, why in rejected.items():
                log.error("row %d of the table `outbox` was rejected: %s", row, why)
            if rejected:
                await self._store.sql_reject(rejected)
            self._meter.sql_writes("rejected", len(rejected))
            self._meter.sql_writes("applied", sum(each.applied for each in verdicts))
            all_ours = all_ours and not any(each.gone for each in verdicts)
            steps = _left(steps, verdicts)
        return all_ours

    async def _decide(self, steps: Sequence[Sequence[SqlWrite]]) -> list[SqlVerdict]:
        """Have steps decided, and wait for what comes of each."""
        verdicts: dict[int, SqlVerdict] = {}
        mutations: list[Mutation] = []
        all_answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def answer(index: int, reply: Sequence[ServerMessage]) -> None:
            verdict = verdicts[index] = verdict_of(steps[index], reply)
            if verdict.apart or verdict.later:
                for each in mutations[index + 1 :]:
                    if each.rejection is None:
                        each.rejection = RhtmxError(ErrorCode.STORAGE_FAILED, _ORDER)
            if len(verdicts) == len(steps) and not all_answered.done():
                all_answered.set_result(None)

        now = to_datetime(self._clock())
        for index, step in enumerate(steps):
            mutations.append(mutation_of(step, now, self._check, partial(answer, index)))
        for mutation in mutations:
            self._submit(mutation)
        await all_answered
        return [verdicts[index] for index in range(len(steps))]


def _left(
    steps: Sequence[Sequence[SqlWrite]], verdicts: Sequence[SqlVerdict]
) -> Sequence[Sequence[SqlWrite]]:
    """The steps that are to be applied now, after the verdicts about others.

    Raises:
        RhtmxError: the server cannot write now.
    """
    left: list[Sequence[SqlWrite]] = []
    for step, verdict in zip(steps, verdicts, strict=True):
        if verdict.apart:
            left += [(each,) for each in step]
        elif verdict.later and not left:
            raise RhtmxError(ErrorCode.STORAGE_FAILED, verdict.later)
        elif verdict.later:
            left.append(step)
    return left
