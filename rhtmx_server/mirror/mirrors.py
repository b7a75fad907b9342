"""What a program says of its own tables: `app.mirror`.

Knows declarations, and which of them share a database. Must not know how rows are read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from rhtmx.wire import check_json
from rhtmx_server.access.entity import Entity
from rhtmx_server.functions import blocks, name_of, require_one_argument
from rhtmx_server.mirror.feed import MirrorFeed, MirrorMeter, ReconciledHook
from rhtmx_server.mirror.host import OUTBOX, HostDatabase, KeyColumns
from rhtmx_server.mirror.opening import open_database
from rhtmx_server.mirror.outcomes import Reconciled, RejectedRows
from rhtmx_server.mirror.reader import HostReader, MirrorPlan
from rhtmx_server.mirror.row_records import RowFields, record_maker
from rhtmx_server.mirror.writer import MirrorStore, RecordWriter
from rhtmx_server.threads import DaemonPool

__all__ = ["Mirror", "Mirrors"]

H = TypeVar("H", bound=ReconciledHook)


class Mirror:
    """The rows of one table, shown as the records of an entity. Made by `App.mirror`.

    Args:
        entity: the collection.
        rejected: what cannot become a record.
        running: whether the app runs.
    """

    def __init__(self, entity: str, rejected: RejectedRows, running: Callable[[], bool]) -> None:
        self._entity = entity
        self._rejected = rejected
        self._running = running
        self._hooks: list[tuple[ReconciledHook, bool]] = []
        self._feed: MirrorFeed | None = None

    @property
    def entity(self) -> str:
        """The name of the entity."""
        return self._entity

    @property
    def hooks(self) -> Sequence[tuple[ReconciledHook, bool]]:
        """The functions that are told of comparisons, and whether each of them may block."""
        return self._hooks

    @property
    def rejected(self) -> Mapping[str, str]:
        """The rows that cannot become records, 1,000 at most: why, by the id of the record."""
        return dict(self._rejected.reasons)

    def on_reconciled(self, function: H) -> H:
        """Have a function told what a comparison of all rows has found. A decorator.

        That of the start, and those that the outbox asks for. It takes the `Reconciled`. A plain
        function runs in a thread, and may take its time.

        Raises:
            TypeError: the function takes other arguments.
        """
        name = f"on_reconciled {name_of(function)}"
        require_one_argument(function, name, "(reconciled)")
        self._hooks.append((function, blocks(name, function, None)))
        return function

    async def reconcile(self, *, repair: bool = True) -> Reconciled:
        """Compare all rows with all records, while the app runs.

        Readers and writers go on meanwhile.

        Args:
            repair: whether records become what their rows say; otherwise they are counted only.

        Raises:
            RhtmxError: the server cannot write now, or another one of the cluster leads.
            MirrorSetupError: the table is not as it has to be.
            RuntimeError: the app does not run.
        """
        if self._feed is None or not self._running():
            raise RuntimeError(f"app.mirror({self._entity!r}): the app is not running")
        return await self._feed.reconcile(self._entity, repair=repair)

    def attend(self, feed: MirrorFeed | None) -> None:
        """Have a feed answer for it, while the app runs."""
        self._feed = feed

    @property
    def busy(self) -> bool:
        """Whether rows are read or compared just now, or about to be."""
        return self._feed is not None and self._feed.busy

    def wake(self) -> None:
        """Have the feed look at once."""
        if self._feed is not None:
            self._feed.wake()


class Mirrors:
    """Declares mirrors: `app.mirror`.

    Args:
        declare: declares an entity, if the program has not.
        running: whether the app runs.
    """

    def __init__(self, declare: Callable[[str], None], running: Callable[[], bool]) -> None:
        self._declare = declare
        self._running = running
        self._mirrors: dict[str, Mirror] = {}
        self._rejected: dict[str, RejectedRows] = {}
        self._plans: dict[tuple[Hashable, str], list[MirrorPlan]] = {}
        self._databases: dict[Hashable, HostDatabase] = {}

    def __call__(
        self,
        entity: str,
        *,
        table: object,
        fields: RowFields,
        source: object = None,
        key: KeyColumns | None = None,
        outbox: str = OUTBOX,
        triggers: bool = True,
    ) -> Mirror:
        """Show the rows of a table as records; the table is the truth.

        Whatever is committed to the table becomes visible to readers, once, and nothing that is
        rolled back. Nobody else writes the entity: not clients, and not the program.

        Args:
            entity: the name of the entity; it is declared, if it is not yet.
            table: its name, maybe with a schema; a `Table` or a mapped class of SQLAlchemy; or a
                model of Django.
            fields: what a record has: the names of columns; or for each field the column; or a
                function that takes the row, as a dict, and returns the record, or `None` for
                a row that is shown to nobody. It runs in a thread, and looks at the row only.
            source: where the table is: an `Engine` of SQLAlchemy or its URL; with a model, the
                alias of a database, by default the one where it is written.
            key: the column that identifies a row, or a list of columns that do it together; by
                default the primary key. Its text is the id of the record: `7`; of several columns
                `7,3`, where `%` and commas in a text are written as in a URL, `%25` and `%2C`.
            outbox: the table that says what has changed, in the same database. One app per
                outbox.
            triggers: whether triggers fill the outbox. Without, the writing program does:
                see `note_writes` of `rhtmx_server.mirror.sqlalchemy` and of
                `rhtmx_server.mirror.django`.

        Returns:
            The mirror, to compare it with the table, and to see what was rejected.

        Raises:
            TypeError: an argument is something else.
            ValueError: the entity is mirrored already, or there is no such database.
            ImportError: SQLAlchemy is needed, and not installed.
            RuntimeError: the app runs already.

        For example `app.mirror("orders", table="shop_orders", fields=["title"],
        source="sqlite:///shop.db")`, and once `app.mirror.install()`.
        """
        if self._running():
            raise RuntimeError(f"app.mirror({entity[:40]!r}): the app is running: say it before")
        if entity in self._mirrors:
            raise ValueError(f"app.mirror({entity[:40]!r}): it is mirrored already")
        plan = MirrorPlan(entity, table, key, fields, record_maker(entity, fields), triggers)
        name, database = open_database(table, source)
        self._declare(entity)
        self._databases.setdefault(name, database)
        self._plans.setdefault((name, outbox), []).append(plan)
        rejected = self._rejected[entity] = RejectedRows()
        mirror = self._mirrors[entity] = Mirror(entity, rejected, self._running)
        return mirror

    def __iter__(self) -> Iterator[Mirror]:
        return iter(self._mirrors.values())

    @property
    def entities(self) -> frozenset[str]:
        """The entities that are mirrored."""
        return frozenset(self._mirrors)

    def statements(self) -> Sequence[str]:
        """SQL that makes the outboxes and the triggers, or makes them anew.

        Raises:
            MirrorSetupError: a table is not as it has to be.
        """
        return [each for reader in self.readers() for each in reader.statements()]

    def install(self) -> None:
        """Make the outboxes and the triggers, in the databases of the tables. It blocks.

        Where they are there, they are made anew.

        Raises:
            MirrorSetupError: a table is not as it has to be.
        """
        for reader in self.readers():
            reader.database.run(reader.statements())

    async def check(
        self, store: MirrorStore, entities: Mapping[str, Entity]
    ) -> Sequence[Reconciled]:
        """Compare all rows with all records of a store, and change nothing. No app need run.

        Args:
            store: where the records are; it is open, and a server may write to it meanwhile.
            entities: as they are declared.

        Raises:
            MirrorSetupError: a table is not as it has to be.
            ValueError: an entity cannot be mirrored.
        """
        writer = RecordWriter(store, _never, check_json)
        pool = partial(DaemonPool, 1)
        found: list[Reconciled] = []
        for feed in self.feeds(entities, writer, pool, lambda: True, _NoMeter()):
            try:
                found += [await feed.check(entity) for entity in feed.entities]
            finally:
                await feed.close()
        return found

    def wake(self) -> None:
        """Have it be looked at once for what changed, after a commit; from any thread.

        Without that it takes up to a quarter of a second.
        """
        for each in self:
            each.wake()

    def readers(self, entities: Mapping[str, Entity] | None = None) -> Iterator[HostReader]:
        """What reads the tables: one for each outbox.

        Args:
            entities: as they are declared; without, texts are not normalised.
        """
        declared = (entities or {}).items()
        normalizes = {name: each.normalize for name, each in declared if each.normalize is not None}
        for (name, outbox), plans in self._plans.items():
            yield HostReader(self._databases[name], outbox, plans, check_json, normalizes)

    def feeds(
        self,
        entities: Mapping[str, Entity],
        writer: RecordWriter,
        thread: Callable[[str], DaemonPool],
        leads: Callable[[], bool],
        meter: MirrorMeter,
    ) -> Iterator[MirrorFeed]:
        """What keeps records as the rows are, once it runs: one for each outbox.

        Args:
            entities: as they are declared.
            writer: writes records.
            thread: makes a thread of that name.
            leads: whether this server is the one that does it.
            meter: takes figures.

        Raises:
            ValueError: an entity cannot be mirrored.
        """
        for name in self._mirrors:
            _require_whole(entities[name])
        for reader in self.readers(entities):
            mirrors = [self._mirrors[plan.entity] for plan in reader.plans]
            rejected = {each.entity: self._rejected[each.entity] for each in mirrors}
            hooks = {each.entity: each.hooks for each in mirrors}
            feed = MirrorFeed(
                reader,
                writer,
                thread("rhtmx-mirror"),
                thread("rhtmx-mirror-hook"),
                leads,
                time.monotonic,
                meter,
                rejected,
                hooks,
            )
            for each in mirrors:
                each.attend(feed)
            yield feed


class _NoMeter:
    """Takes figures, and keeps none."""

    def mirrored(self, entity: str, result: str, count: int) -> None:
        """See `MirrorMeter`."""

    def mirror_differences(self, entity: str, kind: str, count: int) -> None:
        """See `MirrorMeter`."""

    def mirror_lag(self, entity: str, lag: Callable[[], float]) -> None:
        """See `MirrorMeter`."""


def _never(mutation: object) -> None:
    raise AssertionError("nothing is written while rows are compared only")


def _require_whole(entity: Entity) -> None:
    """Refuse what would make a record something else than its row says."""
    if entity.prepares:
        raise ValueError(
            f"app.mirror({entity.name!r}): fields of new records are filled in (prepare, or a "
            "default in the schema), and a row is the whole record: leave that out, and fill them "
            "in in a function: fields=…"
        )
