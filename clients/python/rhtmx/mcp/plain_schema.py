"""The JSON Schema of a field as an assistant reads it: without `x-rhtmx`, and strict. Pure.

Knows what stands in the document of a server. Must not know tools.

What `x-rhtmx` says is said in the description. A message has no other keys than those that the
schema knows, so that a name that is misspelt is not stored as a new one. Of an enum only its words
are offered: the numbers mean the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rhtmx.mcp.document import Node, SchemaDocument, extra_of

__all__ = ["plain", "reachable", "said_of_rules"]

_SKIPPED = ("x-rhtmx", "readOnly")
_NODES = ("items", "additionalProperties", "propertyNames", "not")
_LISTS = ("anyOf", "oneOf", "allOf")
_OPEN = ["string", "integer"]
"""The type of what an open enum takes beside its words."""

_KINDS: Mapping[str, str] = {
    "timestamp": "A time with its zone, such as 2026-11-29T15:00:00Z.",
    "duration": 'Seconds, such as "1.500s".',
    "bytes": "Base64.",
}
_SOURCES: Mapping[str, str] = {
    "now": "the time",
    "subject": "who writes",
    "uuid7": "a new id",
}


def plain(node: Any) -> Any:
    """A schema without what only programs of rhtmx read.

    Args:
        node: it, as the server's document has it.

    Example:
        >>> plain({"type": "string", "x-rhtmx": {"rules": [{"id": "string.uri"}]}})
        {'type': 'string', 'description': 'Rule: string.uri.'}
    """
    if not isinstance(node, Mapping):
        return node
    made = {key: _inner(key, value) for key, value in node.items() if key not in _SKIPPED}
    if "enum" in made:
        made["enum"] = _words(made["enum"])
    if "anyOf" in made:
        made["anyOf"] = _closed(made["anyOf"])
        if len(made) == 1 and len(made["anyOf"]) == 1:
            made = dict(made["anyOf"][0])
    if made.get("additionalProperties") is True:
        made["additionalProperties"] = False
    if said := " ".join([*_described(node), *_notes(extra_of(node))]):
        made["description"] = said
    return made


def _inner(key: str, value: Any) -> Any:
    if key in _NODES:
        return plain(value)
    if key in _LISTS:
        return [plain(each) for each in value]
    if key == "properties":
        return {name: plain(each) for name, each in value.items()}
    return value


def _words(values: Iterable[Any]) -> list[Any]:
    listed = list(values)
    if not any(isinstance(each, str) for each in listed):
        return listed
    return [each for each in listed if not isinstance(each, int) or isinstance(each, bool)]


def _closed(branches: list[Any]) -> list[Any]:
    """The branches of an enum without the one for words and numbers that nobody knows."""
    if not branches or "enum" not in branches[0]:
        return branches
    words = [each for each in branches if each.get("type") != _OPEN]
    if {"type": "null"} in words and words[0].keys() == {"enum"}:
        return [{"enum": [*words[0]["enum"], None]}]
    return words


def _described(node: Node) -> Iterator[str]:
    if title := node.get("title"):
        yield f"{title}."
    if comment := node.get("description"):
        yield str(comment)


def _notes(extra: Mapping[str, Any]) -> Iterator[str]:
    """What `x-rhtmx` says, in words."""
    if help_ := extra.get("help"):
        yield str(help_)
    if words := _KINDS.get(extra.get("kind", "")):
        yield words
    if scale := extra.get("scale"):
        yield f'A decimal number as text, with {scale} decimals, such as "{0:.{scale}f}".'
    if oneof := extra.get("oneof"):
        yield f"One of the fields of '{oneof}': to set it takes the others away."
    if extra.get("immutable"):
        yield "Written when the record is created, and never again."
    if source := extra.get("default", {}).get("source"):
        yield f"If it is left out: {_SOURCES.get(source, source)}, as the server says."
    if extra.get("secret"):
        yield "A secret: it can be written, and is never shown here."
    yield from said_of_rules(extra.get("rules", ()))


def said_of_rules(rules: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The rules that JSON Schema cannot say, a sentence each.

    Args:
        rules: as `x-rhtmx` lists them.

    Example:
        >>> list(said_of_rules([{"id": "bytes.max_len", "value": 4}, {"id": "a", "message": "b"}]))
        ['Rule: bytes.max_len 4.', 'Rule: b (a).']
    """
    for rule in rules:
        about = f" ({', '.join(rule['reads'])})" if rule.get("reads") else ""
        if words := rule.get("message"):
            yield f"Rule{about}: {words} ({rule['id']})."
        elif "value" in rule:
            yield f"Rule{about}: {rule['id']} {json.dumps(rule['value'], ensure_ascii=False)}."
        else:
            yield f"Rule{about}: {rule['id']}."


def reachable(schema: Any, document: SchemaDocument) -> dict[str, Any]:
    """The definitions that a schema leads to, as `plain` makes them.

    Args:
        schema: made by `plain`.
        document: has the definitions.
    """
    found: dict[str, Any] = {}
    ahead = [schema]
    while ahead:
        for reference in _references(ahead.pop()):
            name = reference.rpartition("/")[2]
            if name not in found:
                found[name] = plain(document.resolved({"$ref": reference}))
                ahead.append(found[name])
    return dict(sorted(found.items()))


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _references(each)
    elif isinstance(node, Mapping):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
