"""Facts about `rhtmx_server.buses.outbound`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rhtmx_server.buses.outbound import Outbound


def test_what_waits_is_taken_in_order_and_no_more_of_it_than_wanted() -> None:
    waiting = Outbound(100)
    assert all(waiting.put(each) for each in (b"one", b"two", b"three"))
    assert waiting.take(6) == [b"one", b"two"]
    assert waiting.take(1) == [b"three"]
    assert waiting.take(1) == []


def test_what_does_not_fit_is_not_taken_in_until_there_is_room_again() -> None:
    waiting = Outbound(5)
    assert waiting.put(b"four")
    assert not waiting.put(b"on")
    assert waiting.put(b"e")
    assert waiting.take(4) == [b"four"]
    assert waiting.put(b"more")
    assert waiting.clear() == 2
    assert waiting.put(b"there")
    assert len(waiting) == 1


@given(st.lists(st.one_of(st.binary(max_size=8), st.integers(0, 20))), st.integers(0, 30))
def test_nothing_is_lost_or_moved_and_never_does_more_wait_than_there_is_room_for(
    steps: list[bytes | int], room: int
) -> None:
    waiting, put, taken = Outbound(room), [], list[bytes]()
    for step in steps:
        if isinstance(step, int):
            taken += waiting.take(step)
        elif waiting.put(step):
            put.append(step)
        left = put[len(taken) :]
        assert put[: len(taken)] == taken
        assert sum(map(len, left)) <= room
        assert len(waiting) == len(left)
    assert waiting.clear() == len(put) - len(taken)
