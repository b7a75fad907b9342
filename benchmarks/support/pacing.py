"""An open loop: questions leave by a schedule, whatever has been answered.

A latency counts from the moment at which the question was due, not from when it
was sent. So a server that stalls pays for every question that had to wait, also
for those that a closed loop would never have asked (coordinated omission).

The load never sleeps: it asks its sockets again and again, so that no wake-up
of its own is in the figures.
"""

from __future__ import annotations

import gc
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from benchmarks.support.sockets import PATIENCE, Client, server_frames

PERCENTILES = (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))


def open_loop(
    rate: float, count: int, ask: Callable[[int], None], arrived: Callable[[], Iterable[int]]
) -> list[float]:
    """Ask `count` questions and wait for as many answers.

    Args:
        rate: questions per second.
        count: how many.
        ask: sends the question of that number.
        arrived: the numbers of the answers that are there; must not wait.

    Returns:
        How long each answer took, in seconds, sorted.
    """
    clock = time.perf_counter
    step = 1 / rate
    latencies: list[float] = []
    with _uncollected():
        began = clock() + 0.005
        until = began + count * step + PATIENCE
        asked = 0
        while len(latencies) < count:
            if asked < count and clock() >= began + asked * step:
                ask(asked)
                asked += 1
            for number in arrived():
                latencies.append(clock() - began - number * step)
            if clock() > until:
                raise TimeoutError(f"{count - len(latencies)} of {count} answers are missing")
    return sorted(latencies)


def percentile(latencies: Sequence[float], part: float) -> float:
    """The value below which this part of the sorted values lies."""
    return latencies[min(len(latencies) - 1, int(len(latencies) * part))]


def there(client: Client) -> Iterator[bytes]:
    """Whole messages that have arrived on a socket that does not block."""
    data = received(client.socket)
    if not data:
        return iter(())
    client.buffer += data
    return server_frames(client.buffer)


def received(connection: socket.socket) -> bytes:
    """What has arrived on a socket that does not block; may be nothing.

    Raises:
        ConnectionError: the other side has closed it.
    """
    try:
        data = connection.recv(1 << 18)
    except BlockingIOError:
        return b""
    if not data:
        raise ConnectionError("the server has closed the connection")
    return data


@contextmanager
def _uncollected() -> Iterator[None]:
    """No pause of our own collector is to be taken for one of the server."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
