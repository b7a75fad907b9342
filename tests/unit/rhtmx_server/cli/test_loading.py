"""Facts about `rhtmx_server.cli.loading`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rhtmx_server.cli.errors import FAILED, USAGE, CommandError
from rhtmx_server.cli.loading import load


class App:
    """What is looked for."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that modules are imported from, and forgotten again afterwards."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setitem(sys.modules, "testing_apps", sys.modules[__name__])
    known = set(sys.modules)
    importlib.invalidate_caches()
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def write(folder: Path, name: str, *lines: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["from testing_apps import App", *lines, ""]))


def refused(folder: Path, spec: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        load(spec, App, folder)
    return caught.value


def test_the_object_is_found_in_a_module_of_the_folder(folder: Path) -> None:
    write(folder, "live.py", "app = App()")
    assert isinstance(load("live:app", App, folder), App)


def test_the_module_may_lie_in_a_package(folder: Path) -> None:
    write(folder, "shop/live.py", "app = App()")
    assert isinstance(load("shop.live:app", App, folder), App)


def test_a_missing_module_is_said_as_promised(folder: Path) -> None:
    error = refused(folder, "ap:app")
    assert error.message == (
        f"cannot import 'ap' (--app ap:app): no module of that name in {folder}"
    )
    assert error.status == USAGE


def test_a_missing_package_is_said_the_same_way(folder: Path) -> None:
    write(folder, "shop/__init__.py")
    for spec in ("shap.live:app", "shop.life:app"):
        assert "no module of that name" in refused(folder, spec).message


@pytest.mark.parametrize("spec", ["live", "live:", ":app", "live:app.x", "a b:app", ".live:app"])
def test_what_is_not_module_and_attribute_is_refused(folder: Path, spec: str) -> None:
    error = refused(folder, spec)
    assert error.message.startswith(f"--app {spec}: module:attribute expected, such as app:app")
    assert error.status == USAGE


def test_a_file_name_is_answered_with_the_module_name(folder: Path) -> None:
    assert refused(folder, "shop/live.py:app").message.endswith(": write live:app")


def test_a_missing_attribute_is_answered_with_the_one_that_was_meant(folder: Path) -> None:
    write(folder, "live.py", "other = App()", "app = App()")
    error = refused(folder, "live:ap")
    assert error.message == "no 'ap' in module 'live' (--app live:ap): did you mean live:app?"
    assert error.status == USAGE


def test_a_missing_attribute_without_any_app_is_just_missing(folder: Path) -> None:
    write(folder, "live.py")
    assert refused(folder, "live:app").message == "no 'app' in module 'live' (--app live:app)"


def test_something_else_than_an_app_is_refused_by_its_type(folder: Path) -> None:
    write(folder, "live.py", "app = {}")
    error = refused(folder, "live:app")
    assert error.message == (
        "'app' in module 'live' is a dict, not a rhtmx_server.App (--app live:app)"
    )
    assert error.status == USAGE


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["", "app = Ap()"], "NameError: name 'Ap' is not defined (live.py, line 3)"),
        (["app = ("], "SyntaxError: '(' was never closed (live.py, line 2)"),
        (
            ["import not_there"],
            "ModuleNotFoundError: No module named 'not_there' (live.py, line 2)",
        ),
        (["int('x\\ny')"], "ValueError: invalid literal for int() with base 10:"),
    ],
)
def test_an_error_of_the_module_itself_is_told_with_its_place(
    folder: Path, lines: list[str], words: str
) -> None:
    write(folder, "live.py", *lines)
    error = refused(folder, "live:app")
    assert error.message.startswith(f"cannot import 'live' (--app live:app): {words}")
    assert error.status == FAILED
    assert "\n" not in error.message


def test_the_place_is_the_users_line_not_that_of_a_library(folder: Path) -> None:
    write(folder, "live.py", "import json", "json.loads('{')")
    assert refused(folder, "live:app").message.endswith(" (live.py, line 3)")


def test_the_place_may_lie_in_another_module_of_the_user(folder: Path) -> None:
    write(folder, "live.py", "import models")
    write(folder, "models.py", "", "1 / 0")
    assert refused(folder, "live:app").message.endswith(
        "ZeroDivisionError: division by zero (models.py, line 3)"
    )
