"""What the page about forms in handlers shows is what happens."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import page, programs
from tests.support.mounted import Host
from tests.support.plain_http import exchange, take_apart
from tests.support.process import run

PAGE = page("docs/guides/forms-in-your-handlers.md")
PROGRAMS = programs(PAGE)
WORDS = "must be 18 or more"


def test_the_handler_prints_what_is_shown(tmp_path: Path) -> None:
    source, shown = PROGRAMS["handler.py"]
    (tmp_path / "handler.py").write_text(source)
    ran = run(sys.executable, "-W", "error", "handler.py", folder=tmp_path)
    assert ran.output.strip() == shown.strip()


def module(name: str, folder: Path) -> Any:
    path = folder / f"{name}.py"
    path.write_text(PROGRAMS[path.name][0])
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize(
    ("age", "status", "body"),
    [
        (36, 200, {"age": 36}),
        (
            17,
            422,
            {
                "detail": [
                    {"type": "value_error", "loc": ["body", "age"], "msg": "must be 18 or more"}
                ]
            },
        ),
    ],
)
async def test_the_api_answers_as_shown(tmp_path: Path, age: int, status: int, body: Any) -> None:
    sent = f"email=ada%40example.com&age={age}"
    lines = (
        "POST /sign-up HTTP/1.1",
        "Host: a",
        "Connection: close",
        f"Content-Length: {len(sent)}",
    )
    kind = "Content-Type: application/x-www-form-urlencoded"
    request = "\r\n".join((*lines, kind, "", sent)).encode()
    async with Host(module("api", tmp_path).api) as host:
        answer = take_apart(await exchange(f"http://127.0.0.1:{host.port}", request))
    assert (answer.status, answer.json) == (status, body)


def test_the_json_that_is_shown_is_that_of_the_answer() -> None:
    entry = f'{{"type": "value_error", "loc": ["body", "age"], "msg": "{WORDS}"}}'
    assert f'{{"detail": [{entry}]}}' in PAGE
