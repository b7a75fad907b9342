"""What the README says about installing, and the licence that it names."""

from __future__ import annotations

import sys
import zipfile
from email.parser import Parser
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

from tests.docs.markdown import ROOT, blocks, page
from tests.docs.node import TYPESCRIPT
from tests.support.process import run

LICENSE = (ROOT / "LICENSE").read_text()


def test_the_licence_is_the_one_that_is_named() -> None:
    assert LICENSE.split()[:5] == ["Apache", "License", "Version", "2.0,", "January"]
    assert "END OF TERMS AND CONDITIONS" in LICENSE
    assert (TYPESCRIPT / "LICENSE").read_text() == LICENSE
    assert "Apache License 2.0: see [LICENSE](LICENSE)." in page("README.md")


def test_the_wheel_has_the_licence_and_names_it(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as file:
        (folder,) = {name.split("/")[0] for name in file.namelist() if ".dist-info/" in name}
        assert file.read(f"{folder}/licenses/LICENSE").decode() == LICENSE
        metadata = Parser().parsestr(file.read(f"{folder}/METADATA").decode())
    assert (metadata["License-Expression"], metadata["License-File"]) == ("Apache-2.0", "LICENSE")


def test_the_first_command_makes_an_environment_that_takes_packages(tmp_path: Path) -> None:
    shown = next(block.text for block in blocks(page("README.md")) if "-m venv" in block.text)
    making, using = shown.splitlines()
    assert using.startswith("pip install ")
    # The one of the system: Debian's takes no packages outside of an environment (PEP 668).
    base = Path(sys.base_prefix) / "bin"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(base / Path(sys.executable).resolve().name)
    script = f"{making} && pip install --no-index --dry-run nox; command -v pip"
    environ = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "VIRTUAL_ENV": None, "PYTHONPATH": None}
    ended = run("sh", "-c", script, folder=tmp_path, environ=environ)
    assert "externally-managed-environment" not in ended.errors
    assert "No matching distribution found for nox" in ended.errors, "it was looked for"
    assert Path(ended.output.splitlines()[-1]) == tmp_path / ".venv" / "bin" / "pip"
