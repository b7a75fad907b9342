"""What the page for backends shows is what happens: its programs are run as they stand there."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.docs.markdown import blocks, page, programs
from tests.docs.shown import SHOWN_GRPC, printed, served
from tests.support.process import ServerProcess, ran

PAGE = page("docs/backends.md")
PROGRAMS = programs(PAGE)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """The README's app, started by this page's command."""
    async with served(tmp_path, PAGE) as server:
        yield server


def test_there_is_an_example_of_writing_and_of_reading() -> None:
    assert list(PROGRAMS) == [
        "push_prices.py",
        "sell.py",
        "watch_prices.py",
        "look_back.py",
        "answer.py",
    ]


async def test_the_examples_print_what_is_shown(server: ServerProcess, tmp_path: Path) -> None:
    for name, (source, shown) in PROGRAMS.items():
        command = (sys.executable, "-W", "error")
        assert await printed(server, tmp_path, name, source, *command) == shown


async def test_any_grpc_client_gets_the_record_that_is_asked_for(
    server: ServerProcess, tmp_path: Path
) -> None:
    name = "push_prices.py"
    await printed(server, tmp_path, name, PROGRAMS[name][0], sys.executable)
    shown = next(block.text for block in blocks(PAGE) if "buf curl" in block.text)
    command = shown.removeprefix("$ ").replace("\\\n", "").replace(SHOWN_GRPC, server.grpc)
    program, *arguments = shlex.split(command)
    ended = await ran(Path(sys.executable).with_name(program), *arguments)
    assert json.loads(ended.output)["entityId"] == "EURUSD"
