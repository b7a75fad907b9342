"""There is one version: what names it elsewhere says the same."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

import rhtmx
from rhtmx_server import App, Config, Grant, Request
from tests.support.process import ROOT

TYPESCRIPT = ROOT / "clients" / "typescript"


def _json(name: str) -> Any:
    return json.loads((TYPESCRIPT / name).read_text(encoding="utf-8"))


def test_the_build_takes_the_version_from_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" not in project
    assert ProjectMetadata(str(ROOT), PluginManager()).version == rhtmx.__version__


def test_the_npm_package_has_the_same_version() -> None:
    lock = _json("package-lock.json")
    named = {_json("package.json")["version"], lock["version"], lock["packages"][""]["version"]}
    assert named == {rhtmx.__version__}


def test_the_readme_names_the_file_that_is_made() -> None:
    named = re.findall(r"rhtmx-client-(.+?)\.tgz", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert named
    assert set(named) == {rhtmx.__version__}


async def test_a_server_is_told_the_version_of_a_python_client() -> None:
    named: list[str] = []

    def note(request: Request) -> Grant:
        named.append(request.headers["user-agent"])
        return Grant("ada")

    app = App(store="memory://", undeclared=True, config=Config(port=0), authenticate=note)
    async with app, rhtmx.connect(app.url) as client:
        await client.sync("tasks")
    assert set(named) == {f"rhtmx/{rhtmx.__version__}"}
