"""A broken rule of the schema: where, and in words.

Knows no rule.
"""

from __future__ import annotations

from dataclasses import dataclass

from codegen.kinds import Location

__all__ = ["SchemaProblem"]


@dataclass(frozen=True, slots=True)
class SchemaProblem:
    """One broken rule: where, and in words."""

    location: Location
    words: str

    def __str__(self) -> str:
        return f"{self.location}: {self.words}"
