"""The Python package, as who installs it gets it: from its sdist, with no checkout about."""

from __future__ import annotations

import ast
import json
import re
import sys
import tarfile
import zipfile
from itertools import chain
from pathlib import Path

import pytest

from tests.support.installed import ALONE, built_sdist, built_wheel, install, unpacked
from tests.support.plain_http import ask
from tests.support.process import ROOT, ServerProcess, ran, ready, run, running

SHIPPED = {
    "rhtmx": ROOT / "clients" / "python" / "rhtmx",
    "rhtmx_codegen": ROOT / "rhtmx_codegen",
    "rhtmx_server": ROOT / "rhtmx_server",
}
APP = """
from rhtmx_server import App
app = App(store="sqlite:///board.db")
app.entity("tasks")
"""
OTHER_NAMES = {
    "google": "protobuf",
    "jwt": "pyjwt",
    "nats": "nats-py",
    "opentelemetry": "opentelemetry-api",
}
"""What is imported under another name than it is installed by."""

BROUGHT = {
    "dateutil": "betterproto2",
    "h2": "grpclib",
    "hyperframe": "grpclib",
    "mcp_types": "mcp",
    "typing_extensions": "betterproto2",
}
"""What is part of the interface of something else, and comes with it."""

OF_THE_HOST = {"django", "fastapi", "pydantic", "pytest", "starlette", "uvicorn"}
"""What an application has already, of which only what is made for it knows anything."""


@pytest.fixture
def programs(shared: Path) -> Path:
    """The folder of the programs of an environment that has the package, and no checkout."""
    return install(shared)


def test_the_sdist_makes_the_same_wheel_as_the_checkout(tmp_path: Path) -> None:
    wheel = built_wheel(tmp_path / "from-checkout")
    source = unpacked(built_sdist(tmp_path), tmp_path)
    again = built_wheel(tmp_path / "from-sdist", source)
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_the_wheel_has_all_files_of_the_three_packages_and_nothing_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(built_wheel(tmp_path)) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
    assert names == {
        f"{name}/{each.relative_to(folder).as_posix()}"
        for name, folder in SHIPPED.items()
        for each in folder.rglob("*")
        if each.is_file() and "__pycache__" not in each.parts
    }


def test_the_sdist_has_no_tests_and_no_tools_of_the_project(tmp_path: Path) -> None:
    with tarfile.open(built_sdist(tmp_path)) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    packages = tuple(f"{folder.relative_to(ROOT)}/" for folder in SHIPPED.values())
    others = {name for name in names if not name.startswith(packages)}
    assert others == {
        ".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml",
    }  # fmt: skip


def test_what_the_packages_import_is_declared_and_what_is_declared_is_imported(
    tmp_path: Path,
) -> None:
    with zipfile.ZipFile(built_wheel(tmp_path)) as file:
        (name,) = (each for each in file.namelist() if each.endswith("/METADATA"))
        metadata = file.read(name).decode()
    declared = {each.lower() for each in re.findall(r"^Requires-Dist: ([\w-]+)", metadata, re.M)}
    sources = chain.from_iterable(folder.rglob("*.py") for folder in SHIPPED.values())
    imported = set(chain.from_iterable(map(_imported, sources)))
    outside = imported - set(sys.stdlib_module_names) - SHIPPED.keys() - OF_THE_HOST
    assert outside >= BROUGHT.keys()
    own = {each: each.replace("_", "-") for each in outside}
    needed = {(own | OTHER_NAMES | BROUGHT)[each] for each in outside}
    assert needed - declared == set()
    # A program, which nothing imports.
    assert declared - needed == {"buf-bin"}


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return {each.split(".")[0] for each in found}


def test_both_packages_are_imported_without_a_warning(programs: Path, tmp_path: Path) -> None:
    code = "import rhtmx, rhtmx_server; print(rhtmx.__file__); print(rhtmx.__version__)"
    ended = run(programs / "python", "-W", "error", "-c", code, folder=tmp_path, environ=ALONE)
    path, version = ended.output.split()
    assert Path(path).is_relative_to(programs.parent), "not from the checkout"
    shown = run(programs / "pip", "list", "--format=json", folder=tmp_path, environ=ALONE).output
    assert {"name": "rhtmx", "version": version} in json.loads(shown)


@pytest.mark.parametrize("name", ["rhtmx", "rhtmx-server"])
def test_the_commands_start(programs: Path, tmp_path: Path, name: str) -> None:
    ended = run(programs / name, "--version", folder=tmp_path, environ=ALONE)
    assert re.fullmatch(rf"{name} \d+\.\d+\.\d+\S*\n", ended.output)


def test_the_plugin_answers_a_compiler(programs: Path, tmp_path: Path) -> None:
    asking = f"{programs / 'protoc-gen-rhtmx'} </dev/null | tr -cd '[:print:]'"
    ended = run("sh", "-c", asking, folder=tmp_path, environ=ALONE)
    assert "where to? give the plugin an option python=FOLDER" in ended.output


async def test_a_server_takes_a_push_that_another_client_reads(
    programs: Path, tmp_path: Path
) -> None:
    (tmp_path / "board.py").write_text(APP)
    command = (programs / "rhtmx-server", "--app", "board:app", "--port", "0")
    async with running(*command, folder=tmp_path, environ=ALONE) as process:
        server = ServerProcess(process, await ready(process))
        asking = {**ALONE, "RHTMX_URL": server.url}
        client = programs / "rhtmx"
        await ran(client, "push", "tasks", "1", "title=Ship it", folder=tmp_path, environ=asking)
        read = await ran(client, "sync", "tasks", "--json", folder=tmp_path, environ=asking)
        assert "Ship it" in read.output
        for name in ("client.js", "forms.js"):
            script = await ask(server.http, f"/api/{name}")
            assert script.body == (ROOT / "rhtmx_server" / "static" / name).read_bytes()
        assert await server.terminate() == 0
    assert (tmp_path / "board.db").exists()
