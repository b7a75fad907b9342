"""What is installed, in both languages: whole, and under the licence that the README names."""

from __future__ import annotations

import json
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.docs.markdown import ROOT, blocks, page, programs
from tests.docs.node import MODULES, TYPESCRIPT, require_node
from tests.support.npm import install, pack, pack_installed
from tests.support.process import run

LICENSE = (ROOT / "LICENSE").read_text()


@pytest.fixture
def package(shared: Path) -> Path:
    """The npm package."""
    require_node()
    return pack(shared)


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


def test_the_npm_package_is_whole_and_has_nothing_else(package: Path) -> None:
    with tarfile.open(package) as file:
        names = {name.removeprefix("package/") for name in file.getnames()}
        manifest = json.load(_opened(file, "package/package.json"))
        assert _opened(file, "package/LICENSE").read().decode() == LICENSE
    assert manifest["license"] == "Apache-2.0"
    exported = {path for each in manifest["exports"].values() for path in each.values()}
    assert {path.removeprefix("./") for path in exported} <= names
    others = {name for name in names if not name.startswith("dist/")}
    assert others == {"LICENSE", "README.md", "package.json"}
    assert not manifest.keys() & {"dependencies", "bundleDependencies", "optionalDependencies"}
    assert manifest["peerDependencies"].keys() == {"react"}, "and that only for its hooks"


@pytest.mark.parametrize("resolution", ["Bundler", "NodeNext"])
def test_the_documented_page_is_strictly_typed_with_what_is_installed(
    package: Path, tmp_path: Path, resolution: str
) -> None:
    app = tmp_path / "app"
    install(app, [package])
    for name in ("@types", "csstype"):
        (app / "node_modules" / name).symlink_to(MODULES / name)
    (app / "Board.tsx").write_text(programs(page("docs/clients.md"))["Board.tsx"][0])
    options = {
        "strict": True,
        "noEmit": True,
        "module": "ESNext" if resolution == "Bundler" else resolution,
        "moduleResolution": resolution,
        "target": "ES2022",
        "lib": ["ES2022", "DOM"],
        "jsx": "react-jsx",
        "types": [],
        "preserveSymlinks": True,
    }
    config = {"compilerOptions": options, "files": ["Board.tsx"]}
    (app / "tsconfig.json").write_text(json.dumps(config))
    run(MODULES / ".bin" / "tsc", "-p", app)


def test_a_program_that_requires_modules_gets_the_package(package: Path, tmp_path: Path) -> None:
    """As `npm init` makes programs; Node takes modules so from 20.19 and 22.12 on."""
    app = tmp_path / "app"
    install(app, [package, *pack_installed(tmp_path, "react")])
    names = (
        "@rhtmx/client",
        *(f"@rhtmx/client/{each}" for each in ("forms", "htmx", "react", "schema", "testing")),
    )
    asked = ", ".join(f"Object.keys(require({name!r})).length > 0" for name in names)
    (app / "program.cjs").write_text(f"console.log([{asked}].join());")
    assert run("node", app / "program.cjs").output == "true,true,true,true,true,true\n"


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


def _opened(file: tarfile.TarFile, name: str) -> tarfile.ExFileObject:
    found = file.extractfile(name)
    assert isinstance(found, tarfile.ExFileObject)
    return found


def test_the_wheel_has_the_demo_and_the_inspector_with_all_that_was_generated(
    tmp_path: Path,
) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    for folder in ("demo", "demo/schema", "demo/static", "inspector", "inspector/static"):
        files = (ROOT / "rhtmx_server" / folder).iterdir()
        wanted = {f"rhtmx_server/{folder}/{each.name}" for each in files if each.is_file()}
        assert wanted <= names
