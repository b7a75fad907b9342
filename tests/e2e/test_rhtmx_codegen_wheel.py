"""The compiler of schemas comes with the wheel, and all that it needs but buf."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.support.process import run
from tests.support.schemas import HEAD, write

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    return tmp_path / "site"


def test_it_has_the_options_and_a_program_for_compilers(unpacked: Path) -> None:
    protos = {path.name for path in (unpacked / "rhtmx_codegen").rglob("*.proto")}
    assert protos == {"schema.proto", "validate.proto"}
    (entries,) = unpacked.glob("*.dist-info/entry_points.txt")
    assert "protoc-gen-rhtmx = rhtmx_codegen.plugin:main" in entries.read_text().splitlines()
    (metadata,) = unpacked.glob("*.dist-info/METADATA")
    assert "Requires-Dist: buf-bin>=1.75; extra == 'codegen'" in metadata.read_text().splitlines()


def test_a_schema_is_read_with_what_is_in_it(unpacked: Path, tmp_path: Path) -> None:
    """From a folder that has nothing but the schema."""
    app = write(tmp_path / "app", "app.proto", f"{HEAD}message A {{\n string extra = 1;\n}}")
    tool = "import sys; from rhtmx.cli import main; sys.exit(main())"
    arguments = ("codegen", "app.proto", "--python", "app_schema")
    ended = run(
        *(sys.executable, "-c", tool, *arguments),
        code=2,
        folder=app.parent,
        environ={"PYTHONPATH": str(unpacked)},
    )
    assert ended.errors.startswith("app.proto:7:2: field extra of A: the name is taken")
