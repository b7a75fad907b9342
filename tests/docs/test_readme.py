"""What the README shows is what happens: its programs are run as they stand there."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from platform import machine

import pytest

from tests.docs.markdown import blocks, page, programs
from tests.docs.node import MODULES, RUN, TYPESCRIPT, require_node
from tests.docs.shown import SHOWN, printed, served
from tests.support.npm import install, pack, pack_installed
from tests.support.process import ServerProcess, ran, run

README = page("README.md")
PROGRAMS = programs(README)
ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}
FETCHED = ("ws", "esbuild", f"@esbuild/{sys.platform}-{ARCHITECTURES.get(machine(), machine())}")
"""What the README's commands fetch; here it is what is installed for the client's tests."""


PYTHON = [name for name in PROGRAMS if name.startswith("live_")]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """The README's app, started by the README's command on a free port."""
    async with served(tmp_path, README) as server:
        yield server


def test_there_is_an_example_of_each_feature_in_both_languages() -> None:
    assert PYTHON == ["live_data.py", "live_fields.py", "live_forms.py"]
    calls = ("tasks.set(", "tasks.patch(", 'client.form("signup").check(')
    assert all(call in PROGRAMS["page.ts"][0] for call in calls)


async def test_the_python_examples_print_what_is_shown(
    server: ServerProcess, tmp_path: Path
) -> None:
    for name in PYTHON:
        source, shown = PROGRAMS[name]
        command = (sys.executable, "-W", "error")
        assert await printed(server, tmp_path, name, source, *command) == shown


async def test_the_typescript_example_prints_what_is_shown_as_the_commands_run_it(
    server: ServerProcess, shared: Path, tmp_path: Path
) -> None:
    require_node()
    package, *others = [pack(shared), *pack_installed(tmp_path, *FETCHED)]
    shown = next(block.text for block in blocks(README) if "npx esbuild" in block.text)
    fetching, building = shown.splitlines()
    command, path, *names = fetching.rsplit(" ", 3)
    assert (command, names) == ("npm install", ["ws", "esbuild"])
    assert path == f"../{package.relative_to(shared)}"
    app = tmp_path / "app"
    install(app, [package, *others])
    source = PROGRAMS["page.ts"][0].replace(SHOWN, server.url.split("/")[2])
    (app / "page.ts").write_text(source)
    ended = await ran("sh", "-c", building, folder=app)
    assert ended.output == PROGRAMS["page.ts"][1]


def test_the_command_of_the_tour_makes_programs_that_the_oldest_node_reads(tmp_path: Path) -> None:
    """Node 20 has no `using`, which the page about the clients shows."""
    require_node()
    building = next(block.text for block in blocks(README) if "npx esbuild" in block.text)
    command = building.splitlines()[1].split(" && ")[0].replace("npx", "").split()
    command[0] = str(MODULES / ".bin" / "esbuild")
    shown = programs(page("docs/clients.md"))
    for name in (name for name, (_, output) in shown.items() if output and name.endswith(".ts")):
        (tmp_path / name).write_text(shown[name][0])
        made = name.replace(".ts", ".mjs")
        with_names = [each.replace("page.ts", name).replace("page.mjs", made) for each in command]
        run(*with_names, folder=tmp_path)
        assert "using records" not in (tmp_path / made).read_text()
        run("node", "--check", made, folder=tmp_path)


async def test_a_program_that_forgets_the_websocket_is_told(tmp_path: Path) -> None:
    require_node()
    source = PROGRAMS["page.ts"][0].replace(", { WebSocket });", ");")
    assert source != PROGRAMS["page.ts"][0]
    (tmp_path / "page.ts").write_text(source)
    ended = await ran("node", str(RUN), "page.ts", folder=tmp_path, code=None)
    assert ended.code != 0
    assert "no WebSocket here: pass that of npm's ws as {WebSocket}" in ended.errors


async def test_the_typescript_example_is_strictly_typed(tmp_path: Path) -> None:
    require_node()
    (tmp_path / "page.ts").write_text(PROGRAMS["page.ts"][0])
    options = json.loads((TYPESCRIPT / "tsconfig.json").read_text())["compilerOptions"]
    options |= {"paths": {"@rhtmx/client": [f"{TYPESCRIPT}/src/index.ts"]}, "types": []}
    (tmp_path / "node_modules").symlink_to(MODULES)
    config = {"compilerOptions": options, "files": ["page.ts"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    await ran(MODULES / ".bin" / "tsc", "-p", tmp_path)


async def test_the_bare_websocket_prints_what_is_shown(
    server: ServerProcess, tmp_path: Path
) -> None:
    require_node()
    name, command = "bare.js", ("node", str(RUN))
    source, shown = PROGRAMS[name]
    lines = shown.count("\n")
    assert await printed(server, tmp_path, name, source, *command, lines=lines) == shown
