"""`rhtmx-server mirror`: the outbox and the triggers of the tables that an app mirrors.

Knows its options and what it prints. Must not know how tables are read, nor SQL.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from rhtmx_server.cli.errors import FAILED, USAGE, CommandError
from rhtmx_server.cli.loading import load
from rhtmx_server.mirror.host import MirrorSetupError
from rhtmx_server.mirror.mirrors import Mirrors

__all__ = ["Mirroring", "mirror"]

_DESCRIPTION = """\
Make the outbox and the triggers by which a server learns what changes in the tables that an app
mirrors (app.mirror), in the databases of the tables. Where they are there, they are made anew."""


class Mirroring(Protocol):
    """An app, as far as its mirrors go."""

    mirror: Mirrors


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
    given = parser.parse_args(argv)
    mirrors = load(given.app, kind, Path.cwd()).mirror
    if not mirrors.entities:
        raise CommandError(f"the app mirrors no tables (--app {given.app})", USAGE)
    try:
        if given.sql:
            for each in mirrors.statements():
                sys.stdout.write(f"{each};\n")
        else:
            mirrors.install()
            sys.stderr.write(f"installed: {', '.join(sorted(mirrors.entities))}\n")
    except MirrorSetupError as reason:
        raise CommandError(str(reason), FAILED) from None
    except Exception as failure:  # of whatever driver
        words = f"{type(failure).__name__}: {getattr(failure, 'orig', failure)}"
        raise CommandError(" ".join(words.split()), FAILED) from failure
    return 0
