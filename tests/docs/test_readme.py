"""What the README shows is what happens: its programs are run as they stand there."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from platform import machine

import pytest

from tests.docs.markdown import blocks, page, programs
from tests.docs.node import MODULES, RUN, TYPESCRIPT, require_node
from tests.support.npm import install, pack, pack_installed
from tests.support.plain_http import ask
from tests.support.process import ServerProcess, ran, run, running
from tests.support.process import command as start
from tests.support.sockets import PATIENCE

README = page("README.md")
PROGRAMS = programs(README)
ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}
SHOWN, SHOWN_GRPC = "127.0.0.1:3000", "127.0.0.1:50051"
"""The addresses in the README."""

FETCHED = ("ws", "esbuild", f"@esbuild/{sys.platform}-{ARCHITECTURES.get(machine(), machine())}")
"""What the README's commands fetch; here it is what is installed for the client's tests."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """The README's app, started by the README's command on a free port."""
    for name, (source, _) in PROGRAMS.items():
        (tmp_path / name).write_text(source)
    command = next(block.text for block in blocks(README) if "--app app:app" in block.text)
    shown = command.splitlines()[0].removeprefix("$ rhtmx-server ").split()
    options = (*shown, "--port", "0", "--grpc-port", "0", "--store", "memory://")
    async with start(*options, folder=tmp_path, at_once=False) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("ready "), (await process.stderr.read()).decode()
        assert line.replace(line.split("/")[2], SHOWN) == command.splitlines()[1] + "\n"
        log = (await process.stderr.readuntil(b", plain")).decode()
        yield ServerProcess(process, line.split()[1], log.split()[-2].removesuffix(","))


async def printed(
    server: ServerProcess, folder: Path, name: str, *command: str, lines: int | None = None
) -> str:
    """What a program prints: all of it, or only so many lines, if it does not end by itself."""
    source = PROGRAMS[name][0].replace(SHOWN, server.url.split("/")[2])
    source = source.replace(SHOWN_GRPC, server.grpc)
    (folder / name).write_text(source)
    if lines is None:
        return (await ran(*command, name, folder=folder)).output
    async with running(*command, name, folder=folder) as process, asyncio.timeout(PATIENCE):
        assert process.stdout is not None
        return b"".join([await process.stdout.readline() for _ in range(lines)]).decode()


PYTHON = [name for name in PROGRAMS if name.endswith(".py") and name != "app.py"]


def test_there_is_an_example_of_each_feature_in_both_languages() -> None:
    websocket, grpc = PYTHON[:3], PYTHON[3:]
    assert websocket == ["live_data.py", "live_fields.py", "live_forms.py"]
    assert grpc == ["push_prices.py", "watch_prices.py"]
    calls = ("tasks.set(", "tasks.patch(", 'client.form("signup").check(')
    assert all(call in PROGRAMS["page.ts"][0] for call in calls)


async def test_the_python_examples_print_what_is_shown(
    server: ServerProcess, tmp_path: Path
) -> None:
    for name in PYTHON:
        output = await printed(server, tmp_path, name, sys.executable, "-W", "error")
        assert output == PROGRAMS[name][1]


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
    expected = PROGRAMS["bare.js"][1]
    lines = expected.count("\n")
    assert await printed(server, tmp_path, "bare.js", "node", str(RUN), lines=lines) == expected


async def test_any_grpc_client_gets_the_record_that_is_asked_for(
    server: ServerProcess, tmp_path: Path
) -> None:
    await printed(server, tmp_path, "push_prices.py", sys.executable)
    shown = next(block.text for block in blocks(README) if "buf curl" in block.text)
    command = shown.removeprefix("$ ").replace("\\\n", "").replace(SHOWN_GRPC, server.grpc)
    program, *arguments = shlex.split(command)
    ended = await ran(Path(sys.executable).with_name(program), *arguments)
    assert json.loads(ended.output)["entityId"] == "EURUSD"


async def test_a_terminal_gets_what_is_shown(server: ServerProcess) -> None:
    shell = "\n".join(block.text for block in blocks(README) if block.language == "console")
    asked = re.findall(rf"^\$ curl http://{SHOWN}(\S+)\n(.*)$", shell, re.MULTILINE)
    assert len(asked) == 2
    for path, shown in asked:
        answer = await ask(server.url, path)
        assert (answer.status, answer.body.decode()) == (200, shown + "\n")
