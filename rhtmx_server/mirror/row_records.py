"""From a row to the record that is made of it, as JSON.

Pure. Knows rows, and how a program says what becomes of one. Must not know databases, nor who
reads the record.

=======================  ===============================================================
a value of the database  in JSON
=======================  ===============================================================
integer, float, boolean  a number, `true`, `false`
text, UUID, enum         a string; an enum by its value
network address          a string, `"10.0.0.1/8"`
decimal                  a string, `"12.50"`: a number would lose digits in JavaScript
date, time, timestamp    a string of RFC 3339; without an offset, if the value has none
interval                 a string of ISO 8601, `"P1DT7200S"`
bytes                    a string in base64
JSON                     as it is
array                    a list of such values
NULL                     `null`
=======================  ===============================================================
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, TypeAlias

import msgspec

from rhtmx.errors import RhtmxError
from rhtmx_server.failures import place
from rhtmx_server.functions import name_of, require_one_argument
from rhtmx_server.mirror.host import HostRow, MirrorSetupError
from rhtmx_server.names import suggestion
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.calls import CheckJson, encode_value

__all__ = [
    "Normalize",
    "RowFields",
    "RowToRecord",
    "columns_of",
    "made_of",
    "record_maker",
    "require_columns",
]

_ADDRESSES = IPv4Address | IPv6Address | IPv4Network | IPv6Network
"""What a column of addresses has; an interface is an address, too."""

RowFields: TypeAlias = Sequence[str] | Mapping[str, str] | Callable[[HostRow], Any]
"""What becomes of a row: the columns that are fields; the column of each field; or a function that
takes the row and returns the record, or `None` for a row that is shown to nobody."""

RowToRecord: TypeAlias = Callable[[HostRow], Any]
"""Makes the record of a row; `None` if there is none."""

Normalize: TypeAlias = Callable[[Mapping[str, Any], Collection[str]], Mapping[str, Any]]
"""What a schema has kept in the place of texts that are not normalised; see `Entity`."""


def record_maker(entity: str, fields: RowFields) -> RowToRecord:
    """What makes records as a program has said.

    Args:
        entity: the collection, for errors.
        fields: what the program said.

    Raises:
        TypeError: it is something else.
        ValueError: it names no column.

    Example:
        >>> record_maker("orders", {"name": "title"})({"id": 7, "title": "Tea", "cost": 3})
        {'name': 'Tea'}
    """
    where = f"app.mirror({entity[:40]!r}): fields"
    if callable(fields):
        require_one_argument(fields, f"{where}: {name_of(fields)}", "(row)")
        return fields
    if isinstance(fields, str) or not isinstance(fields, Sequence | Mapping):
        raise TypeError(f"{where}: a list of columns, a dict or a function expected: {fields!r}")
    columns = dict(fields if isinstance(fields, Mapping) else zip(fields, fields, strict=True))
    if not columns:
        raise ValueError(f"{where}: at least one column expected")
    if not all(isinstance(each, str) for pair in columns.items() for each in pair):
        raise TypeError(f"{where}: names of columns expected, got {fields!r}")
    return lambda row: {field: _plain(row[column]) for field, column in columns.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):  # an array may be one of addresses, of several dimensions
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, _ADDRESSES) else value


def columns_of(fields: RowFields) -> Collection[str] | None:
    """The columns of which records are made; `None` where a function may look at any.

    Example:
        >>> columns_of({"name": "title"})
        {'title'}
    """
    if callable(fields):
        return None
    return set(fields.values() if isinstance(fields, Mapping) else fields)


def require_columns(entity: str, fields: RowFields, columns: Collection[str]) -> None:
    """Make sure that a table has the columns that are named.

    Args:
        entity: the collection, for errors.
        fields: what the program said.
        columns: those that there are.

    Raises:
        MirrorSetupError: it lacks one.
    """
    for column in sorted(columns_of(fields) or ()):
        if column not in columns:
            raise MirrorSetupError(
                f"app.mirror({entity[:40]!r}): the table has no column {column!r}"
                f"{suggestion(column, columns)}"
            )


def made_of(
    row: HostRow, make: RowToRecord, check: CheckJson, normalize: Normalize | None = None
) -> bytes | str | None:
    """The record of a row.

    Args:
        row: the row.
        make: makes the record.
        check: the wire's check of JSON texts.
        normalize: what is kept in the place of texts that are not normalised.

    Returns:
        JSON; `None` for none; or words that say why it cannot be made: without values of the row,
        as they are for the log.
    """
    try:
        record = make(row)
    except Exception as failure:  # the program's own
        return f"the function for its rows failed: {place(failure)}"
    if record is None:
        return None
    try:
        data = encode_value(record, "row", check)
    except RhtmxError as error:
        return error.message
    return data if normalize is None else _normalized(data, normalize)


def _normalized(data: bytes | None, normalize: Normalize) -> bytes | None:
    """A record as it is kept: else it would differ from its row for ever."""
    if data is None or not jsontext.is_object(data):
        return data
    record = msgspec.json.decode(data)
    others = normalize(record, record.keys())
    texts = {name: msgspec.Raw(msgspec.json.encode(each)) for name, each in others.items()}
    return jsontext.join({**jsontext.split(data), **texts}) if texts else data
