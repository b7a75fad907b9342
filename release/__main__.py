"""Makes a release in `build/release`: `python -m release`, which `nox -s release` calls.

    python -m release --tag v0.2.0    the tag has to be that of the version
    python -m release --rehearsal     what is new is taken from "Unreleased"

Knows folders and the tools' commands; `notes` decides. The tools have to be installed:
`nox -s release` does that.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from release.notes import UNRELEASED, ReleaseError, agree, section, sums

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
TYPESCRIPT = Path("clients", "typescript")
NOTES, SUMS = "NOTES.md", "SHA256SUMS"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m release", description="Make a release.")
    parser.add_argument("--tag", help="the tag that this is built for: v and the version")
    parser.add_argument("--rehearsal", action="store_true", help="of what is not released yet")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (default: this one)")
    parser.add_argument("--out", type=Path, help="the folder of the files (build/release)")
    given = parser.parse_args(argv)
    try:
        make(given.root, given.out or given.root / "build" / "release", given.tag, given.rehearsal)
    except ReleaseError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def make(root: Path, out: Path, tag: str | None = None, rehearsal: bool = False) -> None:
    """Build and check the packages, and write the notes and the sums beside them.

    The same sources make the same bytes, wherever and whenever that is done: all times in the
    packages are that of the commit, or `SOURCE_DATE_EPOCH`.

    Args:
        root: the checkout.
        out: the folder of the files, which is emptied first.
        tag: that this is built for.
        rehearsal: whether to take the notes from what is not released yet.

    Raises:
        ReleaseError: it cannot be released as it is, or a tool has found something wrong.
    """
    version = str(runpy.run_path(str(root / "clients/python/rhtmx/version.py"))["__version__"])
    manifest = json.loads((root / TYPESCRIPT / "package.json").read_text(encoding="utf-8"))
    named = {f"{TYPESCRIPT}/package.json": str(manifest["version"])}
    agree(version, named | ({"the tag": tag.removeprefix("v")} if tag else {}))
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    notes = section(changelog, UNRELEASED if rehearsal else version)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    _build(root, out)
    _check(root, out)
    files = {each.name: each.read_bytes() for each in sorted(out.iterdir())}
    (out / SUMS).write_text(sums(files), encoding="utf-8")
    (out / NOTES).write_text(notes, encoding="utf-8")
    for name in sorted(each.name for each in out.iterdir()):
        sys.stdout.write(f"{out / name}\n")


def _build(root: Path, out: Path) -> None:
    python = ("hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(out.resolve()))
    _run(sys.executable, "-m", *python, folder=root, epoch=_epoch(root))
    npm = ("npm", "pack", "--loglevel=error", "--pack-destination", str(out.resolve()))
    _run(*npm, folder=root / TYPESCRIPT)


def _check(root: Path, out: Path) -> None:
    """Have others look for mistakes: they know what registries and compilers expect."""
    python = sorted(str(each) for each in out.iterdir() if each.suffix in (".whl", ".gz"))
    _run(sys.executable, "-m", "twine", "check", "--strict", *python)
    (package,) = (str(each) for each in out.glob("*.tgz"))
    tools = root / TYPESCRIPT / "node_modules" / ".bin"
    _run(str(tools / "publint"), "--strict", package)
    _run(str(tools / "attw"), "--profile", "esm-only", package)


def _epoch(root: Path) -> str:
    """The time of the commit, in seconds since 1970."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return given or _run("git", "log", "-1", "--format=%ct", folder=root).strip()


def _run(*command: str, folder: Path | None = None, epoch: str | None = None) -> str:
    environ = os.environ | ({"SOURCE_DATE_EPOCH": epoch} if epoch else {})
    ended = subprocess.run(
        command, cwd=folder, env=environ, check=False, text=True, capture_output=True
    )
    if ended.returncode:
        raise ReleaseError(f"{' '.join(command)} failed:\n{ended.stdout}{ended.stderr}")
    return ended.stdout


if __name__ == "__main__":
    sys.exit(main())
