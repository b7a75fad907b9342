"""One reader's place over all the streams that it takes to read an entity. Pure.

Knows positions and the order of messages. Must not know calls, channels or
clocks. `rhtmx.core.stream` does the same for subscriptions that share a socket; here
every reader has a stream of its own, which makes it simpler, and no `welcome`
tells the epoch, which takes more care: the server says only at `sync_complete`
which log it is that is being read, so until then a position that has to be
checked does not move, and one of which the epoch is not known is none.
"""

from __future__ import annotations

from rhtmx.core.cursor import Cursor, Log
from rhtmx.core.events import Delivered, Reset, Synced, WasReset
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Position, SyncBegin, SyncComplete, SyncFieldsComplete

__all__ = ["News", "ResumingCursor"]

News = Delivered | Synced | WasReset
"""What a reader is told."""


class ResumingCursor:
    """One reader's place in a log.

    Args:
        entity: the collection.
        since: where to start; without it, at the next change.

    Attributes:
        stale: the stream is of no use any more: begin another one.
    """

    def __init__(self, entity: str, since: Position | None) -> None:
        self.entity = entity
        self.stale = False
        self._cursor = Cursor(since)
        self._taken = False
        self._live = False
        self._held = 0
        self._since = 0
        self._newest = 0
        self._epoch = ""

    @property
    def position(self) -> Position | None:
        """Where a stream that begins now has to start."""
        return self._cursor.position

    @property
    def unknown(self) -> bool:
        """It is before everything, in a log whose epoch is not known."""
        return self.position is not None and not self.position.epoch

    def learned(self, epoch: str) -> None:
        """After `begin`, where it was unknown: what the epoch is."""
        self._cursor.position = Position(epoch=epoch, version=0)
        self._hold()

    def begin(self) -> list[News]:
        """A stream begins."""
        news: list[News] = []
        position = self._cursor.position
        if (position is None and self._taken) or (self.unknown and self._cursor.delivered):
            # It may be another log by now, and nothing would tell.
            news.append(self._void(""))
        self.stale = False
        self._live = position is None and not self._taken
        self._held = self._cursor.delivered
        self._since = self._cursor.position.version if self._cursor.position else 0
        self._newest = 0
        self._hold()
        return news

    def restarted(self, message: SyncBegin) -> list[News]:
        """What comes now is read from the beginning, and belongs to a scope."""
        news: list[News] = []
        self._taken = True
        if message.reset:
            delivered = self._cursor.delivered
            void = self._void(message.epoch, message.scope)
            news += [void] if delivered else []
            self._live = False
            self._since = self._held = self._newest = 0
            self._hold()
        self._cursor.enter(message.scope)
        return news

    def change(self, log: Log) -> list[News]:
        """A change arrived.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it is out of order.
        """
        news: list[News] = []
        self._taken = True
        if not self._live:
            if log.version < self._newest:
                raise RhtmxError(
                    ErrorCode.BAD_MESSAGE,
                    f"'{self.entity}': version {log.version} came after version {self._newest}",
                )
            if log.version <= self._since:
                # What was there before `since` is sent only in a full snapshot.
                news.append(self._void(""))
                self._hold()
                self._since = self._held = 0
        self._newest = log.version
        if self._cursor.accept(log, self._epoch):
            news.append(Delivered(self._cursor, log, self._cursor.position))
        return news

    def complete(self, message: SyncComplete | SyncFieldsComplete) -> list[News]:
        """The past has been sent; or, where there was none to send, this is the head."""
        self._taken = True
        held = self._cursor.delivered if self._live else self._held
        if self._cursor.delivered > message.version or (message.reset and held):
            # The log ends before what was read of it; or it was a snapshot, and
            # nothing in it told so before its end. Read it as what it is.
            self.stale = True
            return [self._void(message.epoch)]
        self._live = True
        self._epoch = message.epoch
        version, epoch = message.version, message.epoch
        position = Position(epoch=epoch, version=version, scope=message.scope)
        self._cursor.synced(position)
        return [Synced(self._cursor, position)]

    def _hold(self) -> None:
        """Let the position move if it is before everything: it can always be resumed."""
        position = self._cursor.position
        first = position is not None and position.version == 0 and bool(position.epoch)
        self._epoch = position.epoch if position is not None else ""
        self._cursor.begin(holding=not first)

    def _void(self, epoch: str, scope: str | None = None) -> News:
        """What was read is void: it is read anew, from the beginning."""
        reset = Reset(self.entity, self._cursor.position)
        return WasReset(self._cursor, reset, self._cursor.restart(epoch, scope))
