"""Pages as bytes: each message in its frame, and a kept page written once."""

from __future__ import annotations

import pytest

from rhtmx import wire
from rhtmx.wire import Format
from rhtmx_server.encoding.page_encoder import PageDialect
from rhtmx_server.encoding.render import state_messages
from rhtmx_server.model import Clock
from rhtmx_server.record_page import RecordPage
from tests.unit.rhtmx_server.fakes import FIELDS, NOW, RECORDS, record

CLOCKS = {"a": Clock(1, NOW, "ada"), "b": Clock(2, NOW, "bob")}
ONE = record("1", 2, b'{"a":1,"b":2}', clocks=CLOCKS)
TWO = record("2", 3, b'{"a":3}', clocks={"a": Clock(3, NOW)})


class Framing:
    """Puts brackets around a message, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, payload: bytes) -> bytes:
        self.count += 1
        return b"<%s>" % payload


@pytest.fixture(params=list(Format))
def spoken(request: pytest.FixtureRequest) -> Format:
    found: Format = request.param
    return found


def test_each_record_is_a_framed_change(spoken: Format) -> None:
    dialect = PageDialect(spoken, Framing())
    expected = [
        b"<%s>" % wire.encode(message, spoken)
        for each in (ONE, TWO)
        for message in state_messages(each, RECORDS, 0)
    ]
    assert dialect.changes([ONE, TWO]) == b"".join(expected)


def test_of_the_field_changes_the_last_one_is_held_back(spoken: Format) -> None:
    made = PageDialect(spoken, Framing()).field_changes([ONE, TWO], 1)
    *rest, last = [m for each in (ONE, TWO) for m in state_messages(each, FIELDS, 1)]
    assert made.frames == b"".join(b"<%s>" % wire.encode(message, spoken) for message in rest)
    assert (made.number, made.last) == (len(rest), last)


def test_where_no_field_is_newer_there_is_nothing(spoken: Format) -> None:
    made = PageDialect(spoken, Framing()).field_changes([ONE, TWO], 3)
    assert (made.frames, made.number, made.last) == (b"", 0, None)


def test_a_kept_page_is_written_once_for_all_who_read_it(spoken: Format) -> None:
    framing, page = Framing(), RecordPage([ONE, TWO])
    dialect = PageDialect(spoken, framing)
    assert dialect.changes(page) is dialect.changes(page)
    assert dialect.field_changes(page, 0) is dialect.field_changes(page, 0)
    assert framing.count == 2 + 3


def test_by_field_another_base_is_another_page(spoken: Format) -> None:
    dialect, page = PageDialect(spoken, Framing()), RecordPage([ONE, TWO])
    assert dialect.field_changes(page, 0).number == 2
    assert dialect.field_changes(page, 1).number == 1


def test_two_dialects_do_not_share_their_bytes() -> None:
    page = RecordPage([ONE])
    json, proto = (PageDialect(each, Framing()) for each in Format)
    assert json.changes(page) != proto.changes(page)
