"""The command that writes: `push`, one record or many.

Knows its order of things, and how much may be in flight. Must not know how a
line looks.
"""

from __future__ import annotations

import asyncio
from typing import TypeAlias

from rhtmx.api.client import Client
from rhtmx.cli import batch, files, lines, records
from rhtmx.cli.connected import answer, connected
from rhtmx.cli.errors import FINE, REFUSED, CommandError, explain
from rhtmx.cli.output import Output
from rhtmx.cli.requests import Push, PushMany, Server
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import RhtmxError
from rhtmx.values.results import FieldPushResult, PushResult

__all__ = ["push", "push_many", "show"]

IN_FLIGHT = 256
"""Writes that wait for their answer at a time: as many as a server takes by default."""

_UNKNOWN = "it may or may not have been written: check with `rhtmx sync`"

_Result: TypeAlias = PushResult | FieldPushResult


async def push(server: Server, request: Push, output: Output) -> int:
    """Write one record, and print its version.

    Returns:
        The exit code.

    Raises:
        CommandError: it was refused, or there was no answer in time.
        ConnectionClosed: there is no connection, and there will be none.
    """
    async with connected(server, output) as client:
        result = await _write(client, server, request, "")
    return show(result, output)


async def push_many(server: Server, request: PushMany, output: Output) -> int:
    """Write what the lines of a file say, many at a time, in their order.

    Returns:
        The exit code.

    Raises:
        CommandError: a line cannot be understood, or there was no answer in
            time: reading ends there, what was sent before is answered first.
        BrokenPipeError: nobody reads any more.
        ConnectionClosed: there is no connection, and there will be none.
    """
    source = files.opened(request.source)
    async with connected(server, output) as client:
        many = _Many(client, server, request, output)
        reading = asyncio.create_task(many.read(source))
        try:
            await many.print()
            await reading
        finally:
            await many.cancel(reading)
            output.note(many.told())
    return REFUSED if many.refused else FINE


class _Many:
    """Many writes in flight: one task reads and sends, one prints the answers in order."""

    def __init__(self, client: Client, server: Server, request: PushMany, output: Output) -> None:
        self.refused = 0
        self._written = 0
        self._client = client
        self._server = server
        self._request = request
        self._output = output
        self._sent: asyncio.Queue[asyncio.Task[_Result] | None] = asyncio.Queue(IN_FLIGHT)
        self._tasks: set[asyncio.Task[_Result]] = set()

    async def read(self, source: int) -> None:
        """Send what the lines say."""
        try:
            async for where, text in files.lines(source, self._request.source):
                request = batch.push(self._request, text, where)
                if request is None:
                    continue
                write = _write(self._client, self._server, request, f"{where}: ")
                task = asyncio.create_task(write)
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                await self._sent.put(task)
        except Exception:
            await self._sent.put(None)
            raise
        await self._sent.put(None)

    async def print(self) -> None:
        """Print what comes of it, until all was read and answered."""
        while (sent := await self._sent.get()) is not None:
            try:
                result = await sent
            except CommandError as error:
                if error.status != REFUSED:
                    raise
                self.refused += 1
                self._output.note(f"error: {error.message}")
                continue
            self._written += 1
            self.refused += show(result, self._output) == REFUSED

    async def cancel(self, reading: asyncio.Task[None]) -> None:
        """Wait for nothing any more."""
        tasks = [reading, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def told(self) -> str:
        """How it went, in a line."""
        refused = f", {self.refused} rejected" if self.refused else ""
        return f"{self._written} written{refused}"


async def _write(client: Client, server: Server, request: Push, where: str) -> _Result:
    what = f"{where}{request.entity}/{request.entity_id}"
    try:
        return await answer(server, what, _call(client, request), _UNKNOWN)
    except ConnectionClosed:
        raise
    except RhtmxError as error:
        raise explain(error, what) from None


async def _call(client: Client, request: Push) -> _Result:
    entity, entity_id, base = request.entity, request.entity_id, request.base_version
    if request.delete:
        return await client.delete(entity, entity_id, base_version=base)
    if request.fields:
        return await client.push_fields(
            entity, entity_id, request.data, delete=request.remove, base_version=base
        )
    return await client.push(entity, entity_id, request.data, base_version=base)


def show(result: _Result, output: Output) -> int:
    """Print what came of a write.

    Returns:
        The exit code: whether a field did not get the value that was pushed.
    """
    if output.json:
        output.record(records.pushed(result))
    else:
        for line in lines.pushed(result, output.paint):
            output.line(line)
    lost = isinstance(result, FieldPushResult) and any(
        conflict.winner == "server" for conflict in result.conflicts
    )
    return REFUSED if lost else FINE
