"""The TypeScript client reads parts of an entity of a real server, within its rights."""

from __future__ import annotations

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rhtmx_server import App, Config, Grant, Request
from rhtmx_server.access import owner, role
from tests.docs.node import RUN, require_node
from tests.support.process import Started, running
from tests.support.sockets import PATIENCE

PROGRAM = Path(__file__).parent / "parts.ts"


async def authenticate(request: Request) -> Grant:
    subject, _, who = request.token.partition(":")
    return Grant(subject, roles=[who] if who else [])


async def tell(program: Started, **step: Any) -> Any:
    """Have the program take a step; returns what it says then."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(json.dumps(step).encode() + b"\n")
    async with asyncio.timeout(2 * PATIENCE):
        said = (await program.stdout.readline()).decode().strip()
    return json.loads(said) if said.startswith("{") else said


async def sees(program: Started, **expected: list[str]) -> None:
    assert await tell(program, until=expected) == expected


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_parts_side_by_side_follow_every_move(store: str, tmp_path: Path) -> None:
    require_node()
    shutil.copy(PROGRAM, tmp_path)
    where = "memory://" if store == "memory" else f"sqlite:///{tmp_path / 'app.db'}"
    app = App(store=where, config=Config(port=0), authenticate=authenticate)
    divided = [["customer"], ["customer", "status"], ["status"]]
    app.entity("orders", partition=divided).access(all=owner("customer") | role("clerk"))
    program = tmp_path / PROGRAM.name
    async with app:
        push = app.changes.push
        await push("orders", "1", {"customer": "ada", "status": "open"})
        await push("orders", "2", {"customer": "eve", "status": "open"})
        await push("orders", "3", {"customer": "ada", "status": "done"})
        node = partial(running, "node", RUN, program, stdin=PIPE)
        ada = node(environ={"URL": app.url, "TOKEN": "ada"})
        clerk = node(environ={"URL": app.url, "TOKEN": "bob:clerk"})
        async with ada as user, clerk as all_of_it:
            await sees(user, whole=["1", "3"], open=["1"], either=["3"])
            await sees(all_of_it, whole=["1", "2", "3"], open=["1", "2"], either=["3"])
            await push("orders", "1", {"customer": "ada", "status": "done"})
            await sees(user, whole=["1", "3"], open=[], either=["1", "3"])
            await push("orders", "3", {"customer": "eve", "status": "done"})
            await sees(user, whole=["1"], open=[], either=["1"])
            await sees(all_of_it, whole=["1", "2", "3"], open=["2"], either=["1", "3"])
            await push("orders", "2", {"customer": "ada", "status": "open"})
            await sees(user, whole=["1", "2"], open=["2"], either=["1"])
            await app.changes.delete("orders", "1")
            await sees(user, whole=["2"], open=["2"], either=[])
            assert await tell(user, set=["4", {"customer": "ada", "status": "open"}]) == "written"
            assert await tell(user, set=["5", {"customer": "eve"}]) == "forbidden"
            assert await tell(user, set=["3", {"customer": "ada"}]) == "forbidden"
            await sees(user, whole=["2", "4"], open=["2", "4"], either=[])
            await sees(all_of_it, whole=["2", "3", "4"], open=["2", "4"], either=["3"])
