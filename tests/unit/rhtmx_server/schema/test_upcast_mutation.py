"""Facts about `rhtmx_server.schema.upcast_mutation`, where every door's writes come through."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from rhtmx.errors import ErrorCode
from rhtmx.messages import Push, PushFields, Transaction
from rhtmx.schema.declared import Rename
from rhtmx.values.transaction_writes import transaction_of
from rhtmx.wire import ServerMessage
from rhtmx_server import Edit
from rhtmx_server.conflict_log import log_of
from rhtmx_server.model import Mutation
from rhtmx_server.schema.upcast import Upcaster, version_of
from rhtmx_server.writing.outcomes import digest
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.fakes import push, push_fields, update
from tests.unit.rhtmx_server.schema.test_upcast import schema_of

RENAMES = (Rename(2, "tasks", "a", "b"),)


def no_numbers(edit: Edit) -> None:
    """Refuses what cannot be said any more, and fails on what it does not expect."""
    if edit.values.get("b") == 7:
        raise ValueError("seven")


def side(**options: Any) -> Side:
    made = Side(entities=frozenset({"tasks"}))
    schema = schema_of(*RENAMES, **options)
    made.services.upcaster = Upcaster(schema, {("tasks", 3): [no_numbers]})
    made.services.app_schema = version_of(schema)
    return made


def ignore(reply: Sequence[ServerMessage]) -> None: ...


def submitted(message: Push | PushFields | Transaction, **options: Any) -> Mutation:
    """A mutation, as it comes to where it is decided."""
    there = side(**options)
    there.services.submit(Mutation(message, ignore, client_id="c"))
    (mutation,) = there.committer.mutations
    return mutation


def data(write: Push | PushFields) -> Any:
    assert isinstance(write, Push)
    return json.loads(write.data or b"null")


def old(value: Any = 1, **more: Any) -> Push:
    return push(entity="tasks", data=json.dumps({"a": value}).encode(), seq=1, **more)


def test_what_is_decided_is_of_today_and_what_came_is_kept() -> None:
    message = old(schema_version=1)
    mutation = submitted(message)
    assert data(mutation.write) == {"b": 1}
    assert mutation.sent is message
    assert mutation.message.seq == 1
    assert digest(mutation.sent) == digest(old(schema_version=1)) != digest(old())


@pytest.mark.parametrize("version", [None, 3, 4])
def test_what_is_of_today_or_of_no_version_is_taken_as_it_is(version: int | None) -> None:
    message = old(schema_version=version)
    mutation = submitted(message)
    assert mutation.message is message
    assert mutation.sent is None


def test_fields_are_up_cast_too() -> None:
    message = push_fields(update("a", b"1"), entity="tasks", seq=1, schema_version=1)
    mutation = submitted(message)
    assert isinstance(mutation.write, PushFields)
    assert [each.field for each in mutation.write.fields] == ["b"]


def test_each_write_of_a_transaction_is_up_cast_and_its_content_stays() -> None:
    message = transaction_of([old(), push("2", entity="tasks", data=b'{"z":1}')], 1)
    message.schema_version = 1
    before = digest(message)
    mutation = submitted(message)
    assert [data(each.write) for each in mutation.writes] == [{"b": 1}, {"z": 1}]
    assert mutation.message is message
    assert digest(mutation.sent or mutation.message) == before


def test_a_transaction_says_of_each_write_why_it_cannot_be_up_cast(
    caplog: pytest.LogCaptureFixture,
) -> None:
    message = transaction_of([old(7), old(), old(7)], 1)
    message.schema_version = 1
    mutation = submitted(message)
    assert mutation.rejection is not None
    assert mutation.rejection.code is ErrorCode.INTERNAL
    told = json.loads(mutation.rejection.details or b"{}")["writes"]
    assert [(each["index"], each["code"]) for each in told] == [(0, "internal"), (2, "internal")]
    assert "seven" not in mutation.rejection.message


def test_what_is_too_old_takes_its_place_in_the_order_as_rejected() -> None:
    mutation = submitted(old(schema_version=1), oldest=2)
    assert mutation.rejection is not None
    assert mutation.rejection.code is ErrorCode.UPGRADE_REQUIRED
    assert data(mutation.write) == {"a": 1}


def test_what_may_not_be_written_at_all_is_up_cast_for_nobody() -> None:
    mutation = submitted(push(entity="taks", data=b'{"a":7}', seq=1, schema_version=1))
    assert mutation.rejection is not None
    assert mutation.rejection.code is ErrorCode.UNKNOWN_ENTITY


def test_an_answer_to_a_conflict_is_of_no_version() -> None:
    there = side(oldest=2)
    there.services.entities = None
    log = PushFields(log_of("tasks"), "1", [update("$1", None)], seq=1, schema_version=1)
    mutation = Mutation(log, ignore, client_id="c")
    there.services.submit(mutation)
    assert mutation.rejection is None or mutation.rejection.code is not ErrorCode.UPGRADE_REQUIRED
