"""Facts about `rhtmx_server.transports.grpc.reads`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rhtmx import wire
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Blame,
    BlameResult,
    ChangeLog,
    FormValidationResult,
    GetFieldsRequest,
    GetRecordRequest,
    History,
    HistoryRequest,
    HistoryResult,
    ValidateField,
    ValidateForm,
    ValidationResult,
)
from rhtmx_server import Invalid, Request
from rhtmx_server.access.access import Access
from rhtmx_server.access.entity import Entity
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.parts import WHOLE, Part, Partitions
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.model import Granularity, HistoryEntry
from rhtmx_server.ports import BatchNeeds, BatchWrites
from rhtmx_server.record_page import HistoryPage
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.transports.grpc import reads
from rhtmx_server.transports.grpc.framing import prefixed
from tests.support.divided import SimpleAccess
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.fakes import NOW, record
from tests.unit.rhtmx_server.transports.grpc.peers import Call, door


class Kept(MemoryStore):
    """A store that has a history, or a record, and notes the pages that are read."""

    def __init__(self, found: Any = None) -> None:
        super().__init__()
        self.found = found
        self.pages: list[int] = []

    async def history(self, *asked: Any, **options: Any) -> HistoryPage[HistoryEntry]:
        page = await super().history(*asked, **options)
        self.pages.append(len(page))
        return page

    async def record(self, entity: str, entity_id: str) -> Any:
        return self.found


def entry(version: int, *, lost: bool = False) -> HistoryEntry:
    return HistoryEntry(record("1", version), Granularity.FIELDS, lost=lost)


async def five() -> Kept:
    kept = Kept()
    await kept.commit(BatchNeeds(), lambda _: BatchWrites(history=[entry(n) for n in range(1, 6)]))
    return kept


async def versions(*entries: HistoryEntry, since: int = 0) -> tuple[list[int], Kept]:
    side, call, kept = Side(), Call(HistoryRequest(entity="tasks", since=since)), Kept()
    await kept.commit(BatchNeeds(), lambda _: BatchWrites(history=entries))
    side.services.store = kept
    await reads.history(door(side), call.stream)
    return [each.version for each in call.heard(ChangeLog)], kept


async def test_history_has_the_commits_and_not_the_writes_that_lost() -> None:
    got, _ = await versions(entry(1), entry(2), entry(2, lost=True), entry(3), since=1)
    assert got == [2, 3]


async def test_nothing_is_sent_for_a_page_of_writes_that_lost_and_others_have_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reads, "PAGE", 3)
    side, call, kept = Side(), Call(HistoryRequest(entity="tasks")), Kept()
    entries = [entry(1, lost=True) for _ in range(9)]
    await kept.commit(BatchNeeds(), lambda _: BatchWrites(history=entries))
    side.services.store = kept
    seen: list[int] = []
    asyncio.get_running_loop().call_soon(lambda: seen.append(len(kept.pages)))
    await reads.history(door(side), call.stream)
    assert (call._stream.taken, kept.pages) == ([], [3, 3, 3, 0])
    assert seen == [1]


@pytest.mark.parametrize("before", [0, 1, 2, 3, 4])
async def test_a_version_of_more_entries_than_a_page_is_read_in_pages(
    monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    monkeypatch.setattr(reads, "PAGE", 3)
    lost = [entry(2, lost=True) for _ in range(10)]
    got, kept = await versions(entry(1), *lost[:before], entry(2), *lost[before:], entry(3))
    assert got == [1, 2, 3]
    assert kept.pages == [3, 3, 3, 3, 1, 0]


async def test_what_is_not_there_or_was_deleted_is_not_found() -> None:
    side = Side()
    for found in (None, record("1", 3, None)):
        side.services.store = Kept(found)
        for method, kind in (
            (reads.get_record, GetRecordRequest),
            (reads.get_fields, GetFieldsRequest),
            (reads.blame, Blame),
        ):
            with pytest.raises(RhtmxError) as caught:
                await method(door(side), Call(kind(entity="tasks", entity_id="1")).stream)
            assert caught.value.code is ErrorCode.NOT_FOUND


async def test_the_commits_of_a_record_and_who_wrote_it_are_one_answer_each() -> None:
    side = Side()
    side.services.store = Kept(record("1", 3))
    call = Call(History("tasks", "1", request_id="1"))
    await reads.record_history(door(side), call.stream)
    (history,) = call.heard(HistoryResult)
    versions = [each.change.version for each in history.commits if each.change is not None]
    assert (versions, history.complete, history.request_id) == ([3], False, "1")
    call = Call(Blame("tasks", "1", "2"))
    await reads.blame(door(side), call.stream)
    (blame,) = call.heard(BlameResult)
    assert ([each.field for each in blame.fields], blame.request_id) == (["n"], "2")


@pytest.mark.parametrize(
    ("method", "question", "code"),
    [
        (reads.record_history, History("", "1"), ErrorCode.BAD_MESSAGE),
        (reads.record_history, History("tasks", "1", limit=1001), ErrorCode.BAD_MESSAGE),
        (reads.record_history, History("tasks", "1", before=-1), ErrorCode.BAD_MESSAGE),
        (reads.record_history, History("no", "1"), ErrorCode.UNKNOWN_ENTITY),
        (reads.record_history, History("tasks", "2"), ErrorCode.NOT_FOUND),
        (reads.blame, Blame("tasks", ""), ErrorCode.BAD_MESSAGE),
        (reads.blame, Blame("no", "1"), ErrorCode.UNKNOWN_ENTITY),
        (reads.blame, Blame("plain", "1"), ErrorCode.NOT_SUPPORTED),
    ],
)
async def test_what_cannot_be_answered_about_a_record_is_refused(
    method: Any, question: Any, code: ErrorCode
) -> None:
    side = Side(entities=frozenset({"tasks", "plain"}))
    side.services.fieldless = frozenset({"plain"})
    with pytest.raises(RhtmxError) as caught:
        await method(door(side), Call(question).stream)
    assert caught.value.code is code


@pytest.mark.parametrize(
    ("method", "question"),
    [(reads.record_history, History("tasks", "1")), (reads.blame, Blame("tasks", "1"))],
)
async def test_what_is_looked_up_while_the_rights_of_a_call_change_is_not_sent(
    method: Any, question: Any
) -> None:
    async def asks() -> None: ...

    class Slow(Kept):
        async def record(self, entity: str, entity_id: str) -> Any:
            side.now.seconds += 2
            access.rights["", "tasks"] = [{"team": "b"}]
            return await super().record(entity, entity_id)

    side, call, access = Side(), Call(question), SimpleAccess(ask=asks)
    side.services.access, side.services.store = access, Slow(record("1", 3))
    with pytest.raises(RhtmxError, match="has changed meanwhile"):
        await method(door(side), call.stream)
    assert call._stream.taken == []


async def test_names_are_checked_before_the_store_is_asked() -> None:
    side = Side(entities=frozenset({"tasks"}))
    cases = (
        (GetRecordRequest(entity="", entity_id="1"), ErrorCode.BAD_MESSAGE),
        (GetRecordRequest(entity="tasks", entity_id="x" * 256), ErrorCode.BAD_MESSAGE),
        (GetRecordRequest(entity="no", entity_id="1"), ErrorCode.UNKNOWN_ENTITY),
    )
    for question, code in cases:
        with pytest.raises(RhtmxError) as caught:
            await reads.get_record(door(side), Call(question).stream)
        assert caught.value.code is code


async def test_questions_about_forms_are_answered_and_leave_nothing_behind() -> None:
    side = Side()
    form = side.form("signup")
    form.field("name", required=True)

    @form.field("nick")
    async def taken(value: str) -> None:
        if value == "ada":
            raise Invalid("taken")

    for field, value, valid in (("name", "", False), ("nick", "ada", False), ("nick", "b", True)):
        call = Call(ValidateField(request_id="1", form="signup", field=field, value=value))
        await reads.validate_field(door(side), call.stream)
        assert [each.valid for each in call.heard(ValidationResult)] == [valid]
    call = Call(ValidateForm(request_id="2", form="signup"))
    await reads.validate_form(door(side), call.stream)
    (verdict,) = call.heard(FormValidationResult)
    assert [error.field for error in verdict.errors] == ["name"]
    forms = side.services.forms
    assert isinstance(forms, FormTracker)
    assert forms._runs == {}


async def test_history_is_read_when_the_peer_takes_it_a_page_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reads, "PAGE", 2)
    side, call, kept = Side(), Call(HistoryRequest(entity="tasks")), await five()
    side.services.store = kept
    source = call._stream
    source._h2_connection.window = 0
    source.takes.clear()
    task = asyncio.create_task(reads.history(door(side), call.stream))
    await settle()
    assert kept.pages == []
    source._h2_connection.window = 10
    source.window_updated.set()
    await settle()
    assert kept.pages == [2]
    assert source.connection.pages.kept > 0
    source.takes.set()
    await task
    assert [each.version for each in call.heard(ChangeLog)] == [1, 2, 3, 4, 5]
    assert source.connection.pages.kept == 0


async def test_a_page_of_history_is_counted_before_another_stream_reads() -> None:
    side, call = Side(), Call(HistoryRequest(entity="tasks"))
    side.services.store = await five()
    room, seen = call._stream.connection.pages, []

    async def another() -> None:
        async with room.turn():
            seen.append(room.kept > 0)

    call._stream.takes.clear()
    async with room.turn():
        task = asyncio.create_task(reads.history(door(side), call.stream))
        await settle()
        other = asyncio.create_task(another())
        await settle()
    await other
    assert seen == [True]
    task.cancel()


@pytest.mark.parametrize(
    ("method", "question"),
    [
        (reads.get_record, GetRecordRequest(entity="tasks", entity_id="1")),
        (reads.get_fields, GetFieldsRequest(entity="tasks", entity_id="1")),
        (reads.record_history, History("tasks", "1")),
        (reads.blame, Blame("tasks", "1")),
    ],
)
async def test_no_record_is_read_while_too_many_answers_wait(method: Any, question: Any) -> None:
    side, call = Side(), Call(question)
    kept: Any = Kept(found=record("1", 3))
    side.services.store = kept
    room = call._stream.connection.answers
    room.keep(room.limit + 1)
    task = asyncio.create_task(method(door(side), call.stream))
    await settle()
    assert not task.done()
    room.free(1)
    await task
    assert len(call._stream.taken) == 1


@pytest.mark.parametrize(
    ("method", "question"),
    [
        (reads.get_record, GetRecordRequest(entity="tasks", entity_id="1")),
        (reads.get_fields, GetFieldsRequest(entity="tasks", entity_id="1")),
        (reads.history, HistoryRequest(entity="tasks")),
        (reads.record_history, History("tasks", "1")),
        (reads.blame, Blame("tasks", "1")),
        (reads.validate_field, ValidateField(request_id="1", form="f", field="x")),
        (reads.validate_form, ValidateForm(request_id="1", form="f")),
    ],
)
async def test_who_asks_with_a_token_that_has_expired_meanwhile_is_refused(
    method: Any, question: Any
) -> None:
    async def grants(request: Request) -> Grant:
        return Grant("ada", NOW + 1_000_000)

    side, call = Side(authenticate=grants), Call(metadata={"authorization": "Bearer t"})
    call._stream.over = False
    task = asyncio.create_task(method(door(side), call.stream))
    await settle()
    side.now.seconds += 1
    call._stream.say(prefixed(wire.encode_message(question)))
    with pytest.raises(RhtmxError, match="expired"):
        await task


class Ticking(Kept):
    """A store whose every page of history takes two seconds."""

    def __init__(self, side: Side) -> None:
        super().__init__()
        self._side = side

    async def history(self, *asked: Any, **options: Any) -> HistoryPage[HistoryEntry]:
        self._side.now.seconds += 2
        return await super().history(*asked, **options)


async def long_history(
    monkeypatch: pytest.MonkeyPatch, side: Side, expires: int | None = None
) -> tuple[RhtmxError, list[int]]:
    """How a history of five pages ends that ought not to be read to its end, and what was sent."""

    async def grants(request: Request) -> Grant:
        return Grant("ada", expires)

    monkeypatch.setattr(reads, "PAGE", 1)
    call = Call(HistoryRequest(entity="tasks"), metadata={"authorization": "Bearer t"})
    side.services.authenticate = grants
    side.services.store = store = Ticking(side)
    entries = [entry(n) for n in range(1, 6)]
    await store.commit(BatchNeeds(), lambda _: BatchWrites(history=entries))
    with pytest.raises(RhtmxError) as caught:
        await reads.history(door(side), call.stream)
    return caught.value, [each.version for each in call.heard(ChangeLog)]


async def test_a_history_ends_with_the_token_of_whoever_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error, got = await long_history(monkeypatch, Side(), NOW + 5_000_000)
    assert (error.code, got) == (ErrorCode.UNAUTHENTICATED, [1, 2, 3])


async def test_a_history_ends_where_the_program_takes_the_right_to_it_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [frozenset({WHOLE}), frozenset({WHOLE}), frozenset[Part]()]

    async def asked(who: Grant) -> frozenset[Part]:
        return answers.pop(0)

    tasks = Entity("tasks")
    tasks.divide(Partitions([["team"]]))
    side = Side()
    side.services.access = Access({"tasks": tasks}, {"tasks": asked})
    error, got = await long_history(monkeypatch, side)
    assert (error.code, got) == (ErrorCode.FORBIDDEN, [1, 2])


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
