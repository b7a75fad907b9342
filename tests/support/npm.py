"""The npm package as somebody else gets it: packed, and installed into a folder of theirs.

Knows npm's commands. Must not know what is done with the package.
"""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path

from tests.support.process import run
from tests.support.programs import TYPESCRIPT

__all__ = ["install", "pack", "pack_installed"]

_SOURCES = ("LICENSE", "README.md", "build.mjs", "package.json", "size.mjs", "src")
_QUIET = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")


def pack(folder: Path) -> Path:
    """Pack the client as the README says, from a copy: nothing in the checkout is built.

    Args:
        folder: where the package goes, and what it is made of.

    Returns:
        The package.
    """
    copy = folder / "clients" / "typescript"
    copy.mkdir(parents=True)
    for name in (*_SOURCES, *(each.name for each in TYPESCRIPT.glob("tsconfig*.json"))):
        source = TYPESCRIPT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    (copy / "node_modules").symlink_to(TYPESCRIPT / "node_modules")
    run("npm", "pack", *_QUIET, folder=copy)
    (package,) = copy.glob("*.tgz")
    return package


def pack_installed(folder: Path, *names: str) -> list[Path]:
    """Pack what is installed for the client's own tests: nothing has to be fetched then."""
    for name in names:
        package = folder / f"{name.replace('/', '-')}.tgz"
        with tarfile.open(package, "w:gz", compresslevel=1) as file:
            file.add(TYPESCRIPT / "node_modules" / name, "package")
    return sorted(folder.glob("*.tgz"))


def install(folder: Path, packages: Iterable[Path | str], *, offline: bool = True) -> None:
    """Install packages into an empty folder."""
    folder.mkdir(parents=True)
    (folder / "package.json").write_text("{}")
    source = "--offline" if offline else "--prefer-offline"
    run("npm", "install", source, *_QUIET, *packages, folder=folder)
