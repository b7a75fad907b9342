"""The npm package as somebody else gets it: packed, and installed into a folder of theirs.

Knows npm's commands. Must not know what is done with the package.
"""

from __future__ import annotations

import fcntl
import shutil
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.support.process import run
from tests.support.programs import TYPESCRIPT

__all__ = ["install", "once", "pack", "pack_installed"]

_SOURCES = ("LICENSE", "README.md", "build.mjs", "package.json", "size.mjs", "src")
_QUIET = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Make a folder, unless another worker has made it, or is about to.

    Args:
        folder: where it goes, in what all workers of a run share; it is there when it is whole.
        make: fills it.
    """
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            begun = folder.with_name(f"{folder.name}.begun")
            shutil.rmtree(begun, ignore_errors=True)
            begun.mkdir()
            make(begun)
            begun.rename(folder)
    return folder


def pack(shared: Path) -> Path:
    """Pack the client as the README says, from a copy: nothing in the checkout is built.

    Args:
        shared: what all workers of a run share: the first of them does it.

    Returns:
        The package, in the folder `clients/typescript`.
    """
    folder = once(shared / "rhtmx", _pack)
    (package,) = (folder / "clients" / "typescript").glob("*.tgz")
    return package


def _pack(folder: Path) -> None:
    copy = folder / "clients" / "typescript"
    copy.mkdir(parents=True)
    for name in (*_SOURCES, *(each.name for each in TYPESCRIPT.glob("tsconfig*.json"))):
        source = TYPESCRIPT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    (copy / "node_modules").symlink_to(TYPESCRIPT / "node_modules")
    run("npm", "pack", *_QUIET, folder=copy)


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
