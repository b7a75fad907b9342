"""Random values of a random schema, near the edges of its rules; in JSON and in binary.

A message is a dictionary of the fields that are there; times and durations are nanoseconds. Knows
how values are written. Must not know what is right.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from rhtmx.schema.times import write_duration, write_timestamp
from rhtmx_codegen.words import snake
from tests.support.cel_expressions import TEXTS
from tests.support.random_schemas.rules import RANGES, SECOND, constant
from tests.support.random_schemas.texts import ENUMS, Application, Field, Message, Slot

__all__ = ["Value", "Values", "as_json", "fill", "json_text", "message"]

Value = dict[str, Any]
"""The fields of a message that are there, by name."""

_HARD_TEXTS = (
    "\0",
    "\x7f",
    "\u2028",
    "__proto__",
    "toString",
    '"',
    "\\",
    "\ufeff",
    "\U0010ffff",
    "\u017f",
)
_HARD_NUMBERS = (0.0, -0.0, math.nan, math.inf, -math.inf, 0.1, 16777217.0, -1e-30)


class Values:
    """Makes values.

    Args:
        random: where chance comes from.
        now: nanoseconds since 1970.
    """

    def __init__(self, random: Random, application: Application, now: int) -> None:
        self._random = random
        self._messages = application.messages
        self._now = now
        messages = application.messages.values()
        self._said = [edge for each in messages for rule in each.rules for edge in rule.edges]

    def message(self, message: Message, deep: int = 0) -> Value:
        """A value of a message."""
        random = self._random
        found: Value = {}
        chosen = {name: self._chosen(message, name) for name in message.oneofs}
        for field in message.fields:
            if field.oneof and chosen[field.oneof] != field.name:
                continue
            if random.random() < (0.85 if deep < 2 else 0.3):
                found[field.name] = self._field(field, deep)
        return found

    def _chosen(self, message: Message, oneof: str) -> str:
        names = [each.name for each in message.fields if each.oneof == oneof]
        return self._random.choice([*names, ""])

    def _field(self, field: Field, deep: int) -> Any:
        if not field.many:
            return self._value(field.value, deep)
        if deep > 2:
            return {} if field.many == "map" else []
        size = self._random.choice((0, 1, 1, 2, 2, 3, 4, self._random.choice((5, 8, 9))))
        if field.key is not None:
            return {
                self._value(field.key, deep + 1): self._item(field.value, deep + 1)
                for _ in range(size)
            }
        items = [self._item(field.value, deep + 1) for _ in range(size)]
        if items and self._random.random() < 0.3:
            items.append(self._random.choice(items))  # not unique
        return items

    def single(self, slot: Slot) -> Any:
        """A value of an item of a list, of a key, or of a field that is neither list nor map."""
        return self._item(slot, 1)

    def _item(self, slot: Slot, deep: int) -> Any:
        value = self._value(slot, deep)
        # A DoubleValue of -0 within a list is none of zero to IGNORE_IF_ZERO_VALUE, a double is.
        return 0.0 if slot.wrapper and value == 0 and isinstance(value, float) else value

    def _value(self, slot: Slot, deep: int) -> Any:
        if slot.kind == "message":
            return self.message(self._messages[slot.type], deep + 1)
        random = self._random
        edges = [edge for rule in slot.rules for edge in rule.edges if _fits(edge, slot.kind)]
        if edges and random.random() < 0.65:
            return random.choice(edges)
        said = [each for each in self._said if _fits(each, slot.kind)]
        if said and random.random() < 0.3:
            return random.choice(said)
        return self._plain(slot.kind)

    def _times(self) -> int:
        """How often a text is repeated; rarely very often."""
        return self._random.choice((1, 2, 3, 5, 9, self._random.choice((40, 300, 3_000))))

    def _plain(self, kind: str) -> Any:
        random = self._random
        if kind == "string":
            return random.choice((*TEXTS, "", *_HARD_TEXTS, random.choice(TEXTS) * self._times()))
        if kind in {"float", "double"} and random.random() < 0.5:
            return random.choice(_HARD_NUMBERS)
        if kind == "timestamp" and random.random() < 0.4:
            minutes = random.choice((-5, 5, -50, 50, -70, 70, 60 * 24 * 31, -60 * 24 * 29))
            return self._now + minutes * 60 * SECOND
        if kind == "enum" and random.random() < 0.2:
            return random.choice((3, -7, 2**31 - 1))
        return constant(random, kind)


def _fits(edge: Any, kind: str) -> bool:
    """Whether a value is one of a kind: rules of another one may lie in its place."""
    if kind in RANGES:
        low, high = RANGES[kind]
        return isinstance(edge, int) and low <= edge <= high
    kinds: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "bytes": bytes,
        "bool": bool,
        "field_mask": list,
        **dict.fromkeys(("float", "double"), float),
        **dict.fromkeys(("timestamp", "duration"), int),
    }
    return isinstance(edge, kinds[kind])


def message(random: Random, application: Application, now: int) -> Value:
    """A random value of the message that is judged.

    Args:
        random: where chance comes from.
        application: the schema.
        now: nanoseconds since 1970.
    """
    return Values(random, application, now).message(application.root)


# JSON


def json_text(application: Application, value: Value, seed: int = 0) -> str:
    """A value as the wire has it.

    Args:
        application: the schema.
        value: of the message that is judged.
        seed: chooses among the spellings that JSON has of one value.
    """
    writer = _Json(application, Random(seed), plain=not seed)
    return json.dumps(writer.message(application.root, value), ensure_ascii=False)


def as_json(application: Application, value: Value) -> Any:
    """A value as plain JSON."""
    return json.loads(json_text(application, value))


class _Json:
    """Writes values in one of the ways in which JSON can have them."""

    def __init__(self, application: Application, random: Random, *, plain: bool) -> None:
        self._messages = application.messages
        self._random = random
        self._plain = plain

    def _rarely(self) -> bool:
        return not self._plain and self._random.random() < 0.1

    def message(self, message: Message, value: Value) -> dict[str, Any]:
        """A message."""
        found: dict[str, Any] = {}
        for field in message.fields:
            if field.name in value:
                found[field.json_key] = self._field(field, value[field.name])
            elif self._rarely():
                found[field.json_key] = None
        return found

    def _field(self, field: Field, value: Any) -> Any:
        if field.key is not None:
            return {_key(each): self._value(field, item) for each, item in value.items()}
        if field.many:
            return [self._value(field, each) for each in value]
        return self._value(field, value)

    def _value(self, field: Field, value: Any) -> Any:
        slot = field.value
        if slot.kind == "message":
            return self.message(self._messages[slot.type], value)
        if field.text:
            return str(value)
        if slot.kind == "enum":
            return self._enum(slot.type, value)
        if slot.kind in RANGES:
            return self._whole(value)
        writers: dict[str, Callable[[Any], Any]] = {
            "bytes": self._bytes,
            "float": _number,
            "double": _number,
            "timestamp": write_timestamp,
            "duration": write_duration,
            "field_mask": ",".join,
        }
        return writers.get(slot.kind, lambda value: value)(value)

    def _whole(self, value: int) -> int | float:
        return float(value) if abs(value) < 2**53 and self._rarely() else value

    def _bytes(self, value: bytes) -> str:
        if self._rarely():
            return base64.urlsafe_b64encode(value).decode().rstrip("=")
        return base64.b64encode(value).decode()

    def _enum(self, name: str, number: int) -> str | int:
        words = [_word(name, each) for each, known in ENUMS[name].items() if known == number]
        if not words or self._rarely():
            return number
        return self._random.choice(words)


def _word(enum: str, name: str) -> str:
    return name.removeprefix(f"{snake(enum).upper()}_").lower()


def _key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


# Binary


def fill(part: Any, value: Mapping[str, Any], application: Application, message: Message) -> None:
    """Write a value into a message of protobuf.

    Args:
        part: it.
        value: the value.
        application: the schema.
        message: what the value is of.
    """
    for field in message.fields:
        if field.name in value:
            _fill_field(part, field, value[field.name], application)


def _fill_field(part: Any, field: Field, value: Any, application: Application) -> None:
    slot = field.value
    if field.key is not None:
        held = getattr(part, field.name)
        for key, each in value.items():
            if _is_message(slot):
                _fill_value(held[key], slot, each, application)
            else:
                held[key] = _scalar(slot, each)
    elif field.many:
        held = getattr(part, field.name)
        for each in value:
            if _is_message(slot):
                _fill_value(held.add(), slot, each, application)
            else:
                held.append(_scalar(slot, each))
    elif _is_message(slot):
        held = getattr(part, field.name)
        held.SetInParent()
        _fill_value(held, slot, value, application)
    else:
        setattr(part, field.name, _scalar(slot, value))


def _is_message(slot: Slot) -> bool:
    return slot.wrapper or slot.kind in {"message", "timestamp", "duration", "field_mask"}


def _scalar(slot: Slot, value: Any) -> Any:
    if slot.kind != "float" or not math.isfinite(value):
        return value
    return struct.unpack("<f", struct.pack("<f", value))[0]


def _fill_value(part: Any, slot: Slot, value: Any, application: Application) -> None:
    if slot.wrapper:
        part.value = _scalar(slot, value)
    elif slot.kind == "message":
        fill(part, value, application, application.messages[slot.type])
    elif slot.kind == "field_mask":
        part.paths.extend(value)
    else:
        sign = -1 if slot.kind == "duration" and value < 0 else 1
        seconds, nanos = divmod(value * sign, SECOND)
        part.seconds, part.nanos = seconds * sign, nanos * sign
