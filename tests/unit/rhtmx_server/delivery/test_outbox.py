"""Outbox and tick: one write per connection at the end of a turn of the loop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import pytest

from rhtmx_server.delivery import outbox as outbox_module
from rhtmx_server.delivery.outbox import FULL, Outbox, Tick, write_each
from tests.support.state_tables import state_table
from tests.unit.rhtmx_server.fakes import Soon


class Wire:
    """Takes writes; each as it came."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def __call__(self, data: bytes) -> None:
        self.written.append(data)


def test_nothing_is_written_before_the_end_of_the_turn() -> None:
    soon, wire = Soon(), Wire()
    outbox = Outbox(wire, Tick(soon))
    outbox.put(b"a")
    assert wire.written == []
    soon.turn()
    assert wire.written == [b"a"]


def test_all_that_a_turn_brings_is_one_write_in_order() -> None:
    soon, wire = Soon(), Wire()
    outbox = Outbox(wire, Tick(soon))
    for chunk in (b"a", b"b", b"c"):
        outbox.put(chunk)
    soon.turn()
    assert wire.written == [b"abc"]


def test_what_is_put_off_is_written_with_what_the_next_tick_brings() -> None:
    later, wire, other = list[Callable[[], None]](), Wire(), Wire()
    tick = Tick(later.append)
    outbox, beside = Outbox(wire, tick), Outbox(other, tick)
    outbox.put(b"welcome ")
    beside.put(b"a")
    outbox.put_off()
    later.pop(0)()
    assert (wire.written, other.written, len(later)) == ([], [b"a"], 1)
    outbox.put(b"page")
    later.pop(0)()
    assert (wire.written, len(later)) == ([b"welcome page"], 0)


def test_what_is_put_off_is_written_a_tick_later_though_nothing_comes() -> None:
    later, wire = list[Callable[[], None]](), Wire()
    outbox = Outbox(wire, Tick(later.append))
    outbox.put(b"page")
    outbox.put_off()
    outbox.put_off()
    for _ in range(2):
        later.pop(0)()
    assert (wire.written, len(later)) == ([b"page"], 0)


def test_one_with_nothing_in_it_is_not_put_off_for_what_it_gets_later() -> None:
    later, wire, other = list[Callable[[], None]](), Wire(), Wire()
    tick = Tick(later.append)
    outbox = Outbox(wire, tick)
    outbox.put_off()
    Outbox(other, tick).put(b"a")
    later.pop(0)()
    outbox.put(b"b")
    later.pop(0)()
    assert (wire.written, other.written, len(later)) == ([b"b"], [b"a"], 0)


def test_much_is_not_put_off() -> None:
    later, wire = list[Callable[[], None]](), Wire()
    outbox = Outbox(wire, Tick(later.append))
    outbox.put(b"a")
    outbox.put_off()
    outbox.put(b"b" * FULL)
    assert wire.written == [b"a" + b"b" * FULL]


def test_a_single_chunk_is_written_as_the_object_it_is() -> None:
    soon, one, other = Soon(), Wire(), Wire()
    tick = Tick(soon)
    joined = b"the hub's frames"
    Outbox(one, tick).put(joined)
    Outbox(other, tick).put(joined)
    soon.turn()
    assert one.written[0] is joined
    assert other.written[0] is joined


def test_one_turn_is_scheduled_however_much_there_is() -> None:
    soon = Soon()
    tick = Tick(soon)
    for _ in range(3):
        outbox = Outbox(Wire(), tick)
        outbox.put(b"a")
        outbox.put(b"b")
    tick.before_writing(lambda: None)
    assert len(soon.calls) == 1


def test_what_runs_before_writing_may_still_put_into_this_turn() -> None:
    soon, wire = Soon(), Wire()
    tick = Tick(soon)
    outbox = Outbox(wire, tick)
    outbox.put(b"answer ")
    tick.before_writing(lambda: outbox.put(b"frames"))
    soon.turn()
    assert wire.written == [b"answer frames"]


def test_what_runs_before_writing_runs_once() -> None:
    soon, calls = Soon(), list[int]()
    tick = Tick(soon)
    tick.before_writing(lambda: calls.append(1))
    soon.turn()
    tick.add(Outbox(Wire(), tick))
    soon.turn()
    assert calls == [1]


def test_the_next_turn_is_scheduled_anew() -> None:
    soon, wire = Soon(), Wire()
    outbox = Outbox(wire, Tick(soon))
    outbox.put(b"a")
    soon.turn()
    outbox.put(b"b")
    soon.turn()
    assert wire.written == [b"a", b"b"]


def test_what_is_put_while_writing_goes_out_in_the_next_turn() -> None:
    soon, wire = Soon(), Wire()
    tick = Tick(soon)
    late = Outbox(wire, tick)
    early = Outbox(lambda data: late.put(b"late"), tick)
    early.put(b"x")
    soon.turn()
    assert wire.written == [b"late"]


def test_flush_writes_at_once_and_leaves_nothing_for_the_tick() -> None:
    soon, wire = Soon(), Wire()
    outbox = Outbox(wire, Tick(soon))
    outbox.put(b"a")
    outbox.flush()
    soon.turn()
    assert wire.written == [b"a"]


def test_after_it_is_closed_nothing_is_written() -> None:
    soon, wire = Soon(), Wire()
    outbox = Outbox(wire, Tick(soon))
    outbox.put(b"a")
    outbox.close()
    soon.turn()
    outbox.put(b"b")
    soon.turn()
    assert wire.written == []


def test_the_tick_can_be_ended_by_hand() -> None:
    soon, wire = Soon(), Wire()
    tick = Tick(soon)
    Outbox(wire, tick).put(b"a")
    tick.run()
    soon.turn()
    assert wire.written == [b"a"]


@pytest.mark.parametrize("drop_fails", [False, True], ids=["dropped", "dropping fails as well"])
def test_a_write_that_fails_costs_only_its_own_connection(
    caplog: pytest.LogCaptureFixture, drop_fails: bool
) -> None:
    soon, wire, drops = Soon(), Wire(), list[str]()
    tick = Tick(soon)

    def closed(data: bytes) -> None:
        raise RuntimeError("the handler is closed")

    def drop() -> None:
        drops.append("dropped")
        if drop_fails:
            raise RuntimeError("that one is closed, too")

    broken, healthy = Outbox(closed, tick, drop), Outbox(wire, tick)
    broken.put(b"a")
    healthy.put(b"b")
    with caplog.at_level(logging.INFO, "rhtmx_server"):
        soon.turn()
    broken.put(b"never written")
    healthy.put(b"c")
    soon.turn()
    assert wire.written == [b"b", b"c"]
    assert drops == ["dropped"], "its peer has missed something and has to come back"
    assert caplog.text == "", "trouble of the network is no error of the server"


def test_what_waits_counts_while_it_is_produced_and_not_at_the_end_of_the_turn() -> None:
    soon, wire = Soon(), Wire()
    outbox = Outbox(wire, Tick(soon))
    chunk = bytes(1024)
    for _ in range(FULL // 1024):
        outbox.put(chunk)
    assert wire.written == []
    outbox.put(chunk)
    assert [len(each) for each in wire.written] == [FULL + 1024]
    outbox.put(b"a")
    soon.turn()
    assert wire.written[1:] == [b"a"]


def test_one_large_chunk_waits_for_its_turn_like_any_other() -> None:
    soon, wire = Soon(), Wire()
    outbox = Outbox(wire, Tick(soon))
    outbox.put(bytes(3 * FULL))
    assert wire.written == []
    soon.turn()
    assert [len(each) for each in wire.written] == [3 * FULL]


def test_a_failure_before_writing_does_not_stop_the_ticks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    soon, wire = Soon(), Wire()
    tick = Tick(soon)
    outbox = Outbox(wire, tick)

    def fail() -> None:
        raise RuntimeError("no frames")

    outbox.put(b"a")
    tick.before_writing(fail)
    soon.turn()
    outbox.put(b"b")
    soon.turn()
    assert wire.written == [b"a", b"b"]
    assert "RuntimeError" in caplog.text


# The table.

EVENTS: dict[str, Callable[[Outbox], None]] = {
    "put": lambda outbox: outbox.put(b"a"),
    "put beyond FULL": lambda outbox: outbox.put(b"a" * (FULL + 1)),
    "flush": lambda outbox: outbox.flush(),
    "close": lambda outbox: outbox.close(),
    "drop": lambda outbox: outbox.drop(),
}


@pytest.mark.parametrize(("cell", "after"), state_table(outbox_module).items(), ids=str)
def test_the_table_is_what_happens(cell: tuple[str, str], after: str) -> None:
    (state, event), soon, wire = cell, Soon(), Wire()
    outbox = Outbox(wire, Tick(soon))
    {"empty": outbox.flush, "holding": lambda: outbox.put(b"b"), "closed": outbox.close}[state]()
    EVENTS[event](outbox)
    written = len(wire.written)
    soon.turn()
    held = len(wire.written) - written
    outbox.put(b"later")
    soon.turn()
    closed = wire.written[-1:] != [b"later"]
    assert (held, closed) == (after == "holding", after == "closed")


# Directly: past `write`.


class Sending:
    """Stands for sockets: each takes as many bytes as it is told to, or all."""

    def __init__(self, **takes: int) -> None:
        self.takes = {int(name.strip("_")): size for name, size in takes.items()}
        self.sent: list[tuple[int, bytes]] = []

    def __call__(self, descriptors: Sequence[int], data: bytes) -> list[tuple[int, int]]:
        taken = [self.takes.get(each, len(data)) for each in descriptors]
        self.sent += [
            (each, data[:size]) for each, size in zip(descriptors, taken, strict=True) if size
        ]
        return [(place, size) for place, size in enumerate(taken) if size < len(data)]


def opened(soon: Soon, wire: Wire, descriptor: int = 7) -> Outbox:
    """An outbox that has written once, all of which has gone out."""

    def write(data: bytes) -> int:
        wire(data)
        return descriptor

    outbox = Outbox(write, Tick(soon))
    outbox.put(b"first ")
    soon.turn()
    return outbox


def test_what_was_never_written_to_is_not_written_to_directly() -> None:
    outbox, sending = Outbox(Wire(), Tick(Soon())), Sending()
    assert write_each([outbox], b"a", sending) == [outbox]
    assert sending.sent == []


def test_where_nothing_waits_bytes_go_out_directly_and_at_once() -> None:
    soon, wire, sending = Soon(), Wire(), Sending()
    outbox = opened(soon, wire)
    assert write_each([outbox, outbox], b"a", sending) == []
    assert (sending.sent, wire.written) == ([(7, b"a"), (7, b"a")], [b"first "])
    assert soon.calls == []


def test_nothing_overtakes_what_is_here() -> None:
    soon, wire, sending = Soon(), Wire(), Sending()
    outbox = opened(soon, wire)
    outbox.put(b"answer")
    assert write_each([outbox], b"change", sending) == [outbox]
    soon.turn()
    assert write_each([outbox], b"change", sending) == []
    assert (wire.written, sending.sent) == ([b"first ", b"answer"], [(7, b"change")])


def test_what_a_socket_does_not_take_is_written_at_once_and_once() -> None:
    soon, sending = Soon(), Sending(_1=3, _2=0)
    some, none, all_of_it = Wire(), Wire(), Wire()
    outboxes = [opened(soon, wire, 1 + each) for each, wire in enumerate((some, none, all_of_it))]
    assert write_each(outboxes, b"change", sending) == []
    assert some.written[1:] == [b"nge"]
    assert none.written[1:] == [b"change"]
    assert all_of_it.written[1:] == []
    assert sending.sent == [(1, b"cha"), (3, b"change")]


def test_after_it_is_closed_its_descriptor_may_be_another_sockets_and_is_not_written_to() -> None:
    soon, wire, sending = Soon(), Wire(), Sending()
    outbox = opened(soon, wire)
    outbox.close()
    assert write_each([outbox], b"a", sending) == [outbox]
    outbox.put(b"b")
    soon.turn()
    assert write_each([outbox], b"c", sending) == [outbox]
    assert (wire.written, sending.sent) == ([b"first "], [])


def test_a_write_that_closes_it_leaves_no_descriptor() -> None:
    soon, sending = Soon(), Sending()

    def write(data: bytes) -> int:
        outbox.close()
        return 7

    outbox = Outbox(write, Tick(soon))
    outbox.put(b"a")
    soon.turn()
    assert write_each([outbox], b"b", sending) == [outbox]
    assert sending.sent == []


def test_a_write_that_fails_leaves_no_descriptor() -> None:
    soon, sending = Soon(), Sending(_7=0)
    fails = False

    def write(data: bytes) -> int:
        if fails:
            raise RuntimeError("the handler is closed")
        return 7

    outbox = Outbox(write, Tick(soon))
    outbox.put(b"a")
    soon.turn()
    fails = True
    assert write_each([outbox], b"b", sending) == []
    assert write_each([outbox], b"c", sending) == [outbox]
