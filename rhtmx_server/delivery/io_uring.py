"""The same bytes to many sockets in one system call: by `io_uring` of Linux.

Knows how a ring is laid out. Must not know who reads the sockets, nor what is written.

A ring is memory that the system and this process share, with two queues: what is asked for, and
how it ended. To write to 500 sockets is to fill in 500 entries, to make one call, and to read
500 results: what it costs to enter the system is paid once. Nothing is under way when the call
returns: each write is one that must not wait (`MSG_DONTWAIT`), so it has happened by then, or
failed.

The first queue holds numbers of entries. Those always begin with the first one here, so what is
the same for each write is filled in once. Who asks and who answers run on one thread, in turn:
neither can see a half of what the other does.

Containers may forbid it, and Linux before 5.6 does not have it: see `fastest`.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import mmap
import os
import socket
import struct
import sys
import weakref
from array import array
from collections.abc import Sequence

from rhtmx_server.delivery.direct import SendEach, send_each

__all__ = ["ENTRIES", "FEW", "Ring", "fastest"]

log = logging.getLogger("rhtmx_server")

ENTRIES = 512
"""Writes of one call; more are made by several. One takes a millisecond or two."""

FEW = 8
"""Sockets that are written to one by one. To ask a ring costs as much as to write to one socket,
and saves a fifth of each write: with eight it costs the same, with one twice as much."""

# From `linux/io_uring.h`; the numbers of the calls are the same on all processors but Alpha.
_SETUP, _ENTER = 425, 426
_GET_EVENTS = 1
_OP_SEND = 26
_ONE_MAP = 1
_ENTRIES_AT = 0x10000000
_ENTRY = struct.Struct("=BBHiQQIIQ24x")

# `struct io_uring_params`: 30 numbers. Where its features are, and where it says where in the
# memory the parts of both queues are, in bytes.
_PARAMETERS = struct.Struct("=30I")
_FEATURES = 5
_ASKED_TAIL, _ASKED_NUMBERS = 11, 16
_DONE_ENTRIES, _DONE_HEAD, _DONE_TAIL, _DONE_RESULTS = 1, 20, 21, 25

# Where the fields of an entry are that differ from call to call, in numbers of 4 and of 8 bytes;
# and the length of an entry, and of a result, in numbers of 4 bytes.
_DESCRIPTOR, _SIZE, _ADDRESS = 1, 6, 2
_ENTRY_STEP, _RESULT_STEP = 16, 4


class Ring:
    """A ring, for writes only. What it holds goes with it.

    Args:
        entries: writes of one call; a power of two.

    Raises:
        OSError: this system has no such thing, or forbids it.
    """

    def __init__(self, entries: int = ENTRIES) -> None:
        self._syscall = ctypes.CDLL(None, use_errno=True).syscall
        self._syscall.restype = ctypes.c_long
        buffer = ctypes.create_string_buffer(_PARAMETERS.size)
        self._descriptor = self._call(_SETUP, ctypes.c_uint(entries), buffer)
        # The memory goes, too, once nobody has it any more.
        weakref.finalize(self, os.close, self._descriptor)
        found = _PARAMETERS.unpack(buffer.raw)
        if not found[_FEATURES] & _ONE_MAP:
            raise OSError(errno.ENOSYS, "io_uring of Linux 5.4 or later expected")
        self._entries, self._results = entries, found[_DONE_ENTRIES]
        size = max(
            found[_ASKED_NUMBERS] + 4 * entries,
            found[_DONE_RESULTS] + 4 * _RESULT_STEP * self._results,
        )
        queues = memoryview(mmap.mmap(self._descriptor, size)).cast("I")
        entry_map = memoryview(mmap.mmap(self._descriptor, 64 * entries, offset=_ENTRIES_AT))
        self._narrow, self._wide = entry_map.cast("i"), entry_map.cast("Q")
        flags = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
        for number in range(entries):
            _ENTRY.pack_into(entry_map, 64 * number, _OP_SEND, 0, 0, -1, 0, 0, 0, flags, number)
        at = [each // 4 for each in found]
        self._asked_tail = queues[at[_ASKED_TAIL] :][:1]
        self._numbers = queues[at[_ASKED_NUMBERS] :][:entries]
        self._done_head = queues[at[_DONE_HEAD] :][:1]
        self._done_tail = queues[at[_DONE_TAIL] :][:1]
        done = queues[at[_DONE_RESULTS] :][: _RESULT_STEP * self._results]
        self._who, self._taken = done[0::_RESULT_STEP], done[2::_RESULT_STEP]

    def send_each(self, descriptors: Sequence[int], data: bytes) -> Sequence[tuple[int, int]]:
        """Write the same bytes to each socket, without waiting: as `direct.send_each` does."""
        if len(descriptors) <= self._entries:
            return self._send(descriptors, data)
        short: list[tuple[int, int]] = []
        for start in range(0, len(descriptors), self._entries):
            found = self._send(descriptors[start : start + self._entries], data)
            short += [(start + place, taken) for place, taken in found]
        return short

    def _send(self, descriptors: Sequence[int], data: bytes) -> Sequence[tuple[int, int]]:
        count, size = len(descriptors), len(data)
        self._fill_in(descriptors, data)
        made = self._ask(count)
        who, taken = self._read(made)
        if made == count and taken.count(size) == count:
            return ()
        # What failed is a number below 0, and those that were not asked for took nothing.
        results = dict(zip(who, taken, strict=True))
        everyone = ((place, _signed(results.get(place, 0))) for place in range(count))
        return [(place, max(0, each)) for place, each in everyone if each != size]

    def _fill_in(self, descriptors: Sequence[int], data: bytes) -> None:
        """Say in the entries what this call is about."""
        count = len(descriptors)
        end = _ENTRY_STEP * count
        address = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value
        assert address is not None
        self._narrow[_DESCRIPTOR:end:_ENTRY_STEP] = memoryview(array("i", descriptors))
        self._narrow[_SIZE:end:_ENTRY_STEP] = memoryview(array("i", (len(data),)) * count)
        addresses = memoryview(array("Q", (address,)) * count)
        self._wide[_ADDRESS : end // 2 : _ENTRY_STEP // 2] = addresses

    def _ask(self, count: int) -> int:
        """Put the first `count` entries in line, and have them made; returns how many were."""
        # What is there of a call that ended half-way is none of this one's.
        self._done_head[0] = self._done_tail[0]
        tail = self._asked_tail[0]
        at = tail % self._entries
        first = min(count, self._entries - at)
        numbers = memoryview(array("I", range(count)))
        self._numbers[at : at + first] = numbers[:first]
        self._numbers[: count - first] = numbers[first:]
        self._asked_tail[0] = (tail + count) & 0xFFFFFFFF
        made = 0
        while made < count:
            more = self._enter(count - made)
            if not more:  # the rest is not asked for any more: it is as if it had failed
                self._asked_tail[0] = (tail + made) & 0xFFFFFFFF
                break
            made += more
        return made

    def _read(self, count: int) -> tuple[list[int], list[int]]:
        """Take `count` results: which entry each is of, and what became of it."""
        head = self._done_head[0]
        at = head % self._results
        first = min(count, self._results - at)
        who = self._who[at : at + first].tolist() + self._who[: count - first].tolist()
        taken = self._taken[at : at + first].tolist() + self._taken[: count - first].tolist()
        self._done_head[0] = (head + count) & 0xFFFFFFFF
        return who, taken

    def _enter(self, count: int) -> int:
        """Have `count` entries made, and wait for their end; returns how many were."""
        ring, number, flags = map(ctypes.c_uint, (self._descriptor, count, _GET_EVENTS))
        nothing = ctypes.c_void_p(0)
        while True:
            try:
                return self._call(_ENTER, ring, number, number, flags, nothing, nothing)
            except InterruptedError:
                continue
            except OSError:
                return 0

    def _call(self, number: int, *arguments: object) -> int:
        result = int(self._syscall(ctypes.c_long(number), *arguments))
        if result < 0:
            raise OSError(ctypes.get_errno(), "io_uring")
        return result


def _signed(number: int) -> int:
    return number - (1 << 32) if number >> 31 else number


def fastest(*, allowed: bool = True) -> SendEach:
    """What this system allows: a new ring, if it can write; else `direct.send_each`.

    `FEW` sockets and less are always written to by the latter.

    Args:
        allowed: whether a ring is wanted at all.
    """
    if not allowed or sys.platform != "linux":
        return send_each
    try:
        return _for_many(_tried(Ring()))
    except (OSError, AttributeError) as failure:
        log.info("no io_uring here (%s): each reader of a change is a call of its own", failure)
        return send_each


def _for_many(ring: Ring) -> SendEach:
    """Write by a ring where that pays."""

    def send(descriptors: Sequence[int], data: bytes) -> Sequence[tuple[int, int]]:
        return (send_each if len(descriptors) <= FEW else ring.send_each)(descriptors, data)

    return send


def _tried(ring: Ring) -> Ring:
    """Write by a ring, before anybody relies on it.

    Raises:
        OSError: nothing came out.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        if ring.send_each([ours.fileno()], b"?") or theirs.recv(1) != b"?":
            raise OSError(errno.ENOSYS, "it does not write")
    return ring
