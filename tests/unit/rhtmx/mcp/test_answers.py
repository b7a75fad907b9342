"""Facts about `rhtmx.mcp.answers`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, Invalid, RhtmxError, Violation
from rhtmx.mcp.answers import ToolAnswer, ToolAnswers, failed, judged, with_earlier
from rhtmx.mcp.listing import KnownRecord, ListedRecords
from rhtmx.values.history import History, HistoryCommit
from rhtmx.values.results import (
    Conflict,
    FieldPushResult,
    FormError,
    FormValidation,
    PushResult,
)
from tests.unit.rhtmx.mcp.declared import document

TASKS = document().entities["tasks"]
ANSWERS = ToolAnswers(TASKS, document())
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_an_answer_is_the_same_as_object_and_as_text() -> None:
    answer = ANSWERS.record(KnownRecord("7", 3, {"title": "é", "code": "s"}))
    assert answer.content == {"record": {"id": "7", "version": 3, "data": {"title": "é"}}}
    assert json.loads(answer.text) == answer.content
    assert "é" in answer.text
    assert not answer.failed


def test_a_page_says_where_to_go_on_if_there_is_more() -> None:
    page = ListedRecords((KnownRecord("a", 1, {}),), 2, "a")
    assert ANSWERS.page(page).content["next"] == "a"
    assert "next" not in ANSWERS.page(ListedRecords((), 0, None)).content


def test_the_past_of_a_record_has_who_and_when_as_far_as_it_is_known() -> None:
    def commit(action: Any, data: Any, **who: Any) -> HistoryCommit[Any]:
        known = {"client_id": None, "subject": None, **who}
        return HistoryCommit("tasks", "7", action, data, 2, ("title",), created_at=NOW, **known)

    commits = (commit("delete", None), commit("create", {"code": "s"}, subject="ada"))
    answer = ANSWERS.history(History(commits, before=2, complete=False))
    assert answer.content == {
        "commits": [
            {
                "version": 2,
                "action": "delete",
                "changed": ["title"],
                "created_at": "2026-01-02T03:04:05Z",
            },
            {
                "version": 2,
                "action": "create",
                "changed": ["title"],
                "subject": "ada",
                "created_at": "2026-01-02T03:04:05Z",
                "data": {},
            },
        ],
        "before": 2,
        "complete": False,
    }


def test_a_write_says_its_version_and_what_was_filled_in() -> None:
    result = PushResult("tasks", "7", 3, False, {"owner": "ada", "code": "s"})
    assert ANSWERS.written(result).content == {
        "id": "7",
        "version": 3,
        "filled_in": {"owner": "ada"},
    }


def conflict(field: str, winner: str) -> Conflict:
    return Conflict("tasks", "7", field, "theirs", NOW, "mine", NOW, 4, winner, "keep_both")


def test_a_field_that_lost_is_a_failure_with_the_value_that_stays() -> None:
    conflicts = (conflict("title", "server"), conflict("due", "client"), conflict("code", "server"))
    answer = ANSWERS.written(FieldPushResult("tasks", "7", 1, conflicts, 4, False, 0))
    assert answer.failed
    assert answer.content["lost"] == [{"field": "title", "value": "theirs"}, {"field": "code"}]
    assert answer.text.startswith("title, code: not written: somebody else has written it")
    won = FieldPushResult("tasks", "7", 1, conflicts[1:2], 4, False, 0)
    assert ANSWERS.written(won) == ToolAnswer(
        {"id": "7", "version": 4}, '{"id": "7", "version": 4}'
    )


def test_what_breaks_rules_says_each_of_them_by_the_key_that_is_written() -> None:
    error = Invalid(
        [
            Violation("place", "string.max_len", "is too long"),
            Violation("place.x", "a", "b"),
            Violation("places", "a", "b"),
            Violation("", "differ", "must differ"),
        ]
    )
    answer = failed(error, TASKS, "create")
    assert answer.failed
    assert [each["field"] for each in answer.content["error"]["violations"]] == [
        "location",
        "location.x",
        "places",
        "",
    ]
    assert answer.text.splitlines() == [
        "it would break these rules, nothing was written",
        "- location: is too long (string.max_len)",
        "- location.x: b (a)",
        "- places: b (a)",
        "- the record: must differ (differ)",
    ]


@pytest.mark.parametrize(
    ("error", "doing", "code", "words"),
    [
        (RhtmxError(ErrorCode.CONFLICT, "moved on"), "edit", "conflict", "get the record again"),
        (
            RhtmxError(ErrorCode.CONFLICT, "push.base_version: is there"),
            "create",
            "conflict",
            "is there: leave 'id' out",
        ),
        (RhtmxError(ErrorCode.FORBIDDEN, "no"), "", "forbidden", "to repeat it does not help"),
        (RhtmxError(ErrorCode.UNAUTHENTICATED, "no"), "", "unauthenticated", "give a token"),
        (RhtmxError(ErrorCode.UPGRADE_REQUIRED, "old"), "", "upgrade_required", "list the tools"),
        (RhtmxError(ErrorCode.STORAGE_FULL, "full"), "", "storage_full", "try again in a while"),
        (RhtmxError(ErrorCode.BAD_MESSAGE, "no"), "", "bad_message", "no"),
        (ConnectionClosed("gone"), "", "no_connection", "gone"),
        (RhtmxError(ErrorCode.UNSPECIFIED, "odd"), "", "failed", "odd"),
    ],
)
def test_an_error_says_what_to_do(error: RhtmxError, doing: str, code: str, words: str) -> None:
    told = failed(error, TASKS, doing).content["error"]
    assert told["code"] == code
    assert words in told["message"]
    assert "violations" not in told


def test_a_form_that_is_not_valid_is_an_answer_and_no_failure() -> None:
    answer = judged(FormValidation(False, (FormError("age", "is required"),)))
    assert not answer.failed
    assert answer.content == {
        "valid": False,
        "errors": [{"field": "age", "message": "is required"}],
    }


def test_what_became_of_earlier_writes_is_added_if_there_is_any() -> None:
    answer = ToolAnswer({"total": 0}, "{}")
    assert with_earlier(answer, ()) is answer
    told = with_earlier(answer, ["a: written", "b: refused"])
    assert told.content == {"total": 0, "earlier": ["a: written", "b: refused"]}
    assert told.text.splitlines() == ["{}", "Earlier: a: written", "Earlier: b: refused"]
