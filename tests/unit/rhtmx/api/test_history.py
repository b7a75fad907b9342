"""Facts about `rhtmx.api.history`."""

from __future__ import annotations

from datetime import datetime

import pytest

import rhtmx
from rhtmx.api.client import Client
from rhtmx.messages import (
    Blame,
    BlameResult,
    ChangeAction,
    ChangeLog,
    ErrorCode,
    FieldAuthor,
    History,
    HistoryCommit,
    HistoryResult,
    PushFields,
)
from tests.unit.rhtmx.model_server import NOW
from tests.unit.rhtmx.peer import Peer


def commit(version: int, action: ChangeAction, data: bytes | None = None) -> HistoryCommit:
    log = ChangeLog("tasks", "1", action, data, version, "c2", NOW)
    return HistoryCommit(log, ["title"], "ann")


def telling(
    peer: Peer, *commits: HistoryCommit, before: int | None = None, complete: bool = False
) -> None:
    """Have a peer answer every question about a history with this."""
    peer.answers[History] = lambda asked: [
        HistoryResult(list(commits), before, complete, asked.request_id)
    ]


def asked(peer: Peer) -> History:
    (question,) = [each for each in peer.heard if isinstance(each, History)]
    return question


async def test_the_history_of_a_record_is_asked_for_and_told(client: Client, peer: Peer) -> None:
    update = commit(7, ChangeAction.UPDATE, b'{"title":"b"}')
    telling(peer, update, commit(4, ChangeAction.CREATE, b"{}"), before=4)
    history = await client.collection("tasks").history("1", before=9, until=NOW, limit=2)
    question = asked(peer)
    assert (question.entity, question.entity_id, question.before) == ("tasks", "1", 9)
    assert (question.until, question.limit) == (NOW, 2)
    assert (len(history), history.before, history.complete) == (2, 4, False)
    newest = next(iter(history))
    assert newest == rhtmx.HistoryCommit(
        "tasks", "1", "update", {"title": "b"}, 7, ("title",), "c2", "ann", NOW
    )


async def test_a_record_as_it_was_is_the_last_commit_until_then(client: Client, peer: Peer) -> None:
    telling(peer, commit(7, ChangeAction.UPDATE, b"[1]"))
    then = await client.collection("tasks").as_of("1", NOW)
    assert then is not None
    assert (then.data, then.version) == ([1], 7)
    assert (asked(peer).until, asked(peer).limit) == (NOW, 1)


async def test_what_was_deleted_or_not_yet_there_was_not(client: Client, peer: Peer) -> None:
    tasks = client.collection("tasks")
    telling(peer, commit(7, ChangeAction.DELETE))
    assert await tasks.as_of("1", NOW) is None
    telling(peer, complete=True)
    assert await tasks.as_of("1", NOW) is None


async def test_what_is_not_kept_any_more_is_no_answer(client: Client, peer: Peer) -> None:
    telling(peer)
    with pytest.raises(rhtmx.RhtmxError, match="is not kept any more") as raised:
        await client.collection("tasks").as_of("1", NOW)
    assert raised.value.code is ErrorCode.NOT_FOUND


async def test_a_time_without_a_zone_is_refused_at_once(client: Client) -> None:
    with pytest.raises(rhtmx.RhtmxError, match="zone") as raised:
        await client.collection("tasks").as_of("1", datetime(2026, 1, 1))
    assert raised.value.code is ErrorCode.BAD_MESSAGE


async def test_blame_says_who_wrote_which_field(client: Client, peer: Peer) -> None:
    authors = [FieldAuthor("title", 7, NOW, "c2", "ann"), FieldAuthor("done", 4, NOW)]
    peer.answers[Blame] = lambda message: [BlameResult(authors, message.request_id)]
    told = await client.collection("tasks").blame("1")
    assert list(told) == ["title", "done"]
    assert told["title"] == rhtmx.FieldAuthor("title", 7, NOW, "c2", "ann")


async def test_undo_asks_what_a_commit_replaced_and_writes_that(client: Client, peer: Peer) -> None:
    after = commit(7, ChangeAction.UPDATE, b'{"title":"b"}')
    telling(peer, after, commit(4, ChangeAction.CREATE, b'{"title":"a"}'))
    result = await client.collection("tasks").undo("1", 7)
    assert isinstance(result, rhtmx.FieldPushResult)
    assert (asked(peer).before, asked(peer).limit) == (8, 2)
    (written,) = [each for each in peer.heard if isinstance(each, PushFields)]
    assert (written.base_version, written.if_unchanged) == (7, True)
    assert [(each.field, each.value) for each in written.fields] == [("title", b'"a"')]


async def test_what_cannot_be_undone_writes_nothing(client: Client, peer: Peer) -> None:
    telling(peer, complete=True)
    with pytest.raises(rhtmx.RhtmxError, match="has no commit of version 7"):
        await client.collection("tasks").undo("1", 7)
    assert isinstance(peer.heard[-1], History)
    assert client.queue == ()
