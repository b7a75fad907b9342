"""The token in what a request says of itself: `authorization: Bearer TOKEN`. Pure.

Knows the form of RFC 6750, section 2.1, for plain HTTP and for the metadata of gRPC.
Must not know who asks, nor what a token is good for.
"""

from __future__ import annotations

from collections.abc import Sequence

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire.limits import MAX_TOKEN

__all__ = ["bearer"]


def bearer(values: Sequence[str]) -> str:
    """Return the token.

    Args:
        values: what was given under `authorization`: nothing, or once, or several times.

    Raises:
        RhtmxError: `UNAUTHENTICATED`, there is none, or more than one;
            `BAD_MESSAGE`, it is too long to be one.

    Example:
        >>> bearer(["bearer  abc "])
        'abc'
    """
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise RhtmxError(
            ErrorCode.UNAUTHENTICATED, "a token expected, once: authorization: Bearer TOKEN"
        )
    if len(token) > MAX_TOKEN:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, f"token: at most {MAX_TOKEN} bytes expected, got {len(token)}"
        )
    return token
