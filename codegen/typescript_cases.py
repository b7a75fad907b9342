"""Which messages go which way.

Knows the directions of the envelope's cases. Must not know what is emitted.
"""

from __future__ import annotations

from codegen.model import Case, Schema

__all__ = ["SIDES", "sent_by"]

SIDES = ("client", "server")


def sent_by(schema: Schema, side: str) -> list[Case]:
    """List the cases that `side` (`client` or `server`) may send, in case order."""
    return [
        case
        for case in schema.cases
        if (case.from_client if side == "client" else case.from_server)
    ]
