"""Which messages go which way.

Knows the directions of the envelope's cases. Must not know what is emitted.
"""

from __future__ import annotations

from collections.abc import Iterable

from codegen.model import Case, Kind, Schema

__all__ = ["SIDES", "known_words", "sent_by"]

SIDES = ("client", "server")


def sent_by(schema: Schema, side: str) -> list[Case]:
    """List the cases that `side` (`client` or `server`) may send, in case order."""
    return [
        case
        for case in schema.cases
        if (case.from_client if side == "client" else case.from_server)
    ]


def known_words(schema: Schema) -> set[str]:
    """Name the messages in which no word is new to a client: its own, and what they hold."""
    found: set[str] = set()

    def add(names: Iterable[str]) -> None:
        for name in set(names) - found:
            found.add(name)
            fields = schema.message(name).fields
            add(field.type_name for field in fields if field.kind is Kind.MESSAGE)

    add(case.message for case in sent_by(schema, "client"))
    return found
