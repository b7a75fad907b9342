"""What the guide of testing shows is run by a real pytest, and passes; and what fails reads so."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import blocks, page, programs
from tests.docs.node import MODULES, TYPESCRIPT, require_node
from tests.support.process import OURS, Ended, run
from tests.support.programs import chromium

PAGE = page("docs/guides/testing.md")
PROGRAMS = {name: source for name, (source, _) in programs(PAGE).items() if name.endswith(".py")}
BROWSER = PROGRAMS.pop("test_page.py")
OPTIONS = next(block.text for block in blocks(PAGE) if block.language == "toml")
SHOWN = next(block.text for block in blocks(PAGE) if "expect_failure(KeyError)" in block.text)

LAUNCHED = """
import pytest

@pytest.fixture(scope="session")
def browser_type_launch_args():
    return {{"executable_path": {path!r}, "args": ["--no-sandbox"]}}
"""
"""The machine's own Chromium, in the place of one that Playwright has fetched."""

ALIASED = """
import {{ defineConfig }} from "vitest/config";

export default defineConfig({{ resolve: {{ alias: {{ "@rhtmx/client/testing": "{path}" }} }} }});
"""
"""What is installed is tested elsewhere: here it is the source."""

ALONE = ("-p", "no:asyncio", "-p", "no:anyio", "-p", "no:hypothesispytest")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An application with the tests of the guide."""
    for name, source in PROGRAMS.items():
        (tmp_path / name).write_text(source)
    (tmp_path / "pyproject.toml").write_text(OPTIONS)
    return tmp_path


def outcome(folder: Path, *options: str, code: int = 0) -> Ended:
    """Run its tests."""
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *options)
    return run(*command, code=code, folder=folder, environ={"PYTHONPATH": OURS})


@pytest.mark.parametrize(
    "runner",
    [
        ALONE,
        ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"),
        ("-o", "asyncio_mode=strict", "-o", "asyncio_default_fixture_loop_scope=function"),
    ],
    ids=["alone", "auto", "strict"],
)
def test_the_tests_that_it_shows_pass_whoever_runs_them(
    folder: Path, runner: tuple[str, ...]
) -> None:
    ended = outcome(folder, *runner)
    assert re.search(r"\b11 passed in", ended.output), ended.output
    (folder / "conftest.py").unlink()  # the option names the app as well
    first = outcome(folder, "test_tasks.py", *runner)
    assert re.search(r"\b3 passed in", first.output), first.output


def test_a_failing_hook_reads_as_it_shows(folder: Path) -> None:
    suite = folder / "test_failures.py"
    suite.write_text(re.sub(r".*expect_failure.*\n", "", suite.read_text()))
    output = outcome(folder, "test_failures.py", *ALONE, code=1).output
    assert "During handling" not in output
    assert SHOWN.strip() in output.replace(f"{folder}/", "")


def test_an_async_fixture_of_pytest_asyncio_may_connect(folder: Path) -> None:
    fixture = next(block.text for block in blocks(PAGE) if "@pytest_asyncio.fixture" in block.text)
    (folder / "test_fixture.py").write_text(
        f"import pytest_asyncio\n\n{fixture}\n"
        'async def test_it(ada):\n    await ada.collection("tasks").set("1", {"title": "x"})\n'
    )
    mode = ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")
    assert " 1 passed" in outcome(folder, "test_fixture.py", *mode).output


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("", "rhtmx: which app is tested? Say it in pyproject.toml"),
        ("ap:app", "rhtmx: cannot import 'ap' (the option rhtmx_app ap:app): no module of that"),
        ("app:apq", "rhtmx: no 'apq' in module 'app' (the option rhtmx_app app:apq): did you mean"),
    ],
)
def test_an_app_that_is_not_found_is_said_in_a_line(folder: Path, option: str, words: str) -> None:
    (folder / "conftest.py").unlink()
    (folder / "pyproject.toml").write_text(OPTIONS.replace('"app:app"', f'"{option}"'))
    output = outcome(folder, "test_clock.py", *ALONE, code=1).output
    assert words in output
    assert output.count("Traceback") == 0


def test_an_app_is_started_anew_for_each_test_of_a_class(folder: Path) -> None:
    (folder / "test_class.py").write_text(
        "class TestTasks:\n"
        "    async def test_one(self, rhtmx_app):\n"
        '        await rhtmx_app.changes.push("tasks", "1", {"title": "x"})\n'
        "    async def test_two(self, rhtmx_app):\n"
        '        assert await rhtmx_app.changes.get("tasks", "1") is None\n'
    )
    assert " 2 passed" in outcome(folder, "test_class.py", *ALONE).output


@pytest.mark.skipif(
    importlib.util.find_spec("pytest_playwright") is None and os.environ.get("CI") != "true",
    reason="pytest-playwright is not installed",
)
def test_a_page_is_tested_in_a_real_browser(tmp_path: Path) -> None:
    (tmp_path / "board.py").write_text(programs(page("README.md"))["board.py"][0])
    (tmp_path / "test_page.py").write_text(BROWSER)
    (tmp_path / "conftest.py").write_text(LAUNCHED.format(path=chromium()))
    assert " 1 passed" in outcome(tmp_path, "-p", "no:asyncio", "-p", "no:anyio").output


def test_the_tests_in_typescript_pass_and_are_strictly_typed(tmp_path: Path) -> None:
    require_node()
    suite, _ = programs(PAGE)["tasks.test.ts"]
    (tmp_path / "tasks.test.ts").write_text(suite)
    (tmp_path / "node_modules").symlink_to(MODULES)
    source = TYPESCRIPT / "src"
    (tmp_path / "vitest.config.ts").write_text(ALIASED.format(path=source / "testing/index.ts"))
    vitest = MODULES / ".bin" / "vitest"
    ended = run(vitest, "run", "--root", tmp_path, folder=tmp_path, environ={"NO_COLOR": "1"})
    assert re.search(r"\b5 passed", ended.output), ended.output
    paths = {"@rhtmx/client/testing": [str(source / "testing" / "index.ts")]}
    options = json.loads((TYPESCRIPT / "tsconfig.json").read_text())["compilerOptions"]
    config = {"compilerOptions": {**options, "paths": paths}, "files": ["tasks.test.ts"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    run(MODULES / ".bin" / "tsc", "-p", tmp_path)


def test_the_class_needs_no_pytest(folder: Path) -> None:
    (folder / "without.py").write_text(
        "import sys\nsys.modules['pytest'] = None\nimport unittest\n"
        "from test_unittest import TasksTest\nunittest.main()\n"
    )
    run(sys.executable, "without.py", folder=folder, environ={"PYTHONPATH": OURS})


def test_a_project_without_the_plugin_loads_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys\n\ndef test_it():\n    assert 'rhtmx_server' not in sys.modules\n"
    )
    assert " 1 passed" in outcome(tmp_path, *ALONE).output
