"""What the examples in the TypeScript client's comments do is what they say: each is run.

That they are strictly typed is checked in `test_clients.py`, with the programs of the pages.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rhtmx_server import App, Config
from tests.docs.comments import SOURCE, Example, examples, programs
from tests.docs.node import MODULES, require_node
from tests.support.process import ran

RUN = Path(__file__).parent / "examples.mjs"


def test_every_example_is_found() -> None:
    marks = sum(path.read_text().count("* @example") for path in SOURCE.rglob("*.ts"))
    assert marks > 20
    assert len(examples()) == marks


def test_every_block_of_code_in_a_comment_is_an_example() -> None:
    assert [path.name for path in SOURCE.rglob("*.ts") if "* ```" in path.read_text()] == []


async def test_each_example_does_what_it_says(tmp_path: Path) -> None:
    require_node()
    for name, source in programs().items():
        (tmp_path / name).write_text(source)
    (tmp_path / "node_modules").symlink_to(MODULES)
    app = App(store="memory://", config=Config(port=0), undeclared=True)
    app.entity("orders", partition=[["customer"], ["customer", "open"]])
    app.form("signup").field("email", required=True, email=True)
    app.form("contact").field("email", required=True, email=True)
    async with app:
        await app.changes.push("tasks", "1", {"title": "Write it down"})
        page = app.url.replace("ws://", "http://").replace("/api/ws", "/")
        output = (await ran("node", RUN, tmp_path, page, str(len(examples())))).output
    said = json.loads(output)
    names = [each.name for each in examples()]
    wrong = {name: words for name, words in zip(names, said, strict=True) if words}
    assert wrong == {"errors.ts export class RhtmxError extends Error {": THROWN}


THROWN = "RhtmxError: no form 'sign-up': is it registered?"
"""What the one example that throws throws."""


@pytest.mark.parametrize(
    ("body", "program"),
    [
        ('shown("a"); // "b"\n', r'async function example\(\) {\ngives\(shown\("a"\), "b"\);\n}'),
        ("one(); // and another one\n", r"\none\(\); // and another one\n}"),
        ("const a = 1;\n", r"const a = 1;\n  void a;\n}"),
        ("const a = useIt();\nreturn <p>{a}</p>;\n", r"function Example.*void a;\nreturn <p>"),
    ],
)
def test_an_example_becomes_a_function(body: str, program: str) -> None:
    assert re.search(program, Example("", body).program, re.DOTALL)
