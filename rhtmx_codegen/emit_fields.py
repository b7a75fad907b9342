"""What the options of a field mean to whoever writes code for it.

Knows traits and rules as far as types depend on them. Must not know languages.
"""

from __future__ import annotations

from collections.abc import Mapping

from rhtmx_codegen.model import Field, Message

__all__ = [
    "ACTIONS",
    "MERGES",
    "editable",
    "has_secrets",
    "is_counter",
    "is_filled",
    "is_immutable",
    "is_of_server",
    "is_required",
    "is_secret",
    "is_server_only",
    "is_set",
    "merge_of",
    "written",
]

MERGES = ("", "last_write_wins", "keep_both", "server_wins", "client_wins", "counter", "set")
"""The words of `rhtmx.v1.Merge`, by its numbers."""

ACTIONS = ("", "read", "create", "update", "delete")
"""The words of `rhtmx.v1.Action`, by its numbers."""


def merge_of(each: Field) -> str:
    """How concurrent writes of it are merged; empty: as its entity says."""
    return MERGES[each.traits.merge] if each.traits is not None else ""


def is_counter(each: Field) -> bool:
    """It is counted."""
    return merge_of(each) == "counter"


def is_set(each: Field) -> bool:
    """It is a set."""
    return merge_of(each) == "set"


def is_server_only(each: Field) -> bool:
    """It never leaves the server."""
    return each.traits is not None and bool(each.traits.server_only)


def is_of_server(each: Field) -> bool:
    """No client may write it."""
    return is_server_only(each) or (each.traits is not None and bool(each.traits.read_only))


def is_immutable(each: Field) -> bool:
    """It is written when the record is created, and never again."""
    return each.traits is not None and bool(each.traits.immutable)


def is_secret(each: Field) -> bool:
    """What it is, is nobody's business who does not ask for it."""
    return each.traits is not None and bool(each.traits.secret)


def has_secrets(each: Field, messages: Mapping[str, Message]) -> bool:
    """It is secret, or something in the messages within it.

    Args:
        each: it.
        messages: all of the schema.
    """
    fields, seen = [each], set[str]()
    for one in fields:  # it grows
        if is_secret(one):
            return True
        within = messages.get(one.type.name)
        if within is not None and within.full_name not in seen:
            seen.add(within.full_name)
            fields += within.fields
    return False


def is_filled(each: Field) -> bool:
    """The server fills it in where whoever creates the record says nothing."""
    return each.traits is not None and each.traits.HasField("default")


def is_required(each: Field) -> bool:
    """Whoever creates a record has to say it."""
    required = each.rules is not None and bool(each.rules.required)
    return required and not is_of_server(each) and not is_filled(each)


def written(message: Message) -> list[Field]:
    """The fields that a client can write when it creates a record."""
    return [each for each in message.fields if not is_of_server(each)]


def editable(message: Message) -> list[Field]:
    """The fields that a client can write in a record that is there."""
    return [each for each in written(message) if not is_immutable(each)]
