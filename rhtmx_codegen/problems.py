"""What is wrong with a schema, with file and line.

Knows places and words. Must not know what is being read or written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Location", "Problem", "SchemaError"]


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file of the schema.

    Attributes:
        file: as the schema is given, such as `app.proto`.
        line: from 1; 0 where it is not known.
        column: from 1; 0 where it is not known.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """As compilers print it, `app.proto:12:3`."""
        return ":".join([self.file, *(str(each) for each in (self.line, self.column) if each)])


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        location: where.
        words: what is wrong, and what to do.
    """

    location: Location
    words: str

    def __str__(self) -> str:
        """As compilers print it."""
        return f"{self.location}: {self.words}"


class SchemaError(Exception):
    """The schema cannot be turned into code.

    Args:
        problems: what is wrong, all of it.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))
