"""The command that judges what is there: `check`.

Knows where a schema is found, and the order of things. Must not know how a rule is judged, nor
how a line looks.

After a rule has become tighter the server starts all the same, and old records stay as they are
until somebody writes what the rule reads: this finds them before.
"""

from __future__ import annotations

import difflib
import importlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rhtmx.api.client import Client
from rhtmx.cli import lines, records
from rhtmx.cli.connected import answer, connected
from rhtmx.cli.errors import FINE, REFUSED, USAGE, CommandError, explain
from rhtmx.cli.output import Output
from rhtmx.cli.requests import Check, Server
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import RhtmxError, Violation
from rhtmx.schema.declared import Entity, Schema
from rhtmx.schema.judge import judge
from rhtmx.values.json_value import Json

__all__ = ["broken_rules", "check", "load_schema"]


async def check(server: Server, request: Check, output: Output) -> int:
    """Print each rule that a record breaks, of some entities or all.

    Returns:
        The exit code.

    Raises:
        CommandError: there is no such schema or entity, it cannot be read, or there was no
            answer in time.
        BrokenPipeError: nobody reads any more.
        ConnectionClosed: there is no connection, and there will be none.
    """
    schema = load_schema(request.schema, Path.cwd())
    entities = _entities(schema, request)
    read = broken = 0
    async with connected(server, output, patient=False) as client:
        for entity in entities:
            try:
                all_of_it, wrong = await _check(client, server, entity, output)
            except ConnectionClosed:
                raise
            except RhtmxError as error:
                raise explain(error, entity.name) from None
            read, broken = read + all_of_it, broken + wrong
    output.note(f"{broken} of {read} records break a rule")
    return REFUSED if broken else FINE


async def _check(
    client: Client, server: Server, entity: Entity[Any], output: Output
) -> tuple[int, int]:
    """Judge the records of an entity; returns how many there are, and how many break a rule."""
    asked = client.sync(entity.name)
    result = await answer(server, entity.name, asked, "try again, or raise --timeout")
    there = [each for each in result.changes if each.action != "delete"]
    now, wrong = time.time_ns(), 0
    for each in there:
        found = broken_rules(entity, each.data, now)
        wrong += bool(found)
        for violation in found:
            if output.json:
                output.record(records.violation(each, violation))
            else:
                output.line(lines.violation(each, violation, output.paint))
    return len(there), wrong


def broken_rules(entity: Entity[Any], data: Json, now: int) -> Sequence[Violation]:
    """The rules that a record breaks, as far as whoever reads it can tell.

    Args:
        entity: what is declared of it.
        data: the record.
        now: nanoseconds since 1970.
    """
    if not isinstance(data, Mapping):
        return [Violation("", "type", "must be an object")]
    # What only the server sees is not here, and may be as it should.
    seen = [each.name for each in entity.rules.fields if not each.server_only or each.key in data]
    return judge(entity.rules, data, changed=seen, now=now)


def _entities(schema: Schema, request: Check) -> list[Entity[Any]]:
    if not request.entities:
        return list(schema.entities.values())
    for name in request.entities:
        if name not in schema.entities:
            close = difflib.get_close_matches(name, schema.entities) or list(schema.entities)
            hint = f": did you mean {close[0]}?" if close else ""
            raise CommandError(f"--entity {name}: not in {request.schema}{hint}", USAGE)
    return [schema.entities[name] for name in request.entities]


def load_schema(name: str, folder: Path) -> Schema:
    """Import a generated package, and take its schema.

    Args:
        name: how it is imported, such as `app_schema` or `shop.schema`.
        folder: where it is looked for first.

    Raises:
        CommandError: there is no such package, it cannot be imported, or it has no schema.
    """
    if not all(part.isidentifier() for part in name.split(".")):
        raise CommandError(
            f"{name}: the package that `rhtmx codegen --python` has made expected, such as "
            "app_schema",
            USAGE,
        )
    with _found_in(folder):
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as missing:
            if missing.name and name.startswith(missing.name):
                raise CommandError(
                    f"no package {name!r} in {folder}, or installed", USAGE
                ) from None
            raise CommandError(f"{name}: {missing}", USAGE) from None
        except Exception as error:  # whatever the package does when it is imported
            kind = type(error).__name__
            raise CommandError(f"{name}: it cannot be imported: {kind}: {error}", USAGE) from None
    schema = getattr(module, "schema", None)
    if not isinstance(schema, Schema):
        raise CommandError(f"{name}: it has no `schema` that `rhtmx codegen` has made", USAGE)
    return schema


@contextmanager
def _found_in(folder: Path) -> Iterator[None]:
    """Have modules be looked for in a folder first."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
