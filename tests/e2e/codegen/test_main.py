from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codegen.__main__ import OWNED, generate, main


@pytest.fixture(scope="module")
def real(root: Path) -> dict[str, bytes]:
    return generate(root)


@pytest.fixture
def wanted(real: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the schema gives; the command uses it without making it again."""
    monkeypatch.setattr("codegen.__main__.generate", lambda _: real)
    return real


@pytest.fixture
def copy(tmp_path: Path, root: Path) -> Path:
    """A repository with the schema and nothing generated."""
    shutil.copytree(root / "proto", tmp_path / "proto")
    for name in ("buf.yaml", "buf.gen.yaml", "pyproject.toml"):
        shutil.copy(root / name, tmp_path)
    return tmp_path


@pytest.mark.usefixtures("wanted")
def test_what_is_checked_in_is_up_to_date(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(root), "--check"]) == 0, capsys.readouterr().err


def test_the_same_schema_gives_the_same_files(root: Path, real: dict[str, bytes]) -> None:
    assert generate(root) == real


def test_all_files_but_docs_vectors_and_what_is_served_are_in_owned_folders(
    real: dict[str, bytes],
) -> None:
    outside = [path for path in real if not path.startswith(OWNED)]
    assert outside == [
        "docs/protocol.md",
        "rhtmx_server/static/asyncapi.json",
        "tests/vectors/schema.binpb",
    ]


@pytest.mark.usefixtures("wanted")
def test_writing_then_checking_finds_no_difference(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--root", str(copy), "--check"]) == 1
    assert "docs/protocol.md: missing" in capsys.readouterr().err
    assert main(["--root", str(copy)]) == 0
    assert main(["--root", str(copy), "--check"]) == 0


@pytest.mark.usefixtures("wanted")
def test_writing_removes_what_is_not_generated_any_more(copy: Path) -> None:
    left_over = copy / OWNED[0] / "old.py"
    left_over.parent.mkdir(parents=True)
    left_over.write_text("")
    assert main(["--root", str(copy)]) == 0
    assert not left_over.exists()


def test_checking_lists_an_edited_file_and_writes_nothing(
    copy: Path, wanted: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    for path, content in wanted.items():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_bytes(content)
    edited = copy / "docs/protocol.md"
    edited.write_text("mine\n")
    assert main(["--root", str(copy), "--check"]) == 1
    error = capsys.readouterr().err
    assert "docs/protocol.md: line 1 is 'mine'" in error
    assert "run `nox -s codegen`" in error
    assert edited.read_text() == "mine\n"


def test_a_schema_that_breaks_a_rule_writes_nothing(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = copy / "proto/rhtmx/v1/session.proto"
    session.write_text(session.read_text().replace("string token = 1;", "string type = 1;"))
    assert main(["--root", str(copy)]) == 2
    assert "proto/rhtmx/v1/session.proto:" in capsys.readouterr().err
    assert not (copy / "docs").exists()


def test_a_schema_that_does_not_compile_is_refused(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "proto/rhtmx/v1/session.proto").write_text("nonsense")
    assert main(["--root", str(copy)]) == 2
    assert "proto/rhtmx/v1/session.proto:1:" in capsys.readouterr().err


def test_help_says_what_is_made_and_how_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert "docs/protocol.md" in text
    assert "exit status: 0 done" in text
