"""Where verifying keys come from: given once, or fetched from their issuer.

Knows the network and the loop. Must not know tokens; when to fetch is `key_cache`'s.
"""

from __future__ import annotations

import asyncio
import logging
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.authenticators.key_cache import Advice, KeyCache
from rhtmx_server.authenticators.keys import VerifyingKey, keys_of_set

__all__ = ["FetchedKeys", "FixedKeys", "KeySource", "read_file"]

log = logging.getLogger("rhtmx_server")

_MOST = 1024 * 1024
"""Bytes of a key set or a key file. Those of real issuers have a few thousand."""

_PATIENCE = 10.0
"""Seconds that an issuer has to answer."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class KeySource(Protocol):
    """Finds the key that a token is to be verified with."""

    async def key(self, key_id: str | None) -> VerifyingKey | None:
        """Find a key.

        Args:
            key_id: the `kid` of the token, if it has one.

        Returns:
            The key; `None` if there is none of this id.

        Raises:
            RhtmxError: `TIMEOUT`, the keys cannot be had now.
        """


class FixedKeys:
    """Keys that stay as they are.

    Args:
        keys: by their ids.
        by_id: whether a token has to name one of several; a single key is for
            every token, whatever id that names.
    """

    def __init__(self, keys: Mapping[str | None, VerifyingKey], *, by_id: bool = False) -> None:
        self._keys = keys
        self._by_id = by_id

    async def key(self, key_id: str | None) -> VerifyingKey | None:
        """Find a key; see `KeySource`."""
        if key_id is None or not self._by_id:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)


class FetchedKeys:
    """The keys of an issuer, fetched when they are needed.

    Args:
        url: of its JSON Web Key Set; `https`, or on this machine.
        fetch: reads an address, in a thread; raises if it cannot.
        now: seconds, of a clock that does not jump.
        cache: says when to fetch.

    Raises:
        ValueError: the address is neither.
    """

    def __init__(
        self,
        url: str,
        fetch: Callable[[str], bytes] | None = None,
        now: Callable[[], float] = time.monotonic,
        cache: KeyCache[VerifyingKey] | None = None,
    ) -> None:
        _check_url(url)
        self._url = url
        self._fetch = fetch or _get
        self._now = now
        self._cache: KeyCache[VerifyingKey] = cache or KeyCache()
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, key_id: str | None) -> VerifyingKey | None:
        """Find a key; see `KeySource`."""
        advice = self._cache.ask(key_id, self._now())
        if advice is not Advice.USE and self._fetching is None:
            self._fetching = asyncio.get_running_loop().create_task(self._refresh())
        if self._fetching is not None and (
            advice is Advice.FETCH_FIRST or self._cache.find(key_id) is None
        ):
            # One fetch for all who wait, and it goes on if one of them goes away.
            await asyncio.shield(self._fetching)
        if self._cache.empty:
            raise RhtmxError(
                ErrorCode.TIMEOUT,
                "the keys that tokens are signed with cannot be fetched now: try again later",
            )
        return self._cache.find(key_id)

    async def _refresh(self) -> None:
        try:
            text = await asyncio.to_thread(self._fetch, self._url)
            self._cache.fetched(keys_of_set(text), self._now())
        except Exception as failure:  # whatever it is, the next one may succeed
            self._cache.failed(self._now())
            kept = "there are none yet" if self._cache.empty else "the last ones are used on"
            log.error("the keys at %s could not be fetched (%s): %s", self._url, failure, kept)
        finally:
            self._fetching = None


def read_file(path: str | Path) -> bytes:
    """Read a file of keys.

    Raises:
        OSError: it cannot be read.
        ValueError: it is far too large to be one.
    """
    with open(path, "rb") as file:
        return _bounded(file)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return
    raise ValueError(f"key_set: a file or an https address expected, got {url[:80]!r}")


class _StaySafe(urllib.request.HTTPRedirectHandler):
    """Follows an issuer to another address only if that is as safe."""

    def redirect_request(self, *arguments: Any, **named: Any) -> urllib.request.Request | None:
        """Check the new address first."""
        request = super().redirect_request(*arguments, **named)
        if request is not None:
            _check_url(request.full_url)
        return request


def _get(url: str) -> bytes:
    opener = urllib.request.build_opener(_StaySafe)
    with opener.open(url, timeout=_PATIENCE) as answer:
        return _bounded(answer)


def _bounded(file: IO[bytes]) -> bytes:
    content = file.read(_MOST + 1)
    if len(content) > _MOST:
        raise ValueError(f"more than {_MOST} bytes: this is no set of keys")
    return content
