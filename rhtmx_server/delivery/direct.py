"""The same bytes to many sockets, past their transports.

Knows descriptors. Must not know who reads them, nor what is written: whoever calls this
sees to it that each belongs to an open socket, and that nothing waits to be written before.

To write by a transport costs half as much again as the system call: it looks whether something
waits, and keeps what does not fit. Where nothing waits and all of it fits, none of that is
needed. `io_uring` does the same as `send_each` at less cost, where there is such a thing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import TypeAlias

__all__ = ["SendEach", "send_each"]

SendEach: TypeAlias = Callable[[Sequence[int], bytes], Sequence[tuple[int, int]]]
"""Writes the same bytes to many sockets: `send_each`, or what does the same."""


def send_each(descriptors: Sequence[int], data: bytes) -> Sequence[tuple[int, int]]:
    """Write the same bytes to each socket, without waiting.

    Args:
        descriptors: of sockets that do not block.
        data: what to write.

    Returns:
        `(place, taken)` of each that did not take all: its place among the descriptors, and how
        many bytes it took. That is 0 where writing failed, too: to write again tells why.
    """
    size, count = len(data), len(descriptors)
    taken: list[int] = []
    # No step of Python between two writes: the system does so much for each that whatever comes
    # in between has to come back into the processor's caches every time.
    writing = map(os.write, descriptors, repeat(data))
    while len(taken) < count:
        try:
            taken.extend(writing)
        except OSError:  # those before it are in the list, and those after it come next
            taken.append(0)
    if taken.count(size) == count:
        return ()
    return [(place, each) for place, each in enumerate(taken) if each != size]
