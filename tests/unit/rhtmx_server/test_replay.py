"""Pages on their way to a reader: whole records in one go, field changes one late."""

from __future__ import annotations

from collections.abc import Sequence

from rhtmx.messages import FieldChange, Pong
from rhtmx.wire import ServerMessage
from rhtmx_server.model import Clock, Record
from rhtmx_server.replay import Replay
from tests.unit.rhtmx_server.fakes import FIELDS, NOW, RECORDS, record


class Notes:
    """A connection that notes what it is to send."""

    def __init__(self) -> None:
        self.sent: list[ServerMessage | Sequence[Record]] = []

    def send(self, message: ServerMessage) -> None:
        self.sent.append(message)

    def send_changes(self, records: Sequence[Record]) -> None:
        self.sent.append(records)

    @property
    def fields(self) -> list[tuple[str, bool | None]]:
        """Field and `more` of each field change."""
        logs = [m.change for m in self.sent if isinstance(m, FieldChange)]
        return [(log.field, log.more) for log in logs if log is not None]


def with_fields(entity_id: str, version: int) -> Record:
    clocks = {"a": Clock(version, NOW, "ada"), "b": Clock(version, NOW, "ada")}
    return record(entity_id, version, b'{"a":1,"b":2}', clocks=clocks)


def test_a_page_of_whole_records_goes_out_in_one() -> None:
    notes, page = Notes(), [record("1", 1), record("2", 2)]
    Replay(notes).send(page, RECORDS, 0)
    assert notes.sent == [page]


def test_an_empty_page_sends_nothing_and_lets_nothing_go() -> None:
    notes = Notes()
    replay = Replay(notes)
    replay.send([with_fields("1", 1)], FIELDS, 0)
    for form in (FIELDS, RECORDS):
        replay.send([], form, 0)
    assert notes.fields == [("a", True)]


def test_the_last_field_change_says_that_it_is_only_where_its_entity_is_complete() -> None:
    for entity, more in (("tasks", None), ("notes", True)):
        notes = Notes()
        replay = Replay(notes)
        replay.send([with_fields("1", 1)], FIELDS, 0)
        replay.release(entity, complete=True)
        assert notes.fields == [("a", True), ("b", more)]


def test_what_is_held_back_goes_before_whatever_comes_next() -> None:
    notes, page = Notes(), [record("2", 2)]
    replay = Replay(notes)
    replay.send([with_fields("1", 1)], FIELDS, 0)
    replay.send(page, RECORDS, 0)
    assert notes.fields == [("a", True), ("b", True)]
    assert notes.sent[-1] == page
    replay.release(complete=False)
    notes.send(Pong())
    assert notes.sent[-2:] == [page, Pong()]
