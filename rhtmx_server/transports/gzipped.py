"""gzip members (RFC 1952) with a bound on what comes out. Pure.

Knows the format. Must not know frames or messages.
"""

from __future__ import annotations

import zlib

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["compress", "decompress"]

# zlib's sign for "with a gzip header", added to the largest window.
_GZIP = 16 + zlib.MAX_WBITS


def compress(data: bytes, level: int) -> bytes:
    """Compress to one gzip member without a time: equal input, equal output.

    Args:
        data: anything.
        level: 1 (fast) to 9 (small).
    """
    return zlib.compress(data, level, _GZIP)


def decompress(data: bytes, limit: int) -> bytes:
    """Read exactly one gzip member.

    Never holds more than `limit` bytes and one of what comes out.

    Args:
        data: the member, and nothing after it.
        limit: bytes that may come out.

    Raises:
        RhtmxError: `BAD_MESSAGE`: not gzip, cut off, followed by something, or
            larger than `limit`.
    """
    member = zlib.decompressobj(_GZIP)
    try:
        content = member.decompress(data, limit + 1)
    except zlib.error:
        raise _bad("gzip data expected, got something else or damaged data") from None
    if len(content) > limit:
        raise _bad(f"at most {limit} bytes expected after decompression, got more")
    if not member.eof:
        raise _bad("the gzip data is cut off")
    if member.unused_data:
        raise _bad(f"{len(member.unused_data)} bytes follow the gzip data")
    return content


def _bad(words: str) -> RhtmxError:
    return RhtmxError(ErrorCode.BAD_MESSAGE, f"binary frame: {words}")
