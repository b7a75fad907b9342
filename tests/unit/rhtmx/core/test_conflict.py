"""Facts about `rhtmx.core.conflict`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rhtmx.core import build_message
from rhtmx.core.conflict import ConflictSides, answer, of_field, of_log, of_record, standing_text
from rhtmx.core.storage_ops import StoredRejection
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    FieldAction,
    FieldConflict,
    MergeStrategy,
    Push,
    PushFields,
    Transaction,
    Winner,
)
from rhtmx.unknown_enum_values import unknown
from rhtmx.values.conflict_side import DELETED, ConflictSide, merged
from rhtmx.values.field_operations import Increment

AT = datetime(2026, 1, 1, tzinfo=UTC)
MINE, THEIRS = ConflictSide(b'"mine"'), ConflictSide(b'"theirs"')


def conflict(
    winner: str,
    field: str | None = "title",
    theirs: ConflictSide = THEIRS,
    number: int | None = None,
) -> ConflictSides:
    return ConflictSides("tasks", "1", field, theirs, MINE, winner, 7, number=number)


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
    assert (deleted.mine.deleted, deleted.theirs.deleted, deleted.version) == (True, True, 8)


@pytest.mark.parametrize(
    ("told", "deleted"),
    [
        (FieldConflict("tasks", "1", "a"), True),  # an old server cannot tell
        (FieldConflict("tasks", "1", "a", server_value=b"1"), False),
        (FieldConflict("tasks", "1", "a", server_deleted=False), False),
        (FieldConflict("tasks", "1", "a", server_deleted=True), True),
        (FieldConflict("tasks", "1", "a", conflict=4), False),
    ],
)
def test_a_stored_null_is_no_deletion_where_the_server_can_tell(
    told: FieldConflict, deleted: bool
) -> None:
    push = build_message.push_fields("tasks", "1", {"a": 1}, [], None, AT)
    assert of_field(told, push, 8).theirs.deleted is deleted
    assert standing_text(told) == (None if deleted else told.server_value or b"null")


def test_a_field_conflict_says_who_and_under_which_number_it_is_open() -> None:
    push = build_message.push_fields("tasks", "1", {"a": 1}, [], 3, AT)
    message = FieldConflict(
        "tasks", "1", "a", b"2", AT, b"1", AT, server_client_id="c2", conflict=12
    )
    told = of_field(message, push, 8)
    assert (told.number, told.base_version, told.theirs.client_id) == (12, 3, "c2")
    assert (told.stored.at, told.pushed.at) == (AT, AT)
    deleted = of_field(FieldConflict("tasks", "1", "a", client_deleted=True), push, 8)
    assert deleted.mine.deleted


@pytest.mark.parametrize(
    ("details", "theirs", "version"),
    [
        (b'{"action":"update","data":{"n":5},"version":4}', ConflictSide(b'{"n": 5}'), 4),
        (b'{"action":"update","data":null,"version":4}', ConflictSide(b"null"), 4),
        (b'{"action":"delete","version":4}', DELETED, 4),
        (b'{"action":"delete","data":null,"version":4}', DELETED, 4),
        (None, DELETED, None),
        (b"[]", DELETED, None),
    ],
)
def test_the_conflict_of_a_record_holds_it_as_it_is_now(
    details: bytes | None, theirs: ConflictSide, version: int | None
) -> None:
    push = build_message.push("tasks", "1", {"n": 2}, 1)
    told = of_record(StoredRejection("r", push, ErrorCode.CONFLICT, "no", details, epoch="e"))
    assert (told.field, told.mine, told.rejected, told.epoch) == (
        None,
        ConflictSide(b'{"n":2}'),
        "r",
        "e",
    )
    assert (told.theirs, told.version, told.winner) == (theirs, version, "server")


def test_an_answer_that_changes_nothing_writes_nothing() -> None:
    assert answer(conflict("server"), THEIRS, AT) is None
    assert answer(conflict("client"), MINE, AT) is None
    assert answer(conflict("client"), ConflictSide(b' "mine"'), AT) is None


def test_one_is_not_true() -> None:
    assert (
        answer(conflict("server", theirs=ConflictSide(b"1")), ConflictSide(b"true"), AT) is not None
    )


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


OPENED = {
    "team": "red",
    "$12": {
        "field": "title",
        "winner": "client",
        "strategy": "last_write_wins",
        "base_version": 3,
        "version": 5,
        "stored": {
            "value": "a",
            "action": "update",
            "timestamp": "2026-01-01T00:00:00Z",
            "client_id": "c1",
            "subject": "ann",
        },
        "pushed": {"value": "b", "action": "update", "client_id": "c2"},
    },
    "$9": {
        "field": "votes",
        "winner": "server",
        "version": 4,
        "stored": {"value": None, "action": "delete"},
        "pushed": {"value": 2, "action": "increment"},
    },
}


def test_the_conflict_log_says_who_wrote_what_the_oldest_first() -> None:
    older, newer = of_log("tasks", "1", OPENED, "c1", "e")
    assert (older.number, newer.number, newer.epoch) == (9, 12, "e")
    assert (newer.field, newer.key, newer.winner, newer.strategy) == (
        "title",
        None,
        "client",
        "last_write_wins",
    )
    assert (newer.base_version, newer.version) == (3, 5)
    assert (newer.lost, newer.standing) == (newer.stored, newer.pushed)
    stored = ConflictSide(b'"a"', client_id="c1", subject="ann", at=AT)
    assert (newer.stored, newer.pushed.value) == (stored, "b")
    assert (older.stored.deleted, older.pushed.value) == (True, Increment(2))
    assert (older.pushed.operation, older.stored.operation) == ("increment", None)


@pytest.mark.parametrize(
    ("client_id", "mine"), [("c1", "a"), ("c2", "b"), ("c3", "a")], ids=["stored", "pushed", "none"]
)
def test_mine_is_what_this_client_wrote_and_of_two_others_what_lost(
    client_id: str, mine: str
) -> None:
    (_, told) = of_log("tasks", "1", OPENED, client_id)
    assert told.mine.value == mine
    assert {told.mine.value, told.theirs.value} == {"a", "b"}


@pytest.mark.parametrize(
    "record",
    [None, [], {"team": "red"}, {"$x": {}}, {"$1": 5}, {"$1": {"version": 1}}, {"$01": {}}],
)
def test_what_is_no_conflict_in_a_log_is_left_out(record: object) -> None:
    assert of_log("tasks", "1", record, "c1") == []


def test_words_of_a_newer_server_in_a_log_stay_words() -> None:
    said = {
        "field": "title",
        "winner": "both",
        "strategy": "crdt_text",
        "version": 5,
        "stored": {"value": [1], "action": "splice"},
        "pushed": {"value": "b", "action": "update"},
    }
    (told,) = of_log("tasks", "1", {"$3": said}, "c1")
    assert (told.winner, told.strategy, told.stored.operation) == ("both", "crdt_text", "splice")
    assert told.stored.value == [1]
    with pytest.raises(RhtmxError, match="too old to write 'splice'"):
        answer(told, told.stored, AT)


def test_what_is_not_said_of_a_side_in_a_log_is_not_known() -> None:
    told = {"field": "a", "version": 5, "stored": {"value": 1, "timestamp": "noon"}, "pushed": []}
    (conflict,) = of_log("tasks", "1", {"$3": told}, "c1")
    assert (conflict.winner, conflict.strategy, conflict.base_version) == ("server", None, None)
    assert conflict.stored == ConflictSide(b"1")
    assert conflict.pushed == ConflictSide(b"null")


def test_of_a_key_the_log_has_the_values_of_the_key() -> None:
    said = {
        "field": "labels",
        "key": "a",
        "winner": "server",
        "version": 5,
        "stored": {"value": None, "action": "delete_key"},
        "pushed": {"value": 1, "action": "set_key"},
    }
    (told,) = of_log("tasks", "1", {"$3": said}, "c1")
    assert (told.stored.deleted, told.pushed.value) == (True, 1)
    written = answer(told, told.pushed, AT)
    assert isinstance(written, Transaction)
    (update,) = written.writes[0].fields
    assert (update.action, update.value) == (FieldAction.SET_KEY, b'{"a":1}')


def test_an_answer_to_an_open_conflict_is_one_mutation_that_closes_it() -> None:
    told = conflict("server", number=12)
    both = answer(told, MINE, AT)
    assert isinstance(both, Transaction)
    write, removal = both.writes
    assert (write.entity, write.fields[0].value, write.base_version) == ("tasks", b'"mine"', 7)
    assert (removal.entity, removal.entity_id) == ("$conflicts/tasks", "1")
    assert (removal.base_version, removal.if_unchanged) == (12, True)
    (gone,) = removal.fields
    assert (gone.field, gone.action) == ("$12", FieldAction.DELETE)


def test_an_answer_that_leaves_an_open_conflict_as_it_is_only_closes_it() -> None:
    alone = answer(conflict("server", number=12), THEIRS, AT)
    assert isinstance(alone, PushFields)
    assert (alone.entity, alone.base_version, alone.if_unchanged) == ("$conflicts/tasks", 12, True)


def test_a_value_that_once_stood_is_written_where_the_conflict_may_be_old() -> None:
    same = ConflictSide(b'"theirs"')
    assert answer(conflict("server"), same, AT) is None
    assert isinstance(answer(conflict("server", number=12), same, AT), Transaction)


def test_one_conflict_is_the_same_wherever_it_was_heard_of() -> None:
    one, other = conflict("server", number=12), conflict("client", number=12)
    assert one.is_same(one)
    assert one.is_same(other)
    assert not one.is_same(conflict("server", number=13))
    assert not conflict("server").is_same(conflict("server", "body"))


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
