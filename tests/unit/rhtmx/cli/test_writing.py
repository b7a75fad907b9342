"""Facts about `rhtmx.cli.writing`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from rhtmx.cli.errors import NO_CONNECTION, USAGE, CommandError
from rhtmx.cli.requests import Push, PushMany
from rhtmx.cli.writing import IN_FLIGHT, push, push_many
from rhtmx.messages import ChangeAction, FieldAction, PushFields
from rhtmx.messages import Push as PushMessage
from tests.unit.rhtmx.cli.screens import Screen, server
from tests.unit.rhtmx.peer import Peer


def pushes(peer: Peer) -> list[PushMessage]:
    return [each for each in peer.heard if isinstance(each, PushMessage)]


def lines(path: Path, count: int) -> PushMany:
    texts = [json.dumps({"entity_id": str(n), "data": {"n": n}}) for n in range(count)]
    path.write_text("\n".join(texts))
    return PushMany("tasks", str(path), fields=False)


async def test_a_record_is_pushed_and_its_version_told(peer: Peer) -> None:
    screen = Screen()
    request = Push("tasks", "7", {"n": 1}, base_version=0)
    assert await push(server(peer.url), request, screen.output) == 0
    assert screen.lines == ["✓ tasks/7  version 1"]
    (heard,) = pushes(peer)
    assert (heard.data, heard.base_version) == (b'{"n":1}', 0)


async def test_a_record_is_deleted(peer: Peer) -> None:
    screen = Screen(json=True)
    await push(server(peer.url), Push("tasks", "7", None, delete=True), screen.output)
    assert pushes(peer)[0].action is ChangeAction.DELETE
    assert screen.records[0]["type"] == "push_ack"


async def test_fields_are_merged_and_one_that_lost_is_a_failure(peer: Peer) -> None:
    screen = Screen()
    request = Push("tasks", "7", {"a": 1, "b": 2}, fields=True, remove=("c",))
    assert await push(server(peer.url), request, screen.output) == 1
    (heard,) = [each for each in peer.heard if isinstance(each, PushFields)]
    assert [(f.field, f.action) for f in heard.fields] == [
        ("a", FieldAction.UPDATE),
        ("b", FieldAction.UPDATE),
        ("c", FieldAction.DELETE),
    ]
    assert screen.lines[1].startswith('✗ a  1 lost against "theirs" of 2026-01-01 ')


async def test_an_answer_that_does_not_come_leaves_it_open_what_became_of_it(peer: Peer) -> None:
    screen = Screen()
    one = server(peer.url, timeout=0.3)
    pushing = asyncio.create_task(push(one, Push("tasks", "7", 1), screen.output))
    await peer.until(lambda: len(peer.heard) == 1)
    peer.mute = True
    with pytest.raises(CommandError) as raised:
        await pushing
    assert raised.value.status == NO_CONNECTION
    assert "tasks/7: no answer" in raised.value.message
    assert "it may or may not have been written" in raised.value.message


async def test_many_are_answered_in_their_order(peer: Peer, tmp_path: Path) -> None:
    screen = Screen()
    request = lines(tmp_path / "a", 3 * IN_FLIGHT)
    assert await push_many(server(peer.url), request, screen.output) == 0
    assert screen.lines == [f"✓ tasks/{n}  version {n + 1}" for n in range(3 * IN_FLIGHT)]
    assert screen.news == [f"{3 * IN_FLIGHT} written"]


async def test_a_refused_one_is_told_and_the_others_go_on(peer: Peer, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text(
        '{"entity_id": "1", "data": 1}\n'
        '{"entity_id": "2", "data": "\\u0000"}\n'
        '{"entity_id": "3", "data": 3}\n'
    )
    screen = Screen()
    assert (
        await push_many(server(peer.url), PushMany("tasks", str(path), False), screen.output) == 1
    )
    assert [line.split()[1] for line in screen.lines] == ["tasks/1", "tasks/3"]
    assert screen.news[0].startswith(f"error: {path}, line 2: tasks/2: push.data")
    assert screen.news[1] == "2 written, 1 rejected"


async def test_a_losing_field_is_counted_among_the_refused(peer: Peer, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text('{"entity_id": "1", "data": {"a": 1}}\n')
    screen = Screen()
    assert await push_many(server(peer.url), PushMany("tasks", str(path), True), screen.output) == 1


async def test_a_bad_line_ends_it_when_those_before_it_are_answered(
    peer: Peer, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    path.write_text('{"entity_id": "1", "data": 1}\n{\n{"entity_id": "3", "data": 3}\n')
    screen = Screen()
    with pytest.raises(CommandError) as raised:
        await push_many(server(peer.url), PushMany("tasks", str(path), False), screen.output)
    assert raised.value.status == USAGE
    assert [line.split()[1] for line in screen.lines] == ["tasks/1"]
    assert len(pushes(peer)) == 1


async def test_a_reader_that_has_gone_ends_it_with_a_full_queue(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen()

    def closed(text: str) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(screen.out, "write", closed)
    with pytest.raises(BrokenPipeError):
        async with asyncio.timeout(60):
            await push_many(server(peer.url), lines(tmp_path / "a", 4 * IN_FLIGHT), screen.output)


async def test_a_file_that_is_not_there_is_told_before_anything(peer: Peer) -> None:
    with pytest.raises(CommandError, match="/nowhere cannot be read"):
        await push_many(server(peer.url), PushMany("tasks", "/nowhere", False), Screen().output)
    assert peer.connections == 0
