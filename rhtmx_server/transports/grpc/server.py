"""The gRPC port: listens, keeps the connections, and stops in order.

Knows which parts make up the door. Must not know what the methods do.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from typing import Any

from grpclib.server import Server

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.config import Config
from rhtmx_server.connections.admission import Ticket, source
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.services import Services
from rhtmx_server.transports.grpc.door import Door
from rhtmx_server.transports.grpc.framing import GLUE
from rhtmx_server.transports.grpc.guards import GrpcLimits
from rhtmx_server.transports.grpc.health import Health
from rhtmx_server.transports.grpc.protocol import GuardedProtocol, configuration
from rhtmx_server.transports.grpc.reflection import Reflection
from rhtmx_server.transports.grpc.service import NAME, Trackers
from rhtmx_server.transports.grpc.standard import HEALTH, REFLECTIONS
from rhtmx_server.transports.grpc.status_details import StatusDetailsCodec
from rhtmx_server.transports.grpc.tls import context

__all__ = ["GrpcServer"]

log = logging.getLogger("rhtmx_server")

_HANDSHAKE = 10.0
"""Seconds that a TLS handshake may take."""

_HOST = "--grpc-host or Config(grpc_host=…)"
_PORT = "--grpc-port or Config(grpc_port=…)"


class GrpcServer(Server):
    """Serves the schema's service, health and reflection.

    Args:
        services: the server.
        ready: whether it serves.
    """

    def __init__(self, services: Services, ready: Callable[[], bool]) -> None:
        self._door = Door(services, ready)
        self._health = Health(self._door, (NAME,))
        names = (NAME, f"{HEALTH}.Health", *(f"{each}.ServerReflection" for each in REFLECTIONS))
        super().__init__(
            [Trackers(self._door), self._health, Reflection(self._door, names)],
            codec=GLUE,
            status_details_codec=StatusDetailsCodec(),
            config=configuration(services.config.heartbeat),
        )
        self._services = services
        self._protocols: set[GuardedProtocol] = set()
        self._tickets: dict[GuardedProtocol, Ticket] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._listener: asyncio.AbstractServer | None = None
        self._stopping = False
        self.address = ""

    async def listen(self) -> None:
        """Listen where the settings say, if they do; `address` says where that is.

        Raises:
            RhtmxError: the address, or a file of the TLS settings, cannot be used.
        """
        config = self._services.config
        if config.grpc_port is None:
            return
        tls = context(config)
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                self._protocol_factory,
                config.grpc_host,
                config.grpc_port,
                ssl=tls,
                ssl_handshake_timeout=None if tls is None else _HANDSHAKE,
            )
        except OSError as failure:
            raise RhtmxError(ErrorCode.NOT_SUPPORTED, _words(failure, config)) from None
        port = self._listener.sockets[0].getsockname()[1]
        host = config.grpc_host
        self.address = f"{f'[{host}]' if ':' in host else host}:{port}"
        log.info("gRPC on %s, %s", self.address, "plain" if tls is None else "with TLS")

    def connections(self) -> list[Connection]:
        """The streams that live as connections do."""
        return list(self._door.connections)

    def readiness_changed(self) -> None:
        """Tell those who watch the server's health."""
        self._health.changed()

    def stop_accepting(self) -> None:
        """Take no new connections, calls or messages."""
        self._stopping = True
        if self._listener is not None:
            self._listener.close()
        self._door.close()
        for protocol in self._protocols:
            protocol.announce_end()
        self._health.changed()

    async def stop(self, deadline: float) -> None:
        """Tell every peer that the server stops, and drop those still there at `deadline`.

        Args:
            deadline: on the loop's clock.
        """
        await self._door.end(deadline)
        protocols = list(self._protocols)
        for protocol in protocols:
            protocol.close()
        if protocols:
            left = max(0.0, deadline - asyncio.get_running_loop().time())
            await asyncio.wait([protocol.gone for protocol in protocols], timeout=left)
        for protocol in list(self._protocols):
            protocol.abort()

    # What connections call.

    def opened(self, protocol: GuardedProtocol) -> bool:
        """A peer has connected; whether there is room for it, and time."""
        if self._stopping:
            return False  # it was in the queue of the listener
        if len(self._protocols) >= self._services.config.grpc_connections:
            self._services.metrics.handshake_refused("grpc")
            return False
        address, ticket = source(protocol.peername), Ticket()
        try:
            self._services.admission.enter(ticket, address)
        except RhtmxError:
            return False
        # Its place is given back in `lost`, which is only called for those that stayed.
        self._tickets[protocol] = ticket
        self._protocols.add(protocol)
        self._services.metrics.opened("grpc")
        return True

    def lost(self, protocol: GuardedProtocol) -> None:
        """Let go of a peer that is gone, of its ticket, and of its calls once they have ended."""
        self._protocols.discard(protocol)
        handler: Any = protocol.handler
        if not handler.check_closed():
            ending = asyncio.get_running_loop().create_task(handler.wait_closed())
            self._ending.add(ending)  # the loop itself keeps no task
            ending.add_done_callback(self._ending.discard)
        self._services.admission.leave(self._tickets.pop(protocol))
        self._services.metrics.closed("grpc")

    def stalled(self) -> None:
        """A peer is dropped that takes nothing."""
        self._services.metrics.stalled.inc()

    def _protocol_factory(self) -> GuardedProtocol:
        config = self._services.config
        made = super()._protocol_factory()
        # grpclib 0.4.9 lets go of a handler at every tenth connection, and never of one whose peer
        # was refused. Here its protocol has it, and `lost` sees its calls to their end.
        self._handlers.clear()
        limits = GrpcLimits(config.grpc_streams, config.grpc_max_size, config.grpc_calls)
        return GuardedProtocol(
            made.handler,
            self._config,
            self,
            limits,
            self._services.turns,
            kept=config.grpc_outbox,
            patience=config.stall_timeout,
        )


def _words(failure: OSError, config: Config) -> str:
    """Say what is wrong with the address."""
    host, port = config.grpc_host, config.grpc_port
    match failure.errno:
        case errno.EADDRINUSE:
            return f"port {port} on {host} is in use: take another one with {_PORT}"
        case errno.EADDRNOTAVAIL:
            return f"this machine has no address {host}: choose another one with {_HOST}"
        case errno.EACCES:
            return f"port {port} may not be used by this user: take one from 1024 on with {_PORT}"
    if isinstance(failure, socket.gaierror):
        return f"the host {host!r} is not known: choose another one with {_HOST}"
    return f"gRPC cannot listen on {host}, port {port}: {failure.strerror or failure}"
