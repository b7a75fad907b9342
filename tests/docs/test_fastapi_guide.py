"""The guide for FastAPI: its lines are counted, and do what it says, in a real browser."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.browser.driver import browsing
from tests.docs.markdown import blocks, page
from tests.support.mounted import Host
from tests.support.programs import chromium, node

pytest.importorskip("fastapi")

DRIVER = Path(__file__).with_name("fastapi_guide.mjs")
GUIDE = page("docs/guides/fastapi.md")
DIFF = next(each.text for each in blocks(GUIDE) if each.language == "diff")
ROUTES = next(each.text for each in blocks(GUIDE) if each.language == "python")


def side(left_out: str) -> str:
    """One side of the diff: all lines but those that begin with this."""
    return "\n".join(line[1:] for line in DIFF.splitlines() if not line.startswith(left_out))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the programs are, and write their database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("main", "routes"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def load(folder: Path, name: str, source: str) -> Any:
    """Run a program of the guide."""
    file = folder / f"{name}.py"
    file.write_text(source)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_live_list_and_a_live_form_are_a_few_lines() -> None:
    added = [line[1:] for line in DIFF.splitlines() if line.startswith("+") and line[1:].strip()]
    start = next(index for index, line in enumerate(added) if line.startswith("<"))
    python, html = added[:start], added[start:]
    assert (len(python), len(html)) == (7, 6)
    assert "7 lines of Python, and 6 in the page" in GUIDE
    assert max(map(len, html)) <= 110


def test_it_begins_with_a_page_that_says_hello(folder: Path) -> None:
    client = TestClient(load(folder, "main", side("+")).api)
    assert "<h1>Hello</h1>" in client.get("/").text


async def test_the_list_is_live_and_the_form_is_checked(folder: Path) -> None:
    api = load(folder, "main", side("-")).api
    async with (
        Host(api) as host,
        browsing(node("playwright-core"), chromium(), driver=DRIVER) as browser,
    ):

        async def nothing(what: str) -> None:
            raise AssertionError(f"nobody can {what} here")

        await browser.run("the guide", f"http://127.0.0.1:{host.port}/", nothing)


def test_routes_write_and_sign_out_whether_they_wait_or_not(folder: Path) -> None:
    main = load(folder, "main", side("-"))
    load(folder, "routes", ROUTES)
    with TestClient(main.api, base_url="http://localhost") as client:
        assert client.post("/tasks/1", params={"title": "Write it down"}).json() == 1
        assert client.delete("/tasks/1").json() == 2
        assert client.post("/sign-out").status_code == 200
        assert client.get("/live/api/sync/tasks").json()["version"] == 2
