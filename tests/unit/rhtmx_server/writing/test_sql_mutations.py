"""From what an application wrote by its own SQL to mutations, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction, Error, FieldAction, PushAck, PushFields, Transaction
from rhtmx.wire import ServerMessage, check_json
from rhtmx_server.model import THE_APP, Mutation
from rhtmx_server.sql_writes import SqlPage, SqlWrite
from rhtmx_server.times import to_datetime
from rhtmx_server.writing.sql_mutations import SqlVerdict, mutation_of, steps_of, verdict_of
from tests.unit.rhtmx_server.fakes import NOW


def write(
    number: int, transaction: str = "1", kind: str = "push", data: bytes | None = b"1"
) -> SqlWrite:
    return SqlWrite(number, transaction, kind, "tasks", str(number), data)


def made(*writes: SqlWrite) -> Mutation:
    return mutation_of(writes, to_datetime(NOW), check_json, lambda reply: None)


def ids(steps: Sequence[Sequence[SqlWrite]]) -> list[list[int]]:
    return [[each.id for each in step] for step in steps]


def test_the_writes_of_one_transaction_are_one_step() -> None:
    page = SqlPage([write(1, "a"), write(4, "a"), write(2, "b")], whole=True)
    assert ids(steps_of(page)) == [[1, 4], [2]]


def test_a_transaction_that_may_have_more_is_left_for_the_next_page() -> None:
    page = SqlPage([write(1, "a"), write(2, "b")], whole=False)
    assert ids(steps_of(page)) == [[1]]


def test_a_transaction_that_is_too_large_for_a_page_is_applied_in_steps() -> None:
    page = SqlPage([write(1, "a"), write(2, "a")], whole=False)
    assert ids(steps_of(page)) == [[1, 2]]


def test_a_write_is_by_the_program_in_the_name_of_its_author() -> None:
    mutation = made(write(7)._replace(author="ada"))
    assert (mutation.client_id, mutation.secret, mutation.who) == ("ada", THE_APP, None)
    assert mutation.sql_rows == [7]
    assert (mutation.write.entity_id, mutation.rejection) == ("7", None)


def test_fields_are_set_and_removed() -> None:
    fields = write(1, kind="push_fields", data=b'{"a": [1], "b": null}')._replace(removed=["c"])
    message = made(fields).message
    assert isinstance(message, PushFields)
    assert [(each.field, each.value, each.action) for each in message.fields] == [
        ("a", b"[1]", FieldAction.UPDATE),
        ("b", None, FieldAction.UPDATE),
        ("c", None, FieldAction.DELETE),
    ]


def test_several_are_a_transaction_of_which_each_has_its_row() -> None:
    mutation = made(write(1), write(2, kind="delete", data=None)._replace(author="ada"))
    assert isinstance(mutation.message, Transaction)
    assert mutation.message.writes[1].action is ChangeAction.DELETE
    assert mutation.sql_rows == [1, 2]
    assert [(each.sql_rows, each.client_id) for each in mutation.writes] == [
        ([1], None),
        ([2], "ada"),
    ]


@pytest.mark.parametrize(
    ("kind", "data"), [("push", b"{"), ("push_fields", b"[]"), ("push_fields", None)]
)
def test_what_was_written_past_the_functions_is_rejected_alone(
    kind: str, data: bytes | None
) -> None:
    mutation = made(write(1), write(2, kind=kind, data=data))
    assert mutation.rejection is None
    assert [each.rejection is None for each in mutation.writes] == [True, False]


def error(code: ErrorCode, details: bytes | None = None) -> Error:
    return Error(message="why", code=code, details=details)


@pytest.mark.parametrize(
    ("count", "reply", "verdict"),
    [
        (2, [PushAck(), PushAck()], SqlVerdict(applied=2)),
        (2, [], SqlVerdict(gone=True)),
        (2, [error(ErrorCode.STORAGE_FAILED)], SqlVerdict(later="why")),
        (1, [error(ErrorCode.UNKNOWN_ENTITY)], SqlVerdict(rejected={0: "why"})),
        (1, [error(ErrorCode.INTERNAL)], SqlVerdict(rejected={0: "why"})),
        (2, [error(ErrorCode.INVALID_DATA)], SqlVerdict(apart=True)),
        (
            2,
            [PushAck(), error(ErrorCode.INVALID, b'{"writes":[{"index":1,"message":"it"}]}')],
            SqlVerdict(applied=1, rejected={1: "it"}),
        ),
    ],
)
def test_what_came_of_it(count: int, reply: list[ServerMessage], verdict: SqlVerdict) -> None:
    assert verdict_of([write(number) for number in range(count)], reply) == verdict


def test_a_rejection_is_an_error_of_the_project() -> None:
    rejection = made(write(1, data=b"{")).rejection
    assert isinstance(rejection, RhtmxError)
    assert rejection.code is ErrorCode.BAD_MESSAGE
