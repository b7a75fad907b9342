"""Facts about `rhtmx.cli.words`: the examples of the help work."""

from __future__ import annotations

import re
import shlex

import pytest

from rhtmx.cli.options import Disk, read
from rhtmx.cli.words import COMMANDS, EPILOG
from rhtmx.values.form_value import File

EXAMPLES = [
    line.strip()
    for text in (EPILOG, *(words.epilog for words in COMMANDS.values()))
    for line in text.splitlines()
    if line.startswith("  ") and "rhtmx " in line
]


def test_every_command_has_examples() -> None:
    for name, words in COMMANDS.items():
        assert f"  rhtmx {name} " in words.epilog
        assert words.usage.startswith(f"rhtmx {name} ")


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_can_be_read(example: str) -> None:
    line = re.split(r" {3,}", example)[0].replace("…", "")
    for part in line.split(" > ")[0].split(" | "):
        words = shlex.split(part)
        if "rhtmx" in words:
            disk = Disk(lambda name: "{}", lambda name: File(name, 0))
            read(words[words.index("rhtmx") + 1 :], {}, "", disk)


def test_lines_fit_a_terminal() -> None:
    for text in (EPILOG, *(f"{w.usage}\n{w.description}\n{w.epilog}" for w in COMMANDS.values())):
        assert max(map(len, text.splitlines())) <= 80
