"""Whether the file of a database is still the one that was opened.

Knows files by what the system knows them by. Must not know what is in them.

Whoever has a file open goes on to read it after another one has been put in its place, as a backup
that is restored is: nothing would come any more, and nothing would fail.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from rhtmx_server.mirror.host import HostState

__all__ = ["FileWatch"]


class FileWatch:
    """Has a database be opened again once another file is in its place.

    Args:
        reopen: closes the connections to it that this thread uses, so that others are opened.
    """

    def __init__(self, reopen: Callable[[], object]) -> None:
        self._reopen = reopen
        # Connections may belong to a thread: what one has opened again another has not.
        self._seen = threading.local()

    def state(self, read: Callable[[], HostState]) -> HostState:
        """The state of a table, in which the file counts.

        Args:
            read: reads it from the database.

        Raises:
            FileNotFoundError: the file is gone.
        """
        found = read()
        if not found.file:
            return found
        about = os.stat(found.file)
        there = f"{about.st_dev}/{about.st_ino}"
        if there != getattr(self._seen, "file", None):
            # Seen before it is opened: one that is put there in between is noticed the next time.
            self._seen.file = there
            self._reopen()
            found = read()
        return found._replace(mark=f"{found.mark} {there}")
