"""Reads messages and enums out of a pool into the plain dataclasses of `model`.

Knows the layout of protobuf's descriptors, and what of them cannot be said in JSON. Must not know
what rules and traits mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rhtmx_codegen.keys import key_of
from rhtmx_codegen.model import Enum, EnumValue, Field, Message, Oneof
from rhtmx_codegen.places import SYNTAX, Places
from rhtmx_codegen.pool import Pool, unread
from rhtmx_codegen.problems import Location, Problem
from rhtmx_codegen.types import NULL, type_of
from rhtmx_codegen.words import word_of

__all__ = ["Reader"]

# Field numbers of descriptor.proto, as they are in the paths of the source information.
_FILE_MESSAGE, _FILE_ENUM = 4, 5
_FIELD, _NESTED, _ENUM, _ONEOF, _VALUE = 2, 3, 4, 8, 2
_EXTENSION_RANGE = 5
_REPEATED, _GROUP = 3, 10


@dataclass(frozen=True, slots=True)
class _Part:
    """One message or enum of a file: the descriptor, its full name, and its place."""

    name: str
    node: Any
    file: Any
    places: Places
    path: tuple[int, ...]

    @property
    def short(self) -> str:
        """The name within its package."""
        return self.name.removeprefix(f"{self.file.package}.") if self.file.package else self.name

    def location(self, *path: int) -> Location:
        return self.places.location(*self.path, *path)

    def comment(self, *path: int) -> str:
        return self.places.comment(*self.path, *path)


class Reader:
    """Reads one part after the other.

    Args:
        pool: the files.

    Attributes:
        pool: the same.
        problems: what was found to be wrong so far.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.problems: list[Problem] = []
        self._messages: dict[str, _Part] = {}
        self._enums: dict[str, _Part] = {}
        for file in pool.files.values():
            self._index(file)

    def _index(self, file: Any) -> None:
        places = Places(file)
        prefix = f"{file.package}." if file.package else ""

        def enums(nodes: Any, outer: str, path: tuple[int, ...]) -> None:
            for index, node in enumerate(nodes):
                name = f"{outer}{node.name}"
                self._enums[name] = _Part(name, node, file, places, (*path, index))

        def messages(nodes: Any, outer: str, path: tuple[int, ...]) -> None:
            for index, node in enumerate(nodes):
                name, here = f"{outer}{node.name}", (*path, index)
                self._messages[name] = _Part(name, node, file, places, here)
                messages(node.nested_type, f"{name}.", (*here, _NESTED))
                enums(node.enum_type, f"{name}.", (*here, _ENUM))

        messages(file.message_type, prefix, (_FILE_MESSAGE,))
        enums(file.enum_type, prefix, (_FILE_ENUM,))

    def declared_in(self, file: str) -> list[str]:
        """The full names of the messages and enums of a file, in its order, messages first."""
        self._note_unread(self.pool.files[file], Places(self.pool.files[file]).location(), "file")
        parts = [*self._messages.values(), *self._enums.values()]
        return [
            part.name
            for part in parts
            if part.file.name == file and not (part.name in self._messages and _is_entry(part))
        ]

    def message(self, name: str) -> Message | None:
        """Read a message; `None` if there is none of that name, or it cannot be one."""
        part = self._messages.get(name)
        if part is None or not self._is_modern(part):
            return None
        node = part.node
        self._note_unread(node, part.location(), f"message {part.short}")
        if node.extension_range:
            self._note(
                part.location(_EXTENSION_RANGE, 0),
                f"message {part.short} has extensions, and JSON has no keys for them: write the "
                "fields, or a map",
            )
        return Message(
            name=part.short,
            full_name=name,
            file=part.file.name,
            fields=tuple(self._fields(part)),
            oneofs=tuple(self._oneofs(part)),
            rules=self.pool.option(node, "buf.validate.message"),
            entity=self.pool.option(node, "rhtmx.v1.entity"),
            form=self.pool.option(node, "rhtmx.v1.form"),
            comment=part.comment(),
            location=part.location(),
        )

    def enum(self, name: str) -> Enum | None:
        """Read an enum; `None` if there is no enum of that name, or it cannot be one."""
        part = self._enums.get(name)
        if part is None or not self._is_modern(part):
            return None
        if self.pool.enum(name).is_closed:
            self._note(
                part.location(),
                f"enum {part.short} is closed, and here enums are open, so that older clients keep "
                "the words that they do not know: leave features.enum_type out",
            )
        return Enum(
            name=part.short,
            full_name=name,
            file=part.file.name,
            values=tuple(self._values(part)),
            comment=part.comment(),
            location=part.location(),
        )

    def _is_modern(self, part: _Part) -> bool:
        if part.file.syntax in ("proto3", "editions"):
            return True
        self._note(
            part.places.location(SYNTAX),
            f"{part.file.name} is written in proto2, whose groups, required fields and extensions "
            'have no place in JSON: begin it with `syntax = "proto3";` or `edition = "2023";`',
        )
        return False

    def _values(self, part: _Part) -> Iterator[EnumValue]:
        for index, node in enumerate(part.node.value):
            path = (_VALUE, index)
            self._note_unread(node, part.location(*path), f"value {node.name}")
            word = self.pool.option(node, "rhtmx.v1.word")
            yield EnumValue(
                name=node.name,
                number=node.number,
                word=word_of(part.node.name, node.name) if word is None else word,
                comment=part.comment(*path),
                location=part.location(*path),
            )

    def _oneofs(self, part: _Part) -> Iterator[Oneof]:
        for index, node in enumerate(part.node.oneof_decl):
            fields = tuple(
                field.name
                for field in part.node.field
                if field.HasField("oneof_index")
                and field.oneof_index == index
                and not field.proto3_optional
            )
            if not fields:
                continue  # that of an `optional` field
            self._note_unread(node, part.location(_ONEOF, index), f"oneof {node.name}")
            rules = self.pool.option(node, "buf.validate.oneof")
            yield Oneof(
                name=node.name,
                fields=fields,
                required=rules is not None and rules.required,
                comment=part.comment(_ONEOF, index),
                location=part.location(_ONEOF, index),
            )

    def _fields(self, part: _Part) -> Iterator[Field]:
        descriptor = self.pool.message(part.name)
        for index, node in enumerate(part.node.field):
            path = (_FIELD, index)
            place = part.location(*path)
            resolved = descriptor.fields_by_name[node.name]
            self._check_field(node, resolved, place, part)
            self._note_unread(node, place, f"field {node.name}")
            entry = self._entry(node)
            value = entry.field[1] if entry is not None else node
            in_oneof = node.HasField("oneof_index") and not node.proto3_optional
            yield Field(
                name=node.name,
                key=key_of(node, part.places, (*part.path, *path)),
                number=node.number,
                type=type_of(value),
                repeated=node.label == _REPEATED and entry is None,
                map_key=type_of(entry.field[0]) if entry is not None else None,
                presence=resolved.has_presence,
                oneof=part.node.oneof_decl[node.oneof_index].name if in_oneof else "",
                rules=self.pool.option(node, "buf.validate.field"),
                traits=self.pool.option(node, "rhtmx.v1.field"),
                deprecated=node.options.deprecated,
                comment=part.comment(*path),
                location=place,
            )

    def _entry(self, node: Any) -> Any:
        """The message of the entries of a map; `None` if the field is no map."""
        part = self._messages.get(node.type_name.removeprefix("."))
        return part.node if part is not None and _is_entry(part) else None

    def _check_field(self, node: Any, resolved: Any, place: Location, part: _Part) -> None:
        """Refuse what JSON, or the open world of clients, has no way to say."""
        where = f"field {node.name} of {part.short}"
        if resolved.is_required:
            self._note(
                place,
                f"{where} has features.field_presence = LEGACY_REQUIRED: write "
                "[(buf.validate.field).required = true]",
            )
        if resolved.type == _GROUP:
            self._note(
                place, f"{where} is a group: leave features.message_encoding out, it is a message"
            )
        if node.HasField("default_value"):
            self._note(
                place,
                f"{where} has a default of protobuf's, which JSON does not know: write "
                "[(rhtmx.v1.field).default = {json: …}]",
            )
        if node.type_name == f".{NULL}":
            self._note(place, f"{where} is always null: take google.protobuf.Value")

    def _note(self, place: Location, words: str) -> None:
        self.problems.append(Problem(place, words))

    def _note_unread(self, node: Any, place: Location, what: str) -> None:
        for each in unread(node.options):
            self._note(
                place,
                f"{what} has the option {each}, which no file that it imports declares: a rule "
                "would be lost; compile it with all imports, and with the validate.proto that it "
                "was written for",
            )


def _is_entry(part: _Part) -> bool:
    return bool(part.node.options.map_entry)
