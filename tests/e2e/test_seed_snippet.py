"""A page that was written before there was a client: a bare WebSocket in JavaScript."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.process import serving
from tests.support.programs import TYPESCRIPT, node
from tests.support.sockets import PATIENCE

SNIPPET = TYPESCRIPT / "tests" / "seed-snippet.mjs"


async def test_the_seeds_browser_snippet_works_against_the_demo(tmp_path: Path) -> None:
    program = node("ws")
    async with serving("--app", "rhtmx_server.demo:app", folder=tmp_path) as server:
        process = await asyncio.create_subprocess_exec(
            *(program, str(SNIPPET), server.url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(3 * PATIENCE):
            output, errors = await process.communicate()
    assert process.returncode == 0, (output + errors).decode()
