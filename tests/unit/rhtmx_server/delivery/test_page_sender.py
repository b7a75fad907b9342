"""Pages on their way to a reader: whole records in one go, field changes one late."""

from __future__ import annotations

import pytest

from rhtmx.messages import Change, FieldChange, Pong
from rhtmx.wire import Format, Message, ServerMessage
from rhtmx_server.delivery.link import Dialect
from rhtmx_server.delivery.page_sender import PageSender
from rhtmx_server.encoding.wire_dialect import wire_dialect
from rhtmx_server.model import Clock, Departure, Record
from rhtmx_server.record_page import RecordPage
from tests.unit.rhtmx_server.fakes import FIELDS, NOW, RECORDS, Lines, messages, record


class Notes:
    """A connection that notes what it is to send."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.encoding: Dialect = Lines()

    def send(self, message: ServerMessage) -> None:
        self.sent.append(message)

    def send_frames(self, kind: type[ServerMessage], count: int, frames: bytes) -> None:
        sent = messages(frames)
        assert [type(message) for message in sent] == [kind] * count
        self.sent += sent

    @property
    def records(self) -> list[tuple[str, int]]:
        """Record and version of each change."""
        logs = [m.change for m in self.sent if isinstance(m, Change)]
        return [(log.entity_id, log.version) for log in logs if log is not None]

    @property
    def fields(self) -> list[tuple[str, bool | None]]:
        """Field and `more` of each field change."""
        logs = [m.change for m in self.sent if isinstance(m, FieldChange)]
        return [(log.field, log.more) for log in logs if log is not None]


class Sent(Notes):
    """One that speaks a real dialect; keeps what is held back and then sent."""

    def __init__(self, encoding: Dialect) -> None:
        super().__init__()
        self.encoding = encoding

    def send_frames(self, kind: type[ServerMessage], count: int, frames: bytes) -> None:
        assert (kind, count) == (FieldChange, 1)


def with_fields(entity_id: str, version: int) -> Record:
    clocks = {"a": Clock(version, NOW, "ada"), "b": Clock(version, NOW, "ada")}
    return record(entity_id, version, b'{"a":1,"b":2}', clocks=clocks)


def test_a_page_of_whole_records_goes_out_in_one() -> None:
    notes = Notes()
    PageSender(notes).send([record("1", 1), record("2", 2)], RECORDS, 0)
    assert notes.records == [("1", 1), ("2", 2)]


def test_an_empty_page_sends_nothing_and_lets_nothing_go() -> None:
    notes = Notes()
    sender = PageSender(notes)
    sender.send([with_fields("1", 1)], FIELDS, 0)
    for form in (FIELDS, RECORDS):
        sender.send([], form, 0)
    assert notes.fields == [("a", True)]


def test_the_last_field_change_says_that_it_is_only_where_its_entity_is_complete() -> None:
    for entity, more in (("tasks", None), ("notes", True)):
        notes = Notes()
        sender = PageSender(notes)
        sender.send([with_fields("1", 1)], FIELDS, 0)
        sender.release(entity, complete=True)
        assert notes.fields == [("a", True), ("b", more)]


def test_what_is_held_back_goes_before_whatever_comes_next() -> None:
    notes = Notes()
    sender = PageSender(notes)
    sender.send([with_fields("1", 1)], FIELDS, 0)
    sender.send([record("2", 2)], RECORDS, 0)
    assert notes.fields == [("a", True), ("b", True)]
    assert notes.records == [("2", 2)]
    assert isinstance(notes.sent[-1], Change)
    sender.release(complete=False)
    notes.send(Pong())
    assert notes.sent[-1] == Pong()
    assert len(notes.sent) == 4


def test_a_page_without_a_field_written_after_the_base_lets_nothing_go() -> None:
    notes = Notes()
    sender = PageSender(notes)
    sender.send([with_fields("1", 2)], FIELDS, 1)
    sender.send([record("2", 3, b'{"a":1}', clocks={"a": Clock(1, NOW)})], FIELDS, 1)
    assert notes.fields == [("a", True)]
    sender.release("tasks", complete=True)
    assert notes.fields == [("a", True), ("b", None)]


@pytest.mark.parametrize("format_", list(Format))
def test_that_one_reader_is_done_changes_nothing_for_another_of_the_same_page(
    format_: Format,
) -> None:
    page = RecordPage([with_fields("1", 1)])
    for complete, more in ((True, None), (False, True)):
        notes = Sent(wire_dialect(format_, 0, 6, 1024))
        sender = PageSender(notes)
        sender.send(page, FIELDS, 0)
        sender.release("tasks", complete=complete)
        assert notes.fields == [("b", more)]


def came(entity_id: str, version: int, entered: int) -> Record:
    """A record that had lost a field when it came before somebody new."""
    clocks = {"a": Clock(version, NOW, "ada"), "old": Clock(entered, NOW, "ada", True)}
    each = record(entity_id, version, b'{"a":1}', clocks=clocks)
    each.entered = entered
    return each


def test_a_page_of_parts_says_what_left_in_its_place() -> None:
    notes = Notes()
    sender = PageSender(notes)
    page: list[Record | Departure] = [
        with_fields("1", 1),
        Departure("tasks", "2", 2, NOW),
        with_fields("3", 3),
    ]
    sender.send_parts(page, FIELDS, 0)
    sender.release("tasks", complete=True)
    one = [("a", True), ("b", True)]
    assert notes.fields == [*one, ("", None), ("a", True), ("b", None)]


def test_by_field_a_record_comes_anew_where_what_it_had_lost_is_not_told() -> None:
    notes = Notes()
    sender = PageSender(notes)
    sender.send_parts([came("1", 3, 2), with_fields("2", 4), came("3", 5, 5)], FIELDS, 0)
    sender.release("tasks", complete=True)
    assert notes.fields == [
        ("", True), ("a", True), ("a", True), ("b", True), ("", True), ("a", None),
    ]  # fmt: skip


def test_who_had_a_record_when_it_came_has_no_need_of_it_anew() -> None:
    notes = Notes()
    sender = PageSender(notes)
    sender.send_parts([came("1", 3, 2), came("2", 4, 4)], FIELDS, 3)
    sender.release("tasks", complete=True)
    assert notes.fields == [("a", True), ("", True), ("a", None)]
