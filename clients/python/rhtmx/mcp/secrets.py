"""What tools do not show: secret fields of the schema, wherever they are in a record. Pure.

Knows which fields these are. Must not know who is shown the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rhtmx.mcp.document import Node, SchemaDocument, extra_of
from rhtmx.values.json_value import Json

__all__ = ["without_secrets"]

_LISTS = ("anyOf", "oneOf", "allOf")


def without_secrets(value: Json, schema: Node, document: SchemaDocument) -> Json:
    """A value without what is secret in it.

    Args:
        value: a record, or a value in it.
        schema: what the document says of it.
        document: has the definitions.
    """
    nodes = list(_nodes(schema, document))
    if isinstance(value, Mapping):
        return {
            key: without_secrets(each, found, document)
            for key, each in value.items()
            if not extra_of(found := _property(nodes, key)).get("secret")
        }
    if isinstance(value, list):
        items: Any = next((each["items"] for each in nodes if "items" in each), {})
        return [without_secrets(each, items, document) for each in value]
    return value


def _nodes(schema: Node, document: SchemaDocument) -> Iterator[Node]:
    """A schema, and those that it consists of."""
    if "$ref" in schema:
        yield from _nodes(document.resolved(schema), document)
        return
    yield schema
    for name in _LISTS:
        for each in schema.get(name, ()):
            yield from _nodes(each, document)


def _property(nodes: list[Node], key: str) -> Node:
    found = [each["properties"][key] for each in nodes if key in each.get("properties", ())]
    found += [each.get("additionalProperties") for each in nodes]
    return next((each for each in found if isinstance(each, Mapping)), {})
