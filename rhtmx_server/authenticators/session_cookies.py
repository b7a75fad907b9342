"""The signed session cookie of the application around this server, as its token.

Knows the cookies of Starlette (and FastAPI) and of Flask, by `itsdangerous`, with
which both sign. Must not know doors, nor what else lies in a session.

The cookie is only read. Who signs in and out is the application's business, and
the session ends for this server when the cookie's age ends it there.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from itsdangerous import BadData, SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from rhtmx_server.authenticators.claims import Claims, roles_of, subject_of
from rhtmx_server.times import to_micros

__all__ = ["session_cookies"]

DAY = 24 * 60 * 60

Framework = Literal["starlette", "flask"]
Read = Callable[[str], tuple[Any, datetime]]
"""Turns the value of a cookie into the session and the time when it was signed."""


def session_cookies(
    secret: str | Sequence[str],
    *,
    framework: Framework = "starlette",
    cookie: str = "session",
    max_age: float = 14 * DAY,
    subject: str = "user",
    roles: str | None = "roles",
) -> Callable[[Request], Awaitable[Grant]]:
    """Make an authenticator of signed session cookies.

    The whole session becomes the `claims` of the `Grant`.

    Args:
        secret: with which the application signs; several while one takes the
            place of another, the newest last.
        framework: whose cookies they are: `starlette` (FastAPI, too) or `flask`.
        cookie: its name.
        max_age: seconds after which a session ends, as the application has it.
        subject: the entry of the session that names the subject; `a.b` is `b`
            within `a`.
        roles: that with the roles; `None` for none.

    Returns:
        What `App(authenticate=…)` takes.

    Raises:
        ValueError: there is no secret, or no such framework.

    Example:
        >>> authenticate = session_cookies("the application's secret key", subject="user.id")
    """
    secrets = [secret] if isinstance(secret, str) else list(secret)
    if not secrets or not all(secrets):
        raise ValueError("secret: the key with which the application signs expected, got none")
    if framework not in _READERS:
        raise ValueError(f"framework: {' or '.join(_READERS)} expected, got {framework!r}")
    read = _READERS[framework](secrets, max_age)

    async def authenticate(request: Request) -> Grant:
        value = request.cookies.get(cookie)
        if not value:
            raise _refused(f"no cookie '{cookie}': sign in first")
        try:
            session, signed = read(value)
        except SignatureExpired:
            raise _refused("the session has expired: sign in again") from None
        except (BadData, ValueError, RecursionError):
            raise _refused(f"the cookie '{cookie}' is not signed as this server expects") from None
        if not isinstance(session, Mapping):
            raise _refused(f"the cookie '{cookie}' holds no session")
        claims: Claims = session
        return Grant(
            subject=subject_of(claims, subject),
            expires=to_micros(signed) + round(max_age * 1_000_000),
            roles=roles_of(claims, roles),
            claims=claims,
        )

    return authenticate


def _starlette(secrets: list[str], max_age: float) -> Read:
    signer = TimestampSigner(secrets)

    def read(value: str) -> tuple[Any, datetime]:
        payload, signed = signer.unsign(value, max_age=round(max_age), return_timestamp=True)
        return json.loads(base64.b64decode(payload, validate=True)), signed

    return read


def _flask(secrets: list[str], max_age: float) -> Read:
    serializer = URLSafeTimedSerializer(
        secrets,
        salt="cookie-session",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
    )

    def read(value: str) -> tuple[Any, datetime]:
        session, signed = serializer.loads(value, max_age=round(max_age), return_timestamp=True)
        return session, signed

    return read


_READERS: Mapping[str, Callable[[list[str], float], Read]] = {
    "starlette": _starlette,
    "flask": _flask,
}


def _refused(words: str) -> RhtmxError:
    return RhtmxError(ErrorCode.UNAUTHENTICATED, words)
