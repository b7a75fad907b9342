"""A bus on NATS: core messages, which are kept nowhere.

Knows subjects, and the library. Must not know what the messages say, nor when to connect again.

A node sends on `SUBJECT.CLUSTER.NODE`, and listens to `SUBJECT.CLUSTER.*`: so no message carries a
name, and none is taken for another node's that was sent on an earlier connection of one's own.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from rhtmx_server.buses.listener import Listener
from rhtmx_server.buses.nats_url import NatsOptions
from rhtmx_server.buses.reconnecting import BusLost, BusRefused

__all__ = ["NatsCarrier"]

log = logging.getLogger("rhtmx_server")

_MOST_BYTES = 1 << 20
_LEAST_BYTES = 1 << 10
_CONNECTING = 2
"""Seconds for a server to take a connection, and again to greet."""
_ALL_CONNECTING = 8.0
"""Seconds for one attempt, at all servers."""
_PING_EVERY = 3
"""Seconds. A server that has stopped is noticed after twice as many."""
_PENDING = 1 << 20
"""Bytes that the library may hold before it waits for the server to take them."""
_FLUSHING = 5.0
"""Seconds for the server to take some of them."""
_HEARD_BYTES = 16 << 20
"""Bytes that have come and wait to be heard; what is beyond is lost, and told as `missed`."""
_HEARD_MESSAGES = 65_536

_REFUSALS = ("authorization violation", "authentication expired", "authentication revoked")
_IN_CREDENTIALS = (b"BEGIN NATS USER JWT", b"BEGIN USER NKEY SEED")
_FAILED = (errors.Error, OSError, TimeoutError, RuntimeError, AttributeError)
"""What the library raises where a connection has ended: the last two are asyncio's and its own."""


class NatsCarrier:
    """Connects to NATS servers.

    Args:
        options: where they are.

    Raises:
        ValueError: something is not installed that the options need.
    """

    def __init__(self, options: NatsOptions) -> None:
        if options.credentials and find_spec("nkeys") is None:
            raise ValueError(
                "a file of credentials needs nkeys, which is not installed: "
                "pip install 'nats-py[nkeys]'"
            )
        self._options = options

    def __repr__(self) -> str:
        return f"<NatsCarrier {','.join(self._options.servers)}>"

    @property
    def most_bytes(self) -> int:
        """The largest message that is ever sent."""
        return _MOST_BYTES

    async def connect(self, listener: Listener) -> NatsLine:
        """Connect to one of the servers, and listen.

        Raises:
            BusLost: none of them answers.
            BusRefused: one of them does not want us, or is not to be trusted.
        """
        _check_credentials(self._options.credentials)
        trusted = self._trusted()
        client = _Client(listener, encrypted=self._options.encrypted)
        line = NatsLine(client, f"{self._options.subject}.{listener.cluster}", listener)
        try:
            async with asyncio.timeout(_ALL_CONNECTING):
                await client.connect(**self._arguments(client, listener, trusted))
                client.failure = None  # of a server that was tried before this one
                await line.listen()
        except BaseException as error:
            await line.close()
            if not isinstance(error, Exception):
                raise
            raise self._why(error, client) from error
        if line.most_bytes < _LEAST_BYTES:
            await line.close()
            raise BusRefused(
                f"{self!r} carries {line.most_bytes} bytes at most: set its max_payload to "
                f"{_LEAST_BYTES} or more"
            )
        return line

    def _arguments(
        self, client: _Client, listener: Listener, trusted: ssl.SSLContext | None
    ) -> dict[str, Any]:
        options = self._options
        return {
            "servers": list(options.servers),
            "name": f"rhtmx-server {listener.node}",
            "error_cb": client.on_error,
            "closed_cb": client.on_closed,
            # One client is one connection. Of these numbers two attempts follow, without a pause;
            # then it raises. It would try for ever otherwise, even where it may not reconnect.
            "allow_reconnect": False,
            "max_reconnect_attempts": 1,
            "reconnect_time_wait": 0,
            "connect_timeout": _CONNECTING,
            "ping_interval": _PING_EVERY,
            "max_outstanding_pings": 1,
            "no_echo": True,
            "pending_size": _PENDING,
            "flush_timeout": _FLUSHING,
            "tls": trusted,
            "user": options.user or None,
            "password": options.password or None,
            "token": options.token or None,
            "user_credentials": options.credentials or None,
        }

    def _trusted(self) -> ssl.SSLContext | None:
        """Which servers are trusted, read each time: a certificate may have been renewed."""
        options = self._options
        for path in filter(None, (options.ca, options.cert, options.key)):
            if not Path(path).is_file():
                raise BusRefused(f"{path}: there is no such file, which the bus is to use")
        if not options.encrypted:
            return None
        try:
            context = ssl.create_default_context(cafile=options.ca or None)
            if options.cert:
                context.load_cert_chain(options.cert, options.key)
        except (OSError, ValueError) as error:
            raise BusRefused(f"the certificates of the bus cannot be used: {error}") from error
        return context

    def _why(self, error: Exception, client: _Client) -> Exception:
        """What has gone wrong, in words for whoever runs the server."""
        # "No servers" says less than what became of the last of them.
        cause = client.failure if isinstance(error, errors.NoServersError) else error
        words = f"{self!r}: {str(cause) or type(cause).__name__}"
        if isinstance(cause, ssl.SSLError):
            return BusRefused(f"{words} (the URL's ca= names the certificates that are trusted)")
        if isinstance(cause, errors.SecureConnRequiredError):
            return BusRefused(f"{self!r} offers no TLS: write nats:// if that is to be so")
        if isinstance(cause, PermissionError) or any(
            each in words.lower() for each in (*_REFUSALS, "permissions violation")
        ):
            return BusRefused(words)
        if isinstance(cause, _FAILED):
            return BusLost(words)
        return BusRefused(f"{words}: are the credentials right?")


def _check_credentials(path: str) -> None:
    """Make sure that a file of credentials is one: where it has no JWT, the library never ends."""
    try:
        text = Path(path).read_bytes() if path else b""
    except OSError as error:
        raise BusRefused(f"the credentials of the bus cannot be read: {error}") from error
    if path and not all(each in text for each in _IN_CREDENTIALS):
        raise BusRefused(f"{path}: a .creds file expected, with the JWT and the seed of a user")


class NatsLine:
    """One connection.

    Args:
        client: connected, or about to be.
        subject: of the cluster.
        listener: who sends on it, and hears.
    """

    def __init__(self, client: _Client, subject: str, listener: Listener) -> None:
        self._client = client
        self._cluster = subject
        self._own = f"{subject}.{listener.node}"
        self._listener = listener

    @property
    def most_bytes(self) -> int:
        """The largest message that the server takes, or we send.

        With a larger one the server ends the connection, and the library says nothing of it.
        """
        return min(_MOST_BYTES, self._client.max_payload)

    def alive(self) -> bool:
        """Whether the library takes it for connected."""
        return self._client.is_connected and self._client.failure is None

    async def listen(self) -> None:
        """Hear the others from now on.

        Raises:
            Error: of the library; the server does not allow it, or is gone.
        """
        await self._client.subscribe(
            f"{self._cluster}.*",
            cb=self._hear,
            pending_msgs_limit=_HEARD_MESSAGES,
            pending_bytes_limit=_HEARD_BYTES,
        )
        # The library sends a ping at once, before what waits to be sent: so the first answer says
        # nothing of the subscription, and the second one does.
        for _ in range(2):
            await self._client.flush(_CONNECTING)
        if self._client.denied is not None:
            raise self._client.denied
        if not self.alive():
            raise errors.ConnectionClosedError

    async def send(self, messages: Sequence[bytes]) -> None:
        """Send messages.

        Raises:
            BusLost: the connection has ended.
        """
        if not self.alive():
            raise BusLost(f"the connection to NATS has ended: {self._client.reason()}")
        try:
            for message in messages:
                await self._client.publish(self._own, message)
        except _FAILED as error:
            raise BusLost(f"the connection to NATS has ended: {error}") from error

    async def close(self) -> None:
        """End the connection, without waiting for the server."""
        self._client.abort()
        await self._client.close()

    async def _hear(self, message: Msg) -> None:
        if message.subject != self._own:
            self._listener.heard(message.data)


class _Client(Client):
    """The library's client, for one connection.

    What it does when that has ended is not waited for: it writes what is left, waits until the
    server has taken it, which one that has stopped never does, and tells nobody if that fails.
    """

    def __init__(self, listener: Listener, *, encrypted: bool) -> None:
        super().__init__()
        self._listener = listener
        self._must_encrypt = encrypted
        self.failure: Exception | None = None
        """Why the connection has ended, or was not made."""
        self.denied: Exception | None = None
        """What the server does not allow, if anything."""

    def reason(self) -> str:
        """Say why the connection has ended."""
        error = self.failure or self.last_error
        return "it was closed" if error is None else str(error) or type(error).__name__

    async def on_error(self, error: Exception) -> None:
        """Take what the library reports beside the calls."""
        if isinstance(error, errors.SlowConsumerError):
            self._listener.missed()
        elif "permissions violation" in str(error):
            if self.denied is None:
                log.error("the bus may not be used as it should be: %s", error)
            self.denied = error
        else:
            self.failure = error
            self._listener.ended()

    async def on_closed(self) -> None:
        """Take that the library has given up the connection."""
        self._listener.ended()

    def abort(self) -> None:
        """End the connection at once, and forget what waits to be sent.

        After that `close` ends the library's tasks, and waits for nothing: not for the server to
        take what was written, nor for the end of a connection that TLS has failed on, of which
        nobody is told.
        """
        if (writer := self._writer()) is not None:
            writer.transport.abort()
        self._transport = None
        self._status = Client.DISCONNECTED

    def _connect_command(self) -> bytes:
        """Make what logs in: the first that is sent after the greeting."""
        writer = self._writer()
        if self._must_encrypt and (writer is None or writer.get_extra_info("ssl_object") is None):
            # Whatever the URL says, the library uses TLS only where the server asks for it.
            raise errors.SecureConnRequiredError
        return super()._connect_command()

    def _writer(self) -> Any:
        transport: Any = self._transport
        return None if transport is None else transport._io_writer
