"""Who listens on a bus.

Knows names and what is called. Must not know what carries the messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["MOST_NAME", "Listener"]

MOST_NAME = 64
"""Characters of the name of a cluster or node."""

_NAME = re.compile(f"[A-Za-z0-9_-]{{1,{MOST_NAME}}}")


@dataclass(frozen=True, slots=True)
class Listener:
    """A node of a cluster, and what it wants to know; see `rhtmx_server.ports.Bus.open`.

    Args:
        cluster: which one.
        node: which of its nodes.
        heard: is called with each message of another node.
        missed: is called when messages may have been lost.
        ended: is called when the connection has ended; maybe more than once.

    Raises:
        ValueError: a name that cannot be part of a subject or of a message.
    """

    cluster: str
    node: str
    heard: Callable[[bytes], None]
    missed: Callable[[], None]
    ended: Callable[[], None]

    def __post_init__(self) -> None:
        for what, name in (("cluster", self.cluster), ("node", self.node)):
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} is no name of a {what}: 1 to {MOST_NAME} letters, digits, _ and - "
                    "expected"
                )
