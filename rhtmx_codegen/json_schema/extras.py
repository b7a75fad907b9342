"""What JSON Schema has no words for: `x-rhtmx`.

Knows traits of fields, what is declared of entities, and rules that cannot be said otherwise. Must
not know how a value is described.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rhtmx.schema.times import write_duration, write_timestamp
from rhtmx_codegen.emit_fields import ACTIONS, MERGES
from rhtmx_codegen.entities import entity_name, form_name
from rhtmx_codegen.model import Field, Kind, Message
from rhtmx_codegen.rules.ids import row_id
from rhtmx_codegen.rules.table import CelRow, Nanoseconds, Row, Words
from rhtmx_codegen.rules.traits import default_of

__all__ = ["of_field", "of_message", "of_rules"]

_SWITCHES = ("read_only", "immutable", "secret", "async", "deliverable")
_NORMALIZE = ("", "trim", "nfc")
_PLAIN = frozenset((Kind.STRING, Kind.BOOL, Kind.MESSAGE))


def of_field(field: Field) -> dict[str, Any]:
    """What is to be known of a field beside its rules.

    Args:
        field: it.
    """
    found: dict[str, Any] = {}
    if field.type.kind not in _PLAIN:
        found["kind"] = field.type.kind.value
    if field.name != field.key:
        found["name"] = field.name
    if field.oneof:
        found["oneof"] = field.oneof
    return found | _traits(field.traits)


def _traits(traits: Any) -> dict[str, Any]:
    if traits is None:
        return {}
    found: dict[str, Any] = {}
    if traits.merge:
        found["merge"] = MERGES[traits.merge]
    if traits.scale:
        found["scale"] = traits.scale
    found |= {name: True for name in _SWITCHES if getattr(traits, name)}
    if traits.HasField("default"):
        source, text = default_of(traits.default)
        found["default"] = {"source": source} if source else {"value": json.loads(text)}
    if traits.help:
        found["help"] = traits.help
    if traits.normalize:
        found["normalize"] = [_NORMALIZE[each] for each in traits.normalize if each]
    if traits.message:
        found["words"] = {each: traits.message[each] for each in sorted(traits.message)}
    return found


def of_rules(rows: Iterable[Row | CelRow], word: str, pattern: str = "") -> list[dict[str, Any]]:
    """The rules that JSON Schema cannot say exactly.

    Args:
        rows: they.
        word: what their ids begin with, `string`.
        pattern: the text of the pattern, if one of them is that.
    """
    return [
        _of_cel(each) if isinstance(each, CelRow) else _of_row(each, word, pattern) for each in rows
    ]


def _of_cel(row: CelRow) -> dict[str, Any]:
    found = {"id": row.id}
    return found | ({"message": row.words} if row.words else {})


def _of_row(row: Row, word: str, pattern: str) -> dict[str, Any]:
    found: dict[str, Any] = {"id": row_id(row.check, word)}
    if row.check in ("pattern", "pattern_bytes"):
        return found | {"value": pattern}
    values = [_shown(each, word) for each in row.arguments if not isinstance(each, Words)]
    if row.check == "within":
        return found | {"value": values[1]}
    if len(values) > 1:
        return found | {"value": values}
    return found | ({"value": values[0]} if values else {})


def _shown(value: Any, word: str) -> Any:
    """A value of a rule as JSON."""
    if isinstance(value, Nanoseconds):
        return write_timestamp(value) if word == "timestamp" else write_duration(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, tuple):
        return [_shown(each, word) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def of_message(message: Message, keys: Mapping[str, str]) -> dict[str, Any]:
    """What is declared of an entity or a form.

    Args:
        message: its records, or its values.
        keys: the key in JSON of each field, by its name.
    """
    found: dict[str, Any] = {}
    if message.entity is not None:
        found["entity"] = {"name": entity_name(message)} | dict(_entity(message.entity, keys))
    if message.form is not None:
        found["form"] = {"name": form_name(message)}
    return found


def _entity(said: Any, keys: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    if said.whole:
        yield "whole", True
    if said.merge:
        yield "merge", MERGES[said.merge]
    if said.no_conflicts:
        yield "conflicts", False
    if said.partition:
        yield "partition", [[keys[name] for name in each.fields] for each in said.partition]
    if said.access:
        yield "access", [_access(each, keys) for each in said.access]


def _access(access: Any, keys: Mapping[str, str]) -> dict[str, Any]:
    """Who may do what, in the words of `rhtmx.schema.declared.Access`."""
    who = access.WhichOneof("who")
    found: dict[str, Any] = {
        "actions": [ACTIONS[each] for each in access.actions] or list(ACTIONS[1:]),
        "who": who,
    }
    if who == "owner":
        found["field"] = keys[access.owner]
    elif who == "role":
        found["value"] = access.role
    elif who == "tenant":
        found["field"] = keys[access.tenant.field]
        found["value"] = access.tenant.claim or access.tenant.field
    elif who == "equal":
        found["field"] = keys[access.equal.field]
        found["value"] = json.loads(access.equal.json)
    return found
