"""Programs that tests need and a machine may lack.

On a developer's machine a test without its program is skipped, with the reason.
With `CI=true` it fails: there nothing may go untested unnoticed.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.process import run

TYPESCRIPT = Path(__file__).parents[2] / "clients" / "typescript"


def node(package: str) -> str:
    """The path of Node, where it can load an npm package of the TypeScript client."""
    found = shutil.which("node")
    if found is None:
        _lacks("no node: install Node 20 or later")
    if not (TYPESCRIPT / "node_modules" / package).is_dir():
        _lacks(f"no npm package {package}: run `npm ci` in clients/typescript")
    return str(found)


def registry(package: str) -> None:
    """Nothing, where npm can fetch a package."""
    if shutil.which("npm") is None or run("npm", "view", package, "name", code=None).code:
        _lacks(f"npm cannot fetch {package}: there is no network")


def chromium() -> str:
    """The path of Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        _lacks(f"no browser: install one of {', '.join(names)}")
    return str(found)


def _lacks(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
