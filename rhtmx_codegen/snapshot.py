"""One version of a schema as JSON: what clients can tell of it.

Knows which parts of a schema these are, and the hash of them. Must not know other versions, nor
words for people: comments, labels and the schema's layout in files are not in it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from rhtmx_codegen.emit_fields import MERGES
from rhtmx_codegen.entities import entity_name, form_name
from rhtmx_codegen.model import Enum, Field, Message, Schema, Type

__all__ = ["Snapshot", "flat_rules", "hash_of", "snapshot"]

Snapshot: TypeAlias = dict[str, Any]
"""`version`, `messages` and `enums`, of JSON values only."""

_TRAITS = ("read_only", "server_only", "immutable", "web_url", "deliverable")
_DIGITS = 16
_THIS = re.compile(r"\bthis\.([a-zA-Z_][a-zA-Z0-9_]*)")


def snapshot(schema: Schema) -> Snapshot:
    """What is to be known later of this version of a schema."""
    return {
        "messages": {name: _message(each) for name, each in sorted(schema.messages.items())},
        "enums": {name: _enum(each) for name, each in sorted(schema.enums.items())},
    }


def hash_of(schema: Schema) -> str:
    """A short name of just this schema: 16 hex digits of the SHA-256 of what clients can tell.

    Comments, labels and the order in which things are written do not change it.
    """
    said = {"version": schema.version, **snapshot(schema)}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _message(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = {}
    keys = {field.name: field.key for field in message.fields}
    if message.entity is not None:
        found["entity"] = entity_name(message)
        found |= _entity(message.entity, keys)
    if message.form is not None:
        found["form"] = form_name(message)
    rules = {name: _by_key(said, keys) for name, said in flat_rules(message.rules).items()}
    if rules:
        found["rules"] = rules
    required = [each.name for each in message.oneofs if each.required]
    if required:
        found["required_oneofs"] = sorted(required)
    fields = sorted(message.fields, key=lambda each: each.number)
    found["fields"] = {str(each.number): _field(each) for each in fields}
    return found


def _by_key(said: Any, keys: Mapping[str, str]) -> Any:
    """What a rule of a message says, with fields by their keys: another name alone is free."""
    if isinstance(said, list):
        return [keys.get(each, _by_key(each, keys)) for each in said]
    if isinstance(said, str):
        return _THIS.sub(lambda found: f"this.{keys.get(found[1], found[1])}", said)
    return said


def _entity(options: Any, keys: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options.whole:
        found["whole"] = True
    if options.merge:
        found["merge"] = _merge(options.merge)
    if options.partition:
        found["partition"] = sorted(
            sorted(keys.get(name, name) for name in each.fields) for each in options.partition
        )
    return found


def _field(field: Field) -> dict[str, Any]:
    found: dict[str, Any] = {"name": field.name, "key": field.key, "type": _spelt(field)}
    if field.presence and field.type.kind.value not in ("message", "timestamp", "duration"):
        found["presence"] = True
    if field.oneof:
        found["oneof"] = field.oneof
    traits = field.traits
    if traits is not None:
        found |= {name: True for name in _TRAITS if getattr(traits, name)}
        found |= {"merge": _merge(traits.merge)} if traits.merge else {}
        found |= {"scale": traits.scale} if traits.scale else {}
        found |= {"normalize": list(traits.normalize)} if traits.normalize else {}
    rules = flat_rules(field.rules)
    if rules:
        found["rules"] = rules
    return found


def _enum(enum: Enum) -> dict[str, Any]:
    return {"words": {value.word: value.number for value in enum.values}}


def _merge(number: int) -> str:
    return MERGES[number] if number < len(MERGES) else str(number)


def _spelt(field: Field) -> str:
    """The type of a field, as a schema of JSON would be asked for it."""
    one = _one(field.type)
    if field.map_key is not None:
        return f"map<{_one(field.map_key)}, {one}>"
    return f"repeated {one}" if field.repeated else one


def _one(kind: Type) -> str:
    name = kind.name if kind.kind.value in ("message", "enum") else kind.kind.value
    return f"{'wrapped ' if kind.wrapper else ''}{name}{' as text' if kind.text else ''}"


def flat_rules(rules: Any) -> dict[str, Any]:
    """Rules by what they are called, such as `string.min_len`, with what they say as JSON.

    Args:
        rules: `buf.validate.FieldRules` or `MessageRules`, or `None`.
    """
    found: dict[str, Any] = {}
    if rules is not None:
        _flatten(rules, "", found)
    return found


def _flatten(message: Any, prefix: str, found: dict[str, Any]) -> None:
    for descriptor, value in message.ListFields():
        name = f"({descriptor.full_name})" if descriptor.is_extension else descriptor.name
        path = f"{prefix}{name}"
        if descriptor.message_type is None:
            found[path] = _plain(value)
        elif _many(value):
            for index, each in enumerate(value):
                # A rule in CEL is known by its id, so that another order is no other rule.
                _flatten(each, f"{path}[{getattr(each, 'id', '') or index}].", found)
        elif descriptor.message_type.full_name.startswith("google.protobuf."):
            found[path] = _well_known(value)
        else:
            before = len(found)
            _flatten(value, f"{path}.", found)
            if len(found) == before:
                found[path] = {}


def _many(value: Any) -> bool:
    return not isinstance(value, str | bytes) and hasattr(value, "__len__")


def _plain(value: Any) -> Any:
    if _many(value):
        return [_plain(each) for each in value]
    if isinstance(value, bytes):
        return value.hex()
    return repr(value) if isinstance(value, float) else value


def _well_known(value: Any) -> Any:
    """A time or a duration as nanoseconds; others as protobuf writes them."""
    if hasattr(value, "seconds"):
        return value.seconds * 1_000_000_000 + value.nanos
    return {field.name: _plain(inner) for field, inner in value.ListFields()}
