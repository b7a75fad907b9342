"""A bus that carries two conversations: that of commits, and one more.

Knows which message belongs to which, by its first byte. Must not know what either says.
"""

from __future__ import annotations

from collections.abc import Callable

from rhtmx_server.sharing import Bus

__all__ = ["SplitBus"]


class SplitBus:
    """A bus, as both conversations use it: it is opened by that of commits.

    Args:
        bus: carries all of it.
        letter: what each message of the other conversation begins with.

    Attributes:
        beside: takes what is heard of the other conversation.
    """

    def __init__(self, bus: Bus, letter: bytes) -> None:
        self._bus = bus
        self._letter = letter
        self.beside: Callable[[bytes], None] = lambda message: None

    @property
    def most_bytes(self) -> int:
        """The largest message that it carries now."""
        return self._bus.most_bytes

    @property
    def dropped(self) -> int:
        """How many messages have been dropped here."""
        return self._bus.dropped

    async def open(
        self, cluster: str, node: str, heard: Callable[[bytes], None], missed: Callable[[], None]
    ) -> None:
        """Connect, and listen; see `Bus.open`."""

        def sorted_out(message: bytes) -> None:
            (self.beside if message.startswith(self._letter) else heard)(message)

        await self._bus.open(cluster, node, sorted_out, missed)

    def announce(self, message: bytes) -> None:
        """Send a message to all other nodes, now or never."""
        self._bus.announce(message)

    def ready(self) -> bool:
        """Whether it is connected, as far as is known."""
        return self._bus.ready()

    async def close(self) -> None:
        """Disconnect."""
        await self._bus.close()
