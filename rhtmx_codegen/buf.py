"""Runs the compiler of protobuf's language, buf, on the files of a schema.

Knows how it is called and what it says. Must not know what is in a schema, nor what becomes of it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rhtmx_codegen.advice import advice
from rhtmx_codegen.problems import Location, Problem, SchemaError
from rhtmx_codegen.sources import Sources, find_sources

__all__ = ["NoCompilerError", "build", "compile_sources"]


class NoCompilerError(Exception):
    """There is no buf, or it does not run; the message is for the user."""


def build(files: Sequence[Path], roots: Sequence[Path] = ()) -> bytes:
    """Compile the files of a schema.

    Args:
        files: those that are compiled.
        roots: see `sources.find_sources`.

    Returns:
        A serialised `FileDescriptorSet` with imports and source information.

    Raises:
        SchemaError: they do not compile; each error with its place.
        NoCompilerError: buf is not installed.
    """
    return compile_sources(find_sources(files, roots))


def compile_sources(sources: Sources) -> bytes:
    """Compile files that were found.

    Only these are laid before the compiler, in a folder of their own: whatever else lies around
    them, such as the `.proto` files of other packages in `node_modules`, is none of the schema's.

    Args:
        sources: the files.

    Returns:
        See `build`.

    Raises:
        SchemaError: they do not compile.
        NoCompilerError: buf is not installed.
    """
    program = _program()
    with tempfile.TemporaryDirectory(prefix="rhtmx-codegen-") as name:
        folder = Path(name).resolve()
        for each, text in sources.texts.items():
            path = folder / each
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        done = subprocess.run(  # noqa: S603 (no shell, and all of it is ours)
            [program, *_arguments(sources)],
            cwd=folder,
            capture_output=True,
            check=False,
        )
    if done.returncode != 0:
        raise SchemaError(_problems(sources, done.stderr.decode(errors="replace")))
    return done.stdout


def _arguments(sources: Sources) -> list[str]:
    paths = [f"--path={name}" for name in sources.names]
    return ["build", *paths, "--as-file-descriptor-set", "--error-format=json", "--output=-"]


def _program() -> str:
    # A program that is installed beside this Python comes first.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    program = shutil.which("buf", path=path)
    if program is None:
        raise NoCompilerError(
            "the compiler `buf` is not installed, and schemas are compiled by it: "
            "pip install 'rhtmx[codegen]', or '.[codegen]' in a checkout"
        )
    return program


def _problems(sources: Sources, output: str) -> list[Problem]:
    found = [each for line in output.splitlines() for each in _said(sources, line)]
    return found or [Problem(Location(sources.shown.get(sources.names[0], "")), "buf failed")]


def _said(sources: Sources, line: str) -> Iterator[Problem]:
    """What a line of the compiler's says."""
    if not line.strip():
        return
    try:
        said = json.loads(line)
        place = Location(said["path"], said.get("start_line", 0), said.get("start_column", 0))
        words = said["message"]
    except (ValueError, KeyError, TypeError):
        first = sources.names[0]
        place, words = Location(first), f"buf: {line.strip().removeprefix('Failure: ')}"
    yield Problem(sources.place(place), f"{words}{advice(words, place, sources.texts)}")
