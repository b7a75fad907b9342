"""The command itself: read the options, find the app, run it.

Knows the order of these. Must not know how any of them is done.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from rhtmx.version import __version__
from rhtmx_server import logs
from rhtmx_server.cli.copying import copy
from rhtmx_server.cli.errors import USAGE, CommandError
from rhtmx_server.cli.loading import load
from rhtmx_server.cli.mirroring import Mirroring, mirror
from rhtmx_server.cli.options import CommandOptions, read
from rhtmx_server.cli.process import Servable, complain, run
from rhtmx_server.cli.table import DEMO

__all__ = ["AnyApp", "main"]


class AnyApp(Servable, Mirroring, Protocol):
    """What the command needs of an app."""


def main(argv: Sequence[str] | None, kind: type[AnyApp]) -> int:
    """Run the command.

    Args:
        argv: the arguments without the command's name; `None` for the process's own.
        kind: the class of apps.

    Returns:
        The exit code.
    """
    given = sys.argv[1:] if argv is None else argv
    try:
        if given[:1] == ["copy"]:
            return copy(given[1:])
        if given[:1] == ["mirror"]:
            return mirror(given[1:], kind)
        options = read(given, os.environ, __version__)
        app = _app(options, kind)
    except CommandError as error:
        return complain(error.message, error.status)
    except SystemExit as end:  # --help, --version
        return int(end.code or 0)
    logs.configure(app.config.log_format, app.config.log_level, sys.stderr)
    return run(app)


def _app(options: CommandOptions, kind: type[AnyApp]) -> AnyApp:
    app = load(options.app or DEMO, kind, Path.cwd())
    settings: dict[str, Any] = dict(options.config)
    config = replace(app.config, **settings)
    try:
        config.agree()
    except ValueError as reason:
        raise CommandError(str(reason), USAGE) from None
    try:
        app.configure(config, store=options.store, bus=options.bus)
    except ValueError as reason:  # the settings were checked one by one: it is the store or the bus
        raise CommandError(f"--{reason}", USAGE) from None
    return app
