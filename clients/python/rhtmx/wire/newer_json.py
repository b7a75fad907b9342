"""What a newer server says as JSON, made into what this client knows.

Knows frames as texts of their fields: what is known stays as it was written, to the
digit. Must not know how a message is made of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from rhtmx import messages
from rhtmx.messages.tables import CASES, ENUM_VALUES, SERVER_MESSAGES, SHAPES, Shape
from rhtmx.unknown_enum_values import unknown
from rhtmx.wire import newer_words as words
from rhtmx.wire.newer_words import Kept, Note

__all__ = ["ForeignError", "mended"]

_Frame = dict[str, msgspec.Raw]

_frame = msgspec.json.Decoder(_Frame).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_text = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)

_MENDED = frozenset({"enum", "time", "message"})

_NULL = msgspec.Raw(b"null")
_EPOCH = msgspec.Raw(b'"1970-01-01T00:00:00Z"')

_SHAPES = {case: SHAPES[kind.__name__] for case, kind in CASES.items() if kind in SERVER_MESSAGES}


class ForeignError(Exception):
    """A frame is a message that this client does not know."""


@dataclass(frozen=True, slots=True)
class _Place:
    """One message in a frame."""

    where: str
    path: tuple[str | int, ...]
    note: Note
    kept: list[Kept]


def mended(data: bytes, note: Note, kept: list[Kept]) -> bytes:
    """Make a frame into one that the strict decoder takes, if that is about new words only.

    Args:
        data: the frame.
        note: is told of what is not known.
        kept: is added the words that are left out.

    Returns:
        The same frame if there is nothing to mend, or it is wrong in another way.

    Raises:
        ForeignError: its message is not known.
    """
    try:
        frame = _frame(data)
        case = _text(frame.pop("type", _NULL))
        if case not in _SHAPES:
            note("type", words.message(case))
            raise ForeignError(case)
        if not _mend(frame, _SHAPES[case], _Place(case, (), note, kept)):
            return data
        return _encode({"type": case, **frame})
    except _UNREADABLE:
        return data


def _mend(frame: _Frame, shapes: dict[str, Shape], place: _Place) -> bool:
    """Mend the fields of one message in place; returns whether there was need."""
    changed = False
    for name in frame.keys() - shapes.keys():
        place.note(place.where, words.field(name))
    for name, shape in shapes.items():
        if shape.kind not in _MENDED:
            continue
        given = bytes(frame.get(name, _NULL)) != b"null"
        if shape.kind == "time":
            if shape.mandatory and not given:
                place.note(f"{place.where}.{name}", words.LEFT_OUT)
                frame[name] = _EPOCH
                changed = True
        elif given:
            mend = _mend_word if shape.kind == "enum" else _mend_parts
            changed |= mend(frame, name, shapes, place)
    return changed


def _mend_word(frame: _Frame, name: str, shapes: dict[str, Shape], place: _Place) -> bool:
    shape, word = shapes[name], _text(frame[name])
    if not word or "\0" in word or word in ENUM_VALUES[shape.type_name]:
        return False
    place.note(f"{place.where}.{name}", words.word(word))
    if shape.mandatory:
        values = (bytes(frame.get(each, _NULL)) for each in _values(shapes))
        action = words.guessed(has_value=any(value != b"null" for value in values))
        frame[name] = msgspec.Raw(_encode(action))
    else:
        del frame[name]
        kind = getattr(messages, shape.type_name)
        place.kept.append(((*place.path, name), unknown(kind, word)))
    return True


def _values(shapes: dict[str, Shape]) -> Iterator[str]:
    return (name for name, shape in shapes.items() if shape.kind == "json")


def _mend_parts(frame: _Frame, name: str, shapes: dict[str, Shape], place: _Place) -> bool:
    """Mend the message, or the list of them, in one field."""
    shape = shapes[name]
    inner = SHAPES[shape.type_name]
    if shape.label == "map":
        return False  # no server sends one
    where, path = f"{place.where}.{name}", (*place.path, name)
    if shape.label != "repeated":
        part = _frame(frame[name])
        if not _mend(part, inner, _Place(where, path, place.note, place.kept)):
            return False
        frame[name] = msgspec.Raw(_encode(part))
        return True
    parts = [_frame(each) for each in _items(frame[name])]
    changed = False
    for index, part in enumerate(parts):
        at = _Place(f"{where}[{index}]", (*path, index), place.note, place.kept)
        changed |= _mend(part, inner, at)
    frame[name] = msgspec.Raw(_encode(parts))
    return changed
