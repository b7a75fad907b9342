"""How the program is asked who a peer is.

Knows what the function given to `App(authenticate=…)` may be, and what it may
answer. Must not know where tokens come from, nor what a grant opens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from rhtmx_server.config import Config
from rhtmx_server.connections.services import Authenticator
from rhtmx_server.failures import MisuseError, unexpected
from rhtmx_server.functions import blocks, call, name_of, require_one_argument, was_cancelled
from rhtmx_server.threads import DaemonPool

__all__ = ["AuthenticateFunction", "authenticator", "check_authenticate", "check_open"]

log = logging.getLogger("rhtmx_server")

_EARLIEST = 10**14
"""Microseconds since 1970: a day of 1973. Seconds and milliseconds of our time are less."""

AuthenticateFunction: TypeAlias = Callable[[Request], Grant | Awaitable[Grant]]
"""What a program gives: plain or `async`; plain ones run in a thread."""


def check_authenticate(function: AuthenticateFunction) -> None:
    """Refuse what cannot be asked.

    Raises:
        TypeError: it does not take one argument, or is no function.
    """
    require_one_argument(function, f"authenticate {name_of(function)}", "(request)")


def check_open(config: Config, *, asks: bool) -> None:
    """Let nobody open a server to the world by forgetting something.

    Args:
        config: where it is reached from.
        asks: whether anybody is asked who they are.

    Raises:
        RhtmxError: `FORBIDDEN`, others reach it, and may do everything.
    """
    host = config.reached_from
    if host is None or asks:
        return
    if not config.open:
        raise RhtmxError(
            ErrorCode.FORBIDDEN,
            f"other machines reach {host}, and this server asks nobody who they are: give "
            "App(authenticate=…), or let everybody read and write everything with --open or "
            "Config(open=True)",
        )
    log.warning(
        "open: everybody who reaches %s may read and write everything, nobody is asked who "
        "they are",
        host,
    )


def authenticator(function: AuthenticateFunction, threads: DaemonPool) -> Authenticator:
    """Make of the program's function the one that the server asks.

    It raises `RhtmxError` only: what else the function raises or returns is
    logged, and told as `INTERNAL`.

    Args:
        function: turns a `Request` into a `Grant`.
        threads: where it runs if it is a plain one; the questions about one token,
            or of one address without a token, have one share of them.
    """
    name = f"authenticate {name_of(function)}"
    pool = threads if blocks(name, function, None) else None

    async def ask(request: Request) -> Grant:
        owner = request.token or request.address
        try:
            return _checked(await call(lambda: function(request), pool, owner))
        except RhtmxError:
            raise
        # `SystemExit` and a cancellation of its own come from the program: neither may end the
        # server.
        except (Exception, SystemExit, asyncio.CancelledError) as failure:
            if was_cancelled(failure):
                raise
            raise unexpected(failure, name) from None

    return ask


def _checked(grant: object) -> Grant:
    """Refuse what would lock everybody out without a word, or mix them up."""
    if not isinstance(grant, Grant):
        raise MisuseError(
            f"returned {type(grant).__name__}: return a Grant, or raise RhtmxError with "
            "UNAUTHENTICATED"
        )
    subject: object = grant.subject
    expires: object = grant.expires
    if not isinstance(subject, str):  # an empty one is a guest
        kind = type(subject).__name__
        raise MisuseError(f"returned a Grant whose subject is {kind}: a str expected")
    if "\0" in subject:
        raise MisuseError("returned a Grant whose subject holds a NUL character (U+0000)")
    if expires is not None and (type(expires) is not int or expires < _EARLIEST):
        raise MisuseError(
            "returned a Grant that does not expire in microseconds: an int, microseconds since "
            "1970, or None expected (of a JWT: exp * 1_000_000)"
        )
    return grant
