"""A running application: a connection to it, and its schema, both made anew where they have to be.

Knows how to wait for a server that is away, and when the schema is another one. Must not know
tools, nor how the schema is fetched.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from rhtmx.api.client import Client
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.events import State
from rhtmx.errors import RhtmxError
from rhtmx.mcp.document import SchemaDocument

__all__ = ["RunningApplication"]


class RunningApplication:
    """An application that is asked for as long as an assistant runs.

    Args:
        connect: makes a client of it.
        fetch: reads its schema.
        shown: its address, as it may be shown.
        timeout: seconds to wait for a connection.

    Attributes:
        changed: called when the schema is another one.
    """

    def __init__(
        self,
        connect: Callable[[], Client],
        fetch: Callable[[], Awaitable[SchemaDocument]],
        *,
        shown: str,
        timeout: float,
    ) -> None:
        self.changed: Callable[[], Awaitable[None]] | None = None
        self.shown = shown
        self.timeout = timeout
        self._connect = connect
        self._fetch = fetch
        self._client: Client | None = None
        self._document: SchemaDocument | None = None
        self._told = ""
        self._watcher: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    @property
    def document(self) -> SchemaDocument:
        """Its schema, as it was read last."""
        assert self._document is not None, "open it first"
        return self._document

    async def open(self) -> None:
        """Connect, and read the schema.

        Raises:
            ConnectionClosed: there is no connection.
            RhtmxError: there is no schema.
        """
        async with self._turn:
            client = await self._entered()
            await self._load(client)

    async def close(self) -> None:
        """End the connection."""
        await self._leave()

    async def ready(self) -> Client:
        """A client that is connected, of an application whose schema is `document`.

        Raises:
            ConnectionClosed: there is no connection, in words.
            RhtmxError: the schema cannot be read.
        """
        try:
            async with asyncio.timeout(self.timeout), self._turn:
                client = self._client
                if client is None or client.state is State.CLOSED:
                    await self._leave()
                    client = await self._entered()
                await _opened(client)
                await self._current(client)
                return client
        except TimeoutError:
            why = self._client.problem if self._client is not None else None
            words = str(why) if why is not None else "it does not answer"
            raise ConnectionClosed(
                f"no connection to '{self.shown}' within {self.timeout:g} s: {words}. "
                "Nothing was done; it goes on connecting, so try again in a while"
            ) from None

    async def _entered(self) -> Client:
        client = self._connect()
        await client.__aenter__()
        self._client = client
        self._watcher = asyncio.create_task(self._watch(client))
        return client

    async def _leave(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
            self._watcher = None
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def _watch(self, client: Client) -> None:
        """Look at the schema after each reconnect: a server may have come back with another one."""
        async for state in client.states():
            if state is State.OPEN and self._document is not None:
                # What goes wrong here, the next call says.
                with contextlib.suppress(RhtmxError):
                    async with self._turn:
                        await self._current(client)

    async def _current(self, client: Client) -> None:
        """Read the schema anew, if the server says that it has another one."""
        if self._document is None or _hash(client) != self._told:
            await self._load(client)

    async def _load(self, client: Client) -> None:
        told, before = _hash(client), self._document
        self._document = await self._fetch()
        self._told = told
        if before is not None and self.changed is not None:
            await self.changed()


def _hash(client: Client) -> str:
    """The schema that the server has, as it said in its welcome; empty if it said nothing."""
    found = client.server_schema
    return "" if found is None else found.hash


async def _opened(client: Client) -> None:
    """Wait for a connection, and have it tried at once."""
    if client.state is not State.OPEN:
        client.online()
    async for state in client.states():
        if state is State.OPEN:
            return
    raise client.problem or ConnectionClosed("the client was closed")
