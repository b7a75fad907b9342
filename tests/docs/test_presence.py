"""What the page about rooms shows is what happens, and its figures are those of the code."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from rhtmx_server.config import Config
from rhtmx_server.rooms.open_room import MOST_PENDING
from rhtmx_server.rooms.ports import MOST_BYTES
from rhtmx_server.rooms.rooms import BATCH
from tests.docs.markdown import page, programs
from tests.support.process import running, serving
from tests.support.sockets import PATIENCE

PAGE = page("docs/guides/presence.md")
PROGRAMS = programs(PAGE)
SHOWN = "127.0.0.1:3000"


async def test_the_program_prints_what_is_shown(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(programs(page("README.md"))["app.py"][0])
    source, shown = PROGRAMS["presence.py"]
    async with serving("--app", "app:app", "--store", "memory://", folder=tmp_path) as server:
        (tmp_path / "presence.py").write_text(source.replace(SHOWN, server.url.split("/")[2]))
        command = sys.executable, "-W", "error", "presence.py"
        async with running(*command, folder=tmp_path) as process:
            assert process.stdout is not None
            async with asyncio.timeout(PATIENCE):
                assert (await process.stdout.read()).decode() == shown


def test_the_figures_are_those_of_the_code() -> None:
    text, config = " ".join(PAGE.split()), Config()
    assert f"within {BATCH * 1000:.0f} ms" in text
    assert f"{MOST_PENDING // 1024} KiB in {BATCH * 1000:.0f} ms" in text
    assert f"{MOST_BYTES:,} bytes of JSON" in text
    assert f"| {config.rooms} (`--rooms`)" in text
    assert f"| {config.room_members:,} (`--room-members`)" in text
    assert f"| {config.room_messages} a second (`--room-messages`)" in text
    assert f"{2 * config.heartbeat:.0f} seconds with the default" in text
