"""A client of the server that was asked for, while a command runs.

Knows how the tool waits for a server, and what it says while that is away. Must
not know what the commands do with the client.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

import rhtmx
from rhtmx.cli import files
from rhtmx.cli.certificates import context
from rhtmx.cli.errors import NO_CONNECTION, CommandError
from rhtmx.cli.output import Output
from rhtmx.cli.requests import Server

__all__ = ["answer", "client_of", "connected"]

T = TypeVar("T")


@asynccontextmanager
async def connected(
    server: Server, output: Output, *, patient: bool = True
) -> AsyncIterator[rhtmx.Client]:
    """A connected client.

    Args:
        server: which server.
        output: is told when the connection is lost, and when it is there again.
        patient: whether to wait for ever for a connection that was lost.

    Raises:
        CommandError: the connection was lost for longer than the timeout, or a file
            for it cannot be used.
        ConnectionClosed: there is no connection, and there will be none.
    """
    client = client_of(server)
    try:
        async with client, asyncio.timeout(None) as limit:
            watcher = asyncio.create_task(
                _watch(client, server, output, None if patient else limit)
            )
            try:
                yield client
            finally:
                watcher.cancel()
                await asyncio.gather(watcher, return_exceptions=True)
    except TimeoutError:
        raise CommandError(
            f"'{server.shown}' did not answer for {server.timeout:g} s: is the server running?",
            NO_CONNECTION,
        ) from None


def client_of(server: Server) -> rhtmx.Client:
    """A client of a server, which is not connected yet.

    Args:
        server: which server.

    Raises:
        CommandError: a file for it cannot be used.
    """
    path = server.token_file
    if path is not None:
        files.token(path)  # says in good words what is wrong with it

    async def fresh() -> str:
        assert path is not None
        return files.token(path)

    return rhtmx.connect(
        server.url,
        format=server.format,
        token=server.token if path is None else fresh,
        ssl=context(server.ca, server.cert, server.key),
        open_timeout=server.timeout,
    )


async def _watch(
    client: rhtmx.Client, server: Server, output: Output, limit: asyncio.Timeout | None
) -> None:
    lost = False
    async for state in client.states():
        if state is rhtmx.State.WAITING and not lost:
            lost = True
            output.note(f"lost the connection to '{server.shown}': connecting again")
            if limit is not None:
                limit.reschedule(asyncio.get_running_loop().time() + server.timeout)
        elif state is rhtmx.State.OPEN and lost:
            lost = False
            output.note("connected again")
            if limit is not None:
                limit.reschedule(None)


async def answer(server: Server, what: str, asked: Awaitable[T], otherwise: str) -> T:
    """Wait for an answer, but not for longer than the timeout.

    Args:
        server: who is asked.
        what: what was asked, for the error.
        asked: the call.
        otherwise: what it means if there is none, and what to do.

    Raises:
        CommandError: there was none in time.
    """
    try:
        async with asyncio.timeout(server.timeout):
            return await asked
    except TimeoutError:
        raise CommandError(
            f"{what}: no answer from '{server.shown}' within {server.timeout:g} s: {otherwise}",
            NO_CONNECTION,
        ) from None
