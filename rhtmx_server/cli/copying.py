"""`rhtmx-server copy`: all of one store into another one.

Knows its two options and what it prints. Must not know how a store is copied.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rhtmx.errors import RhtmxError
from rhtmx_server.cli.errors import FAILED, USAGE, CommandError
from rhtmx_server.stores import open_mover
from rhtmx_server.stores.moving import Mover, move

__all__ = ["copy"]

_DESCRIPTION = """\
Copy all of a store into an empty one: from SQLite to PostgreSQL, back, or between two of a kind.
No server may run on either. What was copied is compared with what it was copied from. A copy that
was broken off goes on when the command is given again. Clients go on where they are."""

_TELL_EVERY = 1.0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise CommandError(f"{message} (see rhtmx-server copy --help)", USAGE)


def copy(argv: Sequence[str]) -> int:
    """Run the command.

    Args:
        argv: the arguments behind `copy`.

    Returns:
        The exit code.

    Raises:
        CommandError: it was not asked for correctly, or could not be done.
    """
    parser = _Parser(prog="rhtmx-server copy", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--from", dest="source", metavar="URL", required=True, help="the store")
    parser.add_argument("--to", dest="target", metavar="URL", required=True, help="an empty store")
    given = parser.parse_args(argv)
    source, target = _mover("--from", given.source), _mover("--to", given.target)
    path = given.source.partition(":///")[2] if given.source.startswith("sqlite") else None
    if path is not None and not Path(path).exists():
        raise CommandError(f"--from: there is no file {path}", USAGE)
    try:
        rows = asyncio.run(_move(source, target))
    except RhtmxError as failure:
        raise CommandError(failure.message, FAILED) from failure
    print(f"copied and compared: {rows} rows; the epoch is the same", file=sys.stderr)  # noqa: T201
    return 0


def _mover(option: str, url: str) -> Mover:
    try:
        return open_mover(url)
    except ValueError as reason:
        raise CommandError(f"{option}: {reason}", USAGE) from None


async def _move(source: Mover, target: Mover) -> int:
    told = 0.0

    def tell(words: str) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_EVERY:
            told = time.monotonic()
            print(words, file=sys.stderr, flush=True)  # noqa: T201

    await source.store.open()
    try:
        await target.store.open()
        try:
            return await move(source, target, tell)
        finally:
            await target.store.close()
    finally:
        await source.store.close()
