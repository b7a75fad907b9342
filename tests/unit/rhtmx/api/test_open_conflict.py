"""Facts about `rhtmx.api.open_conflict`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import rhtmx
from rhtmx.api.client import Client
from rhtmx.api.open_conflict import ConflictAnswers, LoggedConflicts, OpenConflict
from rhtmx.core.conflict import ConflictSides, of_log
from rhtmx.messages import (
    Error,
    ErrorCode,
    FieldPushAck,
    Push,
    PushFields,
    Transaction,
    TransactionAck,
)
from rhtmx.messages import WriteResult as Written
from rhtmx.stores.memory import MemoryStore
from rhtmx.values.conflict_side import ConflictSide
from rhtmx.values.record import Record
from tests.support.sockets import PATIENCE
from tests.unit.rhtmx.peer import Peer, client_of


class Answers:
    """Writes down what is answered."""

    def __init__(self) -> None:
        self.made: list[object] = []

    async def answer(self, conflict: OpenConflict, side: ConflictSide) -> None:
        self.made.append(side.value)


def said(field: str, version: int) -> dict[str, Any]:
    sides = {name: {"value": name, "action": "update"} for name in ("stored", "pushed")}
    return {"field": field, "winner": "server", "version": version, **sides}


def row(entity_id: str, **fields: Any) -> Record:
    return Record(entity_id, fields, 1, pending=False)


async def test_a_conflict_has_both_sides_and_five_answers() -> None:
    made = Answers()
    stored, pushed = ConflictSide(b"2"), ConflictSide(b"1")
    sides = ConflictSides("tasks", "1", "a", stored, pushed, "server", 7, "server_wins", number=9)
    conflict = OpenConflict(sides, made)
    assert (conflict.entity, conflict.entity_id, conflict.field) == ("tasks", "1", "a")
    assert (conflict.mine, conflict.theirs, conflict.winner) == (1, 2, "server")
    assert (conflict.version, conflict.strategy, conflict.number) == (7, "server_wins", 9)
    assert (conflict.stored, conflict.standing) == (stored, stored)
    assert (conflict.pushed, conflict.lost) == (pushed, pushed)
    assert (conflict.key, conflict.base_version) == (None, None)
    assert "entity='tasks', entity_id='1', number=9, field='a', key=None, lost=" in repr(conflict)
    await conflict.keep_mine()
    await conflict.take_theirs()
    await conflict.keep_lost()
    await conflict.keep_standing()
    await conflict.merge([3])
    assert made.made == [1, 2, 1, 2, [3]]


def test_the_open_conflicts_are_the_same_objects_as_long_as_nothing_about_them_changes() -> None:
    logged = LoggedConflicts("tasks", Answers())
    one, other = (
        row("1", **{"$3": said("a", 3), "$5": said("b", 5)}),
        row("2", **{"$4": said("a", 4)}),
    )
    shown = logged.of([one, other], "c1", "e")
    assert [(each.entity_id, each.number) for each in shown] == [("1", 3), ("2", 4), ("1", 5)]
    assert logged.of([one, other], "c1", "e") is shown
    again = row("1", team="red", **{"$3": said("a", 3), "$5": said("b", 5)})
    assert logged.of([again, other], "c1", "e") is shown
    fewer = logged.of([row("1", **{"$5": said("b", 5)}), other], "c1", "e")
    assert fewer == shown[1:]
    restored = logged.of([other], "c1", "f")
    assert [each.number for each in restored] == [4]
    assert restored[0] is not shown[2]


def conflicting(number: int) -> Any:
    """A peer's answer to a push of fields: the stored value has won, and that is open."""

    def answer(message: PushFields) -> list[Any]:
        told, acknowledged = _default(message)
        told.conflict = number
        return [told, acknowledged]

    return answer


def _default(message: PushFields) -> list[Any]:
    return Peer().answers[PushFields](message)


async def tells_of_any(client: Client) -> bool:
    """Whether a client has a conflict for whoever begins to listen."""
    told = asyncio.ensure_future(anext(client.conflicts()))
    await asyncio.sleep(0)  # it needs no more than this turn
    found = told.done()
    told.cancel()
    return found


async def disputed(client: Client, peer: Peer) -> OpenConflict:
    """A conflict that is open under number 12."""
    peer.answers[PushFields] = conflicting(12)
    await client.push_fields("tasks", "1", {"title": "mine"})
    conflicts = client.conflicts()
    try:
        return await anext(conflicts)
    finally:
        await conflicts.aclose()


async def test_an_own_conflict_that_is_open_for_all_is_answered_for_all(
    client: Client, peer: Peer
) -> None:
    conflict = await disputed(client, peer)
    assert await tells_of_any(client)
    peer.answers[Transaction] = lambda message: [
        TransactionAck(
            "t",
            [Written(each.entity, each.entity_id, 9, 1) for each in message.writes],
            request_id=message.request_id,
            seq=message.seq,
        )
    ]
    result = await conflict.keep_mine()
    assert isinstance(result, rhtmx.FieldPushResult)
    assert (result.entity, result.version) == ("tasks", 9)
    (sent,) = [each for each in peer.heard if isinstance(each, Transaction)]
    assert [each.entity for each in sent.writes] == ["tasks", "$conflicts/tasks"]
    assert not await tells_of_any(client)


async def test_a_conflict_whose_answer_could_not_be_stored_is_open_as_before(peer: Peer) -> None:
    store = MemoryStore("c")
    async with client_of(peer, store=store) as client:
        conflict = await disputed(client, peer)
        store.failure = rhtmx.RhtmxError(ErrorCode.STORAGE_FULL, "the disk is full")
        with pytest.raises(rhtmx.RhtmxError, match="the disk is full"):
            await conflict.keep_mine()
        assert await tells_of_any(client)
        store.failure = None


async def test_a_rejected_write_that_could_not_be_stored_again_is_kept_as_before(
    peer: Peer,
) -> None:
    store = MemoryStore("c")
    async with client_of(peer, store=store) as client:
        peer.answers[Push] = lambda message: [Error("no", ErrorCode.FORBIDDEN, seq=message.seq)]
        with pytest.raises(rhtmx.RhtmxError, match="no"):
            await client.push("tasks", "1", 1)
        store.failure = rhtmx.RhtmxError(ErrorCode.STORAGE_FULL, "the disk is full")
        for _ in range(2):
            (rejected,) = client.rejected
            with pytest.raises(rhtmx.RhtmxError, match="the disk is full"):
                await rejected.retry()
            async with asyncio.timeout(PATIENCE):
                assert (await anext(client.rejections())).id == rejected.id
        store.failure = None


async def test_whoever_answers_it_in_the_log_is_not_told_of_it_again(
    client: Client, peer: Peer
) -> None:
    conflict = await disputed(client, peer)
    peer.answers[PushFields] = lambda message: [
        FieldPushAck(message.entity, message.entity_id, 1, seq=message.seq, version=5)
    ]
    epoch = conflict.sides.epoch
    (same,) = of_log("tasks", "1", {"$12": said("title", 5)}, client.client_id, epoch)
    await OpenConflict(same, ConflictAnswers(client._runtime)).keep_standing()
    assert not await tells_of_any(client)


async def test_to_leave_it_as_it_is_writes_only_that_it_is_answered(
    client: Client, peer: Peer
) -> None:
    conflict = await disputed(client, peer)
    peer.answers[PushFields] = lambda message: [
        FieldPushAck(message.entity, message.entity_id, 1, seq=message.seq, version=5)
    ]
    assert await conflict.keep_standing() is None
    last = peer.heard[-1]
    assert isinstance(last, PushFields)
    assert (last.entity, last.base_version, last.if_unchanged) == ("$conflicts/tasks", 12, True)


async def test_whoever_leaves_it_as_it_is_need_not_be_the_first(client: Client, peer: Peer) -> None:
    conflict = await disputed(client, peer)
    peer.answers[PushFields] = lambda message: [
        Error("no", ErrorCode.CONFLICT, message.request_id, seq=message.seq)
    ]
    assert await conflict.keep_standing() is None
    assert client.rejected == ()


async def test_whoever_writes_second_is_told_that_it_is_answered_and_keeps_the_text(
    client: Client, peer: Peer
) -> None:
    conflict = await disputed(client, peer)
    peer.answers[Transaction] = lambda message: [
        Error(
            "no",
            ErrorCode.CONFLICT,
            message.request_id,
            details=b'{"writes":[{"index":1,"code":"conflict"}]}',
            seq=message.seq,
        )
    ]
    with pytest.raises(rhtmx.RhtmxError, match="it has been answered") as raised:
        await conflict.merge("ours")
    assert raised.value.code is ErrorCode.CONFLICT
    (kept,) = client.rejected
    assert kept.writes[0].data == {"title": "ours"}
    assert "it has been answered" in str(kept.error)


async def test_an_answer_that_is_rejected_for_another_reason_says_that(
    client: Client, peer: Peer
) -> None:
    conflict = await disputed(client, peer)
    peer.answers[PushFields] = lambda message: [
        Error("not yours", ErrorCode.FORBIDDEN, message.request_id, seq=message.seq)
    ]
    with pytest.raises(rhtmx.RhtmxError, match="not yours"):
        await conflict.keep_standing()
    assert len(client.rejected) == 1
