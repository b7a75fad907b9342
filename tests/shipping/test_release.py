"""A release: the same bytes wherever it is built, with sums and notes, and by one command."""

from __future__ import annotations

import json
import re
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from release.notes import UNRELEASED, section
from tests.docs.node import require_node
from tests.support.npm import once
from tests.support.process import ROOT, Ended, run

COPIED = (
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "clients",
    "pyproject.toml",
    "rhtmx_codegen",
    "rhtmx_server",
)
WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"


def copied(folder: Path) -> Path:
    """What a release is made of, in a folder of its own."""
    folder.mkdir(parents=True)
    without = shutil.ignore_patterns("node_modules", "__pycache__", "dist")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=without)
        else:
            shutil.copy(source, folder / name)
    modules = Path("clients", "typescript", "node_modules")
    (folder / modules).symlink_to(ROOT / modules)
    return folder


def release(root: Path, *options: str, mask: str = "022", code: int = 0) -> Ended:
    """Run the command on a copy, which is no checkout: so the time is given."""
    command = f'umask {mask} && exec "$@"'
    given: tuple[str | Path, ...] = (sys.executable, "-m", "release", "--root", root, *options)
    environ = {"SOURCE_DATE_EPOCH": "1800000000"}
    return run("sh", "-c", command, "sh", *given, code=code, environ=environ, patience=600)


@pytest.fixture
def made(shared: Path) -> Path:
    """The files of a rehearsal."""
    pytest.importorskip("twine", reason="no twine: install the group `test`")
    require_node()

    def make(folder: Path) -> None:
        release(copied(folder / "checkout"), "--rehearsal")

    return once(shared / "release", make) / "checkout" / "build" / "release"


def test_there_are_three_packages_with_their_sums_and_the_notes(made: Path) -> None:
    version = rhtmx.__version__
    packages = {
        f"rhtmx-{version}-py3-none-any.whl",
        f"rhtmx-{version}.tar.gz",
        f"rhtmx-client-{version}.tgz",
    }
    assert {each.name for each in made.iterdir()} == packages | {"NOTES.md", "SHA256SUMS"}
    assert run("sha256sum", "--check", "SHA256SUMS", folder=made).output.count(": OK\n") == 3
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert (made / "NOTES.md").read_text(encoding="utf-8") == section(changelog, UNRELEASED)


def test_another_build_elsewhere_makes_the_same_bytes(made: Path, tmp_path: Path) -> None:
    root = copied(tmp_path / "somewhere" / "else")
    for each in root.rglob("*.py"):
        each.touch()
    release(root, "--rehearsal", mask="002")
    again = root / "build" / "release" / "SHA256SUMS"
    assert again.read_text() == (made / "SHA256SUMS").read_text()


def test_the_times_in_the_packages_are_that_of_the_commit(made: Path) -> None:
    (wheel,) = made.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        assert {each.date_time[:3] for each in file.infolist()} == {(2027, 1, 15)}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--tag", "v9.9.9"], f"the version is {rhtmx.__version__}, but the tag says 9.9.9"),
        ([], f"CHANGELOG.md has no section [{rhtmx.__version__}]: put what is new under"),
    ],
)
def test_what_does_not_agree_is_not_built(tmp_path: Path, options: list[str], words: str) -> None:
    root = tmp_path / "checkout"
    copied(root)
    changelog = root / "CHANGELOG.md"
    changelog.write_text(f"## [{UNRELEASED}]\n\n- To come.\n", encoding="utf-8")
    assert release(root, *options, code=1).errors.startswith(f"error: {words}")
    assert not (root / "build").exists()


@pytest.fixture
def workflow() -> dict[str, Any]:
    """The workflow that releases."""
    yaml = pytest.importorskip("yaml", reason="no PyYAML: install the group `test`")
    found: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    return found


def test_the_workflow_does_after_all_tests_what_one_does_at_home(workflow: dict[str, Any]) -> None:
    tests, build = workflow["jobs"]["tests"], workflow["jobs"]["build"]
    assert [each["run"] for each in tests["steps"] if "run" in each] == [".ci/run"]
    assert build["needs"] == "tests"
    commands = [each["run"] for each in build["steps"] if "run" in each]
    options = ['--tag "$GITHUB_REF_NAME"', "--rehearsal"]
    assert commands == [f"pip install nox && nox -s release -- {each}" for each in options]
    assert build["steps"][-1]["with"]["path"] == "build/release"


def test_nothing_is_uploaded_to_a_registry(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    sources = [WORKFLOW, ROOT / "noxfile.py", *(ROOT / "release").glob("*.py")]
    text = "\n".join(each.read_text(encoding="utf-8") for each in sources)
    assert re.findall(r"twine.{0,5}upload|npm.{0,5}publish|secrets\.|id-token", text) == []
    manifest = json.loads((ROOT / "clients/typescript/package.json").read_text(encoding="utf-8"))
    assert manifest["private"] is True
