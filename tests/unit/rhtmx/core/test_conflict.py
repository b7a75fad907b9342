"""Facts about `rhtmx.core.conflict`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rhtmx.core import build_message
from rhtmx.core.conflict import DELETED, ConflictSides, Side, answer, merged, of_field, of_record
from rhtmx.core.storage_ops import StoredRejection
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    FieldAction,
    FieldConflict,
    MergeStrategy,
    Push,
    PushFields,
    Winner,
)
from rhtmx.unknown_enum_values import unknown

AT = datetime(2026, 1, 1, tzinfo=UTC)
MINE, THEIRS = Side(b'"mine"'), Side(b'"theirs"')


def conflict(winner: str, field: str | None = "title", theirs: Side = THEIRS) -> ConflictSides:
    return ConflictSides("tasks", "1", field, MINE, theirs, winner, 7)


def test_a_field_conflict_says_who_wrote_what() -> None:
    push = build_message.push_fields("tasks", "1", {"a": 1}, ["b"], None, AT)
    message = FieldConflict(
        entity="tasks",
        entity_id="1",
        field="a",
        server_value=b"2",
        client_value=b"1",
        version=9,
        winner=Winner.CLIENT,
        strategy=MergeStrategy.LAST_WRITE_WINS,
    )
    told = of_field(message, push, 8, "e")
    assert (told.mine.value, told.theirs.value, told.winner) == (1, 2, "client")
    assert (told.version, told.epoch, told.strategy) == (9, "e", "last_write_wins")
    deleted = of_field(FieldConflict("tasks", "1", "b"), push, 8)
    assert (deleted.mine, deleted.theirs, deleted.version) == (DELETED, DELETED, 8)


@pytest.mark.parametrize(
    ("details", "theirs", "version"),
    [
        (b'{"action":"update","data":{"n":5},"version":4}', Side(b'{"n": 5}'), 4),
        (b'{"action":"update","data":null,"version":4}', Side(b"null"), 4),
        (b'{"action":"delete","version":4}', DELETED, 4),
        (b'{"action":"delete","data":null,"version":4}', DELETED, 4),
        (None, DELETED, None),
        (b"[]", DELETED, None),
    ],
)
def test_the_conflict_of_a_record_holds_it_as_it_is_now(
    details: bytes | None, theirs: Side, version: int | None
) -> None:
    push = build_message.push("tasks", "1", {"n": 2}, 1)
    told = of_record(StoredRejection("r", push, ErrorCode.CONFLICT, "no", details, epoch="e"))
    assert (told.field, told.mine, told.rejected, told.epoch) == (None, Side(b'{"n":2}'), "r", "e")
    assert (told.theirs, told.version, told.winner) == (theirs, version, "server")


def test_an_answer_that_changes_nothing_writes_nothing() -> None:
    assert answer(conflict("server"), THEIRS, AT) is None
    assert answer(conflict("client"), MINE, AT) is None
    assert answer(conflict("client"), Side(b' "mine"'), AT) is None


def test_one_is_not_true() -> None:
    assert answer(conflict("server", theirs=Side(b"1")), Side(b"true"), AT) is not None


def test_an_answer_about_a_field_writes_it_on_top_of_what_was_decided() -> None:
    push = answer(conflict("server"), MINE, AT)
    assert isinstance(push, PushFields)
    (update,) = push.fields
    assert (update.field, update.value, update.action) == ("title", b'"mine"', FieldAction.UPDATE)
    assert (push.base_version, update.timestamp) == (7, AT)
    given_back = answer(conflict("client", theirs=DELETED), DELETED, AT)
    assert isinstance(given_back, PushFields)
    assert given_back.fields[0].action is FieldAction.DELETE


def test_an_answer_about_a_record_writes_the_whole() -> None:
    push = answer(conflict("server", None), MINE, AT)
    assert isinstance(push, Push)
    assert (push.action, push.data, push.base_version) == (ChangeAction.UPDATE, b'"mine"', 7)
    gone = answer(conflict("server", None), DELETED, AT)
    assert isinstance(gone, Push)
    assert gone.action is ChangeAction.DELETE


def test_a_third_value_must_be_json() -> None:
    assert merged({"a": 1}).value == {"a": 1}
    with pytest.raises(RhtmxError, match=r"merge\.value"):
        merged(float("nan"))


def test_a_winner_that_only_a_newer_server_knows_is_neither_so_every_answer_is_written() -> None:
    push = build_message.push_fields("tasks", "1", {"a": 1}, [], None, AT)
    message = FieldConflict(
        entity="tasks",
        entity_id="1",
        field="a",
        server_value=b"2",
        client_value=b"1",
        winner=unknown(Winner, "both"),
        strategy=unknown(MergeStrategy, "crdt_text"),
    )
    told = of_field(message, push, 8)
    assert (told.winner, told.strategy) == ("both", "crdt_text")
    for side in (told.mine, told.theirs):
        written = answer(told, side, AT)
        assert isinstance(written, PushFields)
        assert written.fields[0].value == side.text
