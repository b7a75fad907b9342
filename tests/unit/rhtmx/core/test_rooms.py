"""Facts about `rhtmx.core.rooms`: what is wanted is said on each connection, and no more."""

from __future__ import annotations

from rhtmx.core.events import Answered, Event, Refused
from rhtmx.core.requests import Question, Requests
from rhtmx.core.rooms import RoomViews
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    RoomClosed,
    RoomJoin,
    RoomJoined,
    RoomLeave,
    RoomMember,
    RoomMembers,
)
from rhtmx.values.members import Member
from rhtmx.wire import ClientMessage

ROOM = ("orders", "7")


class Session:
    """A session that asks at once, and takes notes."""

    def __init__(self) -> None:
        self.is_open = True
        self.events: list[Event] = []
        self.touched: set[str] = set()
        self.said: list[ClientMessage] = []
        self.rooms = RoomViews(self, self.touched.add)
        self.requests = Requests(lambda: 0.5, self.rooms.overhearing(self.events.append))
        self._count = 0

    def ask(self, question: Question) -> str:
        self._count += 1
        question.request_id = str(self._count)
        self.requests.add(question)
        return question.request_id

    def tell(self, message: ClientMessage) -> bool:
        self.said.append(message)
        return True

    def welcome(self) -> None:
        self.requests.begin(64)
        self.rooms.welcomed()

    def flush(self) -> list[ClientMessage]:
        """What is sent now."""
        said, self.said = self.said, []
        return [*said, *self.requests.due()]

    def joined(self, member: str | None = "me") -> None:
        """The server lets the client in, as it was asked last."""
        self.requests.answered(RoomJoined(*ROOM, member, str(self._count)))

    def tells(self, *ids: str, **more: bool) -> None:
        self.rooms.told(RoomMembers(*ROOM, [RoomMember(each) for each in ids], **more))  # type: ignore[arg-type]


def open_session() -> Session:
    session = Session()
    session.welcome()
    return session


def test_who_joins_is_let_in_and_told_who_is_there() -> None:
    session = open_session()
    request = session.rooms.join(ROOM, b'{"name":"Ada"}')
    assert session.flush() == [RoomJoin(*ROOM, b'{"name":"Ada"}', None, request)]
    session.joined()
    session.tells("me", "bob", reset=True)
    view = session.rooms.view(ROOM)
    assert (view.own, [*view.members], view.known) == ("me", ["me", "bob"], True)
    assert session.touched == {view.signal}
    assert [type(each) for each in session.events] == [Answered]


def test_on_the_next_connection_it_joins_again_with_what_it_said_last() -> None:
    session = open_session()
    session.rooms.join(ROOM, b"1")
    session.flush()
    session.joined()
    session.rooms.join(ROOM, b"2")
    session.flush()
    session.joined()
    session.tells("me", reset=True)
    session.requests.lost()
    session.welcome()
    assert session.flush() == [RoomJoin(*ROOM, b"2", None, "3")]
    assert [*session.rooms.view(ROOM).members] == ["me"]  # until it is told anew


def test_what_was_not_answered_is_asked_once_on_the_next_connection() -> None:
    session = open_session()
    session.rooms.join(ROOM, b"1")
    session.flush()
    session.requests.lost()
    session.welcome()
    assert session.flush() == [RoomJoin(*ROOM, b"1", None, "1")]


def test_who_leaves_says_so_and_does_not_join_again() -> None:
    session = open_session()
    session.rooms.join(ROOM, None)
    session.flush()
    session.joined()
    session.tells("me", reset=True)
    session.rooms.leave(ROOM)
    assert session.flush() == [RoomLeave(*ROOM)]
    assert session.rooms.view(ROOM).members == {}
    session.welcome()
    assert session.flush() == []
    session.rooms.leave(ROOM)
    assert session.flush() == []


def test_who_leaves_before_the_server_was_asked_never_asks() -> None:
    session = open_session()
    session.rooms.join(ROOM, None)
    session.rooms.leave(ROOM)
    assert session.flush() == [RoomLeave(*ROOM)]
    (event,) = session.events
    assert isinstance(event, Refused)
    assert event.error.code is ErrorCode.SUPERSEDED


def test_without_a_connection_nothing_is_said_of_leaving() -> None:
    session = Session()
    session.is_open = False
    session.rooms.join(ROOM, None)
    session.rooms.leave(ROOM)
    assert session.said == []


def test_a_client_that_is_closed_leaves_where_it_is_a_member() -> None:
    session = open_session()
    session.rooms.join(ROOM, None)
    session.rooms.watch(("orders", "8"))
    assert session.rooms.farewells() == [RoomLeave(*ROOM)]
    session.is_open = False
    assert session.rooms.farewells() == []


def test_who_watches_is_no_member() -> None:
    session = open_session()
    view = session.rooms.watch(ROOM)
    assert session.flush() == [RoomJoin(*ROOM, watch=True, request_id="1")]
    session.joined(None)
    session.rooms.watch(ROOM)
    assert session.flush() == []
    session.rooms.unwatch(view)
    assert session.flush() == []
    session.rooms.unwatch(view)
    assert session.flush() == [RoomLeave(*ROOM)]


def test_a_member_that_leaves_and_watches_goes_on_watching() -> None:
    session = open_session()
    session.rooms.join(ROOM, None)
    session.rooms.watch(ROOM)
    session.flush()
    session.joined()
    session.rooms.leave(ROOM)
    assert session.flush() == [RoomJoin(*ROOM, watch=True, request_id="2")]


def test_who_is_refused_is_outside_and_not_asked_again() -> None:
    session = open_session()
    request = session.rooms.join(ROOM, None)
    session.flush()
    error = RhtmxError(ErrorCode.NOT_FOUND, "no", request_id=request)
    session.requests.refuse(error)
    assert session.events == [Refused(request, error)]
    assert session.flush() == [RoomLeave(*ROOM)]
    session.welcome()
    assert session.flush() == []


def test_a_member_that_is_refused_another_state_does_not_stay_with_the_one_before() -> None:
    session = open_session()
    session.rooms.join(ROOM, b"1")
    session.flush()
    session.joined()
    session.tells("me", reset=True)
    request = session.rooms.join(ROOM, b"2")
    session.flush()
    session.requests.refuse(RhtmxError(ErrorCode.BAD_MESSAGE, "no", request_id=request))
    assert session.flush() == [RoomLeave(*ROOM)]
    assert session.rooms.view(ROOM).members == {}


def test_what_was_on_its_way_when_it_was_left_does_not_count_when_it_is_entered_again() -> None:
    session = open_session()
    session.rooms.join(ROOM, None)
    session.flush()
    session.joined()
    session.tells("me", reset=True)
    session.rooms.leave(ROOM)
    session.rooms.join(ROOM, None)
    session.flush()
    session.tells("bob")
    session.rooms.told(RoomClosed(*ROOM, "it is gone", ErrorCode.NOT_FOUND))
    view = session.rooms.view(ROOM)
    assert (view.known, view.error) == (False, None)
    session.joined()
    session.tells("me", "bob", reset=True)
    assert [*view.members] == ["me", "bob"]


def test_what_may_pass_is_asked_again_on_the_next_connection() -> None:
    session = open_session()
    request = session.rooms.join(ROOM, None)
    session.flush()
    session.requests.refuse(RhtmxError(ErrorCode.STORAGE_FAILED, "no", request_id=request))
    session.welcome()
    assert session.flush() == [RoomJoin(*ROOM, request_id="2")]


def test_a_refusal_of_what_was_said_before_does_not_count() -> None:
    session = open_session()
    first = session.rooms.join(ROOM, b"1")
    session.rooms.join(ROOM, b"2")
    session.flush()
    session.requests.refuse(RhtmxError(ErrorCode.NOT_FOUND, "no", request_id=first))
    session.joined()
    assert session.rooms.view(ROOM).own == "me"


def test_who_is_put_out_knows_why_and_can_join_again() -> None:
    session = open_session()
    view = session.rooms.watch(ROOM)
    session.rooms.join(ROOM, None)
    session.flush()
    session.joined()
    session.tells("me", reset=True)
    session.rooms.told(RoomClosed(*ROOM, "it is gone", ErrorCode.NOT_FOUND))
    assert (view.members, view.own, view.wanted) == ({}, None, None)
    assert view.error is not None
    assert view.error.code is ErrorCode.NOT_FOUND
    session.rooms.unwatch(view)
    assert session.flush() == []
    session.rooms.join(ROOM, None)
    assert len(session.flush()) == 1
    assert session.rooms.view(ROOM).error is None


def test_what_comes_in_several_messages_is_shown_once_all_is_there() -> None:
    session = open_session()
    session.rooms.join(ROOM, None)
    session.tells("a", reset=True)
    session.tells("b", reset=True, more=True)
    view = session.rooms.view(ROOM)
    assert [*view.members] == ["a"]
    session.tells("c")
    assert [*view.members] == ["b", "c"]


def test_changes_are_applied_and_a_member_that_changes_keeps_its_place() -> None:
    session = open_session()
    session.rooms.join(ROOM, None)
    session.tells("a", "b", reset=True)
    session.rooms.told(RoomMembers(*ROOM, [RoomMember("a", state=b"1")], ["c"]))
    assert [*session.rooms.view(ROOM).members.values()] == [Member("a", None, 1), Member("b")]
    session.rooms.told(RoomMembers(*ROOM, gone=["a"]))
    assert [*session.rooms.view(ROOM).members] == ["b"]


def test_what_is_told_of_a_room_that_was_left_is_no_news() -> None:
    session = open_session()
    session.tells("a", reset=True)
    assert (session.touched, session.rooms.view(ROOM).members) == (set(), {})
