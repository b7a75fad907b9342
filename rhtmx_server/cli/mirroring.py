"""`rhtmx-server mirror`: the triggers of the tables that an app mirrors, and whether records agree.

Knows its options and what it prints. Must not know how tables are read, nor SQL.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from rhtmx.errors import RhtmxError
from rhtmx_server.access.entity import Entity
from rhtmx_server.cli.errors import FAILED, USAGE, CommandError
from rhtmx_server.cli.loading import load
from rhtmx_server.config import Config
from rhtmx_server.mirror.host import MirrorSetupError
from rhtmx_server.mirror.mirrors import Mirrors
from rhtmx_server.mirror.outcomes import Reconciled
from rhtmx_server.mirror.writer import MirrorStore
from rhtmx_server.ports import Store

__all__ = ["DIFFERENT", "Declaration", "Mirroring", "mirror"]

DIFFERENT = 3
"""Exit code: records are not as the rows of their tables are."""

_DESCRIPTION = """\
Of the tables that an app mirrors (app.mirror): make the outbox and the triggers by which a server
learns what changes, in the databases of the tables, or make them anew; or compare all rows with
all records. A comparison changes nothing, and the app's server may run meanwhile. Exit code: 0 if
all agree, 3 if not, 1 if it could not be done."""


class _Storage(Protocol):
    @property
    def store(self) -> Store: ...

    @property
    def database(self) -> str: ...


class _Declared(Protocol):
    @property
    def entities(self) -> Mapping[str, Entity]: ...


class Declaration(Protocol):
    """What an app has declared, as far as a comparison goes: of its blueprint."""

    @property
    def storage(self) -> _Storage:
        """Where its records are."""

    @property
    def declared(self) -> _Declared:
        """Its entities."""


class Mirroring(Protocol):
    """An app, as far as its mirrors go."""

    mirror: Mirrors

    @property
    def config(self) -> Config:
        """How it is set."""

    @property
    def blueprint(self) -> Declaration:
        """What a server of it is made of."""

    def configure(
        self, config: Config, *, store: str | None = None, bus: str | None = None
    ) -> None:
        """Take another store."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise CommandError(f"{message} (see rhtmx-server mirror --help)", USAGE)


def mirror(argv: Sequence[str], kind: type[Mirroring]) -> int:
    """Run the command.

    Args:
        argv: the arguments behind `mirror`.
        kind: the class of apps.

    Returns:
        The exit code.

    Raises:
        CommandError: it was not asked for correctly, or could not be done.
    """
    parser = _Parser(prog="rhtmx-server mirror", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument(
        "--app", metavar="MODULE:ATTRIBUTE", required=True, help="the App that mirrors tables"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--sql", action="store_true", help="print the SQL, for a migration")
    what.add_argument("--install", action="store_true", help="run it")
    what.add_argument(
        "--check", action="store_true", help="compare all rows with all records, and report"
    )
    for name, words in (("store", "of the store"), ("bus", "of the bus")):
        default = os.environ.get(f"RHTMX_{name.upper()}")
        told = f"with --check: the URL {words}, by default the app's own"
        parser.add_argument(f"--{name}", metavar="URL", default=default, help=told)
    given = parser.parse_args(argv)
    app = load(given.app, kind, Path.cwd())
    if not app.mirror.entities:
        raise CommandError(f"the app mirrors no tables (--app {given.app})", USAGE)
    if given.check:
        return _check(app, given.store, given.bus)
    return _in_words(lambda: _install(app.mirror, run=given.install))


def _install(mirrors: Mirrors, *, run: bool) -> int:
    """Make the outboxes and the triggers, or print the SQL that does."""
    if run:
        mirrors.install()
        sys.stderr.write(f"installed: {', '.join(sorted(mirrors.entities))}\n")
    else:
        for each in mirrors.statements():
            sys.stdout.write(f"{each};\n")
    return 0


def _check(app: Mirroring, store: str | None, bus: str | None) -> int:
    """Compare, and say what was found."""
    try:
        app.configure(app.config, store=store, bus=bus)
    except ValueError as reason:
        raise CommandError(f"--{reason}", USAGE) from None
    plan = app.blueprint
    kept = plan.storage.store
    if not plan.storage.database:
        raise CommandError(
            "--check: the store has to be one that lasts, given as a URL: in memory there are no "
            "records before a server runs",
            USAGE,
        )
    path: Path | None = getattr(kept, "path", None)  # of a file, which opening it would create
    if path is not None and not path.exists():
        raise CommandError(f"--check: there is no file {path}", USAGE)

    async def compare() -> Sequence[Reconciled]:
        async with _opened(kept) as records:
            return await app.mirror.check(records, plan.declared.entities)

    return _in_words(lambda: _report(asyncio.run(compare())))


@asynccontextmanager
async def _opened(store: Store) -> AsyncIterator[MirrorStore]:
    """A store, to be read. One that a server has to itself is looked at beside that server."""
    look: Callable[[], AbstractAsyncContextManager[MirrorStore]] | None
    look = getattr(store, "look", None)
    if look is not None:
        async with look() as records:
            yield records
        return
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def _report(found: Sequence[Reconciled]) -> int:
    for each in found:
        sys.stdout.write(f"{each}\n")
    return DIFFERENT if any(each.differences for each in found) else 0


def _in_words(work: Callable[[], int]) -> int:
    """Do something; what fails there is put into words."""
    try:
        return work()
    except MirrorSetupError as reason:
        raise CommandError(str(reason), FAILED) from None
    except RhtmxError as failure:
        raise CommandError(failure.message, FAILED) from failure
    except Exception as failure:  # of whatever driver
        words = f"{type(failure).__name__}: {getattr(failure, 'orig', failure)}"
        raise CommandError(" ".join(words.split()), FAILED) from failure
