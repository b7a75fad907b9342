"""What the README shows of the terminal tool is what it prints."""

from __future__ import annotations

import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.docs.markdown import blocks, page, programs
from tests.support.process import ServerProcess, serving
from tests.support.terminal import Terminal

README = page("README.md")
SHOWN = "127.0.0.1:3000"
TAIL, *OTHERS = [b.text for b in blocks(README) if b.text.startswith("$ rhtmx ")]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """The README's app."""
    (tmp_path / "app.py").write_text(programs(README)["app.py"][0])
    async with serving("--app", "app:app", "--store", "memory://", folder=tmp_path) as server:
        yield server


def timeless(line: str) -> str:
    """A line without what is another each time: times, clients, and the room they leave."""
    return re.sub(r"\s+\S{10} [\d:]{8}  \w{4}…$", "", line)


async def test_the_tool_prints_what_is_shown(server: ServerProcess) -> None:
    terminal = Terminal(server.url, by_hand=True)
    command, following, *changes = TAIL.splitlines()
    async with terminal.running(*shlex.split(command)[2:]) as tail:
        assert await tail.news() == following.replace(SHOWN, server.url.split("/")[2])
        for text in OTHERS:
            for part in text.split("$ rhtmx ")[1:]:
                line, _, output = part.partition("\n")
                assert (await terminal.run(*shlex.split(line))).out == output
        assert [timeless(await tail.line()) for _ in changes] == list(map(timeless, changes))
