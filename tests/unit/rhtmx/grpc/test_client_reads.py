"""Facts about `rhtmx.grpc.client`; the streams are in `test_watch`."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.client import Backend
from rhtmx.messages import (
    Blame,
    BlameResult,
    ChangeAction,
    FieldAuthor,
    GetFieldsRequest,
    GetFieldsResponse,
    GetRecordRequest,
    History,
    HistoryCommit,
    HistoryRequest,
    HistoryResult,
)
from tests.unit.rhtmx.grpc.fake import (
    FOREVER,
    NOON,
    Fake,
    change,
    drain,
    field,
    field_change,
    fields_synced,
    record,
    refusal,
    synced,
)


async def test_a_record_is_its_latest_change(fake: Fake, backend: Backend) -> None:
    fake.answer["get_record"] = record(5, "7", b'{"a":1}')
    found = await backend.get("tasks", "7")
    assert found is not None
    assert (found.entity_id, found.data, found.version) == ("7", {"a": 1}, 5)
    assert (found.client_id, found.created_at) == ("cafe", NOON)
    assert fake.asked == [GetRecordRequest("tasks", "7")]


async def test_what_is_not_there_is_none(fake: Fake, backend: Backend) -> None:
    fake.answer["get_record"] = fake.answer["get_fields"] = refusal(ErrorCode.NOT_FOUND)
    assert await backend.get("tasks", "7") is None
    assert await backend.get_fields("tasks", "7") is None


async def test_what_was_deleted_is_none(fake: Fake, backend: Backend) -> None:
    fake.answer["get_record"] = record(5, "7", None, ChangeAction.DELETE)
    assert await backend.get("tasks", "7") is None


async def test_a_collection_that_is_not_there_is_an_error(fake: Fake, backend: Backend) -> None:
    fake.answer["get_record"] = fake.answer["get_fields"] = refusal(ErrorCode.UNKNOWN_ENTITY)
    for call in (backend.get, backend.get_fields):
        with pytest.raises(RhtmxError) as caught:
            await call("tusks", "7")
        assert caught.value.code is ErrorCode.UNKNOWN_ENTITY


async def test_fields_have_a_value_a_writer_a_time_and_a_version(
    fake: Fake, backend: Backend
) -> None:
    fake.answer["get_fields"] = GetFieldsResponse([field(5, "a"), field(7, "b")])
    fields = await backend.get_fields("tasks", "1")
    assert fields is not None
    assert [(name, each.value, each.version) for name, each in fields.items()] == [
        ("a", 1, 5),
        ("b", 1, 7),
    ]
    assert (fields["a"].client_id, fields["a"].timestamp) == ("cafe", NOON)
    assert fake.asked == [GetFieldsRequest("tasks", "1")]


async def test_history_ends(fake: Fake, backend: Backend) -> None:
    fake.streams = [[record(5), record(7)]]
    commits = [each async for each in backend.history("tasks", "1", 4, NOON)]
    assert [each.version for each in commits] == [5, 7]
    assert fake.asked == [HistoryRequest("tasks", "1", 4, NOON)]


async def test_leaving_history_ends_the_stream(fake: Fake, backend: Backend) -> None:
    fake.streams = [[record(5), FOREVER]]
    async for _ in backend.history("tasks"):
        break
    gc.collect()
    await fake.closed()


async def test_history_has_a_time_for_all_of_it(fake: Fake, backend: Backend) -> None:
    fake.streams = [[record(5), FOREVER]]
    with pytest.raises(TimeoutError, match=r"within 0\.02 s"):
        await drain(backend.history("tasks", timeout=0.02), [])


async def test_a_part_is_read_by_every_call_that_reads_an_entity(
    fake: Fake, backend: Backend
) -> None:
    part = {"c": ["8", "7"]}
    fake.streams = [
        *([synced(4), FOREVER], [synced(4)]),
        *([fields_synced(4), FOREVER], [fields_synced(4)]),
        [change(5), FOREVER],
        [field_change(5, "a"), FOREVER],
    ]
    await backend.sync("tasks", where=part)
    await backend.sync_fields("tasks", where=part)
    async with backend.watch("tasks", where=part) as watch:
        assert (await anext(watch)).version == 5
    async with backend.watch_fields("tasks", where=part) as fields:
        assert (await anext(fields)).version == 5
    asked: list[Any] = fake.asked
    assert {each.where for each in asked} == {b'{"c":["7","8"]}'}
    with pytest.raises(RhtmxError, match="where of 'tasks'"):
        backend.watch("tasks", where={"c": []})


async def test_the_history_of_a_record_has_its_commits_and_where_to_go_on(
    fake: Fake, backend: Backend
) -> None:
    commit = HistoryCommit(record(5, "7", b'{"a":1}'), ["a"], "ada")
    fake.answer["record_history"] = HistoryResult([commit], before=5)
    history = await backend.record_history("tasks", "7", before=9, until=NOON, limit=1)
    (found,) = history
    assert (found.version, found.data, found.changed, found.subject) == (5, {"a": 1}, ("a",), "ada")
    assert (history.before, history.complete) == (5, False)
    assert fake.asked == [History("tasks", "7", 9, NOON, 1)]


async def test_each_field_has_its_author(fake: Fake, backend: Backend) -> None:
    fake.answer["blame"] = BlameResult([FieldAuthor("a", 5, NOON, "cafe", "ada")])
    authors = await backend.blame("tasks", "7")
    assert [(name, each.version, each.subject) for name, each in authors.items()] == [
        ("a", 5, "ada")
    ]
    assert fake.asked == [Blame("tasks", "7")]


async def test_a_record_that_is_not_there_has_no_past(fake: Fake, backend: Backend) -> None:
    fake.answer["record_history"] = fake.answer["blame"] = refusal(ErrorCode.NOT_FOUND)
    for call in (backend.record_history, backend.blame):
        with pytest.raises(RhtmxError) as caught:
            await call("tasks", "7")
        assert caught.value.code is ErrorCode.NOT_FOUND


@pytest.mark.parametrize("wrong", [{"before": -1}, {"limit": 2**53}, {"until": "noon"}])
async def test_what_no_server_reads_is_refused_before_it_is_sent(
    fake: Fake, backend: Backend, wrong: Any
) -> None:
    with pytest.raises(RhtmxError, match=r"^history\."):
        await backend.record_history("tasks", "7", **wrong)
    assert fake.asked == []
