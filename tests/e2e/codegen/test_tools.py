from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codegen.tools import ToolError, build_descriptors, format_python


@pytest.fixture
def copy(tmp_path: Path, root: Path) -> Path:
    shutil.copytree(root / "proto", tmp_path / "proto")
    for name in ("buf.yaml", "buf.gen.yaml", "pyproject.toml"):
        shutil.copy(root / name, tmp_path)
    return tmp_path


def change(root: Path, old: str, new: str) -> str:
    """Change the schema once; return the place where that was."""
    path = root / "proto/rhtmx/v1/session.proto"
    before, _, after = path.read_text().partition(old)
    assert after
    path.write_text(before + new + after)
    return f"proto/rhtmx/v1/session.proto:{before.count(chr(10)) + 1}:"


def test_a_number_used_twice_is_refused_with_its_place(copy: Path) -> None:
    place = change(copy, "int64 version = 2;", "int64 version = 1;")
    with pytest.raises(ToolError) as refused:
        build_descriptors(copy)
    [line] = str(refused.value).splitlines()
    assert line.startswith(place)
    assert "used more than once" in line
    assert line.endswith("take one that was never used")


def test_a_reserved_number_is_refused_with_its_place(copy: Path) -> None:
    place = change(copy, "int64 version = 2;", "int64 version = 2; reserved 2;")
    with pytest.raises(ToolError, match=rf"{place}.*reserved.*take one that was never used"):
        build_descriptors(copy)


def test_a_schema_that_does_not_parse_is_refused_with_its_place(copy: Path) -> None:
    place = change(copy, "int64 version = 2;", "int64 version = ;")
    with pytest.raises(ToolError, match=place):
        build_descriptors(copy)


def test_a_missing_program_is_named_with_what_to_do(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(ToolError, match="'buf' is not installed: run codegen as `nox -s codegen`"):
        build_descriptors(copy)


def test_python_is_formatted_with_sorted_imports(root: Path) -> None:
    text = "import sys\nimport os\nx={'a':1}\nprint(x,os,sys)\n"
    assert format_python(root, "clients/python/rhtmx/messages/new.py", text) == (
        'import os\nimport sys\n\nx = {"a": 1}\nprint(x, os, sys)\n'
    )


def test_what_is_not_python_is_refused(root: Path) -> None:
    with pytest.raises(ToolError, match=r"ruff refused codegen/new\.py"):
        format_python(root, "codegen/new.py", "def (:\n")
