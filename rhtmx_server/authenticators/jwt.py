"""JSON Web Tokens (RFC 7519) as tokens of this server.

Knows claims and PyJWT. Must not know where keys come from, nor doors.

What a token says is judged as RFC 8725 asks: the algorithm belongs to the key,
issuer and audience are compared with what the application expects, and a token
without an end is not taken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import jwt
from jwt.exceptions import (
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidTokenError,
    MissingRequiredClaimError,
    PyJWTError,
)

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from rhtmx_server.authenticators.claims import Claims, roles_of, subject_of
from rhtmx_server.authenticators.key_sets import FetchedKeys, FixedKeys, KeySource, read_file
from rhtmx_server.authenticators.keys import key_of_pem, key_of_secret, keys_of_set

__all__ = ["jwt_tokens"]

MICROSECONDS = 1_000_000


def jwt_tokens(
    *,
    secret: str | bytes | None = None,
    key_file: str | Path | None = None,
    key_set: str | Path | None = None,
    algorithm: str | None = None,
    issuer: str | None,
    audience: str | None,
    leeway: float = 30.0,
    subject: str = "sub",
    roles: str | None = "roles",
) -> Callable[[Request], Awaitable[Grant]]:
    """Make an authenticator of JSON Web Tokens.

    One of `secret`, `key_file` and `key_set` says by which keys they are signed.
    The whole payload becomes the `claims` of the `Grant`, by which rules of access
    decide.

    Args:
        secret: that the issuer shares with this server; `HS256` unless `algorithm`
            says otherwise; at least 32 bytes.
        key_file: a file with the issuer's public key or certificate, in PEM.
        key_set: a file or an `https` address with a JSON Web Key Set. That of an
            address is kept for five minutes, fetched anew when a token names a key
            that it does not have, and kept for longer while it cannot be fetched.
        algorithm: the only one that is taken; by default that of the key. A key of
            a set brings its own.
        issuer: the `iss` that a token must have; `None` to take any.
        audience: the `aud` that a token must have, among others perhaps; `None` to
            take only tokens that have none.
        leeway: seconds by which clocks may differ.
        subject: the claim that names the subject.
        roles: the claim that lists the roles, or names them with spaces between
            them; `a.b` is `b` within `a`. `None` for no roles.

    Returns:
        What `App(authenticate=…)` takes.

    Raises:
        ValueError: not exactly one kind of key was given, or it cannot be used.
        OSError: the file cannot be read.

    Example:
        >>> authenticate = jwt_tokens(
        ...     secret="a secret of more than thirty-two bytes",
        ...     issuer="https://login.example.com",
        ...     audience="tasks",
        ... )
    """
    source = _source(secret, key_file, key_set, algorithm)

    async def authenticate(request: Request) -> Grant:
        if not request.token:
            raise _refused("a token is expected")
        claims = await _verify(request.token, source, issuer, audience, leeway)
        return Grant(
            subject=subject_of(claims, subject),
            expires=_expires(claims, leeway),
            roles=roles_of(claims, roles),
            claims=claims,
        )

    return authenticate


def _source(
    secret: str | bytes | None,
    key_file: str | Path | None,
    key_set: str | Path | None,
    algorithm: str | None,
) -> KeySource:
    if (secret, key_file, key_set).count(None) != 2:
        raise ValueError("give one of secret, key_file and key_set")
    if secret is not None:
        return FixedKeys({None: key_of_secret(secret, algorithm)})
    if key_file is not None:
        return FixedKeys({None: key_of_pem(read_file(key_file), algorithm)})
    if algorithm is not None:
        raise ValueError("algorithm: each key of a set has its own, leave it out")
    assert key_set is not None
    if isinstance(key_set, str) and "://" in key_set:
        return FetchedKeys(key_set)
    return FixedKeys(keys_of_set(read_file(key_set)), by_id=True)


async def _verify(
    token: str, source: KeySource, issuer: str | None, audience: str | None, leeway: float
) -> Claims:
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
    except PyJWTError:
        raise _refused("the token is no JSON Web Token") from None
    key = await source.key(key_id)
    if key is None:
        raise _refused("the token is signed with a key that is not known here")
    required = ["exp"] + ["iss"] * (issuer is not None) + ["aud"] * (audience is not None)
    try:
        claims: Claims = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm],
            issuer=issuer,
            audience=audience,
            leeway=leeway,
            options={"require": required, "verify_sub": False},
        )
    except PyJWTError as failure:
        raise _refused(_reason(failure, issuer, audience)) from None
    return claims


def _reason(failure: PyJWTError, issuer: str | None, audience: str | None) -> str:
    """What is wrong with a token, in words that hold nothing of it."""
    match failure:
        case ExpiredSignatureError():
            return "the token has expired"
        case ImmatureSignatureError():
            return "the token is not valid yet: do the clocks agree?"
        case MissingRequiredClaimError():
            return f"the token has no '{failure.claim}'"
        case InvalidIssuerError():
            return f"the token is not of the issuer '{issuer}'"
        case InvalidAudienceError() if audience is None:
            return "the token is meant for an audience, and this server expects none"
        case InvalidAudienceError():
            return f"the token is not meant for the audience '{audience}'"
        case InvalidTokenError():
            return "the token is not signed as this server expects"
    return "the token cannot be verified"


def _expires(claims: Claims, leeway: float) -> int:
    return int((claims["exp"] + leeway) * MICROSECONDS)


def _refused(words: str) -> RhtmxError:
    return RhtmxError(ErrorCode.UNAUTHENTICATED, words)
