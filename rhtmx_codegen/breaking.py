"""Finds the changes of a schema that clients of the same version could tell.

Knows which change is free, and what to do about each that is not. Must not know the disk, nor how
writes of older clients are up-cast.

Free are: a new field, message, enum, word or rule; another name of a field that keeps its key; a
field or a word that goes and is `reserved`; a rule that allows more. Not free are those after which
a client that was not generated anew writes what would be refused, or be taken for something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rhtmx_codegen.lock import Lock
from rhtmx_codegen.model import Schema
from rhtmx_codegen.problems import Location, Problem
from rhtmx_codegen.reserved import Reserved
from rhtmx_codegen.snapshot import Snapshot, snapshot
from rhtmx_codegen.tighter import tighter

__all__ = ["breaking"]

_OF_ENTITY = {
    "entity": "is the entity",
    "form": "is the form",
    "whole": "is written as a whole",
    "merge": "is merged",
    "partition": "is divided by",
}
_NARROWING = ("read_only", "server_only", "immutable")


def breaking(lock: Lock, schema: Schema) -> Iterator[Problem]:
    """Compare a schema with what the lock says of the same version.

    Args:
        lock: what the versions were.
        schema: of today.

    Yields:
        Each change that needs a higher version, with its place and what to do.
    """
    if not lock:
        return
    latest = max(lock)
    if schema.version < latest:
        yield Problem(
            Location(schema.files[0]),
            f"this is version {schema.version}, and the lock has version {latest}: a version never "
            f"goes back; say (rhtmx.v1.schema).version = {latest}",
        )
    elif schema.version == latest:
        compared = _Comparison(lock[latest], schema)
        yield from sorted(set(compared.problems()))


class _Comparison:
    """Two states of one version."""

    def __init__(self, before: Snapshot, schema: Schema) -> None:
        self._before = before
        self._after = snapshot(schema)
        self._schema = schema
        self._reserved = Reserved(schema.descriptors)
        raised = schema.version + 1
        self._raise = (
            f"raise (rhtmx.v1.schema).version to {raised}, and say with @app.upcast what becomes "
            "of older writes"
        )
        self._raise_only = f"raise (rhtmx.v1.schema).version to {raised}"
        self._raise_and_refuse = (
            f"{self._raise_only}: older writes of it are then refused with upgrade_required, and "
            "their clients keep them"
        )

    def problems(self) -> Iterator[Problem]:
        """All that is different and is not free."""
        for name, before in self._before["messages"].items():
            after = self._after["messages"].get(name)
            if after is not None:
                yield from self._message(name, before, after)
            elif "entity" in before or "form" in before:
                what = "entity" if "entity" in before else "form"
                instead = self._raise_and_refuse if what == "entity" else self._raise_only
                yield Problem(
                    Location(self._schema.files[0]),
                    f"{what} {before[what]!r} (message {name}) is gone, and clients use it: "
                    f"{instead}",
                )
        for name, before in self._before["enums"].items():
            after = self._after["enums"].get(name)
            if after is not None:
                yield from self._enum(name, before["words"], after["words"])

    def _message(
        self, name: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Iterator[Problem]:
        place, short = self._schema.messages[name].location, self._schema.messages[name].name
        for key, words in _OF_ENTITY.items():
            if key in before or key in after:
                one, other = before.get(key), after.get(key)
                added = key in ("entity", "form") and one is None
                if one != other and not added:
                    yield Problem(
                        place,
                        f"{short} {words} {_show(other)}, and was {_show(one)}: "
                        f"{self._about_message(key)}",
                    )
        for words in tighter(before.get("rules", {}), after.get("rules", {})):
            yield Problem(place, f"{short}: {words}: {self._raise}")
        for number, field in before["fields"].items():
            if number in after["fields"]:
                yield from self._field(name, number, field, after["fields"][number])
            else:
                yield from self._removed(name, number, field, after["fields"])

    def _about_message(self, key: str) -> str:
        """What to do about another name of an entity or a form, or another option of it."""
        if key == "entity":
            return self._raise_and_refuse
        return self._raise_only if key == "form" else self._raise

    def _field(
        self, message: str, number: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Iterator[Problem]:
        place = self._place(message, int(number))
        what = f"field {after['name']} of {self._schema.messages[message].name}"
        if before["type"] != after["type"]:
            yield Problem(
                place,
                f"{what} (number {number}) is {after['type']}, and was {before['type']}: take a "
                f"number that was never used, or {self._raise}",
            )
        if before["key"] != after["key"]:
            yield Problem(
                place,
                f"{what} has the key {after['key']!r}, and had {before['key']!r}: keep it with "
                f'[json_name = "{before["key"]}"], or {self._upcast_by_code(message)}',
            )
        for key in ("merge", "scale", "oneof", "normalize"):
            if before.get(key) != after.get(key):
                yield Problem(
                    place,
                    f"{what}: {key} is {_show(after.get(key))}, and was {_show(before.get(key))}: "
                    f"{self._raise}",
                )
        for key in _NARROWING:
            if after.get(key) and not before.get(key):
                yield Problem(place, f"{what} is {key}, and clients have written it: {self._raise}")
        for words in tighter(before.get("rules", {}), after.get("rules", {})):
            yield Problem(place, f"{what}: {words}: {self._raise}")

    def _upcast_by_code(self, message: str) -> str:
        """What to do about another key: only those of entities themselves are queued as keys."""
        if "entity" not in self._after["messages"][message]:
            return self._raise
        return f"{self._raise_only}: older writes are then up-cast by the generated code"

    def _removed(
        self, message: str, number: str, field: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Iterator[Problem]:
        found = self._schema.messages[message]
        moved = next((n for n, each in after.items() if each["key"] == field["key"]), None)
        if moved is not None:
            yield Problem(
                self._place(message, int(moved)),
                f"field {after[moved]['name']} of {found.name} has number {moved}, and had "
                f"{number}: a number means one field for ever; put it back",
            )
            return
        missing = self._reserved.missing(message, int(number), field["name"])
        if missing:
            yield Problem(
                found.location,
                f"field {field['name']} of {found.name} is gone: write `reserved {missing};`, so "
                "that nobody takes it again for something else",
            )

    def _enum(
        self, name: str, before: Mapping[str, int], after: Mapping[str, int]
    ) -> Iterator[Problem]:
        found = self._schema.enums[name]
        numbers = {number: word for word, number in after.items()}
        for word, number in before.items():
            if after.get(word) == number:
                continue
            place = next((v.location for v in found.values if v.number == number), found.location)
            if word in after:
                place = next(v.location for v in found.values if v.word == word)
                yield Problem(
                    place,
                    f"{word!r} of {found.name} has number {after[word]}, and had {number}: a "
                    "number means one word for ever; put it back",
                )
            elif number in numbers:
                yield Problem(
                    place,
                    f"number {number} of {found.name} is {numbers[number]!r}, and was {word!r}: "
                    f'keep the word with [(rhtmx.v1.word) = "{word}"], or {self._raise}',
                )
            elif missing := self._reserved.missing(name, number, ""):
                yield Problem(
                    place,
                    f"{word!r} of {found.name} is gone: write `reserved {missing};`, so that "
                    "nobody takes it again for something else",
                )

    def _place(self, message: str, number: int) -> Location:
        fields = self._schema.messages[message].fields
        return next(field.location for field in fields if field.number == number)


def _show(value: Any) -> str:
    if value is None:
        return "not said"
    if isinstance(value, list):
        return "; ".join(",".join(map(str, e)) if isinstance(e, list) else str(e) for e in value)
    return str(value)
