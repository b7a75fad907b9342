"""Facts about `rhtmx.mcp.schema_source`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.mcp import schema_source
from rhtmx.mcp.schema_source import SchemaSource, schema_url


@asynccontextmanager
async def answering(
    status: str, body: str = "", *headers: str
) -> AsyncIterator[tuple[str, list[str]]]:
    """A server that answers so, and what it was asked."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", body]
        writer.write("\r\n".join(lines).encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"ws://127.0.0.1:{port}/live/api/ws", asked
    finally:
        server.close()


async def refused(url: str) -> RhtmxError:
    with pytest.raises(RhtmxError) as raised:
        await SchemaSource(url, None, 60).read("s3cr3t")
    return raised.value


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("ws://h:3000/api/ws", "http://h:3000/api/schema"),
        ("wss://h/live/api/ws", "https://h/live/api/schema"),
        ("ws://h", "http://h/schema"),
    ],
)
def test_the_schema_is_beside_the_socket(url: str, where: str) -> None:
    assert schema_url(url) == where


async def test_it_is_asked_for_with_the_token() -> None:
    async with answering("200 OK", "{}") as (url, asked):
        assert await SchemaSource(url, None, 60).read("s3cr3t") == b"{}"
    assert asked[0].startswith("GET /live/api/schema HTTP/1.1\r\n")
    assert "Authorization: Bearer s3cr3t\r\n" in asked[0]
    assert "Accept: application/schema+json\r\n" in asked[0]


async def test_a_name_and_a_password_in_the_address_are_said_as_http_asks_for_them() -> None:
    async with answering("200 OK", "{}") as (url, asked):
        named = url.replace("127.0.0.1", "ada:p%40w@127.0.0.1")
        await SchemaSource(named, None, 60).read(None)
        await SchemaSource(url, None, 60).read(None)
    assert "Authorization: Basic YWRhOnBAdw==\r\n" in asked[0]
    assert "Authorization" not in asked[1]


async def test_a_redirect_is_not_followed_as_the_token_is_for_nobody_else() -> None:
    async with answering("200 OK", "{}") as (other, heard):
        address = schema_url(other)
        async with answering("302 Found", "", f"Location: {address}") as (url, _):
            error = await refused(url)
    assert "answered HTTP 302 Found" in error.message
    assert heard == []


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (
            "404 Not Found",
            '{"code": "not_supported", "message": "this application has no schema"}',
            ErrorCode.NOT_SUPPORTED,
            "the application has no schema, and tools are made from one: write",
        ),
        (
            "404 Not Found",
            "<html>",
            ErrorCode.NOT_SUPPORTED,
            "where the schema of the application is looked for, answered HTTP 404 Not Found",
        ),
        (
            "401 Unauthorized",
            '{"message": "who are you?"}',
            ErrorCode.UNAUTHENTICATED,
            "answered HTTP 401 Unauthorized: who are you?",
        ),
        ("403 Forbidden", "[]", ErrorCode.FORBIDDEN, "answered HTTP 403 Forbidden"),
        ("503 Service Unavailable", "", ErrorCode.NOT_SUPPORTED, "answered HTTP 503"),
    ],
)
async def test_another_answer_is_told_in_words(
    status: str, body: str, code: ErrorCode, words: str
) -> None:
    async with answering(status, body) as (url, _):
        error = await refused(url)
    assert error.code is code
    assert words in error.message


async def test_where_nobody_answers_there_is_no_connection() -> None:
    async with answering("200 OK") as (url, _):
        pass
    error = await refused(url.replace("ws://", "ws://ada:s3cr3t@"))
    assert isinstance(error, ConnectionClosed)
    assert "cannot be read from 'http://127.0.0.1:" in error.message
    assert "s3cr3t" not in error.message


async def test_what_speaks_no_http_is_told_so() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await refused(f"ws://127.0.0.1:{port}/api/ws")
    assert isinstance(error, ConnectionClosed)


async def test_a_document_without_end_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schema_source, "_MOST", 10)
    async with answering("200 OK", "x" * 11) as (url, _):
        assert (await refused(url)).code is ErrorCode.TOO_LARGE
