"""What a type checker sees: of the packages that are installed, and of the programs shown."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.docs.board import generate
from tests.docs.markdown import PAGES, ROOT, page, programs

PATIENCE = 120.0
"""Seconds; mypy that starts cold on a busy machine takes some."""

PROJECTS = ("docs/guides/django.md", "docs/guides/fastapi.md")
"""Their programs belong to projects that only their own tests have."""

OWN = """
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import TypedDict, assert_type

from rhtmx_server import AppCollection, StoredRecord, SyncCollection
from rhtmx_server import App, Change, FieldChange, FieldPushResult, File, FormValues, Grant, Request
from rhtmx_server import HistoryChange, HistoryPage, Invalid, PushResult, Valid


class Task(TypedDict):
    title: str


def by_hand(request: Request) -> Grant:
    return Grant(request.token)


app = App(store="memory://", authenticate=by_hand)


@app.on_commit("tasks")
async def notify(change: Change) -> None:
    print(change.data)


@app.on_commit
def count(change: Change) -> int:
    return change.version


@app.form("signup", extra="ignore").field("email", required=True)
def is_free(value: str) -> Valid | None:
    raise Invalid("taken")


@app.form("signup").field("tags", many=True, max_items=3, one_of=["red", "blue"])
def are_few(value: list[str], form: FormValues) -> None:
    assert_type(form["tags"], str)
    assert_type(form.getlist("tags"), list[str])
    assert_type(form.files("cv"), list[File])


@app.form("signup").field("cv", file=True, max_size=1_000_000, accept=".pdf")
def is_short(value: File | None) -> None: ...


@app.form("signup").field("pages", file=True, many=True, min_items=2)
async def are_sorted(value: list[File]) -> None: ...


@app.form("signup").check
async def agree(form: dict[str, str]) -> None: ...


async def main() -> None:
    assert_type(count(Change("e", "1", "create", 1, 1, None, datetime.now(UTC))), int)
    assert_type(is_free("x"), Valid | None)
    waits: Awaitable[None] = agree({})
    await waits
    assert_type(is_short(None), None)
    assert_type(await app.changes.push("e", "1", {"n": 1}), PushResult)
    assert_type(await app.changes.get("e", "1"), Change | None)
    assert_type(await app.fields.push("e", "1", {"n": 1}), FieldPushResult)
    assert_type(await app.fields.get("e", "1"), dict[str, FieldChange] | None)
    tasks = app.collection("tasks", Task, who=Grant("ada"))
    assert_type(tasks, AppCollection[Task])
    assert_type(await tasks.get("1"), StoredRecord[Task] | None)
    assert_type([row.data["title"] for row in await tasks.where({"title": ["a"]})], list[str])
    assert_type(await tasks.where(lambda row: row.data["title"] > ""), list[StoredRecord[Task]])
    assert_type(await tasks.set("1", {"title": "x"}), PushResult)
    assert_type(await tasks.patch("1", {"title": "x"}), FieldPushResult)
    async for change in tasks.changes(since=0):
        assert_type(change.data, Task | None)
    assert_type(app.sync.collection("tasks", Task, timeout=5), SyncCollection[Task])
    named: AppCollection[Task] = app.collection("tasks")
    print([row.data["anything"] for row in await app.collection("e").all()], named)
    assert_type(await app.history("e", until=datetime.now(UTC)), HistoryPage[HistoryChange])
"""
"""A program that uses what the server's face gives, by the types that it has."""

WRONG = """
from rhtmx_server import App

app = App()


@app.on_commit("tasks")
def two(change: str) -> None: ...


@app.form("f").field("tags", many=True)
def one_of_many(value: str) -> None: ...


@app.form("f").field("cv", file=True)
def no_text(value: str) -> None: ...


@app.form("f").field("age")
def no_number(value: int) -> None: ...


app.form("f").field("cv", file=True, ge=18)
app.form("f").field("tags", max_items=3)
app.form("f").field("tags", max_size=3)
"""
"""A hook of a string, validators of other values than their fields have, other fields' rules."""


CLIENT = """
from typing import Any, NotRequired, TypedDict, assert_type

import rhtmx


class Task(TypedDict):
    title: str
    done: NotRequired[bool]


def is_open(row: rhtmx.Record[Task]) -> bool:
    return not row.data.get("done")


async def typed(client: rhtmx.Client) -> None:
    async with client.collection("tasks", Task) as tasks:
        assert_type(tasks, rhtmx.Collection[Task])
        assert_type(await tasks.set("1", {"title": "x"}), rhtmx.PushResult)
        assert_type(tasks.get("1"), rhtmx.Record[Task] | None)
        assert_type(tasks.all(), rhtmx.ChunkedTuple[rhtmx.Record[Task]])
        assert_type(tasks.where(is_open), tuple[rhtmx.Record[Task], ...])
        assert_type([row.data["title"] for row in tasks.where(lambda row: row.pending)], list[str])
        async for rows in tasks.subscribe(is_open):
            assert_type(rows, rhtmx.ChunkedTuple[rhtmx.Record[Task]])
        async for change in tasks.changes(since=0):
            assert_type(change.data, Task | None)
        async for field in tasks.field_changes():
            assert_type(field, rhtmx.FieldChange)
        assert_type(await tasks.sync(), rhtmx.SyncResult[rhtmx.Change[Task | None]])


async def named(client: rhtmx.Client) -> None:
    tasks: rhtmx.Collection[Task] = client.collection("tasks", granularity="fields")
    assert_type([row.data["title"] for row in tasks.all()], list[str])
    counts = client.collection("counts", dict[str, int], granularity="fields")
    assert_type([row.data["n"] for row in counts.all()], list[int])


async def untyped(client: rhtmx.Client) -> None:
    tasks = client.collection("tasks")
    assert_type(tasks, rhtmx.Collection[Any])
    assert_type(tasks, rhtmx.Collection)
    rows: rhtmx.ChunkedTuple[rhtmx.Record] = tasks.all()
    print([row.data["anything"] for row in rows])
    await tasks.set("1", [1, "two", None])
    async for change in client.changes("tasks"):
        assert_type(change, rhtmx.Change)
        print(change.data["anything"])
"""
"""A program that says what is in its collections, and one that does not."""

REFUSED = """
from typing import TypedDict

import rhtmx


class Task(TypedDict):
    title: str


class User(TypedDict):
    name: str


async def main(client: rhtmx.Client, users: rhtmx.Collection[User]) -> None:
    tasks = client.collection("tasks", Task)
    await tasks.set("1", {"titel": "x"})  # refused: no such key
    await tasks.set("1", {"title": 1})  # refused: no such value
    await tasks.set("1", None)  # refused: a record is a task
    print([row.data["name"] for row in tasks.all()])  # refused: no such key
    print(tasks.get("1").data)  # refused: there may be none
    tasks.where(lambda row: row.data["done"])  # refused: no such key
    users = tasks  # refused: these are others
    async for change in tasks.changes():
        print(change.data["title"])  # refused: after a delete there is none
    client.collection("tasks", "Task")  # refused: a type is no string
"""
"""A program with mistakes: each line that says so is one that a type checker finds."""


def mypy(folder: Path, *files: str) -> list[str]:
    """What mypy says of programs in a folder, which know the packages as they are installed."""
    options = ["--strict", "--config-file=", f"--cache-dir={folder / 'cache'}"]
    command = [sys.executable, "-m", "mypy", *options, "--no-error-summary", *files]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    return (run.stdout + run.stderr).splitlines()


def test_the_programs_of_the_pages_are_strictly_typed(tmp_path: Path) -> None:
    sources = {
        f"{Path(name).stem}_{file}": source
        for name in PAGES
        if name not in PROJECTS
        for file, (source, _) in programs(page(name)).items()
        if file.endswith(".py") and not file.startswith(("test_", "conftest"))  # seldom typed
    }
    assert len(sources) >= 11
    for file, source in {**sources, "own.py": OWN, "wrong.py": WRONG}.items():
        (tmp_path / file).write_text(source)
    generate(tmp_path)  # what those about schemas import
    said = mypy(tmp_path, *sources, "own.py", "wrong.py")
    assert [line for line in said if not line.startswith("wrong.py:")] == []
    assert any("Callable[[str], None]" in line for line in said), "mypy did look"
    wrong = [n for n, line in enumerate(WRONG.splitlines(), 1) if line.startswith(("@", "app.f"))]
    found = {int(line.split(":")[1]) for line in said if ": error: " in line}
    assert sorted(found) == wrong


def test_a_collection_knows_the_type_of_its_records(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text(CLIENT)
    (tmp_path / "refused.py").write_text(REFUSED)
    said = mypy(tmp_path, "client.py", "refused.py")
    assert [line for line in said if not line.startswith("refused.py:")] == []
    lines = enumerate(REFUSED.splitlines(), 1)
    marked = [number for number, line in lines if "# refused" in line]
    found = {int(line.split(":")[1]) for line in said if ": error: " in line}
    assert sorted(found) == marked, "\n".join(said)


@pytest.mark.parametrize("package", ["rhtmx", "rhtmx_server"])
def test_what_is_installed_says_that_it_is_typed(tmp_path: Path, package: str) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as file:
        assert f"{package}/py.typed" in file.namelist()
        assert f"{package}/__init__.py" in file.namelist()
