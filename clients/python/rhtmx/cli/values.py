"""From what was typed to values: positions, JSON, `field=value` pairs.

Knows how they are written. Must not know options, files or the client.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NoReturn

from rhtmx.cli.errors import USAGE, CommandError
from rhtmx.cli.text import cut
from rhtmx.core.where import WhereValues, where_of
from rhtmx.errors import RhtmxError
from rhtmx.messages import Position
from rhtmx.values.field_operations import Add, FieldOperation, Increment, Remove, operand_text
from rhtmx.values.form_value import File
from rhtmx.values.json_value import Json
from rhtmx.values.operations import decimals

__all__ = ["data", "form_values", "parse_json", "since", "time", "where"]

_MOST_SHOWN = 60
"""Columns of a wrong text that an error repeats."""

_PAIR = "field=value (a text) or field:=JSON expected"


def since(text: str) -> Position | int:
    """Read a position.

    Args:
        text: `0`, or `EPOCH:VERSION` as `rhtmx sync` prints it, with `@SCOPE` after the
            version where not all of the entity was read.

    Raises:
        CommandError: it is neither.
    """
    if text == "0":
        return 0
    epoch, colon, place = text.rpartition(":")
    version, _, scope = place.partition("@")
    if version.isascii() and version.isdigit() and len(version) < 17:
        if epoch:
            return Position(epoch=epoch, version=int(version), scope=scope or None)
        if not colon:
            raise _wrong(
                f"--since {text}: 0 or EPOCH:VERSION expected: a version alone does not say of "
                "which log it is (rhtmx sync prints both)"
            )
    raise _wrong(f"--since {text}: 0, or EPOCH:VERSION as rhtmx sync prints it, expected")


def time(text: str) -> datetime:
    """Read a time; one without a zone is of this machine's.

    Args:
        text: such as `2026-11-29T12:00`, `2026-11-29 12:00:01` or `2026-11-29T12:00:01Z`.

    Raises:
        CommandError: it is none.
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(
            f"--until {text}: a time expected, such as 2026-11-29T12:00 or 2026-11-29T12:00:01Z"
        ) from None


def parse_json(text: str, where: str) -> Json:
    """Read a JSON text as strictly as the server would.

    Args:
        text: the JSON text.
        where: where it comes from, for the error.

    Raises:
        CommandError: it is none; says in which line and column.
    """

    def unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        keys = [key for key, _ in pairs]
        if len(set(keys)) < len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise _wrong(f"{where}: the key {twice!r} is there twice: which one is meant?")
        return dict(pairs)

    def constant(name: str) -> NoReturn:
        raise _wrong(f"{where}: JSON has no {name}: use null, or a text")

    if not text.strip():
        raise _wrong(f"{where}: a JSON value expected, this is empty")
    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _wrong(f"{where}: not JSON at {place}: {error.msg.lower()}{_near(error)}") from None
    except (RecursionError, ValueError) as error:
        raise _wrong(f"{where}: JSON that is too deep or too large: {error}") from None


def _near(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos :].splitlines()
    return f", got {cut(rest[0], _MOST_SHOWN)}" if rest and rest[0] else ""


def data(arguments: Sequence[str]) -> Json:
    """Read what is to be written: one JSON text, or pairs.

    `field=text` gives a string, `field:=JSON` any JSON value. `field+=…` and `field-=…` are
    operations: on a number an increment, on a text, or a JSON list of several elements, an
    addition to a set or a removal.

    Example:
        >>> data(["title=Write it down", "done:=true"])
        {'title': 'Write it down', 'done': True}
        >>> data(["votes-=2", "labels+=urgent", "labels+=big"])
        {'votes': Increment(by=-2), 'labels': Add('urgent', 'big')}

    Raises:
        CommandError: it is neither.
    """
    if len(arguments) == 1 and not _is_pair(arguments[0]):
        return parse_json(arguments[0], "DATA")
    fields: dict[str, Json] = {}
    for argument in arguments:
        name, value = _split(argument)
        if name.endswith(":"):
            name = name[:-1]
            _new(name, fields, argument)
            fields[name] = parse_json(value, f"{name}:=")
        elif name.endswith(("+", "-")):
            _operate(fields, name, value, argument)
        else:
            _new(name, fields, argument)
            fields[name] = value
    return fields


def _operate(fields: dict[str, Json], word: str, text: str, argument: str) -> None:
    """Put an operation down, beside others on elements of the same set."""
    name, removes = word[:-1], word.endswith("-")
    operation: FieldOperation
    if decimals(text) is not None and not text.startswith("["):
        number = f"-{text}".removeprefix("--") if removes else text
        operation = Increment(number if "." in number else int(number))
    else:
        elements = parse_json(text, f"{word}=") if text.startswith("[") else [text]
        known = fields.get(name)
        if isinstance(known, Remove if removes else Add):
            elements = [*known.elements, *elements]
            del fields[name]
        operation = Remove(*elements) if removes else Add(*elements)
    _new(name, fields, argument)
    try:
        operand_text(operation, name, f"{word}=")
    except RhtmxError as error:
        raise _wrong(f"{argument!r}: {error.message}") from None
    fields[name] = operation


def where(pairs: Sequence[str]) -> WhereValues | None:
    """Read a part of an entity; `None`, if nothing is said of it.

    A field that is there several times may have any of the values.

    Args:
        pairs: `field=text`, or `field:=JSON` for other values.

    Example:
        >>> where(["customer=7", "customer=8", "open:=true"])
        {'customer': ['7', '8'], 'open': True}

    Raises:
        CommandError: one is no such pair, or no part of any entity.
    """
    found: dict[str, list[Json]] = {}
    for pair in pairs:
        name, text = _split(pair)
        value: Json = text
        if name.endswith(":"):
            name = name[:-1]
            value = parse_json(text, f"--where {name}:=")
        _named(name, pair)
        found.setdefault(name, []).extend(value if isinstance(value, list) else [value])
    try:
        where_of(found, "--where")
    except RhtmxError as error:
        raise _wrong(error.message) from None
    return {name: each[0] if len(each) == 1 else each for name, each in found.items()} or None


def form_values(
    arguments: Sequence[str], choose: Callable[[str], File]
) -> dict[str, list[str | File]]:
    """Read the values of a form: texts, and files that are chosen with `@`.

    A field may be there several times. A text that begins with `@` has one more.

    Args:
        arguments: the pairs.
        choose: looks at a file.

    Example:
        >>> form_values(["tags=red", "tags=blue", "handle=@@ada"], File)
        {'tags': ['red', 'blue'], 'handle': ['@ada']}

    Raises:
        CommandError: one is no `field=value`, or there is no such file.
    """
    values: dict[str, list[str | File]] = {}
    for argument in arguments:
        name, value = _split(argument)
        if name.endswith(":"):
            raise _wrong(f"{argument!r}: values of a form are texts: write {name[:-1]}={value}")
        _named(name, argument)
        values.setdefault(name, []).append(_form_value(value, argument, choose))
    return values


def _form_value(value: str, argument: str, choose: Callable[[str], File]) -> str | File:
    if not value.startswith("@"):
        return value
    if value.startswith("@@"):
        return value[1:]
    if value == "@":
        raise _wrong(f"{argument!r}: which file? (a text that begins with @: @@)")
    try:
        return choose(value[1:])
    except CommandError as error:
        raise _wrong(f"{argument!r}: {error.message} (a text that begins with @: @@)") from None


def _is_pair(argument: str) -> bool:
    """Whether one argument is a pair: it has a `=`, and does not begin as JSON does."""
    return "=" in argument and argument.lstrip()[0] not in '{["'


def _split(argument: str) -> tuple[str, str]:
    name, equals, value = argument.partition("=")
    if not equals:
        raise _wrong(f"{argument!r}: {_PAIR}; JSON is one argument, in quotes")
    return name, value


def _named(name: str, argument: str) -> None:
    if not name:
        raise _wrong(f"{argument!r}: the field's name is missing: {_PAIR}")


def _new(name: str, fields: Mapping[str, object], argument: str) -> None:
    _named(name, argument)
    if name in fields:
        raise _wrong(f"{argument!r}: the field {name!r} is there twice")


def _wrong(message: str) -> CommandError:
    return CommandError(message, USAGE)
