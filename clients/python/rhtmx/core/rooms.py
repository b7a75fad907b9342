"""The rooms that a client is in: what it wants of them, and who is there.

Knows what is said of rooms, and when it has to be said again. Must not know the connection,
clocks or the loop. A room is entered anew on each connection, with what was said last; who is
there stays as it was until then.

============  ===========  ==========  ==========================  ==================
state         `join`,      `leave`,    refused, or `room_closed`   another connection
              `watch`      `unwatch`
============  ===========  ==========  ==========================  ==================
outside       wanted       outside     -                           outside
wanted        wanted       outside     outside, with an error;     asked again
                                       wanted, if it may pass
============  ===========  ==========  ==========================  ==================

A client is wanted in a room as a member, once it has joined, or by all who watch there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from rhtmx.core.events import Answered, Event, Refused, Told
from rhtmx.core.requests import Question, Requests
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import RoomClosed, RoomJoin, RoomJoined, RoomLeave, RoomMembers, RoomMessage
from rhtmx.values.members import Member
from rhtmx.wire import ClientMessage, ServerMessage

__all__ = ["RoomKey", "RoomSession", "RoomView", "RoomViews"]

RoomKey: TypeAlias = tuple[str, str]
"""The entity, and the id of the record."""


class RoomView:
    """One room, as this client knows it.

    Args:
        key: which.

    Attributes:
        signal: the name under which it is told that something here has changed.
        members: who is there, by id.
        known: it is known who is there.
        own: the id of this client there; `None` if it is no member.
        error: why it is outside, if somebody has put it there.
        joined: what it says of itself, if it is to be a member.
        watchers: how many watch here.
        changes: grows when something here may have changed.
        question: the id of what was asked last of it.
    """

    def __init__(self, key: RoomKey) -> None:
        self.key = key
        self.signal = "\0".join(key)  # no entity is called so
        self.members: Mapping[str, Member] = {}
        self.known = False
        self.own: str | None = None
        self.error: RhtmxError | None = None
        self.joined: RoomJoin | None = None
        self.watchers = 0
        self.changes = 0
        self.question = ""
        self._coming: dict[str, Member] | None = None

    @property
    def wanted(self) -> RoomJoin | None:
        """What is to be said on each connection; `None` for nothing."""
        if self.joined is not None or (self.error is not None and not self.error.retryable):
            return self.joined
        return RoomJoin(*self.key, watch=True) if self.watchers else None

    def take(self, message: RoomMembers) -> None:
        """Take note of who is there. What comes in several messages is shown once all is there.

        Who is there begins with a reset: before it comes what was on its way when it was left.
        """
        if not (message.reset or self.known or self._coming is not None):
            return
        coming = {} if message.reset else self._coming
        members = dict(self.members) if coming is None else coming
        members |= {each.id: Member.of(each) for each in message.members}
        for each in message.gone:
            members.pop(each, None)
        self._coming = members if message.more else None
        if not message.more:
            self.members, self.known = members, True

    def put_out(self, error: RhtmxError) -> None:
        """The client is outside, and why."""
        self.members, self.known, self.own, self._coming = {}, False, None, None
        self.error = error
        if not error.retryable:
            self.joined = None


class RoomSession(Protocol):
    """The session, as rooms see it."""

    requests: Requests

    @property
    def is_open(self) -> bool:
        """There is a connection, and the server knows the client."""

    def ask(self, question: Question) -> str:
        """Ask. Returns the id under which `Answered` or `Refused` tells the outcome."""

    def tell(self, message: ClientMessage) -> bool:
        """Send a message that nothing answers."""


class RoomViews:
    """All rooms of one client.

    Args:
        session: theirs.
        touched: takes the names of what has changed.
    """

    def __init__(self, session: RoomSession, touched: Callable[[str], None]) -> None:
        self._session = session
        self._touched = touched
        self._views: dict[RoomKey, RoomView] = {}
        self._asked: dict[str, RoomView] = {}
        self._stays: dict[RoomKey, dict[object, bytes | None]] = {}

    def view(self, key: RoomKey) -> RoomView:
        """A room; a new one, if nothing is known of it."""
        return self._views.get(key) or RoomView(key)

    def join(self, key: RoomKey, state: bytes | None) -> str:
        """Be a member of a room, or say something else of oneself there.

        Returns:
            The id under which `Answered` or `Refused` tells the outcome.
        """
        view = self._keep(key)
        view.joined = RoomJoin(*key, state=state)
        return self._enter(view)

    def leave(self, key: RoomKey) -> None:
        """Be no member of a room any more."""
        view = self.view(key)
        if view.joined is not None:
            view.joined = view.own = None
            self._wants_less(view)

    def stay(self, key: RoomKey, who: object, state: bytes | None) -> str:
        """Be a member for somebody, beside others, until `part`; else like `join`."""
        self._stays.setdefault(key, {})[who] = state
        return self.join(key, state)

    def part(self, key: RoomKey, who: object) -> None:
        """Be no member for somebody any more; with the last one, leave."""
        stays = self._stays[key]
        state = stays.pop(who)
        if not stays:
            del self._stays[key]
            self.leave(key)
            return
        joined = self.view(key).joined
        if joined is not None and joined.state == state:  # what one of the others said counts again
            self.join(key, next(reversed(stays.values())))

    def give_up(self, key: RoomKey, request_id: str) -> None:
        """Join no more by itself what could not be joined, unless it was asked again since."""
        view = self.view(key)
        if view.question in ("", request_id):
            view.joined = None

    def watch(self, key: RoomKey) -> RoomView:
        """See who is in a room, until `unwatch` is called as often."""
        view = self._keep(key)
        view.watchers += 1
        if view.joined is None and (view.watchers == 1 or not view.question):
            self._enter(view)
        return view

    def unwatch(self, view: RoomView) -> None:
        """See no more who is in a room."""
        view.watchers -= 1
        if self._views.get(view.key) is view and view.joined is None and not view.watchers:
            self._wants_less(view)

    def welcomed(self) -> None:
        """Another connection: enter all rooms again, but where that waits to be asked anyway."""
        for view in list(self._views.values()):
            if view.wanted is not None and view.question not in self._asked:
                self._enter(view)

    def told(self, message: ServerMessage) -> Told:
        """Take note of what is told of a room; of anything that is ephemeral, make an event."""
        if isinstance(message, RoomMembers | RoomMessage | RoomClosed):
            view = self._views.get((message.entity, message.entity_id))
            if view is not None:
                if isinstance(message, RoomMembers):
                    view.take(message)
                elif isinstance(message, RoomClosed) and view.question not in self._asked:
                    code = ErrorCode.UNSPECIFIED if message.code is None else message.code
                    self._out(view, RhtmxError(code, message.message))
                self._touch(view)
        return Told(message)

    def overhearing(self, tell: Callable[[Event], None]) -> Callable[[Event], None]:
        """What tells an event, after noting it where it is about a room."""

        def noted(event: Event) -> None:
            if isinstance(event, Answered | Refused):
                self._settled(event)
            tell(event)

        return noted

    # Inside.

    def _touch(self, view: RoomView) -> None:
        view.changes += 1
        self._touched(view.signal)

    def _keep(self, key: RoomKey) -> RoomView:
        view = self._views.setdefault(key, self.view(key))
        view.error = None
        return view

    def _enter(self, view: RoomView) -> str:
        wanted = view.wanted
        assert wanted is not None
        question = RoomJoin(wanted.entity, wanted.entity_id, wanted.state, wanted.watch)
        view.question = self._session.ask(question)
        self._asked[view.question] = view
        return view.question

    def farewells(self) -> list[RoomLeave]:
        """What a client that is closed has to say: not every server is told how a socket ended."""
        if not self._session.is_open:
            return []
        return [RoomLeave(*view.key) for view in self._views.values() if view.joined is not None]

    def _wants_less(self, view: RoomView) -> None:
        if view.wanted is not None:
            self._enter(view)  # to watch
            return
        requests = self._session.requests
        for each in [each for each, of in self._asked.items() if of is view]:
            del self._asked[each]
            if each not in requests.asked:  # it must not be asked behind what is said now
                words = "the room was left before the server was asked"
                requests.refuse(RhtmxError(ErrorCode.SUPERSEDED, words, request_id=each))
        if self._session.is_open:
            self._session.tell(RoomLeave(*view.key))
        self._views.pop(view.key, None)
        view.members, view.known, view.question = {}, False, ""
        self._touch(view)

    def _settled(self, event: Answered | Refused) -> None:
        view = self._asked.pop(event.request_id, None)
        if view is None or view.question != event.request_id:
            return  # something newer was said
        if isinstance(event, Refused):
            self._out(view, event.error)
            if view.wanted is None and self._session.is_open:  # it may still be there as before
                self._session.tell(RoomLeave(*view.key))
        elif isinstance(event.message, RoomJoined):
            view.own = event.message.member
        self._touch(view)

    def _out(self, view: RoomView, error: RhtmxError) -> None:
        view.put_out(error)
        if view.wanted is None:
            view.question = ""
            self._views.pop(view.key, None)
