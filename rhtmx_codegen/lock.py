"""The lock: what every version of a schema was, as a text that can be merged.

Knows the file's form, and which keys of older versions are which of today's. Must not know the
disk, nor which change is one too many (`breaking` does).

It has a line for each field and each word of an enum, so that two branches that add to a schema
are merged by git. After a conflict either side will do: `rhtmx codegen` writes it anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, TypeAlias

from rhtmx_codegen.model import Rename, Schema
from rhtmx_codegen.problems import Location, Problem, SchemaError
from rhtmx_codegen.snapshot import Snapshot, hash_of, snapshot

__all__ = ["NO_LOCK", "Lock", "read_lock", "renames", "with_version", "write_lock"]

_FORMAT = 1
_FLAT = ("fields", "words")
"""What has a line for each entry of it; all else that is inside is in one line."""

Lock: TypeAlias = Mapping[int, Snapshot]
"""Version → what it was."""

NO_LOCK: Lock = {}
"""Of a schema that was never locked."""


def read_lock(text: str | bytes, name: str = "schema.lock") -> Lock:
    """Read a lock.

    Args:
        text: the file.
        name: what to call it in errors.

    Raises:
        SchemaError: it is none, or is of a later version of `rhtmx`.
    """
    try:
        found = json.loads(text)
        if found["format"] != _FORMAT:
            raise SchemaError(
                [Problem(Location(name), "a newer rhtmx has written it: install that one")]
            )
        versions: dict[int, Snapshot] = {int(key): each for key, each in found["versions"].items()}
        for each in versions.values():
            _require_parts(each)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        words = (
            "it is no lock of a schema: take the one that was committed last (after a merge either "
            "side), and run `rhtmx codegen` again"
        )
        raise SchemaError([Problem(Location(name, line), words)]) from None
    return versions


def _require_parts(version: Snapshot) -> None:
    """Fail with one of the usual errors where something is missing."""
    for message in version["messages"].values():
        _require(str, message.get("entity", ""), message.get("form", ""))
        _require(dict, message.get("rules", {}))
        for number, field in message["fields"].items():
            int(number)
            _require(str, field["name"], field["key"], field["type"])
            _require(dict, field.get("rules", {}))
    for enum in version["enums"].values():
        _require(int, *enum["words"].values())


def _require(kind: type, *values: Any) -> None:
    for each in values:
        if not isinstance(each, kind):
            raise TypeError(each)


def with_version(lock: Lock, schema: Schema) -> Lock:
    """The lock with what the schema is now, in the place of what it had of this version."""
    now = {"hash": hash_of(schema), **snapshot(schema)}
    return dict(sorted({**lock, schema.version: now}.items()))


def write_lock(lock: Lock) -> str:
    """The lock as a text; the same lock is always the same text."""
    versions = [f"    {json.dumps(str(key))}: {_version(each)}" for key, each in lock.items()]
    return (
        "{\n"
        f'  "format": {_FORMAT},\n'
        '  "about": "Every version of the schema, by `rhtmx codegen`. Commit it.",\n'
        '  "versions": {\n' + ",\n".join(versions) + "\n  }\n}\n"
    )


def _version(version: Snapshot) -> str:
    return _block(
        {
            "hash": json.dumps(version.get("hash", "")),
            "messages": _block({k: _type(v, 10) for k, v in version["messages"].items()}, 8),
            "enums": _block({k: _type(v, 10) for k, v in version["enums"].items()}, 8),
        },
        6,
    )


def _type(each: Mapping[str, Any], indent: int) -> str:
    lines = {}
    for key, value in each.items():
        if key in _FLAT:
            inner = {name: _line(entry) for name, entry in value.items()}
            lines[key] = _block(inner, indent + 2)
        else:
            lines[key] = _line(value)
    return _block(lines, indent)


def _block(entries: Mapping[str, str], indent: int) -> str:
    if not entries:
        return "{}"
    space = " " * indent
    lines = ",\n".join(f"{space}{json.dumps(key)}: {text}" for key, text in entries.items())
    return f"{{\n{lines}\n{space[:-2]}}}"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def renames(lock: Lock, schema: Schema) -> tuple[Rename, ...]:
    """The keys that have had another name in an older version, step by step.

    A field is known by its number. One that was gone in a version between, or has another type, is
    another field. Each version says only what it calls otherwise than the one before it: what the
    program says of older writes comes in between, and knows the keys of its own version.

    Args:
        lock: with the older versions.
        schema: of today.

    Returns:
        For each version but the first, how each key that it has renamed was called before.
    """
    older = [(key, each) for key, each in sorted(lock.items()) if key < schema.version]
    chain = [*older, (schema.version, snapshot(schema))]
    return tuple(
        sorted(
            found
            for (_, before), (version, after) in pairwise(chain)
            for found in _between(before, version, after)
        )
    )


def _between(before: Snapshot, version: int, after: Snapshot) -> Iterator[Rename]:
    """What a version has renamed."""
    now = _entities(after)
    for entity, fields in _entities(before).items():
        for number, field in fields.items():
            same = now.get(entity, {}).get(number)
            if same is None or same["type"] != field["type"]:
                continue
            if same["key"] != field["key"]:
                yield Rename(version, entity, field["key"], same["key"])


def _entities(version: Snapshot) -> dict[str, Mapping[str, Any]]:
    """The fields of each entity, by its name and their number."""
    return {
        message["entity"]: message["fields"]
        for message in version["messages"].values()
        if "entity" in message
    }
