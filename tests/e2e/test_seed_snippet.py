"""A page that was written before there was a client: a bare WebSocket in JavaScript."""

from __future__ import annotations

from pathlib import Path

from tests.support.process import ran, serving
from tests.support.programs import TYPESCRIPT, node

SNIPPET = TYPESCRIPT / "tests" / "seed-snippet.mjs"


async def test_the_seeds_browser_snippet_works_against_the_demo(tmp_path: Path) -> None:
    program = node("ws")
    async with serving("--app", "rhtmx_server.demo:app", folder=tmp_path) as server:
        await ran(program, SNIPPET, server.url)
