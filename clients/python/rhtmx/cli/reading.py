"""The commands that read: `tail` and `sync`.

Knows their order of things. Must not know how a line looks.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TypeAlias

from rhtmx.api.client import Client
from rhtmx.cli import lines, records
from rhtmx.cli.connected import connected
from rhtmx.cli.errors import FINE, explain
from rhtmx.cli.following import until_enough
from rhtmx.cli.output import Output
from rhtmx.cli.progress_line import ProgressLine
from rhtmx.cli.requests import Server, Sync, Tail
from rhtmx.cli.rows import Table, TableRow
from rhtmx.errors import RhtmxError
from rhtmx.messages import Position
from rhtmx.runtime.subscription import Subscription
from rhtmx.values.changes import Change, FieldChange
from rhtmx.values.reset import Reset
from rhtmx.values.results import SyncResult

__all__ = ["sync", "tail"]

_Stream: TypeAlias = Subscription[Change] | Subscription[FieldChange]


class _Tail:
    """Prints what several subscriptions yield, until there was enough."""

    def __init__(self, request: Tail, output: Output) -> None:
        self.done = asyncio.Event()
        self._request = request
        self._output = output
        self._table = Table(output.paint)
        self._left = request.count

    def subscription(self, client: Client, entity: str) -> _Stream:
        """The changes of one entity."""
        changes = client.field_changes if self._request.fields else client.changes
        since, where = self._request.since, self._request.where
        return changes(entity, since=since, on_reset=self._reset, where=where)

    async def follow(self, changes: _Stream) -> None:
        """Print changes, each as it comes."""
        try:
            async for change in changes:
                if self._left == 0:
                    return
                self._print(change, changes.position)
        except RhtmxError as error:
            raise explain(error, changes.entity) from None

    def _print(self, change: Change | FieldChange, position: Position | None) -> None:
        if self._output.json:
            self._output.record(records.change(change, position))
        else:
            self._output.line(self._table.line(TableRow.of(change), self._output.columns))
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                self.done.set()

    def _reset(self, reset: Reset) -> None:
        _tell_reset(reset, self._output)


async def tail(server: Server, request: Tail, output: Output) -> int:
    """Follow changes until there were enough, or nobody reads them any more.

    Returns:
        The exit code.

    Raises:
        CommandError: an entity cannot be read.
        BrokenPipeError: nobody reads any more.
        ConnectionClosed: there is no connection, and there will be none.
    """
    tailing = _Tail(request, output)
    async with connected(server, output) as client, AsyncExitStack() as open_ones:
        streams = []
        for entity in request.entities:
            try:
                stream = tailing.subscription(client, entity)
                await open_ones.enter_async_context(stream)
            except RhtmxError as error:
                raise explain(error, entity) from None
            streams.append(stream)
        output.note(f"following {', '.join(request.entities)} on '{server.shown}'")
        await until_enough(output, tailing.done, *map(tailing.follow, streams))
    return FINE


async def sync(server: Server, request: Sync, output: Output) -> int:
    """Print everything after a position, once, and the position to go on from.

    Returns:
        The exit code.

    Raises:
        CommandError: the entity cannot be read, or the server is away.
        BrokenPipeError: nobody reads any more.
        ConnectionClosed: there is no connection, and there will be none.
    """
    async with connected(server, output, patient=False) as client:
        read = client.sync_fields if request.fields else client.sync
        shown = ProgressLine(output, request.entity)
        try:
            result: SyncResult[Change] | SyncResult[FieldChange] = await read(
                request.entity, request.since, where=request.where, on_progress=shown.show
            )
        except RhtmxError as error:
            raise explain(error, request.entity) from None
        finally:
            shown.clear()
    if result.reset:
        since = request.since if isinstance(request.since, Position) else None
        _tell_reset(Reset(request.entity, since), output)
    if output.json:
        for change in result.changes:
            output.record(records.change(change, result.position))
        output.record(records.position(request.entity, result.position))
    else:
        _print_all(result, output)
    output.note(f"continue with: --since {lines.place(result.position)}")
    return FINE


def _print_all(result: SyncResult[Change] | SyncResult[FieldChange], output: Output) -> None:
    table = Table(output.paint)
    rows = [TableRow.of(change) for change in result.changes]
    for row in rows:
        table.see(row)
    for row in rows:
        output.line(table.line(row, output.columns))


def _tell_reset(reset: Reset, output: Output) -> None:
    read = "its beginning" if reset.position is None else f"version {reset.position.version}"
    output.note(
        f"reset: {reset.entity} could not resume from {read}: its earlier lines may be out of "
        "date, and all of its records follow again"
    )
    if output.json:
        output.record(records.reset(reset))
