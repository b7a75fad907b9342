"""What a Dockerfile says, and its steps on this machine, in a folder in the place of `/`.

Knows the instructions that ours uses. Runs nothing of Docker, which the tests cannot ask for.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Instruction", "Stage", "copied", "here", "ignored", "stages"]

_ABSOLUTE = re.compile(r"(?<![\w/.$*}-])/(?=(?:app|data|dist|opt|src)\b)")
"""The beginning of a path that the image has of its own; not one within another path or a URL."""


@dataclass(frozen=True)
class Instruction:
    """One instruction: its word, its flags, and the rest."""

    word: str
    flags: dict[str, str]
    rest: str

    @property
    def words(self) -> list[str]:
        """The rest as a list: of JSON, or as a shell divides it."""
        return json.loads(self.rest) if self.rest.startswith("[") else shlex.split(self.rest)


@dataclass
class Stage:
    """What is between one FROM and the next.

    Attributes:
        base: the image that it begins with.
        name: by which later ones copy of it; empty if it has none.
        instructions: in order.
    """

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, word: str) -> list[Instruction]:
        """The instructions of one kind."""
        return [each for each in self.instructions if each.word == word]

    def one(self, word: str) -> Instruction:
        """The only instruction of a kind."""
        (found,) = self.all(word)
        return found


def stages(text: str) -> list[Stage]:
    """Read a Dockerfile."""
    found: list[Stage] = []
    for each in _instructions(text):
        if each.word == "FROM":
            base, *name = each.rest.split(" AS ")
            found.append(Stage(base, "".join(name)))
        else:
            found[-1].instructions.append(each)
    return found


def _instructions(text: str) -> Iterator[Instruction]:
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        flags: dict[str, str] = {}
        while flag := re.match(r"--([\w-]+)=(\S+) ", rest):
            flags[flag[1]] = flag[2]
            rest = rest[flag.end() :]
        yield Instruction(word, flags, rest)


def here(text: str, root: Path) -> str:
    """A text with its paths below a folder: the image's are of the root."""
    return _ABSOLUTE.sub(f"{root}/", text)


def ignored(text: str) -> tuple[str, ...]:
    """What a `.dockerignore` leaves of a context of which it ignores all else.

    Raises:
        AssertionError: it does not ignore all else.
    """
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*", "first all, then what is left"
    return tuple(line[1:] for line in lines if line.startswith("!"))


def copied(instruction: Instruction, context: Path, left: tuple[str, ...], folder: Path) -> None:
    """Do what COPY does, out of a context.

    Raises:
        AssertionError: it asks for what the `.dockerignore` has taken away.
    """
    *sources, target = instruction.words
    for source in sources:
        assert source in left, f"the context has no {source}"
        path, goal = context / source, folder / target
        if path.is_dir():
            shutil.copytree(path, goal, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            goal.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, goal)
