"""What servers tell one another of rooms is read as it was written, in pieces that fit."""

from __future__ import annotations

import pytest

from rhtmx_server.rooms.presence import Sighting
from rhtmx_server.rooms.replicas import Report
from rhtmx_server.rooms.wire import (
    LETTER,
    Beacon,
    Dump,
    DumpRequest,
    MemberReport,
    RoomTalk,
    Telling,
    in_pieces,
    pack,
    reports_of,
    unpack,
)

REPORTS: list[Report] = [
    ((("orders", "7"), "ada"), Sighting(1, "ada", b'{"name":"Ada"}')),
    ((("orders", "8"), "bob"), Sighting(2)),
    ((("orders", "7"), "cleo"), None),
]


def test_reports_are_read_as_they_were_written() -> None:
    (rows,) = in_pieces(REPORTS, 64 * 1024)
    assert reports_of(rows) == REPORTS


@pytest.mark.parametrize(
    "talk",
    [
        MemberReport("a", 1, next(in_pieces(REPORTS, 1000))),
        Beacon("a", 7),
        DumpRequest("a", ""),
        Dump("a", 7, 0, 2, []),
        Telling("a", 1, "orders", "7", None, b"1"),
    ],
)
def test_what_is_said_is_read_as_it_was_written(talk: RoomTalk) -> None:
    packed = pack(talk)
    assert packed.startswith(LETTER)
    assert unpack(packed) == talk


@pytest.mark.parametrize("message", [b"r", b"rnonsense", b"r\x92\xa5later\x01"])
def test_what_is_not_understood_is_nothing(message: bytes) -> None:
    assert unpack(message) is None


@pytest.mark.parametrize("most", [1000, 5949])
def test_much_is_said_in_pieces_that_fit(most: int) -> None:
    reports: list[Report] = [
        ((("orders", "7"), f"m{number}"), Sighting(number, "ada", b'"' + b"x" * 300 + b'"'))
        for number in range(100)
    ]
    pieces = [*in_pieces(reports, most)]
    assert len(pieces) > 1
    assert max(len(pack(MemberReport("n" * 32, 2**60, rows))) for rows in pieces) <= most
    assert [each for rows in pieces for each in reports_of(rows)] == reports


def test_a_change_costs_other_servers_its_words_and_little_more() -> None:
    state = b'{"name":"member 1"}'
    reports: list[Report] = [
        ((("orders", "7"), f"{number:016}"), Sighting(1_796_016_483_207_537, "ada", state))
        for number in range(1000)
    ]
    told = [pack(MemberReport("n" * 32, 1, rows)) for rows in in_pieces(reports, 5949)]
    words = len("orders7ada") + 16 + len(state)
    assert sum(map(len, told)) <= len(reports) * (words + 24)


def test_a_state_that_is_larger_than_a_message_is_left_out() -> None:
    large = Sighting(1, "ada", b'"' + b"x" * 4000 + b'"')
    (rows,) = in_pieces([((("orders", "7"), "ada"), large)], 1000)
    assert reports_of(rows) == [((("orders", "7"), "ada"), Sighting(1, "ada", None))]
