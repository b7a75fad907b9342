"""Facts about `rhtmx.grpc.channel`."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rhtmx.errors import RhtmxError
from rhtmx.grpc.channel import open_channel, silence
from rhtmx.grpc.codec import GrpcCodec
from rhtmx.grpc.connect import backend
from rhtmx.grpc.endpoint import Tls, target
from rhtmx.grpc.failures import ConnectionLost, may_pass
from tests.support.certificates import Pair, authority, signed
from tests.support.tls import handshakes, server_side

SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
PORT = "is it the port of the server's door for gRPC?"
NO_ANSWER = "it ended the connection without an answer: does it speak TLS (tls=), "
OTHER = f"what answers there speaks no gRPC: {PORT}"
OLD = f"what answers there speaks HTTP/1, and no gRPC: {PORT}"
OFF = "the other side broke off the TLS handshake: does it speak TLS on this port, "
NO_TLS = "is it a port without TLS, for no tls=?"
UNKNOWN = "the server ended the connection without an answer: is the port right? If it asks for a "


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return authority(tmp_path_factory.mktemp("ca"), "ca")


@pytest.fixture(scope="module")
def server(ca: Pair, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return signed(tmp_path_factory.mktemp("server"), "server", ca)


@contextlib.asynccontextmanager
async def answering(
    said: bytes, *, stays: bool = False, context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """What speaks as soon as it is spoken to; yields its port."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(1)
            writer.write(said)
            await writer.drain()
            if stays:
                await ended.wait()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as listening:
        yield listening.sockets[0].getsockname()[1]
        ended.set()


async def failure(port: int, tls: bool | Tls = False, open_timeout: float = 30) -> RhtmxError:
    with pytest.raises(RhtmxError) as caught:
        async with backend(f"localhost:{port}", tls=tls, open_timeout=open_timeout):
            pass
    assert caught.value.message.startswith(f"cannot connect to 'localhost:{port}': ")
    return caught.value


def words(error: RhtmxError) -> str:
    return error.message.partition("': ")[2]


async def test_a_channel_reads_and_writes_through_the_wire() -> None:
    channel = open_channel(target("localhost:1"))
    assert isinstance(channel._codec, GrpcCodec)
    config = channel._config
    # Else a reader that lags keeps back everybody's answers.
    assert config.http2_connection_window_size >= 1000 * config.http2_stream_window_size


@pytest.mark.parametrize(
    ("said", "means"),
    [
        (b"", f"{NO_ANSWER}{PORT} Or has it no room for one more?"),
        (SETTINGS[:5], OTHER),
        (b"\x15\x03\x03\x00\x02\x02\x46", "what answers there speaks TLS: give tls="),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", OLD),
        (b"SSH-2.0-OpenSSH_9.2\r\n", OTHER),
        (b"220 mail.example.com\r\n", OTHER),
        (bytes(9), OTHER),
        (SETTINGS[:8] + b"\x01", OTHER),
    ],
)
async def test_what_speaks_no_grpc_is_told_when_it_is_entered_and_may_pass(
    said: bytes, means: str
) -> None:
    async with answering(said) as port:
        error = await failure(port)
    assert words(error) == means
    assert may_pass(error)


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_what_speaks_something_else_is_not_waited_for(said: bytes) -> None:
    async with answering(said, stays=True) as port:
        assert "speaks" in words(await failure(port))


async def test_what_says_nothing_is_waited_for_and_told_from_nobody() -> None:
    async with answering(b"", stays=True) as port:
        assert words(await failure(port, open_timeout=0.2)) == f"no answer within 0.2 s: {PORT}"
        error = await failure(port, tls=True, open_timeout=0.2)
    assert words(error) == f"no answer within 0.2 s: {NO_TLS}"


async def test_over_tls_it_is_told_whether_there_is_any(ca: Pair, server: Pair) -> None:
    known = Tls(ca=ca.cert)
    for said, means in ((b"", OFF), (b"SSH-2.0-OpenSSH_9.2\r\n", "what answers is no TLS: ")):
        async with answering(said) as port:
            error = await failure(port, known)
        assert words(error).startswith(means)
        assert may_pass(error)
    context = server_side(server)
    for said, means in ((b"", UNKNOWN), (b"HTTP/1.1 400 Bad Request\r\n", OLD), (bytes(9), OTHER)):
        async with answering(said, context=context) as port:
            assert words(await failure(port, known)).startswith(means)


async def test_what_the_server_says_of_a_clients_certificate_is_final(
    ca: Pair, server: Pair, tmp_path: Path
) -> None:
    stranger = signed(tmp_path, "stranger", authority(tmp_path, "other"))
    with handshakes(server_side(server, clients=ca)) as url:
        port = int(url.split(":")[2].partition("/")[0])
        nobody = await failure(port, Tls(ca=ca.cert))
        wrong = await failure(port, Tls(ca=ca.cert, cert=stranger.cert, key=stranger.key))
    assert "(TLS alert: certificate required)" in words(nobody)
    assert "(TLS alert: unknown ca)" in words(wrong)
    for error in (nobody, wrong):
        assert "give the right one (tls=Tls(cert=…))" in words(error)
        assert not may_pass(error)


async def test_who_begins_with_settings_is_taken_for_a_server() -> None:
    async with answering(SETTINGS, stays=True) as port, backend(f"localhost:{port}"):
        pass


async def test_where_nobody_is_there_nothing_is_guessed() -> None:
    channel = open_channel(target("localhost:1"))
    with pytest.raises(OSError, match="Connect call failed"):
        await channel.__connect__()
    assert silence(channel) == ""
    error = await failure(1)
    assert isinstance(error, ConnectionLost)
    assert words(error).endswith(": is the server running?")
