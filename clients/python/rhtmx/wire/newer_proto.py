"""What a newer server says as protobuf, made into what this client knows.

Knows the official library's messages, as they were parsed. Must not know what is made
of them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet

from rhtmx import messages
from rhtmx.messages.tables import SHAPES
from rhtmx.unknown_enum_values import unknown
from rhtmx.wire import newer_words as words
from rhtmx.wire.newer_words import Kept, Note

__all__ = ["look", "mend"]

_ENVELOPE = "Envelope"
_TIMESTAMP = "google.protobuf.Timestamp"


def look(content: Any, where: str, note: Note) -> None:
    """Note the fields of a message, and of those in it, that are not known (0.3 µs)."""
    if where == _ENVELOPE:
        case = content.WhichOneof("message")
        if case is not None:
            look(getattr(content, case), case, note)
        return
    unknown_fields: Any = UnknownFieldSet(content)  # its stubs do not know that it is a sequence
    for field in unknown_fields:
        note(where, words.field(field.field_number))
    for name, many in _parts(content.DESCRIPTOR):
        part = getattr(content, name)
        for each in part if many else (part,):
            look(each, f"{where}.{name}", note)


@cache
def _parts(descriptor: Any) -> tuple[tuple[str, bool], ...]:
    """The fields of a message that are messages of the schema, and whether they are lists."""
    return tuple(
        (field.name, field.is_repeated)
        for field in descriptor.fields
        if field.message_type is not None and not _is_other(field.message_type)
    )


def _is_other(message_type: Any) -> bool:
    """Whether it is no message of the schema, but a time, or an entry of a map."""
    return bool(message_type.full_name == _TIMESTAMP or message_type.GetOptions().map_entry)


def mend(
    content: Any,
    where: str,
    note: Note,
    kept: list[Kept],
    path: tuple[str | int, ...] = (),
) -> None:
    """Make a message into one that the strict decoder takes, if that is about new words only.

    Args:
        content: the message, changed in place.
        where: its place.
        note: is told of what is not known.
        kept: is added the words that are left out.
        path: where it lies in the outermost message.
    """
    shapes = SHAPES.get(content.DESCRIPTOR.name, {})
    for field in content.DESCRIPTOR.fields:
        name = field.name
        place = name if where == _ENVELOPE else f"{where}.{name}"
        if field.enum_type is not None:
            _mend_word(content, field, place, note, kept, (*path, name))
        elif field.message_type is None:
            continue
        elif not _is_other(field.message_type):
            value = getattr(content, name)
            parts = enumerate(value) if field.is_repeated else ()
            for index, each in parts:
                mend(each, f"{place}[{index}]", note, kept, (*path, name, index))
            if not field.is_repeated and content.HasField(name):
                mend(value, place, note, kept, (*path, name))
        elif name in shapes and shapes[name].mandatory and not content.HasField(name):
            note(place, words.LEFT_OUT)
            getattr(content, name).SetInParent()


def _mend_word(
    content: Any, field: Any, place: str, note: Note, kept: list[Kept], path: tuple[str | int, ...]
) -> None:
    number, known = getattr(content, field.name), field.enum_type.values_by_number
    if number in known:
        return
    note(place, words.word(str(number)))
    if field.has_presence:
        content.ClearField(field.name)
        kept.append((path, unknown(getattr(messages, field.enum_type.name), str(number))))
        return
    action = words.guessed(has_value=_has_value(content)).upper()
    (chosen,) = (each for each in known.values() if each.name.endswith(f"_{action}"))
    setattr(content, field.name, chosen.number)


def _has_value(content: Any) -> bool:
    values = (value for field, value in content.ListFields() if field.type == field.TYPE_BYTES)
    return any(value.strip(b" \t\n\r") != b"null" for value in values)
