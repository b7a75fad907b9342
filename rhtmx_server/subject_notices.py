"""What the program says of a subject at one node, and has to be done at each of them.

Knows when to ask the store. Must not know what is done.

Nobody may be left out because a message was lost: so it is written down in the store, and each node
reads it there, within a second or so. It does itself at once what its own program says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from rhtmx.errors import RhtmxError
from rhtmx_server.failures import place
from rhtmx_server.sharing import SharedStore, SubjectNotice

__all__ = ["SubjectNotices"]

log = logging.getLogger("rhtmx_server")

LOOK_EVERY = 1.0
"""Seconds between two looks; and before what could not be written down is tried again."""


class SubjectNotices:
    """Tells the other nodes, and does what they have told.

    Args:
        store: that all nodes share.
    """

    def __init__(self, store: SharedStore) -> None:
        self._store = store
        self._telling: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin with what is told from now on: what was before is of nobody who connects later.

        Raises:
            RhtmxError: `STORAGE_FAILED`, the store is not there.
        """
        await self._store.notices()

    def tell(self, notice: SubjectNotice) -> None:
        """Have it be done at the other nodes, too."""
        task = asyncio.create_task(self._tell(notice))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def finish(self) -> None:
        """Wait until all that was said is written down, but not for a store that is away."""
        if self._telling:
            await asyncio.wait(self._telling, timeout=LOOK_EVERY)
        for each in self._telling:
            each.cancel()

    async def run(
        self, disconnect: Callable[[str], None], rescope: Callable[[str], Awaitable[None]]
    ) -> None:
        """Do what other nodes have told, until cancelled.

        Args:
            disconnect: ends all that a subject has open at this node.
            rescope: finds out anew what a subject may read, likewise.
        """
        while True:
            try:
                for subject, ends in await self._store.notices():
                    if ends:
                        disconnect(subject)
                    else:
                        await rescope(subject)
            except RhtmxError as error:
                log.debug("what other nodes say of subjects is not known for now: %s", error)
            except Exception as failure:
                log.error("doing what another node has told failed: %s", place(failure))
            await asyncio.sleep(LOOK_EVERY)

    async def _tell(self, notice: SubjectNotice) -> None:
        while True:
            try:
                await self._store.note(notice)
            except RhtmxError as error:
                log.warning("other nodes cannot be told of a subject for now: %s", error)
                await asyncio.sleep(LOOK_EVERY)
            else:
                return
