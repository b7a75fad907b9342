"""Tokens that do not change: for the services of the application itself.

Knows hashes of tokens. Must not know doors.

Only hashes are kept, so that whoever reads the configuration cannot speak for a
service. The tokens are random and long, so one round of SHA-256 is enough: there
is nothing to guess. What is compared are hashes, all of them, in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import BACKEND, Grant
from rhtmx_server.access.request import Request

__all__ = ["hash_token", "new_token", "static_tokens"]

_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_SHORTEST = 24


def new_token() -> str:
    """Make a token: 32 random bytes, as text.

    Example:
        >>> len(new_token())
        43
    """
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """The hash of a token, as `static_tokens` takes it.

    Args:
        token: at least 24 characters, made at random: see `new_token`.

    Raises:
        ValueError: it is shorter.

    Example:
        >>> hash_token("an-example-of-a-long-token")[:14]
        'sha256:b62522b'
    """
    if len(token) < _SHORTEST:
        raise ValueError(
            f"a token of {len(token)} characters can be guessed: at least {_SHORTEST} expected, "
            "made by new_token()"
        )
    return _hash(token)


def static_tokens(tokens: Mapping[str, str | Grant]) -> Callable[[Request], Awaitable[Grant]]:
    """Make an authenticator of tokens that do not change.

    Args:
        tokens: from the hash of a token (see `hash_token`) to the service that
            speaks with it: its name, which gets the role `backend`; or a whole
            `Grant`.

    Returns:
        What `App(authenticate=…)` takes.

    Raises:
        ValueError: a key is not a hash.

    Example:
        >>> authenticate = static_tokens({hash_token("an-example-of-a-long-token"): "billing"})
    """
    known: list[tuple[bytes, Grant]] = []
    for text, who in tokens.items():
        if not _HASH.fullmatch(text):
            # The text itself may be a token, so no message repeats it.
            raise ValueError("static_tokens: a key is no hash: hash_token(token) makes one")
        grant = Grant(who, roles={BACKEND}) if isinstance(who, str) else who
        known.append((text.encode(), grant))

    async def authenticate(request: Request) -> Grant:
        digest = (
            f"sha256:{hashlib.sha256(request.token.encode(errors='replace')).hexdigest()}".encode()
        )
        found: Grant | None = None
        for hashed, grant in known:  # all of them: the time says nothing of which one it was
            if hmac.compare_digest(hashed, digest):
                found = grant
        if found is None:
            raise RhtmxError(ErrorCode.UNAUTHENTICATED, "the token is not known here")
        return found

    return authenticate


def _hash(token: str) -> str:
    return "sha256:" + hashlib.sha256(token.encode(errors="replace")).hexdigest()
