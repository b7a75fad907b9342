"""Facts about `rhtmx.grpc.client`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.client import Backend
from rhtmx.messages import (
    ChangeAction,
    FieldAction,
    FieldConflict,
    FieldError,
    FieldPushAck,
    FormValidationResult,
    PushAck,
    PushFieldsResponse,
    ValidationResult,
    Winner,
)
from rhtmx.values.results import FormError, PushResult
from tests.unit.rhtmx.grpc.fake import FOREVER, NOON, Fake, refusal

EVENING = datetime(2026, 11, 26, 20, tzinfo=UTC)


async def test_a_push_sends_the_record_and_returns_its_version(
    fake: Fake, backend: Backend
) -> None:
    fake.answer["push"] = PushAck("prices", "EURUSD", 7, duplicate=True)
    result = await backend.push("prices", "EURUSD", {"bid": 1.0853}, base_version=6, seq=3)
    assert result == PushResult("prices", "EURUSD", 7, duplicate=True)
    [sent] = fake.asked
    assert (sent.entity, sent.entity_id, sent.data) == ("prices", "EURUSD", b'{"bid":1.0853}')
    assert (sent.action, sent.base_version, sent.seq) == (ChangeAction.UPDATE, 6, 3)


async def test_a_delete_sends_no_data(fake: Fake, backend: Backend) -> None:
    fake.answer["push"] = PushAck("tasks", "1", 8)
    assert (await backend.delete("tasks", "1", base_version=7, seq=4)).version == 8
    [sent] = fake.asked
    assert (sent.action, sent.data) == (ChangeAction.DELETE, None)
    assert (sent.base_version, sent.seq) == (7, 4)


async def test_fields_are_pushed_with_a_time_and_bring_their_conflicts(
    fake: Fake, backend: Backend
) -> None:
    lost = FieldConflict("tasks", "1", "done", b"1", NOON, b"2", NOON, winner=Winner.SERVER)
    fake.answer["push_fields"] = PushFieldsResponse(
        FieldPushAck("tasks", "1", applied=1, conflicts=1, version=9, clamped=1), [lost]
    )
    result = await backend.push_fields("tasks", "1", {"done": 2}, delete=["note"], seq=5)
    assert (result.applied, result.version, result.clamped) == (1, 9, 1)
    [conflict] = result.conflicts
    assert (conflict.field, conflict.server_value, conflict.winner) == ("done", 1, "server")
    [sent] = fake.asked
    assert sent.seq == 5
    assert [(each.field, each.action, each.timestamp) for each in sent.fields] == [
        ("done", FieldAction.UPDATE, NOON),
        ("note", FieldAction.DELETE, NOON),
    ]


async def test_fields_may_be_of_another_time(fake: Fake, backend: Backend) -> None:
    fake.answer["push_fields"] = PushFieldsResponse(FieldPushAck("tasks", "1"))
    await backend.push_fields("tasks", "1", {"done": 2}, timestamp=EVENING)
    assert fake.asked[0].fields[0].timestamp == EVENING


async def test_fields_may_be_written_only_if_they_are_unchanged(
    fake: Fake, backend: Backend
) -> None:
    fake.answer["push_fields"] = PushFieldsResponse(FieldPushAck("tasks", "1"))
    await backend.push_fields("tasks", "1", {"done": 2}, base_version=4, if_unchanged=True)
    await backend.push_fields("tasks", "1", {"done": 2})
    conditions = [(sent.base_version, sent.if_unchanged) for sent in fake.asked]
    assert conditions == [(4, True), (None, None)]


async def test_writes_of_one_moment_have_times_of_their_own_in_their_order(
    fake: Fake, backend: Backend
) -> None:
    fake.answer["push_fields"] = PushFieldsResponse(FieldPushAck("tasks", "1", 1, 0, version=9))
    for number in range(3):
        await backend.push_fields("tasks", "1", {"a": number})
    times = [sent.fields[0].timestamp for sent in fake.asked]
    assert times == [NOON + timedelta(microseconds=each) for each in range(3)]


async def test_one_value_is_checked(fake: Fake, backend: Backend) -> None:
    fake.answer["validate_field"] = ValidationResult("", "signup", "age", False, "18", b'{"a":1}')
    verdict = await backend.validate_field("signup", "age", "7", values={"name": "Ada"})
    assert (bool(verdict), verdict.error, verdict.metadata) == (False, "18", {"a": 1})
    [sent] = fake.asked
    assert (sent.form, sent.field, sent.value) == ("signup", "age", "7")
    assert [(each.field, each.value) for each in sent.values] == [("name", "Ada")]


async def test_a_whole_form_is_checked(fake: Fake, backend: Backend) -> None:
    fake.answer["validate_form"] = FormValidationResult(
        "", "signup", False, [FieldError("age", "18")]
    )
    verdict = await backend.validate_form("signup", {"age": "7"}, form_instance="f")
    assert not verdict
    assert verdict.errors == (FormError("age", "18"),)
    assert fake.asked[0].form_instance == "f"


async def test_what_cannot_be_json_is_refused_before_it_is_sent(
    fake: Fake, backend: Backend
) -> None:
    with pytest.raises(RhtmxError) as caught:
        await backend.push("tasks", "1", {"at": object()})
    assert caught.value.code is ErrorCode.BAD_MESSAGE
    assert fake.asked == []


async def test_a_refusal_has_its_code_and_details(fake: Fake, backend: Backend) -> None:
    fake.answer["push"] = refusal(ErrorCode.CONFLICT, "moved on", b'{"version":9}')
    with pytest.raises(RhtmxError, match="moved on") as caught:
        await backend.push("tasks", "1", {}, base_version=1)
    assert (caught.value.code, caught.value.details) == (ErrorCode.CONFLICT, b'{"version":9}')


async def test_a_call_that_takes_too_long_says_so(fake: Fake, backend: Backend) -> None:
    fake.answer["push"] = FOREVER
    with pytest.raises(TimeoutError, match=r"no answer from 'test:1' within 0\.02 s"):
        await backend.push("tasks", "1", {}, timeout=0.02)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
