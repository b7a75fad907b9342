"""Facts about `rhtmx.cli.reading`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rhtmx.cli.errors import REFUSED, CommandError
from rhtmx.cli.reading import sync, tail
from rhtmx.cli.requests import Sync, Tail
from rhtmx.messages import Position
from tests.unit.rhtmx.cli.screens import Screen, server
from tests.unit.rhtmx.peer import Peer


async def written(peer: Peer, count: int) -> None:
    for n in range(count):
        await peer.write(str(n), {"n": n})


async def until_ended(running: Any) -> int:
    async with asyncio.timeout(60):
        status: int = await running
        return status


async def test_it_says_that_it_follows_and_prints_what_comes(peer: Peer) -> None:
    screen = Screen()
    request = Tail(("tasks",), None, False, 2)
    tailing = asyncio.create_task(tail(server(peer.url), request, screen.output))
    await screen.err.until(1)
    assert screen.news == [f"following tasks on '{peer.url}'"]
    await peer.write("7", {"n": 1})
    assert "tasks/7" in (await screen.out.until(1))[0]
    await peer.write("8", {"n": 1})
    assert await until_ended(tailing) == 0
    assert len(screen.lines) == 2


async def test_of_what_is_there_it_prints_so_many_and_no_more(peer: Peer) -> None:
    await written(peer, 5)
    screen = Screen(json=True)
    request = Tail(("tasks",), 0, False, 3)
    assert await until_ended(tail(server(peer.url), request, screen.output)) == 0
    assert [record["entity_id"] for record in screen.records] == ["0", "1", "2"]


async def test_fields_are_told_one_by_one(peer: Peer) -> None:
    await peer.write("7", {"a": 1, "b": 2})
    screen = Screen(json=True)
    await until_ended(tail(server(peer.url), Tail(("tasks",), 0, True, 2), screen.output))
    assert {record["field"] for record in screen.records} == {"a", "b"}


@pytest.mark.parametrize("command", ["tail", "sync"])
async def test_an_entity_that_is_not_there_is_refused_by_name(peer: Peer, command: str) -> None:
    screen = Screen()
    if command == "tail":
        running = tail(server(peer.url), Tail(("nope",), None, False, None), screen.output)
    else:
        running = sync(server(peer.url), Sync("nope", 0, False), screen.output)
    with pytest.raises(CommandError) as raised:
        await running
    assert (raised.value.message, raised.value.status) == ("nope: no such entity", REFUSED)
    assert screen.lines == []


async def test_a_cancelled_tail_leaves_nothing_behind(peer: Peer) -> None:
    screen = Screen()
    request = Tail(("tasks",), None, False, None)
    tailing = asyncio.create_task(tail(server(peer.url), request, screen.output))
    await screen.err.until(1)
    tailing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await tailing
    assert [task for task in asyncio.all_tasks() if "_Tail" in str(task.get_coro())] == []


async def test_a_reader_that_has_gone_ends_tail(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(peer, 2)
    screen = Screen()

    def closed(text: str) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(screen.out, "write", closed)
    with pytest.raises(BrokenPipeError):
        await until_ended(tail(server(peer.url), Tail(("tasks",), 0, False, None), screen.output))


async def test_a_reset_is_told_before_what_follows_anew(peer: Peer) -> None:
    await written(peer, 2)
    screen = Screen(json=True)
    request = Tail(("tasks",), Position(epoch="before", version=9), False, 2)
    await until_ended(tail(server(peer.url), request, screen.output))
    assert [record["type"] for record in screen.records] == ["reset", "change", "change"]
    assert screen.records[0]["position"] == {"epoch": "before", "version": 9}
    assert any(
        line.startswith("reset: tasks could not resume from version 9") for line in screen.news
    )


async def test_sync_prints_everything_and_where_to_go_on(peer: Peer) -> None:
    await written(peer, 2)
    screen = Screen(json=True)
    assert await sync(server(peer.url), Sync("tasks", 0, False), screen.output) == 0
    assert [record["type"] for record in screen.records] == ["change", "change", "position"]
    assert screen.news == ["continue with: --since e0:2"]


async def test_sync_lays_a_table_out_by_all_of_its_rows(peer: Peer) -> None:
    await peer.write("7", {"n": 1})
    await peer.write("a-longer-name", {"n": 1})
    screen = Screen()
    await sync(server(peer.url), Sync("tasks", 0, False), screen.output)
    assert len({line.index("{") for line in screen.lines}) == 1


async def test_sync_after_a_reset_says_so_first(peer: Peer) -> None:
    await written(peer, 1)
    screen = Screen(json=True)
    since = Position(epoch="before", version=9)
    await sync(server(peer.url), Sync("tasks", since, False), screen.output)
    assert [record["type"] for record in screen.records] == ["reset", "change", "position"]


async def test_fields_are_synced_one_by_one(peer: Peer) -> None:
    await peer.write("7", {"a": 1, "b": 2})
    screen = Screen(json=True)
    await sync(server(peer.url), Sync("tasks", 0, True), screen.output)
    assert {r["field"] for r in screen.records if r["type"] == "field_change"} == {"a", "b"}
