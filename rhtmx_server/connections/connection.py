"""One connection: bytes in, bytes out, and everything in between in order.

Knows its session, its subscriptions and its outbox, and the dialect that its peer
speaks. Must not know sockets: a link writes, pauses and closes for it.

What arrives is handled at once, in the callback that brought it: no queue and no task for each
message. Only four things make one wait: another one before it on which it depends (`hello`; or
what asks for rights), too many pushes under way, a peer that does not read, and one that goes on
sending though it was told not to. Then the link is paused, and TCP tells the peer.

It reads as long as no reason holds it up, and there may be several at a time:

====================  ================================  ===========================
reason                begins                            ends
====================  ================================  ===========================
`_answering`          what later messages depend on     it is answered
                      has to wait (`IN_ORDER`)
`_rescopes`           `rescope`                         it is known what may be read
`pushes`              as many as may be under way       one of them is answered
`_behind`             `overfull`                        `drained_enough`
`_holding`            too much at a time: `_hold`       its time is over: `_release`
`_stopping`           `stop_reading`                    never
====================  ================================  ===========================

Whatever ends one asks whether it was the last: `_go_on`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Coroutine, Hashable, Sequence
from typing import Any, get_args

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Authenticate, ChangeAction, Error, Ping, Pong, Push
from rhtmx.messages.tables import ERRORS, NAMES
from rhtmx.wire import Message, ServerMessage
from rhtmx_server.connections import dispatch
from rhtmx_server.connections.checks import check
from rhtmx_server.connections.rate import Rate
from rhtmx_server.connections.room_entry import leave_rooms, rescope_rooms
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.session import LivenessCheck, Phase, Session
from rhtmx_server.delivery.link import Dialect, Link
from rhtmx_server.delivery.outbox import Outbox
from rhtmx_server.failures import error_message, known
from rhtmx_server.model import Granularity, Mutation, MutationMessage

__all__ = ["REFUSED", "Connection"]

REFUSED = 64
"""Messages that are refused in words while a peer sends too much. Then it is not read."""

_SHORTEST = 0.001
"""Seconds. uvloop 0.23 fires timers of less than half a millisecond at once."""

_EXPIRED = "a token is missing, or has expired"

_MUTATIONS = frozenset(get_args(MutationMessage))


class Connection:
    """A peer, from the first frame to the last.

    Args:
        services: the server.
        session: the conversation's state.
        encoding: the dialect it speaks.
        link: its transport.

    Attributes:
        requests: how many wait for their answer.
        pushes: mutations whose answer is due.
        share: whose share of the validators it uses, if it is one of several of a peer.
    """

    def __init__(self, services: Services, session: Session, encoding: Dialect, link: Link) -> None:
        self.services = services
        self.session = session
        self.encoding = encoding
        self.requests = 0
        self.pushes = 0
        self.share: Hashable | None = None
        self._link = link
        self.outbox = Outbox(link.write, services.tick, link.abort)
        # The loop holds tasks weakly: without this one could be collected half-way.
        self._tasks: set[asyncio.Task[None]] = set()
        self._rate = Rate(services.config.messages_per_second, services.config.bytes_per_second)
        self._refused = 0
        self._holding: asyncio.TimerHandle | None = None
        self._answering = False
        self._rescopes = 0
        self._paused = False
        self._stopping = False
        self._behind: asyncio.Event | None = None
        self._stuck: tuple[float, int] | None = None
        self._told = session.heard
        self.subscriptions = services.subscriptions(self, self.spawn)

    # What the transport calls.

    def receive(self, data: bytes, text: bool) -> bool:
        """Handle a message.

        Returns:
            Whether it was. If not, something has to come before it: the link is
            paused, and brings it again when it is resumed.
        """
        if self.session.phase is Phase.CLOSED:
            return True  # the peer has yet to see that, and says it again elsewhere
        if self._held_up():
            self._pause()
            return False
        wait = self._rate.admit(self.session.heard, len(data))
        if wait:
            self._limit(data, text, wait)
        else:
            self._handle(data, text)
        return True

    def spend(self, size: int) -> None:
        """Count a frame that is no message: control frames, and parts of a message.

        Nothing answers those, so too many of them are not read for a while.
        """
        if wait := self._rate.admit(self.session.heard, size):
            self._hold(wait)

    def alive(self) -> None:
        """Something came in, or is handled now: the peer is there."""
        self.session.heard = self.services.now()

    def overfull(self) -> None:
        """The peer has not read as much as it may leave waiting."""
        if self._behind is None:
            self._behind = asyncio.Event()
            self.outbox.behind = True
            # How much waits, and since when: a peer that takes a little of it is slow, not gone.
            self._stuck = (self.services.now(), self._link.waiting())
            self._pause()  # pings, too: their pongs would wait behind all this

    def drained_enough(self) -> None:
        """The peer has read what was waiting."""
        if self._behind is not None:
            self._behind.set()
            self._behind = self._stuck = None
            self.outbox.behind = False
            self._go_on()

    def ended(self, code: int | None = None) -> None:
        """The peer has closed, with this code if any, or broken the protocol: write nothing."""
        self.session.hung_up(code)
        self.outbox.close()

    def lost(self) -> None:
        """The transport is gone: forget everything."""
        self.outbox.close()
        self.session.close()
        self.subscriptions.close()
        self.services.live_forms.forget(self)
        leave_rooms(self)
        if self._holding is not None:
            self._holding.cancel()
        for task in self._tasks:  # after its first step: it has begun by then
            asyncio.get_running_loop().call_soon(task.cancel)

    def look(self, now: float) -> None:
        """Ask for a sign of life, or give up on a peer that gives none.

        Args:
            now: seconds, of the clock that `services.now` reads.
        """
        stalled = self._stalled(now)
        if self._paused:
            self.session.heard = now  # nobody can be heard while nobody listens
        # After the two lines above: whoever is not listened to is not held to be silent.
        verdict = self.session.look(now)
        if self.session.phase is Phase.CLOSED:
            return  # its link drops it in good time
        self._tell_positions(now)
        if stalled:
            self.services.metrics.stalled.inc()
            self._link.abort()
        elif verdict is LivenessCheck.GONE:
            self.services.metrics.stalled.inc()
            self.close(ErrorCode.STALLED, "no sign of life for two heartbeats")
        elif verdict is LivenessCheck.LOCKED:
            self.close(ErrorCode.UNAUTHENTICATED, _EXPIRED)
        elif verdict is LivenessCheck.PING:
            if self.session.phase is Phase.KNOWN:
                self.send(Ping())
            else:
                self._link.ping()

    def close(self, code: ErrorCode, reason: str) -> None:
        """End the connection in good order, with the close code of an error."""
        self.session.close(comes_back=ERRORS[code].close_code < 4500)
        # What was answered before the end is sent before the close frame, and nothing after it.
        self.outbox.flush()
        self.outbox.close()
        self._link.close(ERRORS[code].close_code, reason)

    async def rescope(self) -> None:
        """Find out anew what the peer may read, and take from it what it may not any more.

        Where that cannot be found out the connection ends: it must not go on as before.
        """
        services, session = self.services, self.session
        # Meanwhile it asks for nothing: what it gets for one question by its rights of now, and
        # for another by those of before, it could not tell apart.
        self._rescopes += 1
        try:
            await self.subscriptions.rescope(
                lambda entity, where: services.still_reading(entity, session.grant, where)
            )
            await rescope_rooms(self)
        except Exception as failure:
            if session.phase is not Phase.CLOSED:
                error = known(failure, "finding out what a peer may read")
                self.send(error_message(error))
                self.close(ErrorCode.INTERNAL, error.message)
        finally:
            self._rescopes -= 1
            self._go_on()

    def stop_reading(self) -> None:
        """Take no more messages: the server is stopping."""
        self._stopping = True
        self._pause()

    # What handlers and the subscriptions call.

    @property
    def takes_ephemeral(self) -> bool:
        """Whether it is told what is never stored: a client that can make nothing of it is not."""
        return self.session.greeted

    def hears_begin(self, *, asked: bool) -> bool:
        """The same of what a stream is; it asks for many things, so not of the answer to a sync."""
        return self.session.greeted and not asked

    @property
    def waiting(self) -> int:
        """Bytes that wait to be sent."""
        return self._link.waiting()

    def page(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Wait until the peer takes more; a page is read and sent inside."""
        # Mostly it does: a generator takes a tenth of what it takes to send a page.
        return contextlib.nullcontext() if self._behind is None else self._drained()

    @contextlib.asynccontextmanager
    async def _drained(self) -> AsyncIterator[None]:
        # A loop: by the time this task runs the peer may be behind again, with another event.
        while self._behind is not None:
            await self._behind.wait()
        yield

    def send(self, message: ServerMessage) -> None:
        """Send a message at the end of the tick."""
        frame = self.encoding.frame(message)
        if frame:
            self.services.metrics.sent(type(message))
            self.outbox.put(frame)

    def send_frames(self, kind: type[ServerMessage], count: int, frames: bytes) -> None:
        """Send so many messages of a kind at the end of the tick."""
        if frames:
            self.services.metrics.sent(kind, count)
            self.outbox.put(frames)

    def fell(self, entity: str, granularity: Granularity, sent: int) -> None:
        """Go on from the store: this peer reads too slowly for the live stream."""
        self.subscriptions.fell(entity, granularity, sent)

    def answered(self) -> None:
        """What had to wait is answered, in whichever way."""

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine as a task that ends with the connection."""
        task = asyncio.get_running_loop().create_task(self._guard(coroutine))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def submit(self, message: MutationMessage, rejection: RhtmxError | None = None) -> None:
        """Put a mutation in line; it is answered when it is durable.

        Args:
            message: the mutation.
            rejection: why it is rejected, where nobody needs to look at it.
        """
        self.pushes += 1
        session = self.session
        mutation = Mutation(
            message,
            self._pushed,
            session.client_id,
            session.subject,
            rejection,
            session.secret,
            source=self,
            who=session.grant,
        )
        rejected = self.services.submit(mutation)
        if rejected is not None:
            self._strike(rejected)

    def request(self) -> None:
        """Count one more request that waits for its answer.

        Raises:
            RhtmxError: `TOO_MANY_REQUESTS`.
        """
        most = self.session.limits.requests
        if self.requests + self.subscriptions.syncs >= most:
            raise RhtmxError(
                ErrorCode.TOO_MANY_REQUESTS,
                f"{most} requests are waiting for their answer already: wait for one of them",
            )

    # Inside.

    def _handle(self, data: bytes, text: bool) -> None:
        until = self.session.until
        expired = until is not None and self.services.now() >= until
        try:
            message = self.encoding.decode(data, text)
        except RhtmxError as error:
            if expired:
                self._expire(None)
            else:
                self._unreadable(error)
            return
        self.services.metrics.received(type(message))
        if expired and not isinstance(message, Authenticate):
            self._expire(message)  # and a fresh token may come at the last moment
            return
        try:
            self.session.receive(message)
            if type(message) not in _MUTATIONS:  # those are checked where they are put in line
                check(message)
        except RhtmxError as error:
            self._not_understood(error, message)
            return
        self._dispatch(message)

    def _expire(self, message: Message | None) -> None:
        """End a connection whose time is over before anything more is done for it."""
        error = RhtmxError(ErrorCode.UNAUTHENTICATED, _EXPIRED)
        self.services.metrics.refused(error.code)
        self.send(error_message(error, message))
        self.close(error.code, error.message)

    def _limit(self, data: bytes, text: bool, wait: float) -> None:
        """Refuse a message because of the rate. It costs no strike, and uses up no number."""
        error = self._rate.refusal(wait)
        try:
            message: Message | None = self.encoding.decode(data, text)
        except RhtmxError as unreadable:
            error.request_id, error.seq, message = unreadable.request_id, unreadable.seq, None
        if isinstance(message, Ping):  # a sign of life has one answer: `pong`, and late if need be
            self.send(Pong())
            self._hold(wait)
            return
        self.services.metrics.refused(error.code)
        self.send(error_message(error, message))
        self._refused += 1
        # Words cost more than reading on: a peer that does not listen is not answered for ever.
        if self._refused >= REFUSED:
            self._hold(wait)

    def _hold(self, seconds: float) -> None:
        """Read nothing for a while."""
        if self._holding is None:
            loop = asyncio.get_running_loop()
            self._holding = loop.call_later(max(seconds, _SHORTEST), self._release)
            self._pause()

    def _release(self) -> None:
        self._holding, self._refused = None, 0
        self._go_on()

    def _dispatch(self, message: Message) -> None:
        try:
            # No task for what can be answered now: a task costs as much as handling a push.
            answer = dispatch.HANDLERS[type(message)](self, message)
        except Exception as failure:
            self._failed(failure, message)
            return
        if answer is not None and isinstance(answer, Awaitable):  # to ask that of `None` is slow
            self.requests += 1
            # What follows depends on who this turns out to be, so nothing more is read.
            if type(message) in dispatch.IN_ORDER:
                self._answering = True
            self.spawn(self._answer(message, answer))
        elif answer is not None:
            self.send(answer)

    async def _answer(self, message: Message, answer: Awaitable[ServerMessage | None]) -> None:
        try:
            found = await answer
            if found is not None:
                self.send(found)
        except Exception as failure:
            self._failed(failure, message)
        try:
            # Also of one that was refused: it may have been so after the rights had changed.
            if isinstance(message, Authenticate):
                await self.rescope()
        finally:
            self.requests -= 1
            if type(message) in dispatch.IN_ORDER:
                self._answering = False
                self._go_on()
            self.answered()

    async def _guard(self, coroutine: Coroutine[Any, Any, None]) -> None:
        try:
            await coroutine
        except Exception as failure:
            error = known(failure, "serving a connection")
            self.send(error_message(error))
            self.close(ErrorCode.INTERNAL, error.message)

    def _failed(self, failure: Exception, message: Message) -> None:
        error = known(failure, NAMES[type(message)])
        self.services.metrics.refused(error.code)
        self.send(error_message(error, message))
        # Its user has too many connections, or it is not known where to read from: it comes again.
        if type(message) in dispatch.COMES_AGAIN.get(error.code, ()):
            self.close(ErrorCode.SHUTTING_DOWN, error.message)

    def _unreadable(self, error: RhtmxError) -> None:
        known = self.session.client_id is not None and self.session.phase is not Phase.LOCKED
        if error.seq is None or not known:
            self._not_understood(error, None)
            return
        # A numbered push: its number is used up, or it would block the client for ever.
        stand_in = Push(action=ChangeAction.UPDATE, request_id=error.request_id, seq=error.seq)
        self.submit(stand_in, error)

    def _not_understood(self, error: RhtmxError, message: Message | None) -> None:
        self.services.metrics.refused(error.code)
        self.send(error_message(error, message))
        self._strike(error)

    def _strike(self, error: RhtmxError) -> None:
        if error.code is ErrorCode.BAD_MESSAGE and self.session.strike():
            self.close(ErrorCode.BAD_MESSAGE, "too many messages that could not be understood")

    def _pushed(self, reply: Sequence[ServerMessage]) -> None:
        self.pushes -= 1
        if self.session.phase is not Phase.CLOSED:
            for message in reply:
                if type(message) is Error and message.code is not None:
                    self.services.metrics.refused(message.code)
                self.send(message)
            if self._paused:
                self._go_on()

    def _held_up(self) -> bool:
        return (
            self._stopping
            or self._answering
            or self._rescopes > 0
            or self._holding is not None
            or self._behind is not None
            or self.pushes >= self.services.config.pushes_in_flight
        )

    def _go_on(self) -> None:
        if self._paused and not self._held_up():
            self._paused = False
            self._link.resume()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._link.pause()

    def _tell_positions(self, now: float) -> None:
        """With each heartbeat, also of those that HTTP/2 asks for signs of life."""
        if now - self._told >= self.services.config.heartbeat:
            self._told = now
            if self.session.phase is Phase.KNOWN:  # others keep no position
                self.subscriptions.tell_positions()

    def _stalled(self, now: float) -> bool:
        if self._stuck is None:
            return False
        since, waiting = self._stuck
        left = self._link.waiting()
        if left < waiting:
            self._stuck = (now, left)
            self.session.heard = now  # it reads, though a ping may be far behind
            return False
        return now - since > self.services.config.stall_timeout
