"""Refuses names that cannot be told apart, or that one of the languages does not take.

Knows which names there are in JSON, Python and TypeScript. Must not know rules or traits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rhtmx.wire.limits import FORBIDDEN_KEYS, MAX_NAME
from rhtmx_codegen.model import Enum, Field, Message, Schema
from rhtmx_codegen.problems import Location, Problem
from rhtmx_codegen.words import is_reserved, python_attribute, snake

__all__ = ["flat_name", "module_of", "name_problems"]

_EXTRA = "extra"
"""The attribute that keeps the keys that a schema does not know."""


_NUMBER = re.compile("0|-?[1-9][0-9]*", re.ASCII)
"""How a value of an enum is shown that the schema does not have."""


def name_problems(schema: Schema) -> Iterator[Problem]:
    """Find the names of a schema that cannot stay.

    Yields:
        Each problem with its place.
    """
    for message in schema.messages.values():
        yield from _fields(message)
    for enum in schema.enums.values():
        yield from _words(enum)
    yield from _types(schema)
    yield from _files(schema)
    yield from _endless(schema)


def _fields(message: Message) -> Iterator[Problem]:
    for field in message.fields:
        for words in _misnamed(field):
            yield Problem(field.location, f"field {field.name} of {message.name}: {words}")


def _misnamed(field: Field) -> Iterator[str]:
    """What is wrong with the name and the key of a field, each on its own."""
    if field.name == _EXTRA:
        yield (
            "the name is taken, `extra` keeps the keys that a schema does not know: take another "
            'name, and json_name = "extra" if records have that key'
        )
    elif field.name.startswith("_"):
        yield "it would be private in Python: let its name begin with a letter"
    if field.key in FORBIDDEN_KEYS:
        yield f"no record can have the key {field.key!r}, which JavaScript has for itself"
    elif not 1 <= len(field.key.encode()) <= MAX_NAME:
        yield f"a key of 1 to {MAX_NAME} bytes expected"


def _words(enum: Enum) -> Iterator[Problem]:
    said: dict[str, str] = {}
    for value in enum.values:
        if not 1 <= len(value.word.encode()) <= MAX_NAME or not value.word.isprintable():
            yield Problem(
                value.location,
                f"value {value.name} of {enum.name}: (rhtmx.v1.word) is 1 to {MAX_NAME} bytes "
                "without control characters",
            )
        if _NUMBER.fullmatch(value.word):
            yield Problem(
                value.location,
                f"value {value.name} of {enum.name}: the word {value.word!r} would be taken for a "
                "number, which stands for a value that has no word: let (rhtmx.v1.word) say more",
            )
        one = said.setdefault(value.word, value.name)
        if one != value.name:
            yield Problem(
                value.location,
                f"values {one} and {value.name} of {enum.name} are one word in JSON, "
                f"{value.word!r}: give one of them a (rhtmx.v1.word)",
            )


def _types(schema: Schema) -> Iterator[Problem]:
    """Two types of one name: all types of a schema are in one file of each language."""
    said: dict[str, str] = {}
    both: list[Message | Enum] = [*schema.messages.values(), *schema.enums.values()]
    for each in both:
        name = flat_name(each.name)
        # The table of a message has its name in capital letters.
        one = said.setdefault(snake(name), each.full_name)
        if one != each.full_name:
            yield Problem(
                each.location,
                f"{one} and {each.full_name} have one name in the code that is generated, "
                f"{name} or {snake(name).upper()}: rename one of them",
            )
        if is_reserved(name):
            yield Problem(each.location, f"no class or type can be called {name}: rename it")


def _files(schema: Schema) -> Iterator[Problem]:
    """Two files whose modules have one name."""
    said: dict[str, str] = {}
    both: list[Message | Enum] = [*schema.messages.values(), *schema.enums.values()]
    for name in dict.fromkeys([*schema.files, *(each.file for each in both)]):
        one = said.setdefault(module_of(name), name)
        if one != name:
            yield Problem(
                Location(name),
                f"{one} and {name} become one module, {module_of(name)}: rename one of them",
            )


_TAKEN = frozenset(("index", "__init__", "__main__", "__future__", "_descriptors", "_json_schema"))
"""Modules of a generated folder that come of no file of the schema, or that nobody can import."""


def module_of(file: str) -> str:
    """What a file of the schema becomes, without its ending.

    Example:
        >>> module_of("team/app.proto"), module_of("index.proto"), module_of("2fa.proto")
        ('team_app', 'index_', '_2fa')
    """
    stem = file.removesuffix(".proto")
    name = "".join(each if each.isalnum() and each.isascii() else "_" for each in stem)
    name = f"_{name}" if name[:1].isdigit() else python_attribute(name)
    return f"{name}_" if name in _TAKEN else name


def flat_name(name: str) -> str:
    """The name of a nested type where nothing is nested: that of the outer one before it.

    Example:
        >>> flat_name("Task.Step")
        'TaskStep'
    """
    return name.replace(".", "")


def _endless(schema: Schema) -> Iterator[Problem]:
    """Messages that hold one of themselves which must be there: no value has an end."""
    needs = {
        name: [
            field
            for field in message.fields
            if field.type.name in schema.messages and _must_be_there(field)
        ]
        for name, message in schema.messages.items()
    }
    for name, message in schema.messages.items():
        for field in needs[name]:
            if name in _reach(needs, field.type.name):
                yield Problem(
                    _place(field, message),
                    f"field {field.name} of {message.name} is required and leads back to "
                    f"{message.name}: no value could ever be whole; leave `required` out",
                )


def _must_be_there(field: Field) -> bool:
    single = not field.repeated and field.map_key is None and not field.oneof
    return single and field.rules is not None and field.rules.required


def _reach(needs: dict[str, list[Field]], start: str) -> set[str]:
    reached: set[str] = set()
    ahead = {start}
    while ahead:
        reached |= ahead
        ahead = {field.type.name for name in ahead for field in needs[name]} - reached
    return reached


def _place(field: Field, message: Message) -> Location:
    return field.location if field.location.line else message.location
