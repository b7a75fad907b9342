"""What the page about the terminal shows is what it prints."""

from __future__ import annotations

import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.docs.markdown import blocks, page, programs
from tests.docs.shown import SHOWN
from tests.support.plain_http import ask
from tests.support.process import ServerProcess, serving
from tests.support.terminal import Terminal

PAGE = page("docs/terminal.md")
TAIL, *OTHERS = [b.text for b in blocks(PAGE) if b.text.startswith("$ rhtmx ")]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """The README's app."""
    (tmp_path / "app.py").write_text(programs(page("README.md"))["app.py"][0])
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


async def test_a_shell_gets_the_answers_that_are_shown(server: ServerProcess) -> None:
    shell = "\n".join(block.text for block in blocks(PAGE) if block.language == "console")
    asked = re.findall(rf"^\$ curl http://{SHOWN}(\S+)\n(.*)$", shell, re.MULTILINE)
    assert len(asked) == 2
    for path, shown in asked:
        answer = await ask(server.url, path)
        assert (answer.status, answer.body.decode()) == (200, shown + "\n")
