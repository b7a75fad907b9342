"""The sample schema, `tests/schemas/sample.proto`, compiled, generated and imported."""

from __future__ import annotations

import atexit
import importlib
import json
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from rhtmx_codegen.emit import emit_python, emit_typescript
from rhtmx_codegen.json_schema import json_schema
from rhtmx_codegen.model import Schema
from rhtmx_codegen.read import read_schema
from tests.support.schemas import descriptors

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "tests" / "schemas" / "sample.proto"
PACKAGE = "sample_schema"


@cache
def sample() -> Schema:
    """The schema."""
    text = SOURCE.read_text(encoding="utf-8")
    return read_schema(descriptors({SOURCE.name: text}), [SOURCE.name])


def write_python(folder: Path) -> Path:
    """Write its Python package into a folder."""
    return _write(folder / PACKAGE, emit_python(sample()))


def write_typescript(folder: Path) -> Path:
    """Write its TypeScript modules into a folder."""
    return _write(folder, emit_typescript(sample()))


def _write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@cache
def loaded() -> Any:
    """Its Python package, imported."""
    folder = tempfile.mkdtemp(prefix="rhtmx-sample-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write_python(Path(folder))
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(PACKAGE)
    finally:
        sys.path.remove(folder)


CHECKED_IN = ROOT / "clients" / "typescript" / "tests" / "support" / "sample.ts"
"""The module for the tests of the TypeScript client; `python -m tests.support.sample_schema`."""


def for_tests() -> str:
    """The TypeScript module with the imports that it has within the client."""
    (text,) = (text for name, text in emit_typescript(sample()).items() if name == "sample.ts")
    return text.replace('"@rhtmx/client/schema"', '"../../src/schema.ts"')


DOCUMENT = CHECKED_IN.with_name("sample.schema.json")
"""What `GET /api/schema` answers where this is the schema, for the same tests."""


def document() -> str:
    """Its JSON Schema."""
    return json.dumps(json_schema(sample()), indent=1) + "\n"


if __name__ == "__main__":
    CHECKED_IN.write_text(for_tests(), encoding="utf-8")
    DOCUMENT.write_text(document(), encoding="utf-8")
