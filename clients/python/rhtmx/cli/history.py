"""The commands about what has become of a record: `log`, `blame`, `undo`.

Knows their order of things. Must not know how a line looks.
"""

from __future__ import annotations

from typing import Any

import rhtmx
from rhtmx.cli import record_lines, records
from rhtmx.cli.connected import answer, connected
from rhtmx.cli.errors import FINE, explain
from rhtmx.cli.output import Output
from rhtmx.cli.requests import Blame, Log, Server, Undo
from rhtmx.cli.writing import show
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import RhtmxError
from rhtmx.values.history import History

__all__ = ["blame", "log", "undo"]

_PAGE = 100
"""Commits that are asked for at a time."""

_AGAIN = "try again, or raise --timeout"


async def log(server: Server, request: Log, output: Output) -> int:
    """Print the commits of a record, the newest first.

    Returns:
        The exit code.

    Raises:
        CommandError: it cannot be read, or there was no answer in time.
        BrokenPipeError: nobody reads any more.
        ConnectionClosed: there is no connection, and there will be none.
    """
    before: int | None = None
    left = request.count
    found = False
    async with connected(server, output) as client:
        while True:
            history = await _page(client, server, request, before, left)
            _print(history, output)
            found = found or len(history) > 0
            before = history.before
            left = None if left is None else left - len(history)
            if before is None or left == 0:
                break
    if before is None and not history.complete:
        output.note("what was before is not kept any more")
    elif not found:
        output.note(f"there was no {request.entity}/{request.entity_id} then")
    return FINE


async def _page(
    client: rhtmx.Client, server: Server, request: Log, before: int | None, left: int | None
) -> History[Any]:
    limit = _PAGE if left is None else min(left, _PAGE)
    tasks = client.collection(request.entity)
    asked = tasks.history(request.entity_id, before=before, until=request.until, limit=limit)
    return await answer(server, f"{request.entity}/{request.entity_id}", asked, _AGAIN)


def _print(history: History[Any], output: Output) -> None:
    if output.json:
        for commit in history:
            output.record(records.commit(commit))
        return
    for line in record_lines.commits(history, output.paint, output.columns):
        output.line(line)


async def blame(server: Server, request: Blame, output: Output) -> int:
    """Print who wrote which field of a record.

    Returns:
        The exit code.

    Raises:
        CommandError: it cannot be read, or there was no answer in time.
        ConnectionClosed: there is no connection, and there will be none.
    """
    entity, entity_id = request.entity, request.entity_id
    async with connected(server, output) as client:
        asked = client.collection(entity).blame(entity_id)
        authors = (await answer(server, f"{entity}/{entity_id}", asked, _AGAIN)).values()
    if output.json:
        for author in authors:
            output.record(records.author(entity, entity_id, author))
    else:
        for line in record_lines.authors(authors, output.paint):
            output.line(line)
    if not authors:
        output.note(f"{entity}/{entity_id} has no fields")
    return FINE


async def undo(server: Server, request: Undo, output: Output) -> int:
    """Take a commit back, and print the version of that.

    Returns:
        The exit code.

    Raises:
        CommandError: something came after it, it was refused otherwise, or there was no
            answer in time.
        ConnectionClosed: there is no connection, and there will be none.
    """
    entity, entity_id = request.entity, request.entity_id
    unknown = f"it may or may not have been written: check with `rhtmx log {entity} {entity_id}`"
    async with connected(server, output) as client:
        try:
            asked = client.collection(entity).undo(entity_id, request.version)
            result = await answer(server, f"{entity}/{entity_id}", asked, unknown)
        except ConnectionClosed:
            raise
        except RhtmxError as error:
            after = f"see what came after it with `rhtmx log {entity} {entity_id}`"
            raise explain(error, conflict=after) from None
    return show(result, output)
