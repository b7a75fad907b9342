"""The channel to a server, which stands once the other side has spoken HTTP/2.

Knows grpclib's connections, and how they begin. Must not know calls.

What speaks HTTP/2 begins with its settings, unasked (RFC 9113, section 3.4). What does
not is another port than the one that is meant, or does not want this client: grpclib
0.4.9 says "Connection lost" of all of these, and only once a call is made. So a connection
counts only once it has spoken. State and event → state:

==========  =================  =================  ==============  =================
state       connected          the first 9 bytes  anything else   it is lost
==========  =================  =================  ==============  =================
none        silent                                                raises why
silent                         spoken, if they    unwilling       unwilling
                               head its settings
spoken                                            spoken          lost, as grpclib
                                                                  says it
unwilling   raises why: nothing follows
==========  =================  =================  ==============  =================
"""

from __future__ import annotations

import asyncio
import ssl

from grpclib.client import Channel as GrpclibChannel
from grpclib.client import Handler
from grpclib.config import Configuration
from grpclib.protocol import H2Protocol
from h2.config import H2Configuration

from rhtmx.grpc.codec import GrpcCodec
from rhtmx.grpc.endpoint import GrpcEndpoint
from rhtmx.grpc.failures import broken_off, silent, unwilling

__all__ = ["Channel", "open_channel", "silence"]

_STREAM_WINDOW = 2**20
"""Bytes that may wait for a slow reader of one stream: the server holds back the rest."""

_CONNECTION_WINDOW = 2**31 - 1
"""As good as none. With grpclib's default, the size of one stream's, a loop over
`watch` that lags would keep back the answer to a `push` made inside it, for ever."""

_KEEPALIVE = 20.0
"""Seconds between two signs of life, and for how long the answer may take: a server
that is gone without a word is noticed while a call or a watch waits for it."""

_FRAME_HEAD = 9
_SETTINGS = 4
"""The bytes in front of a frame, and the type of the first one (RFC 9113, section 4.1)."""


class _Connection(H2Protocol):
    """A connection that knows whether the other side has spoken HTTP/2.

    Attributes:
        begun: the connection is made, and TLS with it.
        spoken: is done when it has; fails when it will not.
    """

    begun = False
    _said = b""

    def __init__(self, config: Configuration, http2: H2Configuration, *, secure: bool) -> None:
        super().__init__(Handler(), config, http2)
        self._secure = secure
        self.spoken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.begun = True
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if len(self._said) < _FRAME_HEAD:
            self._said += data[: _FRAME_HEAD - len(self._said)]
            self._judge()
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        if not self.spoken.done():
            told = exc if isinstance(exc, ssl.SSLError) else None
            self.spoken.set_exception(told or unwilling(self._said, secure=self._secure))
        super().connection_lost(exc)

    def _judge(self) -> None:
        """Look at what was said first, as soon as it is enough to tell."""
        if len(self._said) < _FRAME_HEAD or self.spoken.done():
            return
        if self._said[3] == _SETTINGS and not any(self._said[5:]):
            self.spoken.set_result(None)
        else:
            self.spoken.set_exception(unwilling(self._said, secure=self._secure))


class Channel(GrpclibChannel):
    """A channel whose connection counts once the other side has spoken HTTP/2."""

    _attempt: _Connection | None = None

    @property
    def silence(self) -> str:
        """What it may mean that there is no connection yet; empty where nobody is there."""
        if self._attempt is None:
            return ""
        return silent(secure=self._ssl is not None and not self._attempt.begun)

    def _protocol_factory(self) -> H2Protocol:
        secure = self._ssl is not None
        self._attempt = _Connection(self._config, self._h2_config, secure=secure)
        return self._attempt

    async def _create_connection(self) -> H2Protocol:
        self._attempt = None
        try:
            protocol = await super()._create_connection()
        except ConnectionError as error:
            if self._attempt is None:  # nobody is there
                raise
            raise broken_off() from error
        assert self._attempt is protocol
        try:
            await self._attempt.spoken
        except BaseException:
            protocol.processor.close()
            raise
        return protocol


def silence(channel: GrpclibChannel) -> str:
    """Why a channel may still have no connection, in words; empty where that is not known."""
    return channel.silence if isinstance(channel, Channel) else ""


def open_channel(where: GrpcEndpoint) -> Channel:
    """A channel that connects when it is first used, and again when that is needed."""
    config = Configuration(
        _keepalive_time=_KEEPALIVE,
        _keepalive_timeout=_KEEPALIVE,
        _http2_max_pings_without_data=0,
        _http2_min_sent_ping_interval_without_data=_KEEPALIVE / 2,
        http2_connection_window_size=_CONNECTION_WINDOW,
        http2_stream_window_size=_STREAM_WINDOW,
    )
    return Channel(where.host, where.port, codec=GrpcCodec(), ssl=where.ssl, config=config)
