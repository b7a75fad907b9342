"""One subscription of a client: what goes over the wire so that its readers get their changes.

Knows positions and the order of messages. Must not know other entities, the connection,
clocks, or what a reader does with what it gets.

Readers of one part of an entity at one granularity share a stream, and a stream is one
subscription at the server. What any of them needs is turned into one rule: to
bring in a reader that is elsewhere, end the subscription and start it again
where the hindmost reader is; those further on skip what they have. A lost
connection, a second reader, a reader that paused and a full snapshot are all
the same.

Phase and event → phase; what is not named leaves it as it is:

=============  ===================  ===============  ===============  =============  ============
phase          `settle`             `sync_begin`     `sync_complete`  a change       `pong` of a
                                                                                     fence
=============  ===================  ===============  ===============  =============  ============
`IDLE`         `CATCHING_UP`, if a  passed over      passed over      passed over
               reader has a
               position; else
               `LIVE`
`CATCHING_UP`                                        `LIVE`           delivered      it was taken
`LIVE`         `ENDING`, if nobody  `CATCHING_UP`,   `LIVE`,          delivered; an  it was taken
               reads, or a reader   if all is anew   elsewhere        old one:
               is elsewhere                                           `CATCHING_UP`
`ENDING`                            passed over      passed over      passed over    `IDLE`
=============  ===================  ===============  ===============  =============  ============

A server says at the beginning if everything comes anew, and of which scope it is
(`sync_begin`). One of before that does not: then it shows by a version that was there
before, or by `reset` at the end.

From every phase `lost` (the connection) and `refused` (the subscription) lead to `IDLE`;
an unsubscription that was refused, since the server was too busy, stays `ENDING` and is
said again.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from rhtmx.core.connection_lifecycle import Fence
from rhtmx.core.cursor import Cursor, Log, together
from rhtmx.core.error_policy import busy
from rhtmx.core.events import (
    Delivered,
    Ended,
    Event,
    FellBehind,
    Reset,
    Started,
    Stopped,
    Synced,
    WasReset,
)
from rhtmx.core.granularity import Granularity
from rhtmx.core.where import Where
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Position,
    Subscribe,
    SubscribeFields,
    SyncBegin,
    SyncComplete,
    SyncFieldsComplete,
    Unsubscribe,
    UnsubscribeFields,
)
from rhtmx.wire import ClientMessage

__all__ = ["Outgoing", "Stream", "StreamPhase"]

_Subscribe: TypeAlias = type[Subscribe] | type[SubscribeFields]
_Unsubscribe: TypeAlias = type[Unsubscribe] | type[UnsubscribeFields]


_MESSAGES: dict[Granularity, tuple[_Subscribe, _Unsubscribe]] = {
    Granularity.RECORDS: (Subscribe, Unsubscribe),
    Granularity.FIELDS: (SubscribeFields, UnsubscribeFields),
}


class StreamPhase(enum.Enum):
    """Where a subscription is; see the table above."""

    IDLE = enum.auto()
    CATCHING_UP = enum.auto()
    LIVE = enum.auto()
    ENDING = enum.auto()


class Stream:
    """The subscription to one part of an entity at one granularity, and its readers.

    Args:
        entity: the collection.
        granularity: records or fields.
        outgoing: where messages and events go.
        where: the part; the whole entity, if left out.

    Attributes:
        family: all streams of the entity, this one among them.
    """

    def __init__(
        self,
        entity: str,
        granularity: Granularity,
        outgoing: Outgoing,
        where: Where | None = None,
    ) -> None:
        self.entity = entity
        self.granularity = granularity
        self.where = where
        self.phase = StreamPhase.IDLE
        self.family: list[Stream] = [self]
        self.cursors: list[Cursor] = []
        self._subscribe, self._unsubscribe = _MESSAGES[granularity]
        named = None if where is None else f"{{{json.dumps(entity)}:{where.text}}}"
        self._where_text = None if named is None else named.encode()
        self._outgoing = outgoing
        self._since = 0
        self._newest: int | None = None
        self._accepted = False
        self._unannounced: list[Cursor] = []
        self._leaving: list[Cursor] = []
        self._unended = False

    @property
    def waits(self) -> bool:
        """It could be started."""
        return self.phase is StreamPhase.IDLE and any(not each.paused for each in self.cursors)

    @property
    def passes(self) -> bool:
        """It ends by itself, and soon."""
        return all(each.ends for each in self.cursors)

    # What the session calls.

    def add(self, cursor: Cursor) -> None:
        """Bring in a reader."""
        self.cursors.append(cursor)
        self._unannounced.append(cursor)
        if self.phase is StreamPhase.LIVE and cursor.wants_head:
            self._join_at_head(cursor)
        self.settle()

    def remove(self, cursor: Cursor) -> None:
        """Let a reader go."""
        if cursor in self.cursors:
            self._forget(cursor)
            if cursor.tolerant and self.phase is not StreamPhase.IDLE:
                cursor.leaving = True
                self._leaving.append(cursor)
            self.settle()

    def pause(self, cursor: Cursor) -> None:
        """Deliver nothing to a reader until it resumes; it goes on where it was."""
        cursor.paused = True
        cursor.leave()
        self.settle()

    def resume(self, cursor: Cursor) -> None:
        """Deliver to a reader again."""
        cursor.paused = False
        self.settle()

    def lost(self) -> None:
        """The connection is gone."""
        self.phase = StreamPhase.IDLE
        self._newest = None
        self._unended = False
        for cursor in self.cursors:
            cursor.leave()
        self._let_go()

    def refused(self, error: RhtmxError) -> None:
        """The subscription was refused: for good, or until `again`."""
        self.phase = StreamPhase.IDLE
        self._let_go()
        self._refuse(error)
        self.settle()
        self._outgoing.moved(ended=False)

    def not_understood(self) -> None:
        """The server reads the whole entity to this client: it knows no parts."""
        words = "this server knows no parts of an entity: update it, or read without where"
        self._refuse(RhtmxError(ErrorCode.NOT_SUPPORTED, words))
        self.phase = StreamPhase.LIVE
        self.settle()

    def _refuse(self, error: RhtmxError) -> None:
        if self.where is not None:
            error = _named(error, f"'{self.entity}' where {self.where.text}")
        for cursor in [each for each in self.cursors if each.reading]:
            if busy(error):
                cursor.leave()
                # One that waits for the next change has missed none: it was never taken.
                cursor.begun = cursor.begun and cursor not in self._unannounced
            else:
                self._forget(cursor)
                self._outgoing.tell(Stopped(cursor, error))

    def settle(self) -> None:
        """Do what the readers need next; nothing that is under way is disturbed."""
        active = [cursor for cursor in self.cursors if not cursor.paused]
        if self._unended and self._outgoing.ready:
            self._end()  # the server was too busy to hear it
        elif self.phase is StreamPhase.LIVE and not (
            active and all(each.reading for each in active)
        ):
            self._end()
        elif self._may_start:
            self._start(active, self._outgoing.epoch or "")

    def receive(self, log: Log) -> None:
        """A change arrived.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it is out of order.
        """
        if self.phase not in (StreamPhase.CATCHING_UP, StreamPhase.LIVE):
            return  # the last ones of a subscription that was ended
        version, epoch = log.version, self._outgoing.epoch or ""
        if self.phase is StreamPhase.CATCHING_UP:
            if self._newest is not None and version < self._newest:
                raise RhtmxError(
                    ErrorCode.BAD_MESSAGE,
                    f"'{self.entity}': version {version} came after version {self._newest}",
                )
            if version <= self._since:
                # What was there before `since` is sent only in a full snapshot.
                self._start_over(epoch)
        elif self._newest is not None and version < self._newest:
            # So is, while live, what was there before the newest: this reader fell
            # so far behind that the server no longer remembers all deletions since.
            self._start_over(epoch)
            self.phase = StreamPhase.CATCHING_UP
        self._newest = max(version, self._newest or 0)
        for cursor in self.cursors:
            if cursor.reading and cursor.accept(log, epoch):
                self._outgoing.tell(Delivered(cursor, log, cursor.position))

    def begin(self, message: SyncBegin) -> None:
        """What comes now is read from the beginning, and belongs to this scope."""
        if self.phase not in (StreamPhase.CATCHING_UP, StreamPhase.LIVE):
            return
        if message.since is not None:
            for cursor in [each for each in self.cursors if each.reading]:
                self._outgoing.tell(FellBehind(cursor))
            return
        self._newest = None
        if message.reset:
            self._since, self.phase = 0, StreamPhase.CATCHING_UP
        for cursor in self.cursors:
            # One further on goes back, too, if it is brought in by other rights than it had.
            void = cursor.delivered and (message.reset or cursor.scope != message.scope)
            # And other streams may have brought to a collection what had gone by now.
            if cursor.reading and (void or cursor.tolerant):
                self._reset(cursor, message.epoch, message.scope)
            elif cursor.reading:
                cursor.enter(message.scope)
            if cursor.reading and self._is_alone:
                cursor.head = message.head

    def complete(self, message: SyncComplete | SyncFieldsComplete) -> None:
        """The past has been sent; or, where there was none to send, this is the head."""
        if self.phase not in (StreamPhase.CATCHING_UP, StreamPhase.LIVE):
            return
        reading = [cursor for cursor in self.cursors if cursor.reading]
        went_back = any(cursor.delivered > message.version for cursor in reading)
        late = message.reset and (self._since > 0 or self.phase is StreamPhase.LIVE)
        if went_back or late:
            # The log ends before what was read of it; or it was a snapshot, and
            # nothing in it told so before its end. Read it as what it is.
            self._start_over(message.epoch)
            for cursor in reading:
                cursor.reading = False
        version, epoch = message.version, message.epoch
        position = Position(epoch=epoch, version=version, scope=message.scope)
        self._newest = version
        self.phase = StreamPhase.LIVE
        for cursor in self.cursors:
            if cursor.reading:
                cursor.synced(position)
                self._outgoing.tell(Synced(cursor, position))
            elif cursor.wants_head:
                self._join_at_head(cursor)
        self.settle()

    # What the streams of other parts of the entity bring.

    def passed(self, version: int, *, tell: bool) -> None:
        """All that there is up to `version` has been sent, of whatever part.

        Args:
            version: the version.
            tell: nothing else tells the readers.
        """
        if self.phase is not StreamPhase.LIVE:
            return
        self._newest = max(version, self._newest or 0)
        for cursor in self.cursors:
            if cursor.reading and cursor.moved(version) and tell and cursor.position is not None:
                self._outgoing.tell(Synced(cursor, cursor.position))

    # Inside.

    @property
    def _is_alone(self) -> bool:
        """No other part of the entity is on the wire: what arrives belongs to this one."""
        return all(each is self or each.phase is StreamPhase.IDLE for each in self.family)

    @property
    def _may_start(self) -> bool:
        """It could be started, and no other stream occupies the entity."""
        free = self._outgoing.ready and not any(self._is_blocked_by(each) for each in self.family)
        return free and self.waits and (not self.passes or self._outgoing.room())

    def _is_blocked_by(self, other: Stream) -> bool:
        if other.granularity is not self.granularity:
            return other.phase not in (StreamPhase.IDLE, StreamPhase.ENDING)
        # What an ended one still brings cannot be told from what this one reads.
        in_order = not all(each.tolerant for each in self.cursors)
        # And what comes of one that nobody reads is passed over, while the server counts it: of a
        # record that moves from there to here it would tell only what has changed.
        passed_over = not other.cursors and self.granularity is Granularity.FIELDS
        waits = in_order or passed_over
        return other is not self and waits and other.phase is not StreamPhase.IDLE

    def _start(self, active: list[Cursor], epoch: str) -> None:
        for cursor in active:
            self._place(cursor, epoch)
        readers = together(active)
        places = [each.position for each in readers if each.position is not None]
        first = min(places, key=lambda each: each.version, default=None)
        self._since = 0 if first is None else first.version
        self._newest = None
        self._accepted = False
        self.phase = StreamPhase.LIVE if first is None else StreamPhase.CATCHING_UP
        for cursor in readers:
            if cursor.tolerant and not self._since:
                self._reset(cursor, epoch)  # other streams may have brought what is not in it
            cursor.begin(holding=self._since > 0)
        since = {}
        if first is not None:
            # The scope of those further on, too: if it is another one now, they hear of it. Who is
            # at the beginning names none: there is no position that could count in it.
            last = max(places, key=lambda each: each.version)
            scope = last.scope if last.version else None
            since[self.entity] = Position(epoch=epoch, version=first.version, scope=scope)
        self._outgoing.send(
            self._subscribe(entities=[self.entity], since=since, where=self._where_text)
        )
        self._outgoing.fence(Fence(self._taken, self.refused))

    def _taken(self) -> None:
        self._accepted = True
        for cursor in [each for each in self._unannounced if each.reading]:
            self._announce(cursor)

    def _end(self) -> None:
        self.phase = StreamPhase.ENDING
        self._unended = False
        for cursor in self.cursors:
            cursor.reading = False
        self._outgoing.send(self._unsubscribe(entities=[self.entity], where=self._where_text))
        self._outgoing.fence(Fence(self._ended, self._not_ended))
        self._settle_others()
        self._outgoing.moved(ended=not self.cursors)

    def _ended(self) -> None:
        if not self._unended:
            self.phase = StreamPhase.IDLE
            self._let_go()
            self.settle()
            self._settle_others()

    def _let_go(self) -> None:
        """Nothing comes any more for those who left."""
        leaving, self._leaving = self._leaving, []
        for cursor in leaving:
            cursor.leaving = False
            self._outgoing.tell(Ended(cursor))

    def _settle_others(self) -> None:
        for stream in self.family:
            if stream is not self:
                stream.settle()

    def _not_ended(self, error: RhtmxError) -> None:
        self._unended = busy(error)

    def _place(self, cursor: Cursor, epoch: str) -> None:
        """Bring a reader's position into the log of this epoch."""
        position = cursor.position
        if position is None:
            if cursor.begun:  # it waited for the next change, and that may have been missed
                self._reset(cursor, epoch)
        elif not position.epoch and not position.version:
            cursor.position = Position(epoch=epoch, version=0)
        elif position.epoch != epoch:
            self._reset(cursor, epoch)

    def _start_over(self, epoch: str) -> None:
        """Everything comes from the beginning: void what the readers have."""
        self._since = 0
        self._newest = None
        for cursor in self.cursors:
            # Where several parts are read side by side, a collection may have more than it knows.
            if cursor.reading and (cursor.delivered or cursor.tolerant):
                self._reset(cursor, epoch)

    def _reset(self, cursor: Cursor, epoch: str, scope: str | None = None) -> None:
        reset = Reset(self.entity, cursor.position)
        position = cursor.restart(epoch, scope)
        self._outgoing.tell(WasReset(cursor, reset, position))

    def _join_at_head(self, cursor: Cursor) -> None:
        """Bring in a reader where the stream is now."""
        if self._newest is None:
            cursor.begin(holding=False)
        else:
            cursor.synced(Position(epoch=self._outgoing.epoch or "", version=self._newest))
        if self._accepted:
            self._announce(cursor)

    def _announce(self, cursor: Cursor) -> None:
        if cursor in self._unannounced:
            self._unannounced.remove(cursor)
            self._outgoing.tell(Started(cursor))

    def _forget(self, cursor: Cursor) -> None:
        self.cursors.remove(cursor)
        cursor.leave()
        if cursor in self._unannounced:
            self._unannounced.remove(cursor)


def _named(error: RhtmxError, what: str) -> RhtmxError:
    """An error that says which part it is about."""
    return RhtmxError(
        error.code,
        f"{what}: {error.message}",
        details=error.details,
        retry_after=error.retry_after,
        retryable=error.retryable,
    )


@dataclass(slots=True)
class Outgoing:
    """Where a stream sends and reports to, and the connection's epoch.

    Args:
        send: sends a message.
        fence: sends the `ping` of a fence.
        tell: reports an event.
        epoch: the epoch of the server's store; `None` without a connection.
        held: nothing is to be started: the server is too busy.
        room: whether something that can wait may be started.
        moved: called when there may be room: something has ended, or was refused.
    """

    send: Callable[[ClientMessage], None]
    fence: Callable[[Fence], None]
    tell: Callable[[Event], None]
    epoch: str | None = None
    held: bool = False
    room: Callable[[], bool] = lambda: True
    moved: Callable[..., None] = lambda **_: None

    @property
    def ready(self) -> bool:
        """Whether something can be started."""
        return self.epoch is not None and not self.held
