"""Facts about `rhtmx.cli.record_lines`."""

from __future__ import annotations

from datetime import UTC

from rhtmx.cli.paint import Paint
from rhtmx.cli.record_lines import answered, authors, commits, conflict
from rhtmx.messages import FieldAction
from rhtmx.values.conflict_side import ConflictSide
from rhtmx.values.history import FieldAuthor
from tests.unit.rhtmx.cli.values_of import AT, commit, open_conflict

PLAIN = Paint(False)


def test_a_commit_is_a_line_with_who_wrote_what() -> None:
    told = [
        commit(action="delete", data=None, version=44, subject=None),
        commit(version=43, data={"title": "Write it up", "done": False}),
        commit(action="create", version=42, changed=("title",), subject=None, client_id=None),
        commit(version=41, data=[1], changed=()),
        commit(action="delete", data=None, version=40, changed=(), left=True),
    ]
    assert list(commits(told, PLAIN, None, UTC)) == [
        "  44  delete  2026-11-22 10:00:01  cafe…",
        '  43  update  2026-11-22 10:00:01  ada    {"title": "Write it up"}  -note',
        '  42  create  2026-11-22 10:00:01  -      {"title": "Write it up"}',
        "  41  update  2026-11-22 10:00:01  ada    [1]",
        "  40  left    2026-11-22 10:00:01  ada",
    ]


def test_a_commit_that_only_removed_a_field_says_that() -> None:
    (line,) = commits([commit(data={}, changed=("note",))], PLAIN, None, UTC)
    assert line.endswith("  ada  -note")


def test_a_commit_is_cut_to_the_terminal() -> None:
    (line,) = commits([commit()], PLAIN, 50, UTC)
    assert line == '  42  update  2026-11-22 10:00:01  ada  {"title":…'
    (narrow,) = commits([commit()], PLAIN, 10, UTC)
    assert narrow.endswith("  …")


def test_an_author_is_a_line_for_each_field() -> None:
    told = [
        FieldAuthor("title", 7, AT, "cafe0123", "ada"),
        FieldAuthor("done", 12, AT, "cafe0123", None),
    ]
    assert list(authors(told, PLAIN, UTC)) == [
        "title  version  7  2026-11-22 10:00:01  ada",
        "done   version 12  2026-11-22 10:00:01  cafe…",
    ]
    assert list(authors([], PLAIN, UTC)) == []


def test_a_conflict_says_what_lost_against_what() -> None:
    assert conflict(open_conflict(), PLAIN, UTC) == (
        '! tasks/7  conflict 12  title  "mine" by ada of 2026-11-22 10:00:01 lost against '
        '"theirs" by cafe… of 2026-11-22 10:00:01 (last_write_wins)'
    )
    of_key = open_conflict(
        key="a",
        winner="client",
        stored=ConflictSide(None, FieldAction.DELETE),
        pushed=ConflictSide(b"2", FieldAction.INCREMENT),
        strategy=None,
    )
    assert conflict(of_key, PLAIN, UTC) == (
        "! tasks/7  conflict 12  title.a  nothing lost against Increment(by=2)"
    )
    assert answered(of_key, PLAIN) == "✓ tasks/7  conflict 12  answered"


def test_what_others_wrote_cannot_steer_the_terminal() -> None:
    evil = "\x1b[2J"
    told = [
        *commits([commit(subject=evil, data={evil: evil}, changed=(evil,))], PLAIN, None, UTC),
        *commits([commit(data={}, changed=(evil,))], PLAIN, None, UTC),
        *authors([FieldAuthor(evil, 1, AT, evil, None)], PLAIN, UTC),
        conflict(
            open_conflict(
                entity_id=evil,
                field=evil,
                key=evil,
                strategy=evil,
                stored=ConflictSide(b'"\\u001b[2J"', subject=evil),
            ),
            PLAIN,
            UTC,
        ),
        answered(open_conflict(entity_id=evil), PLAIN),
    ]
    assert all(line.isprintable() for line in told)
