"""Kinds of values that hold others: lists, maps and messages.

Knows how each is read and judged, value by value, and the paths of those. Must not know single
rules.
"""

from __future__ import annotations

import json as texts
from collections.abc import Callable, Mapping
from typing import Any, Final

from rhtmx.schema.adapted import unjudged
from rhtmx.schema.judge import is_zero, judge_message, judge_value
from rhtmx.schema.kinds import BOOL, STRING, UNREADABLE, Found, Kind, Words, report, text_of
from rhtmx.schema.message import Message, normal_fields
from rhtmx.schema.rules import Checks, RuleRow, rules

__all__ = ["list_of", "map_of", "message_of"]

_NO_RULES: Final = rules()


def list_of(kind: Kind, *rows: RuleRow, ignore_zero: bool = False, ignore: bool = False) -> Kind:
    """A list.

    Args:
        kind: of its items.
        rows: the rules of each item.
        ignore_zero: an item that is zero is not judged.
        ignore: items are read, but not judged.

    Example:
        >>> from rhtmx import schema as _s
        >>> post = _s.message("Post", _s.field("tags", _s.list_of(_s.STRING, (_s.min_len, 1))))
        >>> _s.judge(post, {"tags": ["red", ""]})[0].field
        'tags[1]'
    """
    item = unjudged(kind) if ignore else kind
    of_item = _NO_RULES if ignore else rules(*rows, ignore_zero=ignore_zero)
    plain = of_item.passing

    def read(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
        if not isinstance(json, list):
            report(found, path, "type", "must be a list", words)
            return UNREADABLE
        if plain and _all_are(item.exact, json):
            return json
        values = [
            judge_value(item, of_item, each, f"{path}[{index}]", found, now, words)
            for index, each in enumerate(json)
        ]
        return UNREADABLE if any(each is UNREADABLE for each in values) else values

    def clean(json: Any) -> Any:
        return [of_one(each) for each in json] if isinstance(json, list) else json

    of_one = kind.clean or _as_it_is
    return Kind(
        "repeated",
        [],
        read,
        show=kind.show,
        item=kind,
        clean=clean if kind.clean else None,
        within=kind.within,
    )


def _as_it_is(json: Any) -> Any:
    return json


def _all_are(kind: type | None, items: list[Any]) -> bool:
    for each in items:  # noqa: SIM110 (all() is slower, and most lists of a record are short)
        if each.__class__ is not kind:
            return False
    return True


def map_of(
    keys_kind: Kind, values_kind: Kind, *, keys: Checks = _NO_RULES, values: Checks = _NO_RULES
) -> Kind:
    """A map.

    Args:
        keys_kind: of its keys, which are texts in JSON.
        values_kind: of its values.
        keys: the rules of each key.
        values: the rules of each value.

    Example:
        >>> from rhtmx import schema as _s
        >>> kind = _s.map_of(_s.INT32, _s.STRING, values=_s.rules((_s.min_len, 1)))
        >>> room = _s.message("Room", _s.field("seats", kind))
        >>> _s.judge(room, {"seats": {"7": ""}})[0].field
        'seats[7]'
    """
    key_kind = _key(keys_kind)

    def read(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
        if not isinstance(json, Mapping):
            report(found, path, "type", "must be an object", words)
            return UNREADABLE
        held: dict[Any, Any] = {}
        readable = True
        for name, each in json.items():
            at = f"{path}[{_quoted(name) if key_kind is STRING else name}]"
            key = judge_value(key_kind, keys, name, at, found, now, words)
            value = judge_value(values_kind, values, each, at, found, now, words)
            readable = readable and key is not UNREADABLE and value is not UNREADABLE
            held[key] = value
        return held if readable else UNREADABLE

    def clean(json: Any) -> Any:
        if not isinstance(json, Mapping):
            return json
        return {name: of_one(each) for name, each in json.items()}

    of_one = values_kind.clean or _as_it_is
    return Kind(
        "map",
        {},
        read,
        show=values_kind.show,
        clean=clean if values_kind.clean else None,
        within=values_kind.within,
    )


def _quoted(text: str) -> str:
    return texts.dumps(text, ensure_ascii=False)


_BOOLEANS: Final = {"true": True, "false": False}


def _key(kind: Kind) -> Kind:
    """The kind of keys: every key is a text in JSON."""
    if kind.word == "string":
        return kind
    return _BOOLEAN_KEY if kind.word == "bool" else text_of(kind)


def _read_boolean_key(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
    value = _BOOLEANS.get(json, UNREADABLE)
    if value is UNREADABLE:
        report(found, path, "type", "must be true or false", words)
    return value


_BOOLEAN_KEY: Final = Kind(BOOL.word, False, _read_boolean_key)


def message_of(table: Callable[[], Message]) -> Kind:
    """A message within another.

    Args:
        table: gives its table: a function, since two messages may hold each other.

    Example:
        >>> from rhtmx import schema as _s
        >>> address = _s.message("Address", _s.field("street", _s.STRING, required=True))
        >>> kind = _s.message_of(lambda: address)
        >>> order = _s.message("Order", _s.field("to", kind, presence=True))
        >>> _s.judge(order, {"to": {}})[0].field
        'to.street'
    """

    def read(json: Any, path: str, found: Found, now: int, words: Words) -> Any:
        if not isinstance(json, Mapping):
            report(found, path, "type", "must be an object", words)
            return UNREADABLE
        return judge_message(table(), json, path, found, now)

    def empty(values: Mapping[str, Any]) -> bool:
        return all(
            values[each.name] is None if each.presence else is_zero(values[each.name])
            for each in table().fields
        )

    def clean(json: Any) -> Any:
        if not isinstance(json, Mapping):
            return json
        changed = normal_fields(table(), json)
        return {**json, **changed} if changed else json

    return Kind("message", None, read, empty=empty, clean=clean, within=table)
