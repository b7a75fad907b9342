"""What a version calls otherwise, and no code translates: it takes a function of the program.

Knows which names of older versions are no more: those of entities, of keys within a message that
is a value, and words of enums. Must not know the disk, nor what is done about a write that has one.

A name that is gone with its number is none of these: the record keeps it, as what nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from rhtmx_codegen.lock import Lock
from rhtmx_codegen.model import Retired, Schema
from rhtmx_codegen.snapshot import Snapshot, snapshot

__all__ = ["retired"]

_EACH = ""
_TYPE = re.compile(r"(?P<many>repeated |map<[^,]*, )?(?P<one>[^>]*)>?")


def retired(lock: Lock, schema: Schema) -> tuple[Retired, ...]:
    """The names that are no more, version by version.

    Args:
        lock: with the older versions.
        schema: of today.
    """
    older = [(key, each) for key, each in sorted(lock.items()) if key < schema.version]
    chain = [*older, (schema.version, snapshot(schema))]
    return tuple(
        found
        for (_, before), (version, after) in pairwise(chain)
        for found in _between(before, version, after)
    )


def _between(before: Snapshot, version: int, after: Snapshot) -> Iterator[Retired]:
    names = {entity: name for name, entity in _entities(after)}
    for old, entity in _entities(before):
        if entity not in names:
            yield Retired(version, entity)
            continue
        fields = before["messages"][old]["fields"], after["messages"][names[entity]]["fields"]
        for one, other in _same(*fields):
            # What it is called at the top is translated: it has its new key by then.
            walk = _Walk(before, after, version, entity)
            yield from walk.value(one["type"], (other["key"],), ())


def _entities(version: Snapshot) -> Iterator[tuple[str, str]]:
    for name, message in version["messages"].items():
        if "entity" in message:
            yield name, message["entity"]


def _same(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The fields that both have: one of another type is another field."""
    for number, field in before.items():
        other = after.get(number)
        if other is not None and other["type"] == field["type"]:
            yield field, other


class _Walk:
    """Through the values of one entity, from one version to the next."""

    def __init__(self, before: Snapshot, after: Snapshot, version: int, entity: str) -> None:
        self._before, self._after = before, after
        self._version, self._entity = version, entity

    def value(
        self, spelt: str, path: tuple[str, ...], within: tuple[str, ...]
    ) -> Iterator[Retired]:
        """What is no more in a value.

        Args:
            spelt: its type, as a snapshot has it.
            path: leads to it.
            within: the messages around it: what is within itself is looked at once.
        """
        found = _TYPE.fullmatch(spelt)
        assert found is not None
        name, path = found["one"], (*path, _EACH) if found["many"] else path
        if name in self._before["enums"]:
            for word in self._words(name):
                yield Retired(self._version, self._entity, path, word)
        elif name in self._before["messages"] and name not in within:
            yield from self._message(name, path, (*within, name))

    def _message(
        self, name: str, path: tuple[str, ...], within: tuple[str, ...]
    ) -> Iterator[Retired]:
        after = self._after["messages"].get(name)
        if after is None:
            return
        for one, other in _same(self._before["messages"][name]["fields"], after["fields"]):
            if one["key"] != other["key"]:
                yield Retired(self._version, self._entity, (*path, one["key"]))
            yield from self.value(one["type"], (*path, one["key"]), within)

    def _words(self, name: str) -> Iterator[str]:
        after = self._after["enums"].get(name)
        if after is None:
            return
        for word, number in self._before["enums"][name]["words"].items():
            if word not in after["words"] and number in after["words"].values():
                yield word
