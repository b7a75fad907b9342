"""What the page about the clients shows is what happens: its programs run as they stand there."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.docs import comments
from tests.docs.board import PROGRAMS as SCHEMA
from tests.docs.board import generate
from tests.docs.markdown import page, programs
from tests.docs.node import MODULES, RUN, TYPESCRIPT, require_node
from tests.support.process import ServerProcess, ran, running, serving
from tests.support.sockets import PATIENCE

PROGRAMS = programs(page("docs/clients.md"))
SHOWN = "127.0.0.1:3000"
RUNNABLE = [name for name, (_, output) in PROGRAMS.items() if output]
TYPED = [name for name in PROGRAMS if name.endswith((".ts", ".tsx"))]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """The README's app."""
    (tmp_path / "app.py").write_text(programs(page("README.md"))["app.py"][0])
    async with serving("--app", "app:app", "--store", "memory://", folder=tmp_path) as server:
        yield server


def test_the_page_has_programs_of_both_languages() -> None:
    programs = ["offline.py", "tasks.ts", "typed.py", "pages.ts", "rejected.py"]
    counting = ["counting.py", "counting.ts"]
    deciding = ["conflicts.py", "open_conflicts.py", "history.py", "past.ts"]
    together = ["together.py", "together.ts"]
    assert [*programs, *counting, *deciding, *together] == RUNNABLE
    typed = ["tasks.ts", "pages.ts", "counting.ts", "past.ts", "together.ts", "sign-in.ts"]
    assert [*typed, "traced.ts", "Board.tsx", "NewTask.tsx", "client.ts", "Room.tsx"] == TYPED


async def test_each_program_prints_what_is_shown(server: ServerProcess, tmp_path: Path) -> None:
    require_node()
    for name in RUNNABLE:
        source, shown = PROGRAMS[name]
        (tmp_path / name).write_text(source.replace(SHOWN, server.url.split("/")[2]))
        command = [sys.executable, "-W", "error"] if name.endswith(".py") else ["node", str(RUN)]
        async with running(*command, name, folder=tmp_path) as process:
            assert process.stdout is not None
            async with asyncio.timeout(PATIENCE):
                lines = [await process.stdout.readline() for _ in range(shown.count("\n"))]
            assert b"".join(lines).decode() == shown, name


async def test_each_program_and_example_in_typescript_is_strictly_typed(tmp_path: Path) -> None:
    require_node()
    shown = {name: PROGRAMS[name][0] for name in TYPED} | comments.programs()
    shown["typed.ts"] = SCHEMA["typed.ts"][0]
    for name, source in shown.items():
        (tmp_path / name).write_text(source)
    generate(tmp_path)  # what those about schemas import
    (tmp_path / "node_modules").symlink_to(MODULES)
    options = json.loads((TYPESCRIPT / "tsconfig.json").read_text())["compilerOptions"]
    paths = {"@rhtmx/client": [f"{TYPESCRIPT}/src/index.ts"]}
    parts = f"{TYPESCRIPT}/src/*/index.ts", f"{TYPESCRIPT}/src/*.ts"
    paths |= {"@rhtmx/client/*": [*parts]}
    options |= {"paths": paths, "types": [], "jsx": "react-jsx"}
    config = {"compilerOptions": options, "files": sorted(shown)}
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    await ran(MODULES / ".bin" / "tsc", "-p", tmp_path)
