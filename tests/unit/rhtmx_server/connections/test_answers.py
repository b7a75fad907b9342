"""Facts about `rhtmx_server.connections.answers`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FieldAction, FieldUpdate, Push, PushFields
from rhtmx_server.connections.answers import check_answer, logged_entity
from rhtmx_server.model import Granularity
from tests.unit.rhtmx_server.fakes import FIELDS, RECORDS, push

LOG = "$conflicts/tasks"


def answer(*fields: str, if_unchanged: bool | None = True) -> PushFields:
    updates = [FieldUpdate(name, None, FieldAction.DELETE) for name in fields]
    return PushFields(LOG, "1", updates, if_unchanged=if_unchanged)


def test_a_log_is_that_of_its_entity() -> None:
    assert logged_entity(LOG, RECORDS, ()) == "tasks"


@pytest.mark.parametrize(
    ("name", "granularity", "code"),
    [
        ("$tasks", RECORDS, ErrorCode.UNKNOWN_ENTITY),
        ("$conflicts", RECORDS, ErrorCode.UNKNOWN_ENTITY),
        ("$conflicts/$x", RECORDS, ErrorCode.UNKNOWN_ENTITY),
        ("$conflicts/cursors", RECORDS, ErrorCode.NOT_SUPPORTED),
        (LOG, FIELDS, ErrorCode.NOT_SUPPORTED),
    ],
)
def test_other_names_are_refused_in_words(
    name: str, granularity: Granularity, code: ErrorCode
) -> None:
    with pytest.raises(RhtmxError) as caught:
        logged_entity(name, granularity, {"cursors"})
    assert caught.value.code is code


def test_an_answer_removes_conflicts_if_they_are_open() -> None:
    check_answer(answer("$12"))
    check_answer(answer("$12", "$13"))


@pytest.mark.parametrize(
    "write",
    [
        push(entity=LOG),
        answer("$12", if_unchanged=None),
        answer("$12", if_unchanged=False),
        answer("$12", "team"),
        PushFields(LOG, "1", [FieldUpdate("$12", b"1", FieldAction.UPDATE)], if_unchanged=True),
    ],
)
def test_anything_else_is_the_server_s(write: Push | PushFields) -> None:
    with pytest.raises(RhtmxError, match="to answer a conflict") as caught:
        check_answer(write)
    assert caught.value.code is ErrorCode.NOT_SUPPORTED
