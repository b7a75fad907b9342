"""A bus between nodes of one process: the reference for what a bus does.

Knows the port. Must not know sockets. It loses nothing, so it is for tests; what is to be lost,
delayed, repeated or reordered, a subclass does in `receive`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable

from rhtmx_server.buses.listener import Listener
from rhtmx_server.failures import report

__all__ = ["MemoryBus"]

_MOST_BYTES = 1 << 20

_open: defaultdict[tuple[str, str], list[MemoryBus]] = defaultdict(list)
"""The buses that are open, by the name of the bus and the cluster."""


class MemoryBus:
    """One node's end of a bus of this process.

    Args:
        name: which bus: those of one name reach one another, on one event loop.

    Example:
        >>> MemoryBus("test")
        <MemoryBus memory://test>
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._listener: Listener | None = None
        self._dropped = 0

    def __repr__(self) -> str:
        return f"<MemoryBus memory://{self._name}>"

    @property
    def most_bytes(self) -> int:
        """The largest message that it carries."""
        return _MOST_BYTES

    @property
    def dropped(self) -> int:
        """How many messages have been dropped."""
        return self._dropped

    async def open(
        self, cluster: str, node: str, heard: Callable[[bytes], None], missed: Callable[[], None]
    ) -> None:
        """Listen to the others from now on."""
        self._listener = Listener(cluster, node, heard, missed, ended=lambda: None)
        _open[self._name, cluster].append(self)

    def announce(self, message: bytes) -> None:
        """Hand a message to all others, in the next turn of the loop."""
        if self._listener is None or len(message) > _MOST_BYTES:
            self._dropped += 1
            return
        loop = asyncio.get_running_loop()
        for other in _open[self._name, self._listener.cluster]:
            if other is not self:
                loop.call_soon(other.receive, message)

    def receive(self, message: bytes) -> None:
        """Hear a message of another node, unless it is closed by now."""
        if self._listener is not None:
            try:
                self._listener.heard(message)
            except Exception as error:
                report(error, "what another node has told was not taken")

    def ready(self) -> bool:
        """Whether it is open."""
        return self._listener is not None

    async def close(self) -> None:
        """Listen no more."""
        listener, self._listener = self._listener, None
        if listener is not None:
            place = self._name, listener.cluster
            _open[place].remove(self)
            if not _open[place]:
                del _open[place]
