"""Looks what has changed in an application's tables, and has the records be as the rows are.

Knows the order of these, and when to look. Must not know how rows are read, records compared, or
what becomes of a mutation.

It looks again at once while there is more, every `QUICK` seconds while something comes, and with
longer and longer pauses, up to `SLOW`, while nothing does; and when it is woken. What was named by
the outbox is read and written, and only then removed there: after a crash it is done once more,
which changes nothing.

All rows are compared with all records when this server begins to lead, when the store has another
epoch (it may lack what was written), when the outbox says that any row may have changed, and when
rows may have changed without a note (see `HostState`), which is looked at every `CHECK` seconds.
Meanwhile what changes is delivered: pages are compared and looks are taken in turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeVar, cast

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.failures import report
from rhtmx_server.functions import call
from rhtmx_server.mirror.host import MirrorSetupError
from rhtmx_server.mirror.outcomes import Reconciled, RejectedRows
from rhtmx_server.mirror.reader import HostReader, Made
from rhtmx_server.mirror.writer import Difference, RecordWriter
from rhtmx_server.threads import DaemonPool

__all__ = ["AGAIN", "CHECK", "QUICK", "SLOW", "MirrorFeed", "MirrorMeter", "ReconciledHook"]

log = logging.getLogger("rhtmx_server")

T = TypeVar("T")

QUICK = 0.05
"""Seconds between two looks while something comes."""

SLOW = 0.25
"""Seconds between two looks while nothing does."""

SLOWER = 1.3
"""How much longer each pause is than the one before, while nothing comes."""

AGAIN = 1.0
"""Seconds until what has failed is tried again."""

CHECK = 5.0
"""Seconds after which it is looked whether rows may have changed without a note."""

SILENT = 30.0
"""Seconds without an answer of the database, after which the log says so."""

CLOSING = 0.5
"""Seconds that it may take at most to close what was opened."""

PAGE = 200
"""Rows, or records, that are compared together."""

MOST = 500
"""Rows of the outbox that are read together."""

_LOOKS = 3
"""How often it is looked again at what differs, before it counts."""

ReconciledHook = Callable[[Reconciled], object]
"""A function of the program: plain or `async`."""


class MirrorMeter(Protocol):
    """Takes the figures of each mirrored entity."""

    def mirrored(self, entity: str, result: str, count: int) -> None:
        """So many records were `written`, or `rejected`."""

    def mirror_differences(self, entity: str, kind: str, count: int) -> None:
        """So many records had to be `added`, `changed` or `removed`, as they were compared."""

    def mirror_lag(self, entity: str, lag: Callable[[], float]) -> None:
        """Where to ask for how many seconds it has not been known that all is up to date."""


class MirrorFeed:
    """Keeps the records of some entities as the rows of one database are.

    Args:
        reader: reads the rows.
        writer: writes the records.
        thread: where the database is asked: one.
        hook_thread: where the program's plain functions run: they may take their time.
        leads: whether this server is the one that does it.
        now: seconds, of a clock that does not jump.
        meter: takes figures.
        rejected: for each entity, the rows that cannot become records.
        hooks: for some entities, the program's functions that are told what a comparison found,
            and whether each of them may block.
    """

    def __init__(
        self,
        reader: HostReader,
        writer: RecordWriter,
        thread: DaemonPool,
        hook_thread: DaemonPool,
        leads: Callable[[], bool],
        now: Callable[[], float],
        meter: MirrorMeter,
        rejected: Mapping[str, RejectedRows],
        hooks: Mapping[str, Sequence[tuple[ReconciledHook, bool]]],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._thread = thread
        self._hook_thread = hook_thread
        self._leads = leads
        self._now = now
        self._meter = meter
        self._rejected = rejected
        self._hooks = hooks
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._epoch: str | None = None
        self._due: dict[str, int] = {}
        self._is_due = asyncio.Event()
        self._compared: asyncio.Queue[Reconciled] = asyncio.Queue()
        self._complaints: dict[str, str] = {}
        self._warned: set[str] = set()
        self._found = True
        self._check_at = self._fresh = now()
        for entity in rejected:
            meter.mirror_lag(entity, self.lag)

    def lag(self) -> float:
        """For how many seconds it has not been known that all is up to date; 0 elsewhere."""
        return self._now() - self._fresh if self._leads() else 0.0

    @property
    def entities(self) -> Collection[str]:
        """Whose records they are."""
        return self._rejected.keys()

    @property
    def busy(self) -> bool:
        """Whether it looks or compares just now, or is about to; not while it cannot."""
        looks = self._found or self._wake.is_set() or self._turn.locked() or bool(self._due)
        return (looks or not self._compared.empty()) and not self._complaints

    def wake(self) -> None:
        """Look at once. From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Write whatever changes while this server leads, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._look_on())
                tasks.create_task(self._compare_on())
                tasks.create_task(self._tell_on())
        finally:
            await self.close()

    async def close(self) -> None:
        """Close what was opened in the database; one that does not answer holds up nobody."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSING):
                await self._ask(self._reader.database.close)

    async def step(self) -> int:
        """Look once, and write what has changed; returns how many rows the outbox had.

        Raises:
            RhtmxError: the server cannot write now, or does not lead.
            MirrorSetupError: a table is not as it has to be.
        """
        async with self._turn:
            if self._now() >= self._check_at:
                self._begin(await self._ask(self._reader.open))
                self._reader.begun()
                self._warn_of(self._reader.strange)
                self._check_at = self._now() + CHECK
            look = await self._ask(partial(self._reader.look, MOST))
            for entity, made in look.made.items():
                await self._write(entity, made)
            self._begin(look.whole)
            if look.ids:
                await self._ask(partial(self._reader.remove, look.ids))
        self._found = bool(look.ids)
        if len(look.ids) < MOST and not self._due:
            self._fresh = self._now()
        return len(look.ids)

    async def reconcile(self, entity: str, *, repair: bool = True) -> Reconciled:
        """Compare all rows of a table with all records.

        Args:
            entity: the collection.
            repair: whether the records become what they have to be; otherwise they are only
                counted.

        Raises:
            RhtmxError: the server cannot write now, or does not lead.
            MirrorSetupError: a table is not as it has to be.
        """
        while await self.step() == MOST:  # what waits is late, and no difference
            pass
        return await self._compare_all(Reconciled(entity, repaired=repair))

    async def check(self, entity: str) -> Reconciled:
        """Compare all rows of a table with all records, and write nothing, to either side.

        For when no server writes what the outbox names. What waits there is late, and no
        difference.

        Raises:
            MirrorSetupError: a table is not as it has to be.
        """
        await self._ask(self._reader.open)
        return await self._compare_all(Reconciled(entity, repaired=False))

    # Inside.

    async def _compare_all(self, found: Reconciled) -> Reconciled:
        entity, after = found.entity, None
        while True:
            async with self._turn:
                read = partial(self._reader.page, entity, after, PAGE)
                made, after = await self._ask(read)
                found = await self._compare(found, made)
            if not made:
                break
            found = found._replace(rows=found.rows + len(made))
        store, version = self._writer.store, 0
        upto = (await store.head(entity)).version
        while page := await store.since(entity, version, upto, PAGE, clocks=False):
            version = page[-1].version
            there = [each.entity_id for each in page if each.live]
            async with self._turn:
                gone = await self._ask(partial(self._reader.missing, entity, there))
                found = await self._compare(found, dict.fromkeys(gone))
        return found

    async def _look_on(self) -> None:
        pause = QUICK
        while True:
            if not self._leads():
                self._epoch, self._fresh = None, self._now()
                pause = SLOW
            elif self._epoch != self._writer.store.epoch:
                self._epoch = self._writer.store.epoch
                self._begin(self._rejected)
            else:
                looked = await self._tried("look", self.step())
                pause = AGAIN if looked is None else _pause(looked, pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)
            self._wake.clear()

    async def _compare_on(self) -> None:
        while True:
            await self._is_due.wait()
            entity = next(iter(self._due))
            found = await self._tried(f"compare {entity}", self._reconcile(entity))
            if found is None:
                self._due[entity] = self._due.pop(entity)  # the others first
                await asyncio.sleep(AGAIN)
            else:
                log.log(
                    logging.WARNING if found.differences else logging.INFO, "compared %s", found
                )
                self._compared.put_nowait(found)

    async def _tell_on(self) -> None:
        """Tell the program what was found, beside all else: its functions may wait for anything."""
        while True:
            await self._tell(await self._compared.get())

    async def _reconcile(self, entity: str) -> Reconciled:
        asked = self._due[entity]
        found = await self.reconcile(entity)
        # Asked once more meanwhile: that may be about rows that it had compared by then.
        if self._due[entity] == asked:
            del self._due[entity]
        if not self._due:
            self._is_due.clear()
        return found

    def _begin(self, entities: Collection[str]) -> None:
        """Have all rows of some entities be compared."""
        for entity in entities:
            self._due[entity] = self._due.get(entity, 0) + 1
            self._is_due.set()

    def _warn_of(self, table: str | None) -> None:
        """Say once that notes are read by nobody."""
        if table is not None and table not in self._warned:
            self._warned.add(table)
            log.warning(
                "%r has rows for %r, which no mirror of it calls so: they stay. Mirror the table "
                "by that name, or drop what writes them",
                self._reader.outbox,
                table,
            )

    async def _tell(self, found: Reconciled) -> None:
        for hook, blocks in self._hooks.get(found.entity, ()):
            try:
                await call(partial(hook, found), self._hook_thread if blocks else None, self)
            except Exception as failure:
                report(failure, f"on_reconciled of {found.entity!r} failed")

    async def _tried(self, what: str, work: Awaitable[T]) -> T | None:
        """Do something; if it fails, say so once, and return nothing."""
        try:
            done = await work
        except (RhtmxError, MirrorSetupError) as reason:
            self._complain(what, str(reason))
        except Exception as failure:  # of whatever driver
            # What a driver says: of a connection, or of a table. SQLAlchemy adds the values.
            said = getattr(failure, "orig", failure)
            self._complain(what, f"{type(failure).__name__}: {said}")
        else:
            self._withdraw(what)
            return done
        return None

    def _complain(self, what: str, complaint: str) -> None:
        """Say why something does not go on; once, whatever else fails for that reason."""
        if complaint not in self._complaints.values():
            entities = ", ".join(map(repr, self._rejected))
            log.error("the mirror of %s waits, and is tried again: %s", entities, complaint)
        self._complaints[what] = complaint

    def _withdraw(self, what: str) -> None:
        """Something goes on; say so once all does."""
        if self._complaints.pop(what, "") and not self._complaints:
            log.info("the mirror of %s goes on", ", ".join(map(repr, self._rejected)))

    async def _ask(self, work: Callable[[], T]) -> T:
        """Ask the database, in its thread."""
        silent = f"its database has not answered for {SILENT:g} seconds"
        alarm = self._loop.call_later(SILENT, self._complain, "answer", silent)
        try:
            answer = cast(T, await call(work, self._thread, self))
        except Exception:
            self._reader.forget()
            self._check_at = self._now()
            raise
        finally:
            alarm.cancel()
        self._withdraw("answer")
        return answer

    async def _write(self, entity: str, made: Made) -> None:
        wanted, reasons = _apart(made)
        differences = await self._writer.compare(entity, wanted)
        await self._repair(entity, wanted, differences, reasons)

    async def _compare(self, found: Reconciled, made: Made) -> Reconciled:
        """Compare some rows; returns what was found with what was found before."""
        entity = found.entity
        wanted, reasons = _apart(made)
        differences = await self._writer.compare(entity, wanted)
        # What the outbox names was late when it was compared: it comes by itself.
        late = await self._ask(partial(self._reader.late, entity, differences))
        refused = {*reasons, *self._rejected[entity].reasons.keys() & differences.keys()}
        if found.repaired:
            refused = set(await self._repair(entity, wanted, differences, reasons))
        differences = {
            name: each for name, each in differences.items() if name not in {*late, *refused}
        }
        if not found.repaired:
            differences = await self._still_different(entity, differences)
        kinds = [each.kind for each in differences.values()]
        counts = {kind: kinds.count(kind) for kind in ("added", "changed", "removed")}
        for kind, count in counts.items():
            self._meter.mirror_differences(entity, kind, count)
        return found._replace(
            rejected=found.rejected + len(refused),
            **{kind: getattr(found, kind) + count for kind, count in counts.items()},
        )

    async def _still_different(
        self, entity: str, differences: Mapping[str, Difference]
    ) -> Mapping[str, Difference]:
        """Look again at what differs, as another process may have written it in between.

        A row that changes after it was read, and becomes a record before that is read, differs, and
        the outbox names it no more.
        """
        for _ in range(_LOOKS):
            if differences:
                rows = await self._ask(partial(self._reader.rows, entity, differences))
                differences = await self._writer.compare(entity, _apart(rows)[0])
                late = await self._ask(partial(self._reader.late, entity, differences))
                differences = {name: differences[name] for name in differences.keys() - set(late)}
        return differences

    async def _repair(
        self,
        entity: str,
        wanted: Mapping[str, bytes | None],
        differences: Mapping[str, Difference],
        reasons: Mapping[str, str],
    ) -> Collection[str]:
        """Write what differs; returns the rows that cannot become records."""
        if not self._leads():  # it was, before the database answered
            raise RhtmxError(ErrorCode.NOT_SUPPORTED, "another server of the cluster does this")
        refused = {**reasons, **await self._writer.write(entity, differences)}
        news = self._rejected[entity].take({**dict.fromkeys(wanted), **refused})
        for name, reason in news.items():
            log.error("the row %r of %r cannot become a record: %s", name, entity, reason)
        written = differences.keys() - refused.keys()
        self._meter.mirrored(entity, "rejected", len(news))
        self._meter.mirrored(entity, "written", len(written))
        return refused


def _pause(looked: int, before: float) -> float:
    """How long to wait after a look that went well; seconds.

    Args:
        looked: how many rows the outbox had.
        before: the pause before that look.
    """
    if looked == MOST:  # there are more
        return 0.0
    return QUICK if looked else min(SLOW, max(QUICK, before) * SLOWER)


def _apart(made: Made) -> tuple[dict[str, bytes | None], dict[str, str]]:
    """What can be written; and why the rest cannot."""
    wanted = {name: each for name, each in made.items() if not isinstance(each, str)}
    reasons = {name: each for name, each in made.items() if isinstance(each, str)}
    return wanted, reasons
