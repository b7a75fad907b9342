"""Runs a program of Go in a folder of its own, which needs nothing but Go."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["go", "run"]

_HERE = Path(__file__).parent
_MODULE = "module patterns\n\ngo 1.22\n"


def go() -> str | None:
    """Where Go is, if it is there."""
    return shutil.which("go")


def run(program: str, text: str = "") -> str:
    """What a program of this folder answers.

    Args:
        program: its file, such as `tables.go`.
        text: what it is given to read.
    """
    with TemporaryDirectory(prefix="rhtmx-go-") as folder:
        shutil.copy(_HERE / program, Path(folder, "main.go"))
        Path(folder, "go.mod").write_text(_MODULE, encoding="utf-8")
        done = subprocess.run(
            ["go", "run", "."], cwd=folder, input=text, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
