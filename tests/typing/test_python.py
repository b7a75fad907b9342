"""What a type checker sees of generated Python: right uses are right, and wrong ones are not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT
from tests.support.sample_schema import PACKAGE, write_python

PATIENCE = 240.0
"""Seconds; mypy that starts cold on a busy machine takes some."""

LEAST = 40
"""Right uses, and wrong ones."""

HEAD = """
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, assert_type

import rhtmx
from rhtmx import Add, Append, DeleteKey, Increment, Max, Min, Record, Remove, SetKey
from sample_schema import Person, Priority, Reading, SignUp, Task, TaskStep, schema

if TYPE_CHECKING:
    from sample_schema.sample import ReadingCollection, TaskCollection, TaskWhere

NOW = datetime.now(UTC)
"""

RIGHT = """
async def created(client: rhtmx.Client) -> None:
    tasks = client.of(Task)
    assert_type(tasks, TaskCollection)  # right
    assert_type(client.of(Reading), ReadingCollection)  # right
    client.of(Task, where={"team": "red"})  # right
    client.of(Task, where={"team": ["red", "blue"], "done": True})  # right
    client.of(Task, granularity="fields")  # right
    part: TaskWhere = {"team": "red"}
    client.of(Task, where=part)  # right
    result = await tasks.create(Task(title="x", team="red"))
    assert_type(result, rhtmx.PushResult)  # right
    tasks.create(Task(title="x", team="red"), "1")  # right
    tasks.create(Task(title="x", team="red"), entity_id=tasks.new_id())  # right
    Task(title="x", team="red", due=NOW, estimate=timedelta(seconds=1))  # right
    Task(title="x", team="red", priority=Priority.ON_FIRE, urgency=None)  # right
    Task(title="x", team="red", priority=Priority("urgent"))  # right
    Task(title="x", team="red", steps=[TaskStep(text="y")], next=TaskStep())  # right
    Task(title="x", team="red", ratings={7: Priority.LOW}, tally={True: 1})  # right
    Task(title="x", team="red", person=Person(name="Ada"))  # right
    Task(title="x", team="red", thumbnail=b"x", foreign_id=2**60, weight=1)  # right
    Task(title="x", team="red", from_="x", place="Rome", list=[0.5])  # right
    Task(title="x", team="red", settings={"any": [None]}, anything=[1])  # right
    Task(title="x", team="red", extra={"colour": 1})  # right
    SignUp(email="ada@example.com", age=18)  # right


def read(tasks: TaskCollection, row: Record[Task]) -> None:
    assert_type(tasks.get("1"), Record[Task] | None)  # right
    assert_type(tasks.all(), rhtmx.ChunkedTuple[Record[Task]])  # right
    assert_type(tasks.where(lambda row: row.data.done), tuple[Record[Task], ...])  # right
    assert_type(row.data.title, str)  # right
    assert_type(row.data.due, datetime | None)  # right
    assert_type(row.data.priority, Priority)  # right
    assert_type(row.data.priority.number, int | None)  # right
    assert_type(row.data.steps[0].text, str)  # right
    assert_type(row.data.ratings[7], Priority)  # right
    assert_type(row.data.owner, str)  # right
    assert_type(Priority.known(), tuple[Priority, ...])  # right
    assert_type(schema.version, int)  # right
    assert_type(tasks.unreadable, tuple[rhtmx.Unreadable, ...])  # right


async def edited(tasks: TaskCollection, readings: ReadingCollection) -> None:
    assert_type(await tasks.edit("1", done=False), rhtmx.FieldPushResult)  # right
    assert_type(await readings.edit("1", degrees=1), rhtmx.PushResult)  # right
    tasks.edit("1", votes=Increment(1), labels=Add("urgent"), due=None)  # right
    tasks.edit("1", weight=Min(0.5), title=Max("x"))  # right
    tasks.edit("1", labels=Remove("home"), list=Append(1.5), steps=Append({}))  # right
    tasks.edit("1", notes=SetKey({"mon": "x"}), ratings=DeleteKey("7"))  # right
    tasks.edit("1", foreign_id=Increment(1), cost=Increment("0.50"))  # right
    tasks.edit("1", url=None, ticket="7", from_="x")  # right
    tasks.edit("1", start=NOW, estimate=timedelta(1), progress=None)  # right
    tasks.edit("1", priority=Priority.LOW, urgency=None, person=Person())  # right
    async for rows in tasks.subscribe(lambda row: row.pending):
        assert_type(rows, rhtmx.ChunkedTuple[Record[Task]])  # right
    async for row in _rows(tasks):
        assert_type(row, Any)  # right
    history = await tasks.history("1")
    assert_type(history.commits[0].data, Task | None)  # right
    then = await tasks.as_of("1", NOW)
    assert_type(then, rhtmx.HistoryCommit[Task] | None)  # right


async def _rows(tasks: TaskCollection) -> Any:
    yield tasks
"""

WRONG = """
def created(client: rhtmx.Client, tasks: TaskCollection) -> None:
    client.of(SignUp)  # wrong: a form
    client.of(Person)  # wrong: no entity
    client.of(int)  # wrong: not generated
    client.of("tasks")  # wrong: a name
    client.of(Task(title="x", team="red"))  # wrong: a record
    client.of(Task, where={"teem": "red"})  # wrong: no such field
    client.of(Task, where={"team": 7})  # wrong: another type
    client.of(Task, where={"title": "x"})  # wrong: nothing is divided by it
    client.of(Task, granularity="all")  # wrong: no such thing
    client.of(Reading, where={"station": "x"})  # wrong: it is not divided
    tasks.create(Person())  # wrong: another record
    tasks.create({"title": "x", "team": "red"})  # wrong: no record
    Task("x", "red")  # wrong: fields have names
    Task(team="red")  # wrong: a title is required
    Task(title="x")  # wrong: so is a team
    Task(titel="x", team="red")  # wrong: no such field
    Task(title=None, team="red")  # wrong: a text cannot be absent
    Task(title=1, team="red")  # wrong: no text
    Task(title="x", team="red", due="2026-01-31T00:00:00Z")  # wrong: no datetime
    Task(title="x", team="red", estimate=1.5)  # wrong: no timedelta
    Task(title="x", team="red", thumbnail="YQ==")  # wrong: no bytes
    Task(title="x", team="red", foreign_id="5")  # wrong: no integer
    Task(title="x", team="red", votes=0.5)  # wrong: no integer
    Task(title="x", team="red", priority="low")  # wrong: no Priority
    Task(title="x", team="red", priority=Priority.URGENT)  # wrong: no such word
    Task(title="x", team="red", priority=None)  # wrong: it has no presence
    Task(title="x", team="red", labels="home")  # wrong: no list
    Task(title="x", team="red", labels=[1])  # wrong: no texts
    Task(title="x", team="red", steps=[{"text": "x"}])  # wrong: no TaskStep
    Task(title="x", team="red", ratings={"7": Priority.LOW})  # wrong: keys are integers
    Task(title="x", team="red", next=Person())  # wrong: another message
    Task(title="x", team="red", location="Rome")  # wrong: that is its key
    SignUp(age=18)  # wrong: an address is required


def read(tasks: TaskCollection, row: Record[Task]) -> None:
    print(tasks.get("1").data)  # wrong: there may be none
    print(row.data["title"])  # wrong: no dictionary
    print(row.data.titel)  # wrong: no such field
    print(row.data.due.year)  # wrong: it may be absent
    print(row.data.person.name)  # wrong: it may be absent
    tasks.where(lambda row: row.data.owned)  # wrong: no such field


def edited(tasks: TaskCollection, readings: ReadingCollection) -> None:
    tasks.edit("1", titel="x")  # wrong: no such field
    tasks.edit(1, title="x")  # wrong: ids are texts
    tasks.edit("1", title=1)  # wrong: no text
    tasks.edit("1", title=None)  # wrong: it has no presence
    tasks.edit("1", title=Increment(1))  # wrong: a text is not counted
    tasks.edit("1", title=Add("x"))  # wrong: nor is it a set
    tasks.edit("1", labels=Increment(1))  # wrong: a set is not counted
    tasks.edit("1", labels=Append("x"))  # wrong: it has no end
    tasks.edit("1", list=Add(1))  # wrong: a list is no set
    tasks.edit("1", weight=Increment(1))  # wrong: a fraction is not counted
    tasks.edit("1", due=Max("2026-01-31T00:00:00Z"))  # wrong: texts of times have no order
    tasks.edit("1", next=SetKey({"text": "x"}))  # wrong: a message is one value
    tasks.edit("1", votes=Max(7))  # wrong: a counter is counted
    tasks.edit("1", cost=Max("1.00"))  # wrong: texts of numbers have no order
    tasks.edit("1", team="blue")  # wrong: written once
    tasks.edit("1", owner="eve")  # wrong: the server's
    tasks.edit("1", internal_note="x")  # wrong: the server's
    tasks.edit("1", extra={})  # wrong: no field
    tasks.edit("1", priority="low")  # wrong: no Priority
    tasks.edit("1", {"title": "x"})  # wrong: fields have names
    readings.edit("1", title="x")  # wrong: another entity
    tasks.edit("1", notes={7: "x"})  # wrong: keys are texts
"""


def mypy(folder: Path, *files: str) -> list[str]:
    """What mypy says in its strict mode."""
    options = ["--strict", "--config-file=", f"--cache-dir={folder / 'cache'}"]
    options += ["--follow-imports=silent", "--no-error-summary"]
    command = [sys.executable, "-m", "mypy", *options, *files]
    environment = {**os.environ, "MYPYPATH": str(ROOT / "clients" / "python")}
    run = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, env=environment
    )
    return (run.stdout + run.stderr).splitlines()


def test_each_right_use_is_right_and_each_wrong_one_is_wrong(tmp_path: Path) -> None:
    package = write_python(tmp_path)
    (tmp_path / "right.py").write_text(HEAD + RIGHT)
    (tmp_path / "wrong.py").write_text(HEAD + WRONG)
    generated = [f"{PACKAGE}/{each.name}" for each in package.glob("*.py")]
    said = mypy(tmp_path, "right.py", "wrong.py", *generated)
    assert [line for line in said if not line.startswith("wrong.py:")] == []
    lines = list(enumerate((HEAD + WRONG).splitlines(), 1))
    marked = [number for number, line in lines if "# wrong" in line]
    found = {int(line.split(":")[1]) for line in said if ": error: " in line}
    assert sorted(found) == marked, "\n".join(said)
    assert len(marked) >= LEAST
    assert RIGHT.count("# right") >= LEAST


def test_generated_python_is_as_ruff_would_lay_it_out(tmp_path: Path) -> None:
    ruff = shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not there")
    folder = write_python(tmp_path)
    config = ["--config", str(ROOT / "pyproject.toml")]
    for command in (
        ["format", "--check", "--diff"],
        ["check", "--select=E4,E7,E9,F,I,UP,B,RUF100"],
    ):
        run = subprocess.run(
            [ruff, *command, *config, "--no-cache", folder], capture_output=True, text=True
        )
        assert run.returncode == 0, run.stdout + run.stderr
