"""Packages that `rhtmx codegen` makes of a schema, imported as an application imports them."""

from __future__ import annotations

import atexit
import functools
import importlib
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from rhtmx_codegen.emit import emit_python
from rhtmx_codegen.lock import NO_LOCK, renames, with_version
from rhtmx_codegen.model import Schema
from rhtmx_codegen.retired import retired
from tests.support.schemas import schema_of

__all__ = ["package_of", "schema_package", "versions_of"]


@functools.cache
def schema_package(text: str) -> ModuleType:
    """The package that is generated from a schema.

    Args:
        text: the messages; package and imports come before it.
    """
    return package_of(schema_of(text))


def versions_of(*texts: str) -> list[ModuleType]:
    """The packages of several versions of one schema, each with what the lock says of the others.

    Args:
        texts: the versions, the oldest first.
    """
    lock, packages = NO_LOCK, []
    for text in texts:
        schema = schema_of(text)
        known = replace(schema, renames=renames(lock, schema), retired=retired(lock, schema))
        packages.append(package_of(known))
        lock = with_version(lock, schema)
    return packages


def package_of(schema: Schema) -> ModuleType:
    """The package that is generated from a schema, imported."""
    folder = Path(tempfile.mkdtemp(prefix="schema_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    name = f"schema_{folder.name.lower()}"
    for path, content in emit_python(schema).items():
        file = folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
