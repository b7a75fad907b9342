"""A bus on PostgreSQL's NOTIFY, for a cluster that has no NATS.

Knows LISTEN and NOTIFY, on one connection of its own. Must not know tables, nor when to connect
again.

A message is text of fewer than 8,000 bytes there: `NODE BASE64`. A node that begins to listen sends
`NODE`, which says nothing to the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ssl
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from typing import Any

import asyncpg

from rhtmx_server.buses.listener import MOST_NAME, Listener
from rhtmx_server.buses.reconnecting import BusLost, BusRefused
from rhtmx_server.postgres_url import read_url

__all__ = ["NotifyCarrier", "channel_of"]

_MOST_BYTES = (7999 - MOST_NAME - 1) // 4 * 3
"""What is left of a notification behind the name, as bytes."""

_MOST_CHANNEL = 63
"""Bytes of a name in PostgreSQL. LISTEN cuts a longer one, and never hears anything."""

_TIMEOUT = 5.0
"""Seconds for the database to answer."""

_CLOSING = 1.0

_SETTINGS = {
    "application_name": "rhtmx-server bus",
    # A listener that is gone without a word holds back the queue of all others.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",
}

_NOTIFY = """
    SELECT count(pg_notify($1, each)) FROM
      (SELECT each FROM unnest($2::text[]) WITH ORDINALITY AS all_of(each, place) ORDER BY place)
      AS in_order"""

_REFUSED: tuple[type[Exception], ...] = (
    asyncpg.InvalidAuthorizationSpecificationError,  # and a wrong password
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ClientConfigurationError,
    ssl.SSLError,
    ValueError,
)
_FAILED: tuple[type[Exception], ...] = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
)


def channel_of(schema: str, cluster: str) -> str:
    """The channel of the nodes of a cluster.

    Args:
        schema: of the store: two stores in one database have two.
        cluster: which one.

    Example:
        >>> channel_of("shop", "c1")
        'rhtmx_shop_e97f5cd4eaa11aea'
    """
    of_both = hashlib.sha256(f"{schema} {cluster}".encode()).hexdigest()[:16]
    room = _MOST_CHANNEL - len("rhtmx__") - len(of_both)
    return f"rhtmx_{schema[:room]}_{of_both}"


class NotifyCarrier:
    """Connects to a database.

    Args:
        url: of the store, with its options. It has to lead to the database itself: behind a
            pooler that gives out connections for a transaction, nobody hears anything.

    Raises:
        ValueError: a URL that makes no sense.
    """

    def __init__(self, url: str) -> None:
        self._url, options = read_url(url)
        if options.pooler:
            raise ValueError(
                "notify: needs the database itself, and the store is reached by a pooler "
                "(pooler=true): use NATS, or give the store a URL without it"
            )
        self._schema = options.schema

    def __repr__(self) -> str:
        return f"<NotifyCarrier schema {self._schema}>"

    @property
    def most_bytes(self) -> int:
        """The largest message that is ever sent."""
        return _MOST_BYTES

    async def connect(self, listener: Listener) -> NotifyLine:
        """Connect, and listen.

        Raises:
            BusLost: the database does not answer.
            BusRefused: it does not want us, or nothing is heard there.
        """
        try:
            connection = await asyncpg.connect(
                self._url, timeout=_TIMEOUT, command_timeout=_TIMEOUT, server_settings=_SETTINGS
            )
        except _REFUSED as error:
            raise BusRefused(f"the database of the bus: {error}") from error
        except _FAILED as error:
            raise BusLost(f"the database of the bus: {_words(error)}") from error
        line = NotifyLine(connection, channel_of(self._schema, listener.cluster), listener)
        try:
            await line.listen()
        except BaseException:
            connection.terminate()
            raise
        return line


class NotifyLine:
    """One connection.

    Args:
        connection: to the database.
        channel: of the cluster.
        listener: who sends on it, and hears.
    """

    def __init__(self, connection: Any, channel: str, listener: Listener) -> None:
        self._connection = connection
        self._channel = channel
        self._listener = listener
        self._heard_own = asyncio.Event()

    @property
    def most_bytes(self) -> int:
        """The largest message."""
        return _MOST_BYTES

    def alive(self) -> bool:
        """Whether the driver takes it for connected."""
        return not self._connection.is_closed()

    async def listen(self) -> None:
        """Hear the others from now on: one hears oneself first, to be sure of that.

        Raises:
            BusLost: the connection has ended.
            BusRefused: nothing is heard.
        """
        self._connection.add_termination_listener(lambda _: self._listener.ended())
        with _lost():
            await self._connection.add_listener(self._channel, self._hear)
        await self._notify([self._listener.node])
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._heard_own.wait()
        except TimeoutError:
            raise BusRefused(
                "notifications of the database do not arrive: give the bus a URL that leads to "
                "the database itself, not to a pooler"
            ) from None

    async def send(self, messages: Sequence[bytes]) -> None:
        """Send messages, all in one statement.

        Of equal ones PostgreSQL delivers one.

        Raises:
            BusLost: the connection has ended, or the database does not take them.
        """
        node = self._listener.node
        await self._notify([f"{node} {b64encode(each).decode()}" for each in messages])

    async def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(*_FAILED):
            await self._connection.close(timeout=_CLOSING)
        self._connection.terminate()

    async def _notify(self, texts: Sequence[str]) -> None:
        with _lost():
            await self._connection.execute(_NOTIFY, self._channel, texts)

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        node, is_message, text = str(payload).partition(" ")
        if node == self._listener.node:
            self._heard_own.set()
        elif is_message:
            with contextlib.suppress(ValueError):  # not ours: sent by hand
                self._listener.heard(b64decode(text, validate=True))


@contextlib.contextmanager
def _lost() -> Iterator[None]:
    """Say that a connection is lost where the driver raises anything."""
    try:
        yield
    except _FAILED as error:
        raise BusLost(f"the database of the bus: {_words(error)}") from error


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
