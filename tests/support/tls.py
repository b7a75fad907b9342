"""TLS in front of a server that has none, and servers that break it off.

Knows how a server is reached over TLS. Must not know what is said there.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

from tests.support.certificates import Pair


def server_side(own: Pair, clients: Pair | None = None) -> ssl.SSLContext:
    """What a server needs; `clients`: whose certificates its clients have to show."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.cert, own.key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients.cert)
    return context


def client_side(ca: Pair, own: Pair | None = None) -> ssl.SSLContext:
    """What a program would write that trusts an authority, and may have to say who it is."""
    context = ssl.create_default_context(cafile=ca.cert)
    if own is not None:
        context.load_cert_chain(own.cert, own.key)
    return context


@contextlib.asynccontextmanager
async def tls_before(url: str, context: ssl.SSLContext, port: int = 0) -> AsyncIterator[str]:
    """A proxy that ends TLS before the server at `url`; yields its `wss:` URL."""
    parts = urlsplit(url)
    ways: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ways.add(asyncio.current_task())  # type: ignore[arg-type]  # there is one: it is this
        try:
            below, above = await asyncio.open_connection(parts.hostname, parts.port)
            both = asyncio.gather(_carry(reader, above), _carry(below, writer))
            with contextlib.suppress(OSError):
                await both
        except asyncio.CancelledError:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=context)
    try:
        yield f"wss://localhost:{server.sockets[0].getsockname()[1]}{parts.path}"
    finally:
        server.close()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    finally:
        sink.close()


def _shake(accepted: socket.socket, context: ssl.SSLContext) -> None:
    with context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False) as shaking:
        try:
            shaking.do_handshake()
        except ssl.SSLError:
            # Closed with something unread in it, a socket takes back what it has said.
            socket.socket.shutdown(shaking, socket.SHUT_WR)
            while socket.socket.recv(shaking, 65_536):
                pass


@contextlib.contextmanager
def handshakes(context: ssl.SSLContext) -> Iterator[str]:
    """A server that only shakes hands, and says in an alert why it does not want to.

    asyncio's, in Python 3.11, break off without the alert that OpenSSL has ready.
    """
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                accepted, _ = listening.accept()
            except OSError:
                return  # it was closed
            with contextlib.suppress(OSError):
                _shake(accepted, context)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"wss://localhost:{listening.getsockname()[1]}/api/ws"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
