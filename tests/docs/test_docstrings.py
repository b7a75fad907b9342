"""What the examples of docstrings show is what happens."""

from __future__ import annotations

import asyncio
import contextlib
import doctest
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import rhtmx
import rhtmx_server
from rhtmx_server import App, Config, Invalid
from tests.docs.docstrings import documented, modules, waits, wrong

PACKAGES = ("rhtmx", "rhtmx_server", "codegen", "website.check", "website.pages", "website.shown")
DOCSTRINGS = [test for module in modules(*PACKAGES) for test in documented(module)]
EXAMPLES = [test for test in DOCSTRINGS if test.examples]

SHOWN, SHOWN_GRPC = "localhost:3000", "localhost:50051"
"""The addresses in the examples."""

_OF_WORLD = re.compile(r"\b(?:client|tasks|trackers|app\.sync)\.")
_IN_THREAD = re.compile(r"^ *>>> .*\w\.sync\b", re.MULTILINE)
_SHOWN_AS = re.compile(r"^ *(?:Examples?:|```)", re.MULTILINE)


IMPORTED = {"rhtmx": rhtmx, **{name: getattr(rhtmx_server, name) for name in rhtmx_server.__all__}}
"""What an application has imported."""


@dataclass
class World:
    """What the examples find: a server with some records, and clients of it."""

    app: App
    client: rhtmx.Client
    tasks: rhtmx.Collection
    trackers: rhtmx.Backend


@contextlib.asynccontextmanager
async def world() -> AsyncIterator[World]:
    app = App(store="memory://", config=Config(port=0, grpc_port=0))
    signup = app.form("signup")
    signup.field("age", required=True, type=int, ge=18)

    @signup.field("email", required=True, email=True)
    async def email_is_free(value: str) -> None:
        if value == "ada@example.com":
            raise Invalid("is already registered")

    async with (
        app,
        rhtmx.connect(app.url) as client,
        rhtmx.backend(app.grpc_address) as trackers,
    ):
        await app.changes.push("users", "1", {"name": "Ada"})
        await app.changes.push("tasks", "1", {"title": "Write it down", "done": False})
        yield World(app, client, client.collection("tasks"), trackers)


async def a_lost_write(world: World) -> None:
    """Two write one field at a time, and the client had not seen the other's."""
    await world.tasks.synced()
    world.client.offline()
    world.tasks.patch("1", {"title": "Keep it"})
    await world.app.fields.push("tasks", "1", {"title": "Tell everyone"})
    world.client.online()


async def a_rejected_write(world: World) -> None:
    """The record has moved on."""
    with contextlib.suppress(rhtmx.RhtmxError):
        await world.client.push("tasks", "1", {"title": "Keep it"}, base_version=0)


async def an_order(world: World) -> None:
    """There is a record that the examples read and write."""
    await world.app.changes.push("orders", "1", {"goods": "tea", "count": 2})


BEFORE: dict[str, Callable[[World], Awaitable[None]]] = {
    "rhtmx.api.client.Client.conflicts": a_lost_write,
    "rhtmx.api.client.Client.rejections": a_rejected_write,
    "rhtmx.api.collection.Collection.conflicts": a_lost_write,
    "rhtmx.api.conflict_resolution.RejectedWrite": a_rejected_write,
    "rhtmx.api.open_conflict.OpenConflict": a_lost_write,
    "rhtmx_server.app.App.collection": an_order,
    "rhtmx_server.program.": an_order,
}
"""What happens before the examples of a docstring, or of all in a package."""


@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name)
async def test_each_example_prints_what_is_shown(
    test: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    in_thread = _IN_THREAD.search(test.docstring or "") is not None
    if not waits(test) and not _OF_WORLD.search(test.docstring or ""):
        assert await wrong(test, {}, {}, in_thread=in_thread) == ""
        return
    async with world() as found:
        for name, prepare in BEFORE.items():
            if test.name == name or (name.endswith(".") and test.name.startswith(name)):
                await prepare(found)
        addresses = {SHOWN: found.app.url.split("/")[2], SHOWN_GRPC: found.app.grpc_address}
        names = {**IMPORTED, **vars(found)}
        assert await wrong(test, names, addresses, in_thread=in_thread) == ""


def test_what_is_shown_as_an_example_is_run() -> None:
    shown = [test.name for test in DOCSTRINGS if _SHOWN_AS.search(test.docstring or "")]
    assert len(shown) > 80
    assert set(shown) <= {test.name for test in EXAMPLES}


def test_nothing_stands_behind_the_last_print_of_a_loop_since_it_would_not_be_run() -> None:
    sources = [
        example.source.rstrip()
        for test in EXAMPLES
        for example in test.examples
        if "async for" in example.source
    ]
    assert len(sources) > 10
    assert [each for each in sources if "print(" not in each.splitlines()[-1]] == []


LOOP = ">>> async for each in counting({}):\n...     print(each)\n"
RAISES = "Traceback (most recent call last):\n"


@pytest.mark.parametrize(
    ("docstring", "words"),
    [
        (">>> 1 + 1\n2\n", ""),
        (">>> 1 + 1\n3\n", "Got:\n    2"),
        (">>> one = 1\n>>> one\n1\n", ""),
        (">>> await asyncio.sleep(0, 'late')\n'late'\n", ""),
        (">>> await asyncio.sleep(0, 'late')\n", "Got:\n    'late'"),
        (LOOP.format("") + "0\n1\n", ""),
        (LOOP.format("3") + "0\n2\n", "Got:\n    0"),
        (LOOP.format("3"), "Got:\n    0"),
        (f">>> 1 / 0\n{RAISES}ZeroDivisionError: division by zero\n", ""),
        (">>> 1 / 0\n", "ZeroDivisionError"),
        (f">>> int('1')\n{RAISES}ValueError: no\n", "Got:\n    1"),
    ],
)
async def test_an_example_that_shows_something_else_is_noticed(docstring: str, words: str) -> None:
    names = {"asyncio": asyncio, "counting": counting}
    test = doctest.DocTestParser().get_doctest(docstring, {}, "name", "file", 0)
    said = await wrong(test, names, {})
    assert words in said
    assert bool(words) == bool(said)


async def counting(most: int | None = None) -> AsyncIterator[int]:
    for number in itertools.count():
        if number == most:
            return
        yield number
        await asyncio.sleep(0)
