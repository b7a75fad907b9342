"""Facts about `rhtmx.core.cursor`."""

from __future__ import annotations

from rhtmx.core.cursor import Cursor
from rhtmx.messages import ChangeLog, FieldChangeLog, Position


def record(version: int) -> ChangeLog:
    return ChangeLog("tasks", "1", version=version)


def part(version: int, field: str, *, more: bool = False) -> FieldChangeLog:
    return FieldChangeLog("tasks", "1", field, version=version, more=more or None)


def at(version: int, epoch: str = "e") -> Position:
    return Position(epoch=epoch, version=version)


def live(version: int) -> Cursor:
    cursor = Cursor()
    cursor.synced(at(version))
    return cursor


def test_a_live_record_moves_the_position() -> None:
    cursor = live(4)
    assert cursor.accept(record(5), "e")
    assert cursor.position == at(5)


def test_what_was_delivered_is_not_delivered_again() -> None:
    cursor = live(4)
    cursor.accept(record(5), "e")
    assert not cursor.accept(record(5), "e")
    assert not cursor.accept(record(3), "e")
    assert cursor.position == at(5)


def test_the_position_stays_before_a_commit_until_its_last_field() -> None:
    cursor = live(4)
    assert cursor.accept(part(5, "a", more=True), "e")
    assert cursor.position == at(4)
    assert cursor.accept(part(5, "b"), "e")
    assert cursor.position == at(5)


def test_a_commit_cut_in_the_middle_is_completed_without_repetition() -> None:
    cursor = live(4)
    cursor.accept(part(5, "a", more=True), "e")
    cursor.leave()
    cursor.begin(holding=True)
    assert not cursor.accept(part(5, "a", more=True), "e")
    assert cursor.accept(part(5, "b"), "e")


def test_a_field_that_moved_on_after_the_cut_is_delivered_at_its_new_version() -> None:
    cursor = live(4)
    cursor.accept(part(5, "a", more=True), "e")
    cursor.begin(holding=True)
    assert cursor.accept(part(7, "a", more=True), "e")
    assert cursor.accept(part(7, "b"), "e")


def test_the_position_is_held_while_it_is_not_sure_that_it_could_be_resumed() -> None:
    cursor = Cursor(at(4))
    cursor.begin(holding=True)
    assert cursor.accept(record(9), "e")
    assert cursor.position == at(4)
    cursor.leave()
    cursor.begin(holding=True)
    assert not cursor.accept(record(9), "e")
    assert cursor.accept(record(10), "e")
    cursor.synced(at(12))
    assert cursor.position == at(12)
    assert cursor.delivered == 12


def test_a_first_load_of_records_goes_on_where_it_was_cut() -> None:
    cursor = Cursor(at(0))
    cursor.begin(holding=False)
    cursor.accept(record(9), "e")
    assert cursor.position == at(9)


def test_a_restart_delivers_everything_again() -> None:
    cursor = live(9)
    assert cursor.restart("f") == at(0, "f")
    cursor.begin(holding=False)
    assert cursor.accept(record(2), "f")
    assert cursor.position == at(2, "f")


def test_leaving_takes_back_what_the_server_had_said_of_the_position() -> None:
    cursor = live(9)
    assert cursor.checked
    cursor.leave()
    assert not cursor.checked
    assert not cursor.reading
    assert cursor.begun


def test_a_new_version_ends_all_before_it_even_if_nothing_came_of_them() -> None:
    cursor = live(4)
    cursor.accept(part(7, "a", more=True), "e")
    assert not cursor.accept(part(6, "b", more=True), "e")
    assert cursor.position == at(4)
