"""Where things stand in a file of the schema, and what is said of them.

Knows protobuf's source information. Must not know what the things are.
"""

from __future__ import annotations

from typing import Any

from rhtmx_codegen.problems import Location

__all__ = ["Places"]

SYNTAX = 12
"""The field of a file that holds its syntax, in the paths of the source information."""


class Places:
    """The source information of one file.

    Args:
        file: the file; where it has no source information, only its name is known.
    """

    def __init__(self, file: Any) -> None:
        self._name = file.name
        self._known = {tuple(each.path): each for each in file.source_code_info.location}

    def has(self, *path: int) -> bool | None:
        """Whether something is written there; `None` where nothing is known of the file."""
        return path in self._known if self._known else None

    def location(self, *path: int) -> Location:
        """Where it begins: the part itself, or else the nearest that holds it."""
        for length in range(len(path), 0, -1):
            if (found := self._known.get(path[:length])) is not None:
                return Location(self._name, found.span[0] + 1, found.span[1] + 1)
        return Location(self._name)

    def comment(self, *path: int) -> str:
        """What is said before it, or else behind it, without what marks a comment."""
        found = self._known.get(path)
        if found is None:
            return ""
        text = found.leading_comments or found.trailing_comments
        lines = (line.removeprefix(" ").rstrip() for line in text.strip("\n").split("\n"))
        return "\n".join(lines).strip("\n")
