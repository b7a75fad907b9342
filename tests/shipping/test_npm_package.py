"""The npm package, as who installs it gets it: packed, and put into an empty folder."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from tests.docs.markdown import page, programs
from tests.docs.node import MODULES, TYPESCRIPT, require_node
from tests.support.npm import install, pack, pack_installed
from tests.support.process import run

LICENSE = (TYPESCRIPT / "LICENSE").read_text()
PARTS = ("forms", "htmx", "react", "schema", "testing")
ENTRIES = ("@rhtmx/client", *(f"@rhtmx/client/{each}" for each in PARTS))

OF_FORMS, OF_HTMX = "data-rhtmx-error", "data-rhtmx-watch"
"""Attributes that only these parts know."""


@pytest.fixture
def package(shared: Path) -> Path:
    """The npm package."""
    require_node()
    return pack(shared)


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


@pytest.mark.parametrize(
    "command",
    [("publint", "--strict"), ("attw", "--profile", "esm-only", "--no-emoji")],
    ids=lambda command: command[0],
)
def test_those_who_look_for_mistakes_in_packages_find_none(
    package: Path, command: tuple[str, ...]
) -> None:
    """They know how Node, bundlers and TypeScript find modules and types; all is ES modules."""
    name, *options = command
    run(MODULES / ".bin" / name, package, *options)


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


def test_node_imports_each_entry_and_react_is_the_one_of_the_program(
    package: Path, tmp_path: Path
) -> None:
    app = tmp_path / "app"
    install(app, [package, *pack_installed(tmp_path, "react")])
    assert {each.name for each in (app / "node_modules").iterdir()} >= {"@rhtmx", "react"}
    asked = ", ".join(f"Object.keys(await import({name!r})).length > 0" for name in ENTRIES)
    (app / "program.mjs").write_text(f"console.log([{asked}].join());")
    assert run("node", app / "program.mjs").output == ",".join(["true"] * len(ENTRIES)) + "\n"


def test_a_program_that_requires_modules_gets_the_package(package: Path, tmp_path: Path) -> None:
    """As `npm init` makes programs; Node takes modules so from 20.19 and 22.12 on."""
    app = tmp_path / "app"
    install(app, [package, *pack_installed(tmp_path, "react")])
    asked = ", ".join(f"Object.keys(require({name!r})).length > 0" for name in ENTRIES)
    (app / "program.cjs").write_text(f"console.log([{asked}].join());")
    assert run("node", app / "program.cjs").output == ",".join(["true"] * len(ENTRIES)) + "\n"


@pytest.mark.parametrize(
    ("program", "holds"),
    [
        ('import { connect } from "@rhtmx/client"; connect("/api/ws");', set()),
        ('import { bindForm } from "@rhtmx/client/forms"; console.log(bindForm);', {OF_FORMS}),
        (
            'import { bindPage } from "@rhtmx/client/htmx"; console.log(bindPage);',
            {OF_FORMS, OF_HTMX},
        ),
    ],
    ids=["connect", "forms", "htmx"],
)
def test_vite_takes_only_what_a_program_imports(
    package: Path, tmp_path: Path, program: str, holds: set[str]
) -> None:
    app = tmp_path / "app"
    install(app, [package])
    (app / "index.html").write_text('<script type="module" src="/main.ts"></script>')
    (app / "main.ts").write_text(program)
    run(MODULES / ".bin" / "vite", "build", app, "--logLevel", "error")
    (built,) = (app / "dist" / "assets").glob("*.js")
    text = built.read_text(encoding="utf-8")
    assert {each for each in (OF_FORMS, OF_HTMX) if each in text} == holds
    assert "react" not in text.lower()


def _opened(file: tarfile.TarFile, name: str) -> tarfile.ExFileObject:
    found = file.extractfile(name)
    assert isinstance(found, tarfile.ExFileObject)
    return found
