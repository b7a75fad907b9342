"""What a small bug is, and the list of those that no test notices, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LISTED", "Bug", "End", "listed"]

LISTED = Path(__file__).with_name("survivors.md")

_ENTRY = re.compile(
    r"^- `(?P<function>[^`]+)`: (?P<reason>.+?)\n\s*```diff\n(?P<diff>.+?)```", re.M | re.S
)


@dataclass(frozen=True, slots=True)
class Bug:
    """One change of one function.

    Args:
        module: its short name.
        function: the function, with its class.
        before: the lines that are gone, without their indentation.
        after: the lines that came.
    """

    module: str
    function: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @classmethod
    def of_diff(cls, module: str, function: str, diff: list[str]) -> Bug:
        """One from the lines of a diff; lines that did not change are left out."""
        gone, come = (
            tuple(line.strip()[1:].strip() for line in diff if line.strip().startswith(sign))
            for sign in "-+"
        )
        return cls(module, function, gone, come)

    def __str__(self) -> str:
        gone = (f"  - {line}\n" for line in self.before)
        come = (f"  + {line}\n" for line in self.after)
        return f"{self.module}: {self.function}\n{''.join([*gone, *come])}"


@dataclass(frozen=True, slots=True)
class End:
    """What became of the bugs of a module.

    Args:
        noticed: how many a test noticed.
        alive: the others.
    """

    noticed: int
    alive: list[Bug]


def listed(text: str) -> Iterator[Bug]:
    """The bugs of a page like `survivors.md`: each has a reason, and stands under its module."""
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        module, _, rest = section.partition("\n")
        for entry in _ENTRY.finditer(rest):
            yield Bug.of_diff(module.strip(), entry["function"], entry["diff"].splitlines())
