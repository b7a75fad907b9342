"""The schema of the product, compiled once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from codegen.descriptors import read_schema
from codegen.model import Schema
from codegen.rules import check
from codegen.tools import build_descriptors

ROOT = Path(__file__).resolve().parents[3]
WHISPER = """\
    // Says.
    Whisper whisper = 90 [(direction) = DIRECTION_BOTH, (ephemeral) = true];
"""
WHISPERED = """
// Says.
message Whisper {
  // Where.
  string entity = 1;
}
"""
BROKEN = Path(__file__).with_name("broken.proto")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def descriptors() -> bytes:
    return build_descriptors(ROOT)


@pytest.fixture(scope="session")
def schema(descriptors: bytes) -> Schema:
    return read_schema(descriptors)


@pytest.fixture(scope="session")
def problems(tmp_path_factory: pytest.TempPathFactory, root: Path) -> list[str]:
    """What the rules say of the schema with every fault put in, once each."""
    folder = tmp_path_factory.mktemp("schema")
    shutil.copytree(root / "proto", folder / "proto")
    shutil.copy(root / "buf.yaml", folder)
    shutil.copy(BROKEN, folder / "proto/rhtmx/v1")
    envelope = folder / "proto/rhtmx/v1/envelope.proto"
    text = envelope.read_text()
    text = text.replace('v1/fields.proto";', 'v1/fields.proto";\nimport "rhtmx/v1/broken.proto";')
    text = text.replace(
        "  oneof message {\n", "  oneof message {\n    // A case.\n    Broken broken = 90;\n"
    )
    envelope.write_text(text)
    errors = folder / "proto/rhtmx/v1/errors.proto"
    text = errors.read_text()
    text = text.replace("grpc_status: 12", "grpc_status: 99").replace("4504", "1000")
    text = text.replace('"superseded",\n    (error) = {grpc_status: 10}', '"superseded"')
    errors.write_text(text)
    found = check(read_schema(build_descriptors(folder)))
    return [str(problem) for problem in found]


@pytest.fixture(scope="session")
def place() -> Callable[[str], str]:
    """Find the place of the line of the broken schema that holds a marker."""
    lines = BROKEN.read_text().splitlines()

    def find(marker: str) -> str:
        line = next(number for number, text in enumerate(lines, 1) if marker in text)
        return f"proto/rhtmx/v1/broken.proto:{line}"

    return find


@pytest.fixture(scope="session")
def whispering(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Schema:
    """The schema with one message more, which is ephemeral."""
    folder = tmp_path_factory.mktemp("whispering")
    shutil.copytree(root / "proto", folder / "proto")
    shutil.copy(root / "buf.yaml", folder)
    envelope = folder / "proto/rhtmx/v1/envelope.proto"
    text = envelope.read_text().replace("  oneof message {\n", f"  oneof message {{\n{WHISPER}")
    envelope.write_text(f"{text}{WHISPERED}")
    return read_schema(build_descriptors(folder))
