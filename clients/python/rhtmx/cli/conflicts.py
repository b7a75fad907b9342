"""The commands about conflicts: `conflicts`, `resolve`.

Knows their order of things. Must not know how a line looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import rhtmx
from rhtmx.api.open_conflict import OpenConflict
from rhtmx.cli import record_lines, records
from rhtmx.cli.connected import answer, connected
from rhtmx.cli.errors import FINE, REFUSED, CommandError, explain
from rhtmx.cli.following import until_enough
from rhtmx.cli.output import Output
from rhtmx.cli.requests import Conflicts, Resolve, Server
from rhtmx.cli.writing import show
from rhtmx.core.conflict_log import log_of
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.where import WhereValues
from rhtmx.errors import RhtmxError
from rhtmx.values.results import FieldPushResult, PushResult

__all__ = ["conflicts", "resolve"]


async def conflicts(server: Server, request: Conflicts, output: Output) -> int:
    """Print the open conflicts of an entity; go on, if that was asked for.

    Returns:
        The exit code.

    Raises:
        CommandError: they cannot be read, or there was no answer in time.
        BrokenPipeError: nobody reads any more.
        ConnectionClosed: there is no connection, and there will be none.
    """
    async with connected(server, output) as client:
        try:
            if not request.follow:
                open_ones = await _open_ones(client, server, request.entity, request.where)
                for each in open_ones:
                    _print(each, output)
                if not open_ones:
                    output.note("no open conflicts")
                return FINE
            output.note(f"following the conflicts of {request.entity} on '{server.shown}'")
            await until_enough(output, asyncio.Event(), _follow(client, request, output))
        except ConnectionClosed:
            raise
        except RhtmxError as error:
            raise explain(error, request.entity) from None
    return FINE


async def _open_ones(
    client: rhtmx.Client, server: Server, entity: str, where: WhereValues | None
) -> tuple[OpenConflict, ...]:
    """All that are open now."""
    async with client.collection(log_of(entity), where=where) as log:
        await answer(server, entity, log.synced(), "try again, or raise --timeout")
        async for open_ones in client.collection(entity, where=where).conflicts():
            return open_ones
    return ()


async def _follow(client: rhtmx.Client, request: Conflicts, output: Output) -> None:
    shown: dict[tuple[str, int | None], OpenConflict] = {}
    async for open_ones in client.collection(request.entity, where=request.where).conflicts():
        now = {(each.entity_id, each.number): each for each in open_ones}
        for gone in [each for name, each in shown.items() if name not in now]:
            _print_answered(gone, output)
        for new in [each for name, each in now.items() if name not in shown]:
            _print(new, output)
        shown = now


async def resolve(server: Server, request: Resolve, output: Output) -> int:
    """Answer a conflict, and print what came of it.

    Returns:
        The exit code.

    Raises:
        CommandError: there is no such conflict, somebody else was faster, it was refused
            otherwise, or there was no answer in time.
        ConnectionClosed: there is no connection, and there will be none.
    """
    entity, entity_id = request.entity, request.entity_id
    what = f"{entity}/{entity_id}  conflict {request.number}"
    unknown = f"it may or may not be answered: check with `rhtmx conflicts {entity}`"
    async with connected(server, output) as client:
        try:
            conflict = _found(await _open_ones(client, server, entity, None), request)
            result = await answer(server, what, _answer(conflict, request), unknown)
        except ConnectionClosed:
            raise
        except RhtmxError as error:
            raise explain(error, what, conflict="") from None
    if result is None:
        _print_answered(conflict, output)
        return FINE
    return show(result, output)


def _found(open_ones: Iterable[OpenConflict], request: Resolve) -> OpenConflict:
    for each in open_ones:
        if (each.entity_id, each.number) == (request.entity_id, request.number):
            return each
    raise CommandError(
        f"{request.entity}/{request.entity_id} has no open conflict {request.number}: it is "
        f"answered, or there was none (rhtmx conflicts {request.entity} lists those that are open)",
        REFUSED,
    )


async def _answer(conflict: OpenConflict, request: Resolve) -> PushResult | FieldPushResult | None:
    match request.side:
        case "lost":
            return await conflict.keep_lost()
        case "standing":
            return await conflict.keep_standing()
        case None:
            return await conflict.merge(request.value)


def _print(conflict: OpenConflict, output: Output) -> None:
    if output.json:
        output.record(records.conflict(conflict))
    else:
        output.line(record_lines.conflict(conflict, output.paint))


def _print_answered(conflict: OpenConflict, output: Output) -> None:
    if output.json:
        output.record(records.answered(conflict))
    else:
        output.line(record_lines.answered(conflict, output.paint))
