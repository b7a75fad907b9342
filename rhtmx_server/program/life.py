"""What the calls of the program ask of the app that they belong to.

Knows that it runs at times, on one event loop of one process. Must not know how it is started, nor
what it is made of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from rhtmx_server.connections.services import Services

__all__ = ["AppLife", "AppServer"]


class AppServer(Protocol):
    """The server of an app, while it runs."""

    @property
    def services(self) -> Services:
        """Its parts."""

    @property
    def clock(self) -> Callable[[], int]:
        """Stamps what is written; microseconds since 1970."""


class AppLife(Protocol):
    """When and where an app runs."""

    @property
    def readers(self) -> set[Callable[[], None]]:
        """Each is called when it begins to stop."""

    @property
    def server(self) -> AppServer | None:
        """The server; `None` while there is none."""

    @property
    def runs(self) -> bool:
        """Whether there is one.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it was started before this process was forked.
        """

    @property
    def running(self) -> AppServer:
        """The server, for whoever awaits something of it.

        Raises:
            RhtmxError: `SHUTTING_DOWN`, there is none; `NOT_SUPPORTED`, it runs on another event
                loop; and as `runs`.
        """

    @property
    def elsewhere(self) -> asyncio.AbstractEventLoop:
        """The loop of the server, for whoever waits for it in a thread.

        Raises:
            RhtmxError: as `running`; `NOT_SUPPORTED`, this is the thread of that loop.
        """

    def tell(self, function: Callable[[], object]) -> None:
        """Have a function called on that loop, from any thread, while it runs."""

    def calling(self) -> AbstractContextManager[None]:
        """Have the task of this call end with the server, if it would outlive it."""
