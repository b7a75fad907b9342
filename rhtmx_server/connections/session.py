"""What one client may say, and when. Pure: time is an argument.

Knows phases, limits and signs of life. Must not know sockets, formats, stores
or the loop.

===========  ================================================================
phase        may say
===========  ================================================================
`LOCKED`     who it is, with a token: `hello` or `authenticate`; and `ping`
`NEW`        anything a client may say
`PLAIN`      the same without `hello`: it comes first or not at all
`KNOWN`      the same as `PLAIN`; has a `client_id` or asked for heartbeats
`CLOSED`     nothing
===========  ================================================================

What follows (`NEXT`), by what happens:

==========  ===========  ===========  ===========  ==========
state       `receive`    `unlock`     `introduce`  `close`
==========  ===========  ===========  ===========  ==========
`LOCKED`    `LOCKED`     `NEW`        `LOCKED`     `CLOSED`
`NEW`       `PLAIN`      `NEW`        `KNOWN`      `CLOSED`
`PLAIN`     `PLAIN`      `PLAIN`      `KNOWN`      `CLOSED`
`KNOWN`     `KNOWN`      `KNOWN`      `KNOWN`      `CLOSED`
`CLOSED`    `CLOSED`     `CLOSED`     `CLOSED`     `CLOSED`
==========  ===========  ===========  ===========  ==========
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Authenticate, Hello, Ping, Pong
from rhtmx.messages.tables import CLIENT_MESSAGES, NAMES
from rhtmx.wire import Message
from rhtmx_server.access.grant import GUEST, Grant
from rhtmx_server.access.request import NOBODY, Request

__all__ = ["GOODBYES", "PAGE_LEFT", "LivenessCheck", "Phase", "Session", "SessionLimits"]


class Phase(enum.Enum):
    """How far the conversation has come."""

    LOCKED = enum.auto()
    NEW = enum.auto()
    PLAIN = enum.auto()
    KNOWN = enum.auto()
    CLOSED = enum.auto()


_ANYTHING = frozenset(CLIENT_MESSAGES)

LEGAL: Mapping[Phase, frozenset[type[Message]]] = {
    Phase.LOCKED: frozenset({Hello, Authenticate, Ping, Pong}),
    Phase.NEW: _ANYTHING,
    Phase.PLAIN: _ANYTHING - {Hello},
    Phase.KNOWN: _ANYTHING - {Hello},
    Phase.CLOSED: frozenset(),
}


class SessionEvent(enum.Enum):
    """What moves a conversation on."""

    RECEIVE = enum.auto()
    UNLOCK = enum.auto()
    INTRODUCE = enum.auto()
    CLOSE = enum.auto()


NEXT: Mapping[tuple[Phase, SessionEvent], Phase] = {
    (Phase.LOCKED, SessionEvent.UNLOCK): Phase.NEW,
    (Phase.NEW, SessionEvent.RECEIVE): Phase.PLAIN,
    (Phase.NEW, SessionEvent.INTRODUCE): Phase.KNOWN,
    (Phase.PLAIN, SessionEvent.INTRODUCE): Phase.KNOWN,
    **{(phase, SessionEvent.CLOSE): Phase.CLOSED for phase in Phase},
}
"""The phase that follows; where there is none the phase stays."""


class LivenessCheck(enum.Enum):
    """What a look at the clock says about a connection."""

    FINE = enum.auto()
    PING = enum.auto()
    GONE = enum.auto()
    LOCKED = enum.auto()


GOODBYES = (1000, 1005)
"""Close codes of a peer that is done. With others it may well come back."""

PAGE_LEFT = (1001, 4100)
"""Close codes of a page that is left, by the browser and by our client.

It may be loaded again, the next page may go on, or another tab of the same client.
"""

LOGIN_SECONDS = 5.0
"""How long a connection may stay without a token, where one is asked for."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What one session may ask for.

    Args:
        subscriptions: entities subscribed to at a time.
        requests: requests waiting for their answer at a time.
        bad_messages: how many may not be understood before the end.
        heartbeat: seconds; two of them without a sign of life are the end.
    """

    subscriptions: int = 128
    requests: int = 64
    bad_messages: int = 10
    heartbeat: float = 20.0


class Session:
    """The server's side of one conversation.

    Args:
        session_id: names it in the log.
        limits: what it may ask for.
        now: seconds, of any clock that does not jump.
        locked: a token is asked for before anything else.
        request: tells what the door knows of the peer. Most conversations never ask for it.

    Attributes:
        grant: who speaks, once that is known.
        until: when its time is over, by its token or for want of one; `None` for never.
        greeted: it said `hello`, so it passes over what it does not know.
        traceparent: what it said there of its own trace.
        comes_back: nobody has ended it on purpose: its client may well connect again.
        turns_page: its page was left: if its client connects again, then at once.
    """

    def __init__(
        self,
        session_id: str,
        limits: SessionLimits,
        now: float,
        *,
        locked: bool = False,
        request: Callable[[], Request] = lambda: NOBODY,
    ) -> None:
        self.session_id = session_id
        self.limits = limits
        self._enter(Phase.LOCKED if locked else Phase.NEW)
        self.until: float | None = now + LOGIN_SECONDS if locked else None
        self.client_id: str | None = None
        self.secret: bytes | None = None
        self.grant = GUEST
        self._request = request
        self.greeted = False
        self.traceparent: str | None = None
        self.comes_back = True
        self.turns_page = False
        self.heard = now
        self._pinged = now
        self._bad = 0

    @property
    def request(self) -> Request:
        """What the door knows of the peer."""
        return self._request()

    @property
    def subject(self) -> str:
        """On whose behalf it speaks; empty for a guest."""
        return self.grant.subject

    def receive(self, message: Message) -> None:
        """Take note of a message.

        Raises:
            RhtmxError: it may not be said now, or not by a client.
        """
        if type(message) not in self._legal:
            if self.phase is Phase.LOCKED and type(message) in _ANYTHING:
                raise RhtmxError(
                    ErrorCode.UNAUTHENTICATED, "say hello or authenticate with a token first"
                )
            raise RhtmxError(ErrorCode.BAD_MESSAGE, self._out_of_place(message))
        if self.phase is Phase.NEW:  # asked first: most messages change nothing
            self._step(SessionEvent.RECEIVE)

    def _out_of_place(self, message: Message) -> str:
        case = NAMES[type(message)]
        if type(message) not in _ANYTHING:
            return f"'{case}' is sent by the server, not by a client"
        if self.phase is Phase.CLOSED:
            return f"'{case}' after the end of the connection"
        return f"'{case}' must be the first message of a connection, and sent once"

    def unlock(self, grant: Grant, until: float | None) -> None:
        """It is known who speaks.

        Args:
            grant: who it is; the subject stays the same, its rights may change.
            until: when the token expires, in seconds of the clock of `now`.

        Raises:
            RhtmxError: `UNAUTHENTICATED`, the token is another subject's.
        """
        # What is under way was asked for by somebody else: it must not go on in another name.
        if self.subject not in ("", grant.subject):
            raise RhtmxError(
                ErrorCode.UNAUTHENTICATED,
                "the token belongs to another user: open a new connection for them",
            )
        self.grant = grant
        self.until = until
        self._step(SessionEvent.UNLOCK)

    def introduce(self, client_id: str | None, secret: bytes | None = None) -> None:
        """The client has said who it is, and that it answers `ping`.

        Args:
            client_id: its id, if it has one.
            secret: hash of what gives it the right to that.
        """
        self._step(SessionEvent.INTRODUCE)
        if client_id is not None:
            self.client_id, self.secret = client_id, secret

    def strike(self) -> bool:
        """A message could not be understood.

        Returns:
            Whether that was one too many.
        """
        self._bad += 1
        return self._bad > self.limits.bad_messages

    def look(self, now: float) -> LivenessCheck:
        """Decide whether the peer is still there.

        Args:
            now: seconds, of the same clock as `heard`.
        """
        # First: a peer that is alive may have no right to be here any more.
        if self.until is not None and now >= self.until:
            return LivenessCheck.LOCKED
        if now - self.heard > 2 * self.limits.heartbeat:
            return LivenessCheck.GONE
        if now - self._pinged >= self.limits.heartbeat:
            self._pinged = now
            return LivenessCheck.PING
        return LivenessCheck.FINE

    def hung_up(self, code: int | None) -> None:
        """The peer has closed; or it answers the server, which did so first.

        Args:
            code: of its close frame; `None` if there was none.
        """
        if self.phase is not Phase.CLOSED:
            self.comes_back = self.comes_back and code not in GOODBYES
            self.turns_page = code in PAGE_LEFT

    def close(self, *, comes_back: bool = True) -> None:
        """Nothing may be said any more.

        Args:
            comes_back: the client is to connect again, or was not told why this ends.
        """
        self.comes_back = self.comes_back and comes_back
        self._step(SessionEvent.CLOSE)

    def _step(self, event: SessionEvent) -> None:
        self._enter(NEXT.get((self.phase, event), self.phase))

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self._legal = LEGAL[phase]  # looked up here: an enum's hash is slow, for each message
