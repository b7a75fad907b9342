"""The document that a server serves at `/api/schema`, as far as tools are made from it. Pure.

Knows where things stand in it. Must not know how it is fetched, nor tools.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = [
    "DeclaredField",
    "DeclaredMessage",
    "Node",
    "SchemaDocument",
    "extra_of",
    "read_document",
]

Node: TypeAlias = Mapping[str, Any]
"""A schema of JSON Schema, or a part of one."""

_EXTRA = "x-rhtmx"
_PREFIX = "#/$defs/"


@dataclass(frozen=True, slots=True)
class DeclaredField:
    """One field of an entity or a form.

    Attributes:
        key: what it is called in JSON.
        schema: what its value is.
        extra: what JSON Schema has no words for.
    """

    key: str
    schema: Node
    extra: Mapping[str, Any]

    @property
    def read_only(self) -> bool:
        """Only the server writes it."""
        return bool(self.extra.get("read_only"))

    @property
    def immutable(self) -> bool:
        """It is written when the record is created, and never again."""
        return bool(self.extra.get("immutable"))

    @property
    def secret(self) -> bool:
        """Tools do not show it."""
        return bool(self.extra.get("secret"))

    @property
    def filled_in(self) -> bool:
        """The server has a value for it where nobody says one."""
        return "default" in self.extra

    @property
    def merge(self) -> str:
        """How concurrent writes of it are merged; empty: as its entity says."""
        return str(self.extra.get("merge", ""))

    @property
    def oneof(self) -> str:
        """Of several fields of this name, one has a value; empty: it is none of such."""
        return str(self.extra.get("oneof", ""))

    @property
    def name(self) -> str:
        """What the schema calls it, and so its violations."""
        return str(self.extra.get("name", self.key))


@dataclass(frozen=True, slots=True)
class DeclaredMessage:
    """An entity or a form.

    Attributes:
        name: what clients call it.
        schema: its definition.
        fields: by their keys.
        extra: what JSON Schema has no words for.
    """

    name: str
    schema: Node
    fields: Mapping[str, DeclaredField]
    extra: Mapping[str, Any]

    @property
    def entity(self) -> Mapping[str, Any]:
        """What is declared of an entity."""
        found: Mapping[str, Any] = self.extra.get("entity", {})
        return found

    @property
    def whole(self) -> bool:
        """Its records are written as a whole only."""
        return bool(self.entity.get("whole"))

    @property
    def partitions(self) -> tuple[tuple[str, ...], ...]:
        """By which fields it is divided into parts."""
        return tuple(map(tuple, self.entity.get("partition", ())))


@dataclass(frozen=True, slots=True)
class SchemaDocument:
    """The schema of an application.

    Attributes:
        version: its version: writes are made under it.
        hash: its name; another schema has another one.
        entities: by name.
        forms: by name.
        definitions: what references lead to.
    """

    version: int
    hash: str
    entities: Mapping[str, DeclaredMessage]
    forms: Mapping[str, DeclaredMessage]
    definitions: Mapping[str, Node]

    def resolved(self, node: Node) -> Node:
        """What a reference leads to; anything else as it is."""
        reference = node.get("$ref")
        return node if reference is None else self.definitions[reference.removeprefix(_PREFIX)]


def extra_of(node: Node) -> Mapping[str, Any]:
    """What stands beside JSON Schema's own words."""
    found: Mapping[str, Any] = node.get(_EXTRA, {})
    return found


def read_document(text: bytes) -> SchemaDocument:
    """Read the document.

    Args:
        text: as the server sent it.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it is something else.
    """
    try:
        document = json.loads(text)
        about = document[_EXTRA]
        definitions = document["$defs"]
        entities, forms = (
            dict(_messages(about[word], definitions)) for word in ("entities", "forms")
        )
        return SchemaDocument(
            int(about["version"]), str(about["hash"]), entities, forms, definitions
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, "what is served there is not the schema of an rhtmx server"
        ) from None


def _messages(
    links: Mapping[str, Node], definitions: Mapping[str, Node]
) -> Iterator[tuple[str, DeclaredMessage]]:
    for name, link in links.items():
        schema = definitions[link["$ref"].removeprefix(_PREFIX)]
        fields = {
            key: DeclaredField(key, field, extra_of(field))
            for key, field in schema.get("properties", {}).items()
        }
        yield name, DeclaredMessage(name, schema, fields, extra_of(schema))
