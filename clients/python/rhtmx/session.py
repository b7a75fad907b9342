"""The client's side of one conversation, over as many connections as it takes.

Knows the protocol: who says what when, what is asked again, what is resent.
Must not know sockets, formats, clocks or the loop: messages and times go in,
messages and events come out. Times are in seconds of any clock that does not
jump; randomness is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rhtmx.cursor import Cursor
from rhtmx.errors import RhtmxError
from rhtmx.events import Answered, Event, Problem, Refused
from rhtmx.link import Link, Phase
from rhtmx.messages import (
    Authenticate,
    Authenticated,
    Change,
    Error,
    FieldChange,
    FieldConflict,
    FieldPushAck,
    FormValidationResult,
    Hello,
    Limits,
    Ping,
    Pong,
    Position,
    PushAck,
    SyncComplete,
    SyncFieldsComplete,
    ValidationResult,
    Welcome,
)
from rhtmx.messages.tables import SCHEMA_HASH
from rhtmx.outlet import Grain, Outlet
from rhtmx.queue import MemoryQueue, Mutation, Mutations, Queue
from rhtmx.requests import Question, Requests
from rhtmx.streams import Streams
from rhtmx.verdict import ConnectionClosed, closed_for_good, reconnects, refusal, typed_error
from rhtmx.wire import ClientMessage, Message

__all__ = ["Session"]


class Session:
    """See the head of the file. After every call, `take` and `events` say what came of it.

    Args:
        client_id: stable id of this client instance, 1 to 255 bytes.
        random: gives a number from 0 to 1, 1 excluded, each time it is called.
        token: bearer token.
        queue: where writes wait for their answer; in memory if left out.

    Attributes:
        error: why it has ended, once it has.
        limits: what the server lets this client ask for, once it has said so.
    """

    def __init__(
        self,
        client_id: str,
        random: Callable[[], float],
        *,
        token: str | None = None,
        queue: Queue | None = None,
    ) -> None:
        self.client_id = client_id
        self.token = token
        self.error: ConnectionClosed | None = None
        self.limits: Limits | None = None
        self._epoch: str | None = None
        self._problem: RhtmxError | None = None
        self._link = Link(random)
        self._mutations = Mutations(MemoryQueue() if queue is None else queue, random)
        self._requests = Requests()
        self._events: list[Event] = []
        self._streams = Streams(Outlet(self._link.send, self._link.fence, self._events.append))
        self._id_prefix = f"{int(random() * 2**40):010x}"
        self._ids = 0

    # What the shell reports.

    def connected(self, now: float) -> None:
        """There is a connection."""
        self._check_open()
        self._link.connected(now)
        self._link.send(
            Hello(
                client_id=self.client_id,
                token=self.token,
                schema=SCHEMA_HASH,
                epoch=self._epoch,
                confirmed_seq=self._mutations.confirmed,
            )
        )

    def receive(self, message: Message, now: float) -> None:
        """A message arrived.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it must not come here or now: the
                connection is of no use any more.
            ConnectionClosed: the server does not want this client.
        """
        self._link.received(message, now)
        _HANDLERS[type(message)](self, message, now)

    def tick(self, now: float) -> bool:
        """Time passed; call it when `deadline` has come.

        Returns:
            Whether the connection is still good; if not, drop it.
        """
        self._mutations.tick(now)
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
        if code is not None and not reconnects(code):
            self.close(closed_for_good(code, reason, self._problem))
            return None
        self._streams.lost()
        return self._link.lost(now)

    def take(self, now: float) -> list[ClientMessage]:
        """What is to be sent now, in order; it counts as sent."""
        if self.is_open:
            for mutation in self._mutations.due():
                self._link.send(mutation)
            for question in self._requests.due():
                self._link.send(question)
        return self._link.take(now)

    def events(self) -> list[Event]:
        """What happened since the last call, in order."""
        events = self._events[:]
        self._events.clear()
        return events

    @property
    def is_open(self) -> bool:
        """There is a connection, and the server knows the client."""
        return self._link.phase is Phase.OPEN

    @property
    def deadline(self) -> float | None:
        """When to call `tick` and `take` next, whatever else happens; `None`: never."""
        deadline, retry_at = self._link.deadline, self._mutations.retry_at
        if deadline is None or retry_at is None or not self.is_open:
            return deadline
        return min(deadline, retry_at)

    # What the user asks for.

    def subscribe(self, entity: str, grain: Grain, since: Position | None = None) -> Cursor:
        """Start reading.

        Args:
            entity: the collection.
            grain: records or fields.
            since: where to start; without it, at the next change.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at the other grain.
            ConnectionClosed: the session has ended.
        """
        self._check_open()
        cursor = Cursor(since)
        self._streams.add(entity, grain, cursor)
        return cursor

    def unsubscribe(self, cursor: Cursor) -> None:
        """End reading."""
        self._streams.remove(cursor)

    def pause(self, cursor: Cursor) -> None:
        """Deliver nothing until `resume`, which goes on from the same place.

        What changed several times meanwhile comes once, at its latest.
        """
        self._streams.pause(cursor)

    def resume(self, cursor: Cursor) -> None:
        """Deliver again."""
        self._streams.resume(cursor)

    def push(self, mutation: Mutation) -> str:
        """Write. Returns the id under which `Answered` or `Refused` tells the outcome.

        Raises:
            ConnectionClosed: the session has ended.
        """
        self._check_open()
        mutation.request_id = self._new_id()
        self._mutations.add(mutation)
        return mutation.request_id

    def ask(self, question: Question) -> str:
        """Ask. Returns the id under which `Answered` or `Refused` tells the outcome.

        Raises:
            ConnectionClosed: the session has ended.
        """
        self._check_open()
        question.request_id = self._new_id()
        if isinstance(question, Authenticate):
            self.token = question.token
        self._requests.add(question)
        return question.request_id

    def close(self, error: ConnectionClosed | None = None) -> None:
        """End everything; writes that wait for their answer stay in the queue."""
        if self.error is None:
            self.error = error or ConnectionClosed("the client was closed")
            self._streams.lost()
            self._link.close()

    # Inside.

    def _check_open(self) -> None:
        if self.error is not None:
            raise self.error

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self._id_prefix}-{self._ids}"

    def _welcome(self, message: Welcome, now: float) -> None:
        assert message.limits is not None
        self._link.welcomed(message.heartbeat / 1000, now)
        self.limits = message.limits
        self._epoch = message.epoch
        self._problem = None
        self._mutations.begin(message.last_seq)
        self._requests.begin(message.limits.requests)
        self._streams.opened(message.epoch)

    def _pong(self, message: Pong, now: float) -> None:
        fence = self._link.pong()
        if fence is not None:
            fence.passed()

    def _pushed(self, message: PushAck | FieldPushAck, now: float) -> None:
        conflicts = self._mutations.answered(message.request_id)
        if conflicts is not None:
            self._events.append(Answered(message.request_id or "", message, conflicts))

    def _answered(
        self, message: Authenticated | ValidationResult | FormValidationResult, now: float
    ) -> None:
        if self._requests.settle(message.request_id):
            self._events.append(Answered(message.request_id or "", message))

    def _failed(self, message: Error, now: float) -> None:
        error = typed_error(message)
        if self._link.phase is Phase.GREETING:
            self._unwelcome(error)
        elif error.request_id is None:
            self._unaddressed(error)
        elif (final := self._mutations.refused(error, now)) is not None:
            if final:
                self._events.append(Refused(error.request_id, error))
        elif self._requests.settle(error.request_id):
            self._events.append(Refused(error.request_id, error))

    def _unwelcome(self, error: RhtmxError) -> None:
        """The `hello` was refused: for good, or until the next attempt."""
        self._problem = error
        raise refusal(error) or error

    def _unaddressed(self, error: RhtmxError) -> None:
        """Subscriptions have no `request_id`: what comes before their fence is about them."""
        fence = self._link.next_fence
        if fence is not None and fence.refused is not None:
            fence.refused(error)
        else:
            self._problem = error
            self._events.append(Problem(error))


_HANDLERS: Mapping[type[Message], Callable[[Session, Any, float], None]] = {
    Welcome: Session._welcome,
    Authenticated: Session._answered,
    Error: Session._failed,
    Ping: lambda session, message, now: session._link.send(Pong()),
    Pong: Session._pong,
    Change: lambda session, message, now: session._streams.receive(Grain.RECORDS, message.change),
    SyncComplete: lambda session, message, now: session._streams.complete(Grain.RECORDS, message),
    PushAck: Session._pushed,
    FieldChange: lambda session, message, now: session._streams.receive(
        Grain.FIELDS, message.change
    ),
    SyncFieldsComplete: lambda session, message, now: session._streams.complete(
        Grain.FIELDS, message
    ),
    FieldPushAck: Session._pushed,
    FieldConflict: lambda session, message, now: session._mutations.conflict(message),
    ValidationResult: Session._answered,
    FormValidationResult: Session._answered,
}
