"""A conversation as the shell sees it: what arrives, what time it is, what is to be sent.

Knows the protocol: who says what when, what is asked again, what is resent.
Must not know sockets, formats, clocks or the loop, nor what the user asks: see `session`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rhtmx.blame import Blame
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.events import Event, Problem, State
from rhtmx.grain import Grain
from rhtmx.link import Link, Phase
from rhtmx.local import Local
from rhtmx.messages import (
    Authenticated,
    Change,
    Error,
    FieldChange,
    FieldConflict,
    FieldPushAck,
    FormValidationResult,
    Limits,
    Ping,
    Pong,
    PushAck,
    SyncComplete,
    SyncFieldsComplete,
    ValidationResult,
    Welcome,
)
from rhtmx.messages.tables import ERRORS
from rhtmx.outlet import Outlet
from rhtmx.requests import Requests
from rhtmx.streams import Streams
from rhtmx.verdict import ConnectionClosed, closed_for_good, reconnects, refusal, typed_error
from rhtmx.wire import ClientMessage, Message

__all__ = ["Conversation"]


class Conversation:
    """See the head of the file.

    Args:
        client_id: stable id of this client instance, 1 to 255 bytes.
        random: gives a number from 0 to 1, 1 excluded, each time it is called.
        token: bearer token.
        renews: a token that the server does not take is replaced by a fresh one,
            so that is not the end.

    Attributes:
        error: why it has ended, once it has.
        limits: what the server lets this client ask for, once it has said so.
        local: what is held here: the entities that are read, and the writes.
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
        self._problem: RhtmxError | None = None
        self._wanted = True
        self._waiting = False
        self._link = Link(random)
        self._events: list[Event] = []
        self._requests = Requests(random, self._events.append)
        self.local = Local(random, self._events.append)
        self.local.identity.load(client_id)
        outlet = Outlet(self._link.send, self._link.fence, self._tell)
        self._streams = Streams(outlet, lambda: self.local.there_is_room(self._streams.add))
        self._blame = Blame(self.local.writes, self._requests)
        self._id_prefix = f"{int(random() * 2**40):010x}"
        self._ids = 0

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

    def receive(self, message: Message | None, now: float) -> None:
        """A message arrived; `None`: one that is not known, which is a sign of life.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it must not come here or now: the
                connection is of no use any more.
            ConnectionClosed: the server does not want this client.
        """
        self._link.received(message, now)
        if message is not None:
            _HANDLERS[type(message)](self, message, now)

    def tick(self, now: float) -> bool:
        """Time passed; call it when `deadline` has come.

        Returns:
            Whether the connection is still good; if not, drop it.
        """
        self.local.writes.hold.tick(now)
        if self._requests.hold.tick(now):
            self._streams.release()
        return self._link.tick(now)

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
        goes_on = self.is_open and self._blame.closed(code, quiet=self._link.quiet)
        if not (goes_on or code is None or reconnects(code) or self._may_renew(code)):
            self.close(closed_for_good(code, reason, self._problem))
            return None
        asked = self._problem.retry_after if self._problem is not None else None
        self._streams.lost()
        self._requests.lost()
        self.local.lost()
        self._waiting = True
        return self._link.lost(now) + (asked or 0.0)

    def take(self, now: float) -> list[ClientMessage]:
        """What is to be sent now, in order; it counts as sent."""
        if self.is_open:
            room = self._blame.room(quiet=self._link.quiet)
            # Who lost the secret could number no more: nothing is numbered before it is stored.
            rows = self.local.writes.due(room) if self.local.identity.stored else ()
            for row in rows:
                self._link.send(row.numbered())
            for question in self._requests.due(room and room - len(rows)):
                self._link.send(question)
        return self._link.take(now)

    def events(self) -> list[Event]:
        """What happened since the last call, in order."""
        events = self._events[:]
        self._events.clear()
        return events

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
        return self._link.phase is Phase.OPEN

    @property
    def problem(self) -> RhtmxError | None:
        """The last error that answered no request on this connection."""
        return self._problem

    @property
    def deadline(self) -> float | None:
        """When to call `tick` and `take` next, whatever else happens; `None`: never."""
        deadline = self._link.deadline
        if deadline is None or not self.is_open:
            return deadline
        holds = (self.local.writes.hold.until, self._requests.hold.until)
        return min([deadline, *(each for each in holds if each is not None)])

    def close(self, error: ConnectionClosed | None = None) -> None:
        """End everything; writes that wait for their answer stay in the queue."""
        if self.error is None:
            self.error = error or ConnectionClosed("the client was closed")
            self._streams.lost()
            self.local.lost()
            self._link.close()

    # Inside.

    def _check_open(self) -> None:
        if self.error is not None:
            raise self.error.with_traceback(None)  # each raise would add to it

    def _tell(self, event: Event) -> None:
        if not self.local.tell(event):
            self._events.append(event)

    def _may_renew(self, code: int) -> bool:
        return self.renews and code == ERRORS[ErrorCode.UNAUTHENTICATED].close_code

    def _welcome(self, message: Welcome, now: float) -> None:
        assert message.limits is not None
        self._link.welcomed(message.heartbeat / 1000, now)
        self.limits = message.limits
        self._epoch = message.epoch
        self._problem = None
        self._blame.welcomed(message.last_seq)
        if message.secret is not None:
            self.local.identity.given(message.secret)
        self.local.writes.begin(message.last_seq, message.epoch)
        self._requests.begin(message.limits.requests)
        for shelf in self.local:
            if shelf.replica.error is not None:  # it may be readable now
                self._streams.add(shelf.replica.entity, shelf.replica.grain, shelf.replica.cursor)
            shelf.replica.begin(message.epoch)
        self._streams.opened(message.epoch, message.limits.subscriptions)

    def _pong(self, message: Pong, now: float) -> None:
        fence = self._link.pong()
        if fence is not None:
            fence.passed()
            self._requests.hold.passed()

    def _pushed(self, message: PushAck | FieldPushAck, now: float) -> None:
        self.local.writes.answered(message, self._epoch or "")

    def _authenticated(self, message: Authenticated, now: float) -> None:
        self.local.writes.authenticated()
        self._requests.answered(message)

    def _failed(self, message: Error, now: float) -> None:
        error = typed_error(message)
        if self._link.phase is Phase.GREETING:
            self._unwelcome(error)
        elif error.code is ErrorCode.CLIENT_ID_TAKEN and error.seq is not None:
            raise error  # somebody was faster: the next hello is told so, and then it is decided
        elif not self.local.writes.refuse(error, now):
            if self._requests.refused(error, now):
                self._streams.hold()
            if error.request_id is None:
                self._unaddressed(error)

    def _unwelcome(self, error: RhtmxError) -> None:
        """The `hello` was refused: for good, or until the next attempt."""
        self._problem = error
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
        fence = self._link.next_fence
        if fence is not None and fence.refused is not None:
            fence.refused(error)
        else:
            self._problem = error
            self._events.append(Problem(error))


_HANDLERS: Mapping[type[Message], Callable[[Conversation, Any, float], None]] = {
    Welcome: Conversation._welcome,
    Authenticated: Conversation._authenticated,
    Error: Conversation._failed,
    Ping: lambda session, message, now: session._link.send(Pong()),
    Pong: Conversation._pong,
    Change: lambda session, message, now: session._streams.receive(Grain.RECORDS, message.change),
    SyncComplete: lambda session, message, now: session._streams.complete(Grain.RECORDS, message),
    PushAck: Conversation._pushed,
    FieldChange: lambda session, message, now: session._streams.receive(
        Grain.FIELDS, message.change
    ),
    SyncFieldsComplete: lambda session, message, now: session._streams.complete(
        Grain.FIELDS, message
    ),
    FieldPushAck: Conversation._pushed,
    FieldConflict: lambda session, message, now: session.local.writes.conflict(message),
    ValidationResult: lambda session, message, now: session._requests.answered(message),
    FormValidationResult: lambda session, message, now: session._requests.answered(message),
}
