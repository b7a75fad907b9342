"""Refuses what a field says of itself and cannot mean.

Knows `rhtmx.v1.FieldTraits`. Must not know what an entity says as a whole, nor rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rhtmx_codegen.defaults import misfit
from rhtmx_codegen.emit_fields import is_server_only
from rhtmx_codegen.model import Field, Kind, Message, Schema
from rhtmx_codegen.problems import Problem
from rhtmx_codegen.types import INTEGERS, SINGLE

__all__ = ["COUNTER", "SET", "trait_problems"]

COUNTER, SET = 5, 6
"""Of `rhtmx.v1.Merge`: those that need fields of their own kind."""

_MERGES = range(7)
_NORMALIZE = (1, 2)
_MOST_DECIMALS = 18
_OF_ENTITIES = ("merge", "scale", "read_only", "server_only", "immutable")
_OF_TEXTS = ("web_url", "deliverable", "normalize")


def trait_problems(schema: Schema, message: Message) -> Iterator[Problem]:
    """Find what the fields of a message say and cannot mean.

    Yields:
        Each problem with its place.
    """
    for field in message.fields:
        for words in _of_field(schema, message, field):
            yield Problem(field.location, f"field {field.name} of {message.name}: {words}")
    for oneof in message.oneofs:
        members = [field for field in message.fields if field.oneof == oneof.name]
        if len({field.traits.merge if field.traits else 0 for field in members}) > 1:
            yield Problem(
                oneof.location,
                f"oneof {oneof.name} of {message.name}: its fields are merged as one, so all of "
                "them say the same merge, or none",
            )
        if len({is_server_only(field) for field in members}) > 1:
            yield Problem(
                oneof.location,
                f"oneof {oneof.name} of {message.name}: who sets one of its fields takes the "
                "others away, and no client may touch one that is server_only: all of them are, or "
                "none",
            )


def _of_field(schema: Schema, message: Message, field: Field) -> Iterator[str]:
    yield from _of_type(schema, field)
    traits = field.traits
    if traits is None:
        return
    yield from _of_place(message, traits)
    yield from _of_merge(message, field)
    yield from _of_scale(traits)
    yield from _of_text(field)
    if traits.HasField("default"):
        yield from _of_default(schema, message, field)


def _of_type(schema: Schema, field: Field) -> Iterator[str]:
    """A message that hides something where it is a record, and nothing where it is a value."""
    inner = None if is_server_only(field) else schema.messages.get(field.type.name)
    if inner is not None and (hidden := [e.name for e in inner.fields if is_server_only(e)]):
        yield (
            f"{inner.name} is a value here, which everybody sees who sees the field, and its "
            f"{hidden[0]} is server_only: take a message without it"
        )


def _of_place(message: Message, traits: Any) -> Iterator[str]:
    """What means something only in an entity, or only in a form."""
    if message.entity is None:
        for name in _OF_ENTITIES:
            if getattr(traits, name):
                yield (
                    f"{name} means something for the fields of an entity only, and "
                    f"{message.name} is none: leave it out, or add option (rhtmx.v1.entity)"
                )
    if message.form is None and getattr(traits, "async"):
        yield (
            f"async means something for the fields of a form only, and {message.name} is none: "
            "leave it out, or add option (rhtmx.v1.form)"
        )


def _of_merge(message: Message, field: Field) -> Iterator[str]:
    merge = field.traits.merge
    if merge not in _MERGES:
        yield f"there is no merge {merge}"
    if merge and message.entity is not None and message.entity.whole:
        yield "records of this entity are written as a whole: leave merge out"
    if merge in (COUNTER, SET) and field.oneof:
        yield "a field of a oneof is merged with the others of it: no counter, and no set"
    elif merge == COUNTER and not _counts(field):
        yield (
            "MERGE_COUNTER needs a whole number, or a string with decimals: "
            "string … [(rhtmx.v1.field) = {merge: MERGE_COUNTER scale: 2}]"
        )
    elif merge == SET and not (field.repeated and field.type.kind in SINGLE):
        yield "MERGE_SET needs a repeated field of texts, whole numbers, booleans or enums"


def _counts(field: Field) -> bool:
    if field.repeated or field.map_key is not None:
        return False
    if field.traits.scale:
        return field.type.kind is Kind.STRING
    return field.type.kind in INTEGERS and not field.type.text


def _of_scale(traits: Any) -> Iterator[str]:
    if traits.scale and traits.merge != COUNTER:
        yield "scale is of a counter: add merge: MERGE_COUNTER, or leave it out"
    elif traits.scale > _MOST_DECIMALS:
        yield f"scale: at most {_MOST_DECIMALS} decimals"


def _of_text(field: Field) -> Iterator[str]:
    text = field.type.kind is Kind.STRING and not field.repeated and field.map_key is None
    for name in _OF_TEXTS:
        if getattr(field.traits, name) and not text:
            yield f"{name} needs a string"
    for each in field.traits.normalize:
        if each not in _NORMALIZE:
            yield f"normalize: there is no {each}"


def _of_default(schema: Schema, message: Message, field: Field) -> Iterator[str]:
    default = field.traits.default
    which = default.WhichOneof("value")
    if message.entity is None and message.form is None:
        yield (
            f"default is for who creates a record or fills in a form, and {message.name} is "
            "neither: leave it out"
        )
    if field.oneof:
        yield "a field of a oneof has no default: which of them is set says whoever writes"
    if which is None:
        yield 'default: say which, such as {json: "0"} or {now: true}'
    elif which == "json":
        if words := misfit(schema, field, default.json):
            yield f"default: {words}"
    else:
        yield from _of_made(message, field, which, getattr(default, which))


_MADE = {"now": Kind.TIMESTAMP, "subject": Kind.STRING, "uuid7": Kind.STRING}
"""What the server makes up, and what that is."""


def _of_made(message: Message, field: Field, which: str, said: bool) -> Iterator[str]:
    kind = _MADE[which]
    if not said:
        yield f"default: {which}: false says nothing, leave it out"
    if message.entity is None and message.form is not None:
        yield f"default: {which} is made where a record is created, and a form is none"
    if field.type.kind is not kind or field.repeated or field.map_key is not None:
        needed = "google.protobuf.Timestamp" if kind is Kind.TIMESTAMP else "string"
        yield f"default: {which} needs a field of type {needed}"
