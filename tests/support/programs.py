"""Programs that tests need and a machine may lack.

On a developer's machine a test without its program is skipped, with the reason.
With `CI=true` it fails: there nothing may go untested unnoticed. `.ci/run` installs what Debian
has; Firefox and WebKit are only asked for where there is `apt-get`, as elsewhere they are packaged
otherwise or not at all.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
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


def pypi(package: str) -> None:
    """Nothing, where pip can fetch a package."""
    command = ("pip", "install", "--dry-run", "--quiet", "--ignore-installed", "--no-deps", package)
    if run(sys.executable, "-m", *command, code=None).code:
        _lacks(f"pip cannot fetch {package}: there is no network")


def chromium() -> str:
    """The path of Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        _lacks(f"no browser: install one of {', '.join(names)}")
    return str(found)


def firefox() -> str:
    """The path of Firefox."""
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if found is None:
        _lacks("no Firefox: install firefox-esr", where_there_is_apt=True)
    return str(found)


def webkit() -> tuple[str, str, str]:
    """The paths of WebKit's driver, of its browser, and of a screen for it."""
    driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    places = ("lib/*/webkit2gtk-4.*", "lib*/webkit2gtk-4.*", "libexec/webkit2gtk-4.*")
    browsers = [path for place in places for path in Path("/usr").glob(f"{place}/MiniBrowser")]
    if driver is None or screen is None or not browsers:
        _lacks("no WebKit: install webkit2gtk-driver and xvfb", where_there_is_apt=True)
    return str(driver), str(browsers[-1]), str(screen)


def pgbouncer() -> str:
    """The path of PgBouncer."""
    return _daemon("pgbouncer", "pgbouncer")


def nginx() -> str:
    """The path of nginx."""
    return _daemon("nginx", "nginx-light")


def caddy() -> str:
    """The path of Caddy."""
    return _daemon("caddy", "caddy")


ENGINES: Mapping[str, Callable[[], tuple[str, ...]]] = {
    "chromium": lambda: (chromium(),),
    "firefox": lambda: (firefox(),),
    "webkit": webkit,
}
"""Engine → the paths of the programs that it takes."""


def _daemon(name: str, package: str) -> str:
    # Where Debian installs it is on the path of root only.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        _lacks(f"no {name}: install {package}", where_there_is_apt=True)
    return str(found)


def _lacks(reason: str, *, where_there_is_apt: bool = False) -> None:
    strict = not where_there_is_apt or shutil.which("apt-get") is not None
    if os.environ.get("CI") == "true" and strict:
        pytest.fail(reason)
    pytest.skip(reason)
