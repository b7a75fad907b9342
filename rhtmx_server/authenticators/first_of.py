"""Several authenticators, one after the other.

Knows that one that does not know a token raises. Must not know tokens.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request

__all__ = ["first_of"]


def first_of(
    *authenticators: Callable[[Request], Awaitable[Grant]],
) -> Callable[[Request], Awaitable[Grant]]:
    """Make an authenticator of several: users sign in by one, services by another.

    They are asked in this order. The first that knows the peer decides; if none
    does, the peer is told what the last one says.

    Args:
        authenticators: `async` functions, as `App(authenticate=…)` takes them.

    Raises:
        TypeError: there is none, or one is not `async`.
    """
    if not authenticators:
        raise TypeError("first_of: at least one authenticator expected")
    for each in authenticators:
        if not inspect.iscoroutinefunction(each):
            raise TypeError(f"first_of: an async function expected, got {each!r}")

    async def authenticate(request: Request) -> Grant:
        for each in authenticators[:-1]:
            try:
                return await each(request)
            except RhtmxError as refusal:
                # Whatever else it says is not about the token: the keys cannot be fetched.
                if refusal.code is not ErrorCode.UNAUTHENTICATED:
                    raise
        return await authenticators[-1](request)

    return authenticate
