"""The keys that fields have in JSON, and which of them cannot be told apart.

Knows how compilers write `json_name`. Must not know rules, nor a pool: protobuf's own library
does not open files in which a key is there twice, and does not say where.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rhtmx_codegen.places import Places
from rhtmx_codegen.problems import Problem
from rhtmx_codegen.words import camel

__all__ = ["key_of", "key_problems"]

_FILE_MESSAGE, _FIELD, _NESTED, _JSON_NAME = 4, 2, 3, 10


def key_of(node: Any, places: Places, path: tuple[int, ...]) -> str:
    """The key of a field in JSON: its name, or the `json_name` that is written.

    Compilers fill in a `json_name` in lowerCamelCase where none is written. The source information
    tells which it is; without it, one that is just what they fill in is taken for that.

    Args:
        node: the field, a `FieldDescriptorProto`.
        places: of its file.
        path: the field's path in that.
    """
    written = places.has(*path, _JSON_NAME)
    if written is None:
        written = node.json_name != camel(node.name)
    return str(node.json_name if written and node.json_name else node.name)


def key_problems(file: Any) -> Iterator[Problem]:
    """Find the fields of a file whose key is another field's key, or its name.

    Args:
        file: a `FileDescriptorProto`.

    Yields:
        Each problem with its place.
    """
    places = Places(file)
    for index, node in enumerate(file.message_type):
        yield from _of_message(node, places, (_FILE_MESSAGE, index))


def _of_message(message: Any, places: Places, path: tuple[int, ...]) -> Iterator[Problem]:
    paths = {node.name: (*path, _FIELD, at) for at, node in enumerate(message.field)}
    keys: dict[str, str] = {}
    for node in message.field:
        key = key_of(node, places, paths[node.name])
        place = places.location(*paths[node.name])
        one = keys.setdefault(key, node.name)
        if one != node.name:
            yield Problem(
                place,
                f"fields {one} and {node.name} of {message.name} have one key in JSON, {key!r}: "
                "give one of them another json_name",
            )
        elif key != node.name and key in paths:
            yield Problem(
                place,
                f"field {node.name} of {message.name} has the key {key!r}, which is the name of "
                "another field: take another json_name, or another name for that field",
            )
    for index, node in enumerate(message.nested_type):
        yield from _of_message(node, places, (*path, _NESTED, index))
