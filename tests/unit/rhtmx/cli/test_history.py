"""Facts about `rhtmx.cli.history`."""

from __future__ import annotations

import pytest

from rhtmx.cli.errors import REFUSED, CommandError
from rhtmx.cli.history import blame, log, undo
from rhtmx.cli.requests import Blame, Log, Undo
from rhtmx.messages import Blame as Question
from rhtmx.messages import (
    BlameResult,
    ChangeAction,
    ChangeLog,
    Error,
    ErrorCode,
    FieldAuthor,
    History,
    HistoryCommit,
    HistoryResult,
    Push,
)
from rhtmx.wire import Message
from tests.unit.rhtmx.cli.screens import Screen, server
from tests.unit.rhtmx.model_server import NOW
from tests.unit.rhtmx.peer import Peer


def keeping(peer: Peer, versions: int, *, complete: bool = True) -> list[History]:
    """Have a peer keep so many commits of every record; returns what it is asked."""
    asked: list[History] = []

    def answer(message: History) -> list[Message]:
        asked.append(message)
        newest = min(versions, (message.before or versions + 1) - 1)
        last = max(newest - (message.limit or 100), 0)
        kinds = {1: ChangeAction.CREATE}
        commits = [
            HistoryCommit(
                ChangeLog(
                    message.entity,
                    message.entity_id,
                    kinds.get(version, ChangeAction.UPDATE),
                    b'{"n":%d}' % version,
                    version,
                    "c2",
                    NOW,
                ),
                ["n"],
            )
            for version in range(newest, last, -1)
        ]
        before = last + 1 if last else None
        ends = complete and not last
        return [HistoryResult(commits, before, ends, message.request_id)]

    peer.answers[History] = answer
    return asked


async def test_the_commits_of_a_record_are_printed_the_newest_first(peer: Peer) -> None:
    keeping(peer, 2)
    screen = Screen()
    assert await log(server(peer.url), Log("tasks", "7"), screen.output) == 0
    assert [line.split()[:2] for line in screen.lines] == [["2", "update"], ["1", "create"]]
    assert screen.news == []


async def test_all_that_is_kept_is_asked_for_page_by_page(peer: Peer) -> None:
    asked = keeping(peer, 250, complete=False)
    screen = Screen(json=True)
    await log(server(peer.url), Log("tasks", "7", NOW), screen.output)
    assert [each["version"] for each in screen.records] == list(range(250, 0, -1))
    assert [(each.before, each.until, each.limit) for each in asked] == [
        (None, NOW, 100),
        (151, NOW, 100),
        (51, NOW, 100),
    ]
    assert screen.news == ["what was before is not kept any more"]


async def test_that_there_was_no_record_then_is_said(peer: Peer) -> None:
    keeping(peer, 0)
    screen = Screen()
    assert await log(server(peer.url), Log("tasks", "7", NOW), screen.output) == 0
    assert (screen.lines, screen.news) == ([], ["there was no tasks/7 then"])


async def test_no_more_commits_are_read_than_were_asked_for(peer: Peer) -> None:
    asked = keeping(peer, 250)
    screen = Screen(json=True)
    await log(server(peer.url), Log("tasks", "7", count=101), screen.output)
    assert len(screen.records) == 101
    assert [each.limit for each in asked] == [100, 1]
    assert screen.news == []


async def test_who_wrote_which_field_is_printed(peer: Peer) -> None:
    authors = [FieldAuthor("n", 7, NOW, "c2", "ada")]
    peer.answers[Question] = lambda message: [BlameResult(authors, message.request_id)]
    screen = Screen()
    assert await blame(server(peer.url), Blame("tasks", "7"), screen.output) == 0
    assert screen.lines[0].startswith("n  version 7  ")
    screen = Screen(json=True)
    await blame(server(peer.url), Blame("tasks", "7"), screen.output)
    assert screen.records[0]["type"] == "field_author"


async def test_a_record_without_fields_has_no_authors(peer: Peer) -> None:
    peer.answers[Question] = lambda message: [BlameResult([], message.request_id)]
    screen = Screen()
    assert await blame(server(peer.url), Blame("tasks", "7"), screen.output) == 0
    assert (screen.lines, screen.news) == ([], ["tasks/7 has no fields"])


async def test_a_commit_is_taken_back(peer: Peer) -> None:
    keeping(peer, 1)
    screen = Screen()
    assert await undo(server(peer.url), Undo("tasks", "7", 1), screen.output) == 0
    (written,) = [each for each in peer.heard if isinstance(each, Push)]
    assert (written.action, written.base_version) == (ChangeAction.DELETE, 1)
    assert screen.lines == ["✓ tasks/7  version 1"]


async def test_what_came_after_it_is_said_and_where_to_look(peer: Peer) -> None:
    keeping(peer, 1)
    peer.answers[Push] = lambda message: [
        Error("it has moved on", ErrorCode.CONFLICT, message.request_id, seq=message.seq)
    ]
    with pytest.raises(CommandError) as raised:
        await undo(server(peer.url), Undo("tasks", "7", 1), Screen().output)
    assert raised.value.message == (
        "it has moved on: see what came after it with `rhtmx log tasks 7`"
    )
    assert raised.value.status == REFUSED


async def test_a_commit_that_is_not_there_is_not_taken_back(peer: Peer) -> None:
    keeping(peer, 1)
    with pytest.raises(CommandError, match="has no commit of version 5") as raised:
        await undo(server(peer.url), Undo("tasks", "7", 5), Screen().output)
    assert raised.value.status == REFUSED
