"""Facts about `rhtmx.cli.checking`: which records break a rule, and where a schema is found."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rhtmx import schema as _s
from rhtmx.cli.checking import broken_rules, check, load_schema
from rhtmx.cli.errors import REFUSED, USAGE, CommandError
from rhtmx.cli.requests import Check
from rhtmx.messages import (
    Change,
    ChangeAction,
    ChangeLog,
    Error,
    ErrorCode,
    SyncComplete,
)
from rhtmx.messages import Subscribe as Question
from rhtmx.schema import codecs
from rhtmx.schema.declared import Entity
from rhtmx.wire import Message
from tests.support.generated import schema_package
from tests.unit.rhtmx.cli.screens import Screen, server
from tests.unit.rhtmx.model_server import NOW
from tests.unit.rhtmx.peer import Peer

SCHEMA = """
message Task {
  option (rhtmx.v1.entity) = {name: "tasks"};
  string title = 1 [(buf.validate.field).string.max_len = 5];
  int64 votes = 2 [(buf.validate.field).int64.gte = 0];
}
message Note {
  option (rhtmx.v1.entity) = {name: "notes"};
  string text = 1;
}
"""


class Task:
    """Stands for a generated class."""


def entity(*fields: _s.Field) -> Entity[Any]:
    table = _s.message("Task", *fields)
    return Entity("tasks", Task, table, {each.name: codecs.VALUE for each in fields})


def holding(peer: Peer, *records: bytes | None) -> None:
    """Have a peer hold these records of `tasks`, and none of others."""

    def answer(message: Question) -> list[Message]:
        (name,) = message.entities
        held = records if name == "tasks" else ()
        changes = [
            Change(ChangeLog(name, str(number), _action(data), data, number, "c", NOW))
            for number, data in enumerate(held, 1)
        ]
        return [*changes, SyncComplete(entity=name, version=len(held), epoch="e1")]

    peer.answers[Question] = answer


def _action(data: bytes | None) -> ChangeAction:
    return ChangeAction.DELETE if data is None else ChangeAction.UPDATE


def test_a_record_is_judged_as_if_all_of_it_were_written_now() -> None:
    tasks = entity(
        _s.field("title", _s.STRING, (_s.max_len, 5), required=True),
        _s.field("votes", _s.INT64, (_s.gte, 0)),
    )
    found = broken_rules(tasks, {"votes": -1}, 0)
    assert [(each.field, each.code) for each in found] == [
        ("title", "required"),
        ("votes", "int64.gte"),
    ]
    assert broken_rules(tasks, {"title": "a", "votes": 1}, 0) == ()


def test_what_only_the_server_sees_is_judged_where_it_is_seen() -> None:
    tasks = entity(_s.field("note", _s.STRING, (_s.min_len, 3), required=True, server_only=True))
    assert broken_rules(tasks, {}, 0) == ()
    assert [each.code for each in broken_rules(tasks, {"note": "a"}, 0)] == ["string.min_len"]


@pytest.mark.parametrize("data", [None, 1, [1], "text"])
def test_what_is_no_object_is_no_record_of_a_schema(data: Any) -> None:
    (found,) = broken_rules(entity(), data, 0)
    assert (found.field, found.code, found.message) == ("", "type", "must be an object")


async def test_each_rule_that_a_record_breaks_is_a_line(peer: Peer) -> None:
    name = schema_package(SCHEMA).__name__
    holding(peer, b'{"title":"short"}', None, b'{"title":"too long","votes":-1}', b"1")
    screen = Screen()
    assert await check(server(peer.url), Check(name), screen.output) == REFUSED
    assert screen.lines == [
        "✗ tasks/3  title  string.max_len  must have at most 5 characters",
        "✗ tasks/3  votes  int64.gte  must be 0 or more",
        "✗ tasks/4  (record)  type  must be an object",
    ]
    assert screen.news == ["2 of 3 records break a rule"]


async def test_where_all_is_well_nothing_is_printed(peer: Peer) -> None:
    name = schema_package(SCHEMA).__name__
    holding(peer, b'{"title":"short"}')
    screen = Screen(json=True)
    assert await check(server(peer.url), Check(name, ("tasks",)), screen.output) == 0
    assert screen.lines == []
    assert screen.news == ["0 of 1 records break a rule"]


async def test_an_entity_that_the_schema_does_not_have_is_told(peer: Peer) -> None:
    name = schema_package(SCHEMA).__name__
    for given, hint in (("task", "tasks"), ("x", "tasks")):
        with pytest.raises(CommandError, match=f"did you mean {hint}") as caught:
            await check(server(peer.url), Check(name, (given,)), Screen().output)
        assert caught.value.status == USAGE


async def test_an_entity_that_may_not_be_read_is_told(peer: Peer) -> None:
    name = schema_package(SCHEMA).__name__
    peer.answers[Question] = lambda message: [
        Error("no", ErrorCode.FORBIDDEN, details=b'{"entity":"tasks"}')
    ]
    with pytest.raises(CommandError, match="tasks: no") as caught:
        await check(server(peer.url), Check(name, ("tasks",)), Screen().output)
    assert caught.value.status == REFUSED


def test_a_schema_is_looked_for_in_the_folder_first(tmp_path: Path) -> None:
    (tmp_path / "plain_schema.py").write_text("from rhtmx.schema.declared import Schema\n")
    with (tmp_path / "plain_schema.py").open("a") as file:
        file.write("schema = Schema(__name__, version=7)\n")
    assert load_schema("plain_schema", tmp_path).version == 7


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("app-schema", "", "the package that `rhtmx codegen --python` has made expected"),
        ("app_schema.py", "", "no package 'app_schema.py' in "),
        ("lacking_one", "import no_such_module_at_all", "No module named 'no_such_module_at_all'"),
        ("failing_one", "1 / 0", "it cannot be imported: ZeroDivisionError: division by zero"),
        ("without_one", "schema = 1", "it has no `schema` that `rhtmx codegen` has made"),
    ],
)
def test_what_is_no_schema_is_told(tmp_path: Path, name: str, content: str, words: str) -> None:
    if content:
        (tmp_path / f"{name}.py").write_text(content)
    with pytest.raises(CommandError, match=re.escape(words)) as caught:
        load_schema(name, tmp_path)
    assert caught.value.status == USAGE
