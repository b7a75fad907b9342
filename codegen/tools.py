"""Runs the two programs that codegen stands on: buf and ruff.

Knows how they are called and what to say when they fail. Must not know the
schema, nor where the results go.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from codegen.rules import explain_compiler

__all__ = ["ToolError", "build_descriptors", "format_python", "generate_classes"]


class ToolError(Exception):
    """A program is missing or refused its input; the message is for the user."""


def build_descriptors(root: Path) -> bytes:
    """Compile the schema.

    Args:
        root: the folder with `buf.yaml`.

    Returns:
        A serialised `FileDescriptorSet` with imports and source information.

    Raises:
        ToolError: the schema does not compile; each error with file and line.
    """
    done = _run(["buf", "build", "proto", "--as-file-descriptor-set", "--output", "-"], root)
    if done.returncode != 0:
        raise ToolError(explain_compiler(done.stderr.decode()))
    return done.stdout


def generate_classes(root: Path, target: Path) -> None:
    """Let betterproto2 write the message classes, as `buf.gen.yaml` says.

    Args:
        root: the folder with `buf.gen.yaml`.
        target: the folder that stands for the root of the repository.

    Raises:
        ToolError: the generator failed.
    """
    done = _run(["buf", "generate", "--output", str(target)], root)
    if done.returncode != 0:
        raise ToolError(f"buf generate failed:\n{done.stderr.decode().strip()}")


def format_python(root: Path, path: str, text: str) -> str:
    """Sort the imports of a Python file and format it, by the project's settings.

    Args:
        root: the folder with `pyproject.toml`.
        path: where the file will lie, relative to `root`.
        text: the file.

    Raises:
        ToolError: it is not Python.
    """
    # Both over standard input: what is not checked in yet has no file to point ruff at.
    for command in (["check", "--quiet", "--fix", "--select", "I"], ["format", "--quiet"]):
        done = _run(["ruff", *command, "--stdin-filename", path, "-"], root, text.encode())
        if done.returncode != 0:
            raise ToolError(f"ruff refused {path}:\n{done.stderr.decode().strip()}")
        text = done.stdout.decode()
    return text


def _run(
    command: list[str], folder: Path, given: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    # Programs installed beside this Python come first, also for buf's plugin.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    program = shutil.which(command[0], path=path)
    if program is None:
        raise ToolError(
            f"'{command[0]}' is not installed: run codegen as `nox -s codegen`, or install its "
            "tools with `pip install --group codegen`"
        )
    return subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env={**os.environ, "PATH": path},
        input=given,
        capture_output=True,
        check=False,
    )
