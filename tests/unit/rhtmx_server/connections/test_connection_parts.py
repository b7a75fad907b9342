"""A connection that reads parts of entities: other rights, and positions with the heartbeat."""

from __future__ import annotations

import asyncio

import pytest

from rhtmx.errors import ErrorCode
from rhtmx.messages import (
    Authenticate,
    Authenticated,
    Error,
    Hello,
    Ping,
    Pong,
    Subscribe,
    SyncBegin,
    SyncComplete,
)
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from rhtmx_server.connections.session import Phase
from rhtmx_server.model import Commit
from tests.support.divided import SimpleAccess, part
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.fakes import RECORDS, record


class ByClaim(SimpleAccess):
    """Rights that come from a claim."""

    async def readable(self, entity: str, who: Grant | None, where: bytes | None) -> object:  # type: ignore[override]
        assert who is not None
        self.rights[who.subject, entity] = [{"team": each} for each in who.claims["teams"]]
        return await super().readable(entity, who, where)


async def by_token(request: Request) -> Grant:
    """A token is the teams of Ann."""
    return Grant("ann", claims={"teams": list(request.token)})


@pytest.fixture
async def side() -> Side:
    side = Side(authenticate=by_token)
    side.services.access = ByClaim()
    side.say(Hello(client_id="ann", token="ab"))
    await side.rest()
    side.say(Subscribe(entities=["tasks"]))
    assert [type(each) for each in side.heard][-1] is SyncComplete
    return side


def committed(side: Side, version: int, team: str, before: str | None = None) -> None:
    """A commit of the only record, by hand."""
    data = b'{"team":"%s"}' % team.encode()
    parts = frozenset({part(team=team)})
    was = frozenset({part(team=before)}) if before else frozenset[str]()
    side.hub.deliver([Commit(record("1", version, data), RECORDS, ["team"], was, parts)])


def scope(side: Side) -> object:
    return side.connection.subscriptions._cursors["tasks", None].scope


async def test_other_claims_are_in_force_once_the_token_is_taken(side: Side) -> None:
    side.say(Authenticate(token="a"), Ping())
    await side.rest()
    heard = side.heard
    assert [type(each) for each in heard] == [Authenticated, SyncBegin, Pong, SyncComplete]
    assert isinstance(heard[-1], SyncComplete)
    assert heard[-1].reset
    assert scope(side) == {part(team="a")}


async def test_a_fresh_token_with_the_same_claims_changes_nothing(side: Side) -> None:
    side.say(Authenticate(token="ab"))
    await side.rest()
    assert [type(each) for each in side.heard] == [Authenticated]


async def test_a_right_that_is_forbidden_now_leaves_nothing(side: Side) -> None:
    access = side.services.access
    assert isinstance(access, SimpleAccess)
    access.forbidden.add(("ann", "tasks"))
    await side.connection.rescope()
    await side.rest()
    assert scope(side) == frozenset()
    reset = side.heard[-1]
    assert isinstance(reset, SyncComplete)
    assert reset.reset


async def test_where_rights_cannot_be_found_out_the_connection_ends(side: Side) -> None:
    async def ask() -> None:
        raise ConnectionError("the database is away")

    access = side.services.access
    assert isinstance(access, SimpleAccess)
    access.ask = ask
    await side.connection.rescope()
    (error,) = side.heard
    assert isinstance(error, Error)
    assert (error.code, side.session.phase) == (ErrorCode.INTERNAL, Phase.CLOSED)


async def test_nothing_is_read_until_it_is_known_what_may_be_read(side: Side) -> None:
    go = asyncio.Event()

    async def ask() -> None:
        await go.wait()

    access = side.services.access
    assert isinstance(access, SimpleAccess)
    access.ask = ask
    rescoping = asyncio.ensure_future(side.connection.rescope())
    await asyncio.sleep(0)
    side.say(Ping())
    assert side.heard == []
    go.set()
    await rescoping
    assert side.heard == [Pong()]


async def test_the_position_is_told_with_a_heartbeat_if_it_has_moved(side: Side) -> None:
    committed(side, 1, "c")
    side.now.seconds += side.config.heartbeat / 2
    side.connection.look(side.now())
    assert side.heard == []
    side.now.seconds += side.config.heartbeat / 2
    side.connection.look(side.now())
    told = [each for each in side.heard if isinstance(each, SyncComplete)]
    assert [(each.version, each.reset, bool(each.scope)) for each in told] == [(1, False, True)]


async def test_a_client_that_said_no_hello_is_told_no_position() -> None:
    side = Side()
    access = side.services.access = SimpleAccess()
    access.rights["", "tasks"] = [{"team": "a"}]
    side.say(Subscribe(entities=["tasks"]))
    committed(side, 1, "c")
    side.now.seconds += side.config.heartbeat
    side.connection.look(side.now())
    assert side.heard == []
