"""Builds the program, once for all workers, with Go's own module proxy for its two libraries."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.support.npm import once

__all__ = ["built"]

_HERE = Path(__file__).parent
_SOURCES = ("main.go", "go.mod", "go.sum")


def built(shared: Path) -> Path:
    """The program; the test is skipped where it cannot be built.

    Args:
        shared: what all workers of a run share.
    """
    go = shutil.which("go")
    if go is None:
        pytest.skip("no go: install Go 1.26 or later")
    folder = once(shared / "schema-go", partial(_build, go))
    program = folder / "schema"
    if not program.exists():
        pytest.skip(f"Go cannot build it: {(folder / 'why').read_text()[-300:]}")
    return program


def _build(go: str, folder: Path) -> None:
    for name in _SOURCES:
        shutil.copy(_HERE / name, folder)
    command = [go, "build", "-ldflags=-s -w", "-o", "schema", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        (folder / "why").write_text(done.stderr)
