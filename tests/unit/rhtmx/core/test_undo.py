"""Facts about `rhtmx.core.undo`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rhtmx.core.undo import undoing
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    ChangeLog,
    FieldAction,
    FieldUpdate,
    HistoryCommit,
    HistoryResult,
    Push,
    PushFields,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
CREATE, UPDATE, DELETE = ChangeAction.CREATE, ChangeAction.UPDATE, ChangeAction.DELETE


def commit(version: int, action: ChangeAction, data: bytes | None, *changed: str) -> HistoryCommit:
    return HistoryCommit(ChangeLog("tasks", "1", action, data, version), list(changed))


def undone(*commits: HistoryCommit, complete: bool = False, version: int = 9) -> Push | PushFields:
    told = HistoryResult(list(commits), complete=complete)
    return undoing("tasks", "1", version, told, AT)


def test_what_fields_were_is_written_back_if_nobody_has_written_them_since() -> None:
    write = undone(
        commit(9, UPDATE, b'{"a":2,"c":3,"d":4}', "a", "b", "c"),
        commit(4, CREATE, b'{"a":1.10,"b":null,"d":4}'),
    )
    assert isinstance(write, PushFields)
    assert (write.entity, write.entity_id) == ("tasks", "1")
    assert (write.base_version, write.if_unchanged) == (9, True)
    assert write.fields == [
        FieldUpdate("a", b"1.10", FieldAction.UPDATE, AT),
        FieldUpdate("b", b"null", FieldAction.UPDATE, AT),
        FieldUpdate("c", None, FieldAction.DELETE, AT),
    ]


@pytest.mark.parametrize(
    ("commits", "action", "data"),
    [
        ([commit(9, CREATE, b"{}")], DELETE, None),
        ([commit(9, CREATE, b"{}"), commit(4, DELETE, None)], DELETE, None),
        ([commit(9, DELETE, None), commit(4, UPDATE, b'{"a":1}')], UPDATE, b'{"a":1}'),
        ([commit(9, UPDATE, b"[2]"), commit(4, UPDATE, b"[1]")], UPDATE, b"[1]"),
        ([commit(9, UPDATE, b"{}"), commit(4, UPDATE, b" null")], UPDATE, b" null"),
        ([commit(9, UPDATE, b"5"), commit(4, UPDATE, b"{}")], UPDATE, b"{}"),
    ],
)
def test_a_whole_record_is_written_back_if_it_has_not_changed_since(
    commits: list[HistoryCommit], action: ChangeAction, data: bytes | None
) -> None:
    assert undone(*commits) == Push("tasks", "1", action, data, base_version=9)


@pytest.mark.parametrize(
    ("commits", "complete", "code", "words"),
    [
        ([], True, ErrorCode.NOT_FOUND, "'tasks/1' has no commit of version 9"),
        ([commit(8, CREATE, b"{}")], True, ErrorCode.NOT_FOUND, "has no commit of version 9"),
        ([commit(9, UPDATE, b"{}")], False, ErrorCode.NOT_FOUND, "is not kept any more"),
        ([commit(9, UPDATE, b"{}")], True, ErrorCode.NOT_FOUND, "may not be read"),
        # It came back from where it may not be read, after it had left or was deleted.
        (
            [commit(9, UPDATE, b"{}"), commit(4, DELETE, None)],
            False,
            ErrorCode.NOT_FOUND,
            "may not be read",
        ),
        (
            [commit(9, UPDATE, b"{}"), commit(4, UPDATE, b"{}")],
            False,
            ErrorCode.INVALID_DATA,
            "nothing to undo",
        ),
    ],
)
def test_what_cannot_be_undone_is_said_in_words(
    commits: list[HistoryCommit], complete: bool, code: ErrorCode, words: str
) -> None:
    with pytest.raises(RhtmxError, match=words) as raised:
        undone(*commits, complete=complete)
    assert raised.value.code is code
