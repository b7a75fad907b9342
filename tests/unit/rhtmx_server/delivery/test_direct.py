"""The same bytes to many sockets: one by one, and by a ring where there is such a thing."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import sys
from collections.abc import Iterator, Sequence

import pytest

from rhtmx_server.delivery import io_uring
from rhtmx_server.delivery.direct import SendEach, send_each
from rhtmx_server.delivery.io_uring import FEW, Ring, fastest

SMALL = 4
"""Entries of a ring that many sockets need several times over."""

LARGE = bytes(range(256)) * 4_000
"""More than a socket takes that nobody reads."""

Pair = tuple[socket.socket, socket.socket]


def a_ring() -> Ring:
    """One of few entries, where there can be any."""
    try:
        return Ring(SMALL)
    except (OSError, AttributeError):
        pytest.skip("no io_uring here")


@pytest.fixture(params=["one by one", "ring"])
def send(request: pytest.FixtureRequest) -> SendEach:
    if request.param == "one by one":
        return send_each
    return a_ring().send_each


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    with contextlib.ExitStack() as opened:
        found = []
        for _ in range(3 * SMALL + 1):
            ours, theirs = (opened.enter_context(each) for each in socket.socketpair())
            for each in (ours, theirs):
                each.setblocking(False)
            found.append((ours, theirs))
        yield found


def descriptors(pairs: Sequence[Pair]) -> list[int]:
    return [ours.fileno() for ours, _ in pairs]


def arrived(theirs: socket.socket) -> bytes:
    """All that is there to be read."""
    data = b""
    with contextlib.suppress(BlockingIOError):
        while more := theirs.recv(1 << 20):
            data += more
    return data


def test_each_gets_the_bytes_whatever_their_number(send: SendEach, pairs: list[Pair]) -> None:
    for count in (*range(len(pairs)), *range(len(pairs), -1, -1)):  # the queues go round meanwhile
        data = b"change %d" % count
        assert not send(descriptors(pairs[:count]), data)
        assert [arrived(theirs) for _, theirs in pairs] == [data] * count + [b""] * (
            len(pairs) - count
        )


def test_who_takes_a_part_is_told_with_its_place_and_how_much_it_took(
    send: SendEach, pairs: list[Pair]
) -> None:
    short = send(descriptors(pairs), LARGE)
    assert [place for place, _ in short] == list(range(len(pairs)))
    for place, taken in short:
        assert 0 < taken < len(LARGE)
        assert arrived(pairs[place][1]) == LARGE[:taken]


def test_who_takes_nothing_holds_nobody_up(send: SendEach, pairs: list[Pair]) -> None:
    full = SMALL + 1
    with contextlib.suppress(BlockingIOError):
        while True:
            pairs[full][0].send(LARGE)
    assert list(send(descriptors(pairs), b"change")) == [(full, 0)]
    for place, (_, theirs) in enumerate(pairs):
        assert place == full or arrived(theirs) == b"change"


def test_who_is_gone_takes_nothing_and_the_others_get_theirs(
    send: SendEach, pairs: list[Pair]
) -> None:
    pairs[0][1].close()
    given = descriptors(pairs)
    with socket.socket() as unused:
        given[-1] = unused.fileno()
    assert list(send(given, b"change")) == [(0, 0), (len(pairs) - 1, 0)]
    assert all(arrived(theirs) == b"change" for _, theirs in pairs[1:-1])
    assert not send(given[1:-1], b"next")


def test_a_ring_takes_its_descriptor_with_it() -> None:
    ring = a_ring()
    descriptor = ring._descriptor
    os.fstat(descriptor)
    del ring
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(descriptor)


def test_a_ring_that_is_not_wanted_is_not_made() -> None:
    assert fastest(allowed=False) is send_each


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EPERM, errno.ENOMEM, errno.EMFILE])
def test_where_the_system_has_no_ring_or_forbids_it_there_is_none_and_the_log_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    def refuse() -> Ring:
        raise OSError(code, os.strerror(code))

    caplog.set_level(logging.INFO)
    monkeypatch.setattr(io_uring, "Ring", refuse)
    assert fastest() is send_each
    assert [os.strerror(code) in each.message for each in caplog.records] == [True]


def test_on_other_systems_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert fastest() is send_each


@pytest.mark.parametrize("short", [[(0, 0)], []], ids=["it says so", "it says that it does"])
def test_a_ring_that_does_not_write_is_not_used(
    monkeypatch: pytest.MonkeyPatch, short: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(Ring, "send_each", lambda ring, descriptors, data: short)
    monkeypatch.setattr(Ring, "__init__", lambda ring: None)
    assert fastest() is send_each


def test_few_sockets_are_written_to_one_by_one_and_more_by_the_ring(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_ring()
    by_ring: list[int] = []

    def note(ring: Ring, descriptors: Sequence[int], data: bytes) -> list[tuple[int, int]]:
        by_ring.append(len(descriptors))
        return []

    send = fastest()
    monkeypatch.setattr(Ring, "send_each", note)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for count in (1, FEW, FEW + 1):
            assert not send([ours.fileno()] * count, b"?")
        assert theirs.recv(100) == b"?" * (1 + FEW)
    assert by_ring == [FEW + 1]


def test_of_a_call_that_ended_half_way_the_next_one_knows_nothing(
    monkeypatch: pytest.MonkeyPatch, pairs: list[Pair]
) -> None:
    ring = a_ring()

    def fail(count: int) -> None:
        raise MemoryError

    with contextlib.suppress(BlockingIOError):
        while True:
            pairs[1][0].send(LARGE)
    with monkeypatch.context() as failing:
        failing.setattr(ring, "_read", fail)
        with pytest.raises(MemoryError):
            ring.send_each(descriptors(pairs[:3]), b"change")
    for _, theirs in pairs:
        arrived(theirs)
    assert not ring.send_each(descriptors(pairs[:3]), b"next")
    assert [arrived(theirs) for _, theirs in pairs[:4]] == [b"next"] * 3 + [b""]


def test_what_the_system_refuses_to_make_is_as_if_it_had_failed(
    monkeypatch: pytest.MonkeyPatch, pairs: list[Pair]
) -> None:
    ring = a_ring()
    with monkeypatch.context() as refused:
        refused.setattr(ring, "_enter", lambda count: 0)
        assert list(ring.send_each(descriptors(pairs[:2]), b"lost")) == [(0, 0), (1, 0)]
    assert not ring.send_each(descriptors(pairs[:3]), b"change")
    assert [arrived(theirs) for _, theirs in pairs[:4]] == [b"change"] * 3 + [b""]
