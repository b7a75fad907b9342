"""The client's side of one session, over as many connections as it takes.

Knows the protocol: who says what when, what is asked again, what is resent. Must not know
sockets, formats, clocks or the loop: what happens goes in, and all that follows from it comes
out of `step`. Times are in seconds of any clock that does not jump; randomness is an argument.

What is empty leaves it as it is:

============  ============  ===========  =========  =========  ============  ========
state         `connecting`  `welcome`    `lost`     `offline`  `online`      `close`
============  ============  ===========  =========  =========  ============  ========
`CONNECTING`                `OPEN`       `WAITING`  `OFFLINE`                `CLOSED`
`OPEN`                                   `WAITING`  `OFFLINE`                `CLOSED`
`WAITING`     `CONNECTING`                          `OFFLINE`  `CONNECTING`  `CLOSED`
`OFFLINE`                                                      `CONNECTING`  `CLOSED`
`CLOSED`
============  ============  ===========  =========  =========  ============  ========

`lost` closes where the close code says so. What each state lets the server say is in
`connection_lifecycle`, what becomes of a write in `write_queue`, of a subscription in `streams`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count
from typing import Any, ClassVar

from rhtmx.core.conflict import ConflictSides, answer
from rhtmx.core.connection_lifecycle import ConnectionLifecycle, ConnectionPhase
from rhtmx.core.cursor import Cursor
from rhtmx.core.edit_base import EditBase
from rhtmx.core.error_policy import (
    ConnectionClosed,
    closed_for_good,
    names_type,
    reconnects,
    refusal,
    typed_error,
)
from rhtmx.core.events import (
    Event,
    Input,
    Problem,
    Received,
    State,
    StepResult,
    TimePassed,
)
from rhtmx.core.granularity import Granularity
from rhtmx.core.local_state import EntityView, LocalState
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.requests import Question, Requests
from rhtmx.core.rooms import RoomViews
from rhtmx.core.send_queue import SendQueue
from rhtmx.core.storage_ops import BatchOutcome, Mutation
from rhtmx.core.streams import Outgoing, Streams
from rhtmx.core.where import Where
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Authenticate,
    Authenticated,
    Change,
    Error,
    FieldChange,
    FieldConflict,
    FieldPushAck,
    Limits,
    Ping,
    Pong,
    Position,
    PushAck,
    SyncBegin,
    SyncComplete,
    SyncFieldsComplete,
    TransactionAck,
    TransactionComplete,
    Welcome,
)
from rhtmx.messages.tables import ANSWERS, EPHEMERAL, ERRORS
from rhtmx.values.conflict_side import ConflictSide
from rhtmx.wire import ClientMessage, Message

__all__ = ["Session"]

_RECORDS, _FIELDS = Granularity.RECORDS, Granularity.FIELDS


class Session:
    """What a client decides. After every call, `step` says what follows from it.

    Args:
        client_id: stable id of this client instance, 1 to 255 bytes.
        random: gives a number from 0 to 1, 1 excluded, each time it is called.
        token: bearer token.
        renews: a token that the server does not take is replaced by a fresh one,
            so that is not the end.

    Attributes:
        error: why it has ended, once it has.
        problem: the last error that answered no request on this connection.
        limits: what the server lets this client ask for, once it has said so.
        local: what is held here: the entities that are read, and the writes.
        streams: what is read.
        requests: the questions that wait for their answer.
        rooms: in which it is.
    """

    def __init__(
        self,
        client_id: str,
        random: Callable[[], float],
        *,
        token: str | None = None,
        renews: bool = False,
    ) -> None:
        self.token = token
        self.error: ConnectionClosed | None = None
        self.limits: Limits | None = None
        self.renews = renews
        self._epoch: str | None = None
        self.problem: RhtmxError | None = None
        self._wanted = True
        self._waiting = False
        self._link = ConnectionLifecycle(random)
        self._events: list[Event] = []
        self.local = LocalState(random, self._events.append)
        self.rooms: RoomViews = RoomViews(self, self.local.touched.add)
        self.requests: Requests = Requests(random, self.rooms.overhearing(self._events.append))
        self.local.identity.load(client_id)
        outgoing = Outgoing(self._link.send, self._link.fence, self.local.tell)
        self.streams = Streams(outgoing, lambda: self.local.there_is_room(self.streams.add))
        self._sending = SendQueue(self._link, self.local, self.requests, self.streams)
        prefix = f"{int(random() * 2**40):010x}"
        self._ids = (f"{prefix}-{number}" for number in count(1))

    # What the shell reports.

    def connecting(self) -> None:
        """A connection is being made."""
        self._waiting = False

    def connected(self, now: float) -> None:
        """There is a connection."""
        self._check_open()
        self._waiting = False
        self._link.connected(now)
        confirmed = self.local.writes.queue.confirmed
        self._link.send(self.local.identity.hello(self.token, self._epoch, confirmed))

    def step(
        self, happened: Input, now: float, *, sends: bool = False, stores: bool = False
    ) -> StepResult:
        """Take what has happened, and say all that follows from it and from earlier calls.

        Args:
            happened: what.
            now: when.
            sends: messages can be sent now; else they wait.
            stores: a batch can be stored now; else it waits.

        Raises:
            RhtmxError: `BAD_MESSAGE`, what arrived must not come here or now: the
                connection is of no use any more.
            ConnectionClosed: the server does not want this client.
        """
        local, alive = self.local, True
        match happened:
            case None:
                pass
            case Received():
                self._receive(happened.message, now)
            case BatchOutcome():
                local.kept(happened)
            case TimePassed():
                alive = self._tick(now)
        local.release()
        messages = self._sending.take(now) if sends else ()
        result = StepResult(self._events[:], local.touched.copy(), local.writes.revision, messages)
        self._events.clear()
        local.touched.clear()
        if stores and local.pending_ops:
            result.batch = local.pending_ops.take()
        if sends or isinstance(happened, TimePassed):
            result.deadline, result.alive = self._sending.deadline, alive
        return result

    def lost(self, now: float, code: int | None = None, reason: str = "") -> float | None:
        """The connection ended, or could not be made.

        Args:
            now: when.
            code: its close code, if there was one.
            reason: the words beside it.

        Returns:
            After how many seconds to connect again; `None`: not at all.
        """
        if self.error is not None:
            return None
        goes_on = self.is_open and self._sending.oversized.closed(code, quiet=self._link.quiet)
        renews = self.renews and code == ERRORS[ErrorCode.UNAUTHENTICATED].close_code
        if not (goes_on or renews or code is None or reconnects(code)):
            self.close(closed_for_good(code, reason, self.problem))
            return None
        asked = self.problem.retry_after if self.problem is not None else None
        self.streams.lost()
        self.requests.lost()
        self.local.lost()
        self._waiting = True
        return self._link.lost(now) + (asked or 0.0)

    @property
    def state(self) -> State:
        """How the client stands with its server."""
        if self.error is not None:
            return State.CLOSED
        if not self._wanted:
            return State.OFFLINE
        if self._waiting:
            return State.WAITING
        return State.OPEN if self.is_open else State.CONNECTING

    @property
    def is_open(self) -> bool:
        """There is a connection, and the server knows the client."""
        return self._link.phase is ConnectionPhase.OPEN

    def close(self, error: ConnectionClosed | None = None) -> None:
        """End everything; writes that wait for their answer stay in the queue."""
        if self.error is None:
            self.error = error or ConnectionClosed("the client was closed")
            self.streams.lost()
            self.local.lost()
            self._link.close()

    # What the application asks for.

    def offline(self, now: float) -> None:
        """The application wants no connection; drop it if there is one."""
        if self.error is None:
            self.lost(now)
            self._wanted = False

    def online(self) -> None:
        """The application wants a connection again: make one at once."""
        self._wanted, self._waiting = True, False

    def wake(self, now: float) -> None:
        """The machine has slept, or the network is another: what is open has to prove itself."""
        self._link.wake(now)

    def fits(self, message: ClientMessage, size: int) -> bool:
        """Whether the server takes a message of this size; if not, that is rejected.

        Args:
            message: one that `step` gave.
            size: bytes that it has in the connection's format.
        """
        most = 0 if self.limits is None else self.limits.message_bytes
        return self._sending.fits(message, size, most)

    def subscribe(
        self,
        entity: str,
        granularity: Granularity,
        since: Position | None = None,
        *,
        ends: bool = False,
        where: Where | None = None,
    ) -> Cursor:
        """Start reading.

        Args:
            entity: the collection.
            granularity: records or fields.
            since: where to start; without it, at the next change.
            ends: whoever reads ends it when it has caught up. Where the server takes no
                more, that waits for others of its kind.
            where: the part of it; all of it, if left out.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at the other granularity.
            ConnectionClosed: the session has ended.
        """
        self._check_open()
        cursor = Cursor(since, ends=ends, where=where)
        self.streams.add(entity, granularity, cursor)
        return cursor

    def open(self, entity: str, granularity: Granularity, where: Where | None = None) -> EntityView:
        """Hold an entity, or a part of it, here from now on.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at the other granularity.
        """
        known = self.local.get(entity, where)
        view = self.local.open(entity, granularity, where)
        if known is None:
            if self.is_open:
                view.replica.begin(self._epoch or "")
            try:
                self.streams.add(entity, granularity, view.replica.cursor)
            except RhtmxError:
                self.local.shut(view)
                raise
        return view

    def shut(self, view: EntityView) -> None:
        """Hold an entity here no longer; unknown ones are no error."""
        if self.local.get(view.replica.entity, view.replica.where) is view:
            self.streams.remove(view.replica.cursor)
            self.local.shut(view)

    def push(
        self, mutation: Mutation, since: float = 0.0, base: EditBase | None = None
    ) -> QueuedWrite:
        """Write. `Answered` or `Refused` tells the outcome, under the id of what is returned.

        Args:
            mutation: what to write.
            since: the time, in seconds since 1970, for those who look at the queue.
            base: what its base version is of, where its author saw own writes, too.

        Raises:
            ConnectionClosed: the session has ended.
        """
        self._check_open()
        write = QueuedWrite(next(self._ids), mutation, since=since)
        self.local.date(write, self._epoch, base)
        self.local.writes.add(write)
        return write

    def retry(self, request_id: str, since: float = 0.0) -> str | None:
        """Write a rejected write again; returns the new one's id, `None` if it is not kept.

        Raises:
            ConnectionClosed: the session has ended.
        """
        rejected = self.local.writes.rejected.get(request_id)
        if rejected is None:
            return None
        return self._write_again(rejected.message, rejected.epoch, since, rejected.id)

    def answer(self, conflict: ConflictSides, side: ConflictSide, at: datetime) -> str | None:
        """Decide a conflict; returns the id of the write that it takes, `None` if it takes none.

        Args:
            conflict: the conflict.
            side: what is to stand.
            at: now.

        Raises:
            ConnectionClosed: the session has ended.
        """
        mutation = answer(conflict, side, at)
        kept = conflict.rejected if conflict.rejected in self.local.writes.rejected else None
        if mutation is not None:
            return self._write_again(mutation, conflict.epoch, at.timestamp(), kept)
        self.local.writes.discard(kept or "")
        return None

    def ask(self, question: Question) -> str:
        """Ask. Returns the id under which `Answered` or `Refused` tells the outcome.

        Raises:
            ConnectionClosed: the session has ended.
        """
        self._check_open()
        question.request_id = next(self._ids)
        if isinstance(question, Authenticate):
            self.token = question.token
        self.requests.add(question)
        return question.request_id

    def tell(self, message: ClientMessage) -> bool:
        """Send an ephemeral message; returns whether there is a connection, else it is gone.

        Raises:
            ConnectionClosed: the session has ended.
        """
        self._check_open()
        if self.is_open:
            self._link.send(message)
        return self.is_open

    # Inside.

    def _receive(self, message: Message | None, now: float) -> None:
        self._link.received(message, now)
        if message is not None:
            self.HANDLERS[type(message)](self, message, now)

    def _tick(self, now: float) -> bool:
        """Time passed; returns whether the connection is still good."""
        self.local.writes.hold.tick(now)
        if self.requests.hold.tick(now):
            self.streams.release()
        return self._link.tick(now)

    def _check_open(self) -> None:
        if self.error is not None:
            raise self.error.with_traceback(None)  # each raise would add to it

    def _welcome(self, message: Welcome, now: float) -> None:
        assert message.limits is not None
        self._link.welcomed(message.heartbeat / 1000, now)
        self.limits = message.limits
        self._epoch = message.epoch
        self.problem = None
        self._sending.oversized.welcomed(message.last_seq)
        self.local.identity.welcomed(message)
        self.local.writes.begin(message.last_seq, message.epoch)
        self.requests.begin(message.limits.requests)
        self.rooms.welcomed()
        for view in self.local:
            if view.replica.error is not None:  # it may be readable now
                self.streams.add(view.replica.entity, view.replica.granularity, view.replica.cursor)
            view.replica.begin(message.epoch)
        self.streams.opened(message.epoch, message.limits.subscriptions)
        self.local.resumed()

    def _pong(self, message: Pong, now: float) -> None:
        fence = self._link.pong()
        if fence is not None:
            fence.passed()
            self.requests.hold.passed()

    def _pushed(self, message: PushAck | FieldPushAck | TransactionAck, now: float) -> None:
        self.local.answered(message, self._epoch or "")

    def _authenticated(self, message: Authenticated, now: float) -> None:
        self.local.writes.authenticated()
        self.requests.answered(message)

    def _failed(self, message: Error, now: float) -> None:
        error = typed_error(message)
        if self._link.phase is ConnectionPhase.GREETING:
            self._unwelcome(error)
        elif error.code is ErrorCode.CLIENT_ID_TAKEN and error.seq is not None:
            raise error  # somebody was faster: the next hello is told so, and then it is decided
        elif not self.local.writes.refuse(error, now):
            if self.requests.refused(error, now):
                self.streams.hold()
            if error.request_id is None:
                self._unaddressed(error)

    def _unwelcome(self, error: RhtmxError) -> None:
        """The `hello` was refused: for good, or until the next attempt."""
        self.problem = error
        if self.renews and error.code is ErrorCode.UNAUTHENTICATED:
            raise error
        is_nobody = self.token is None and not self.renews
        if error.code is ErrorCode.CLIENT_ID_TAKEN and is_nobody and self.local.start_anew():
            raise error
        if (means := refusal(error)) is not None:
            raise means
        self._events.append(Problem(error))

    def _unaddressed(self, error: RhtmxError) -> None:
        """Subscriptions have no `request_id`: what comes before their fence is about them."""
        fence = self._link.next_fence  # but not where it names a type: that is an ephemeral one
        if fence is not None and fence.refused is not None and not names_type(error):
            fence.refused(error)
        else:
            self.problem = error
            self._events.append(Problem(error))

    def _write_again(
        self, mutation: Mutation, epoch: str | None, since: float, instead: str | None
    ) -> str:
        self._check_open()
        write = QueuedWrite(next(self._ids), mutation, since=since)
        write.epoch = epoch if write.bases else None
        if self._epoch is not None and write.epoch not in (None, self._epoch):
            write.rebase()
        self.local.writes.add(write, instead)
        return write.id

    HANDLERS: ClassVar[Mapping[type[Message], Callable[[Session, Any, float], None]]] = {
        **dict.fromkeys(ANSWERS.values(), lambda self, it, now: self.requests.answered(it)),
        **dict.fromkeys(EPHEMERAL, lambda self, it, now: self._events.append(self.rooms.told(it))),
        Welcome: _welcome,
        Authenticated: _authenticated,
        Error: _failed,
        Ping: lambda self, message, now: self._link.send(Pong()),
        Pong: _pong,
        Change: lambda self, message, now: self.streams.receive(_RECORDS, message.change),
        SyncBegin: lambda self, message, now: self.streams.begin(message),
        TransactionAck: _pushed,
        TransactionComplete: lambda self, message, now: self.local.completed(message.transaction),
        SyncComplete: lambda self, message, now: self.streams.complete(_RECORDS, message),
        PushAck: _pushed,
        FieldChange: lambda self, message, now: self.streams.receive(_FIELDS, message.change),
        SyncFieldsComplete: lambda self, message, now: self.streams.complete(_FIELDS, message),
        FieldPushAck: _pushed,
        FieldConflict: lambda self, message, now: self.local.writes.conflict(message),
    }
    """What is done with each class of message. `ConnectionLifecycle` says what may come when."""
