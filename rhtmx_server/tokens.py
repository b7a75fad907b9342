"""How the program is asked about a token.

Knows what the function given to `App(authenticate=…)` may be, and what it may
answer. Must not know where tokens come from, nor what a grant opens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from rhtmx.errors import RhtmxError
from rhtmx_server.failures import MisuseError, unexpected
from rhtmx_server.functions import blocks, call, name_of, require_one_argument, was_cancelled
from rhtmx_server.services import Authenticator, Grant
from rhtmx_server.threads import DaemonPool

__all__ = ["Authenticate", "authenticator", "check_authenticate"]

Authenticate: TypeAlias = Callable[[str], Grant | Awaitable[Grant]]
"""What a program gives: plain or `async`; plain ones run in a thread."""


def check_authenticate(function: Authenticate) -> None:
    """Refuse what cannot be asked about a token.

    Raises:
        TypeError: it does not take one argument, or is no function.
    """
    require_one_argument(function, f"authenticate {name_of(function)}", "(token)")


def authenticator(function: Authenticate, threads: DaemonPool) -> Authenticator:
    """Make of the program's function the one that the server asks.

    It raises `RhtmxError` only: what else the function raises or returns is
    logged, and told as `INTERNAL`.

    Args:
        function: turns a token into a `Grant`.
        threads: where it runs if it is a plain one; the questions about one token
            have one share of them.
    """
    name = f"authenticate {name_of(function)}"
    pool = threads if blocks(name, function, None) else None

    async def ask(token: str) -> Grant:
        try:
            grant = await call(lambda: function(token), pool, token)
            if isinstance(grant, Grant):
                _check_expiry(grant.expires)
                return grant
            raise MisuseError(
                f"returned {type(grant).__name__}: return a Grant, or raise RhtmxError with "
                "UNAUTHENTICATED"
            )
        except RhtmxError:
            raise
        except (Exception, SystemExit, asyncio.CancelledError) as failure:
            if was_cancelled(failure):
                raise
            raise unexpected(failure, name) from None

    return ask


def _check_expiry(expires: object) -> None:
    """Refuse a moment of another kind: every token would be over, or none could be judged.

    Raises:
        MisuseError: it is no number, or one of seconds.
    """
    if expires is None or (isinstance(expires, int | float) and not 0 < expires < _SECONDS):
        return
    what = "seconds" if isinstance(expires, int | float) else type(expires).__name__
    raise MisuseError(
        f"returned a Grant whose `expires` is {what}: microseconds since 1970 expected, such as "
        "int(moment.timestamp() * 1e6)"
    )


_SECONDS = 10**11
"""As microseconds a day after 1970 began; as seconds, as `exp` of a JWT, in the year 5138."""
