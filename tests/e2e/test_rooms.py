"""Rooms over real sockets: who is at a record, what they tell one another, and who may."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import rhtmx
from rhtmx.core.events import State
from rhtmx.errors import ErrorCode
from rhtmx_server import App, Config, Grant, Request
from rhtmx_server.access import claim, nobody
from tests.support.process import ROOT, running
from tests.support.sockets import PATIENCE, Raw, raw
from tests.support.waiting import eventually

JOINER = ROOT / "tests" / "support" / "joiner.py"
ROOM = {"entity": "orders", "entity_id": "7"}


async def until(room: rhtmx.Room, wanted: Callable[[tuple[rhtmx.Member, ...]], bool]) -> None:
    """Wait until the members of a room are as they should be."""
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(room.subscribe()) as changes:
        async for members in changes:
            if wanted(members):
                return


async def ends(changes: AsyncIterator[tuple[rhtmx.Member, ...]]) -> None:
    """Wait until a room is closed to its reader."""
    error: rhtmx.RhtmxError | None = None
    async with asyncio.timeout(PATIENCE):
        try:
            async for _ in changes:
                pass
        except rhtmx.RhtmxError as closed:
            error = closed
    assert error is not None
    assert "or you may not read it" in error.message


def names(*expected: str) -> Callable[[tuple[rhtmx.Member, ...]], bool]:
    return lambda members: sorted(each.state for each in members) == sorted(expected)


async def watched(client: Raw) -> AsyncIterator[set[str]]:
    """The states of the members, as a bare client is told them."""
    members: dict[str, Any] = {}
    while True:
        message = await client.until("room_members")
        if message.get("reset"):
            members.clear()
        members |= {each["id"]: each.get("state") for each in message.get("members", ())}
        for each in message.get("gone", ()):
            members.pop(each, None)
        yield set(members.values())


async def sees(client: Raw, *expected: str) -> None:
    """Enter a room as a watcher, and wait until these are there."""
    await client.send({"type": "room_join", **ROOM, "watch": True})
    async for members in watched(client):
        if members == set(expected):
            return


async def test_members_come_change_and_leave(app: App) -> None:
    await app.changes.push("orders", "7", {"goods": "tea"})
    async with rhtmx.connect(app.url) as ada, rhtmx.connect(app.url) as bob:
        async with ada.room("orders/7").joined("ada") as one:
            other = bob.room("orders/7")
            await other.join("bob")
            await until(one, names("ada", "bob"))
            await until(other, names("ada", "bob"))
            assert one.me in other.members
            assert one.me != other.me
            await other.join("bob, typing")
            await until(one, names("ada", "bob, typing"))
        await until(other, names("bob, typing"))
        assert one.members == ()
        assert one.me is None


@pytest.mark.parametrize("first_ends", [True, False])
async def test_who_is_there_for_two_leaves_with_the_last_of_them(
    app: App, first_ends: bool
) -> None:
    await app.changes.push("orders", "7", {})
    async with rhtmx.connect(app.url) as ada, rhtmx.connect(app.url) as bob:
        other = bob.room("orders/7")
        first, second = (ada.room("orders/7").joined(each) for each in ("reads", "writes"))
        await first.__aenter__()
        await second.__aenter__()
        await until(other, names("writes"))
        ends, stays = (first, second) if first_ends else (second, first)
        await ends.__aexit__(None, None, None)
        await until(other, names("writes" if first_ends else "reads"))
        assert ada.room("orders/7").me is not None
        await stays.__aexit__(None, None, None)
        await until(other, names())


async def test_a_watcher_sees_and_is_not_seen(app: App) -> None:
    await app.changes.push("orders", "7", {})
    async with (
        rhtmx.connect(app.url) as ada,
        rhtmx.connect(app.url) as bob,
        ada.room("orders/7").joined("ada") as room,
    ):
        await until(bob.room("orders/7"), names("ada"))
        await until(room, names("ada"))


async def test_what_is_told_reaches_the_others_and_not_its_author(app: App) -> None:
    await app.changes.push("orders", "7", {})
    async with (
        rhtmx.connect(app.url) as ada,
        rhtmx.connect(app.url) as bob,
        ada.room("orders/7").joined("ada") as one,
        bob.room("orders/7").joined("bob") as other,
    ):
        await until(one, names("ada", "bob"))
        await until(other, names("ada", "bob"))
        heard, own = other.messages(), one.messages()
        first, none = asyncio.ensure_future(anext(heard)), asyncio.ensure_future(anext(own))
        await asyncio.sleep(0)
        assert one.send({"typing": True})
        async with asyncio.timeout(PATIENCE):
            message = await first
        assert one.me is not None
        assert message == rhtmx.MemberMessage(one.me.id, {"typing": True})
        assert other.send("to ada")
        async with asyncio.timeout(PATIENCE):
            assert (await none).data == "to ada"
        await heard.aclose()
        await own.aclose()


async def test_the_program_of_the_server_sees_members_and_tells_them(app: App) -> None:
    await app.changes.push("orders", "7", {})
    room = app.room("orders/7")
    async with (
        rhtmx.connect(app.url) as ada,
        ada.room("orders/7").joined({"name": "Ada"}) as own,
    ):
        await until(own, lambda members: len(members) == 1)
        await eventually(lambda: room.members == own.members)
        heard = own.messages()
        first = asyncio.ensure_future(anext(heard))
        await asyncio.sleep(0)
        room.send({"state": "paid"})
        async with asyncio.timeout(PATIENCE):
            assert await first == rhtmx.MemberMessage(None, {"state": "paid"})
        await heard.aclose()
        with pytest.raises(rhtmx.RhtmxError, match="at most 4096 bytes"):
            room.send("x" * 5000)
    await eventually(lambda: room.members == ())


async def test_connections_of_one_client_are_one_member(app: App) -> None:
    await app.changes.push("orders", "7", {})
    hello = {"type": "hello", "client_id": "cafe-1", "secret": "one of ours"}
    async with raw(app.url) as watcher, raw(app.url) as other:
        async with raw(app.url) as one:
            for tab in (one, other):
                await tab.ask(hello, "welcome")
                await tab.ask({"type": "room_join", **ROOM, "state": "ada"}, "room_joined")
            await sees(watcher, "ada")
        await other.send({"type": "room_join", **ROOM, "state": "still there"})
        assert one.log[1]["member"] == other.log[1]["member"]
        async for members in watched(watcher):
            assert len(members) == 1
            if members == {"still there"}:
                break


async def test_somebody_elses_client_id_makes_another_member(app: App) -> None:
    await app.changes.push("orders", "7", {})
    async with raw(app.url) as one, raw(app.url) as other:
        members = []
        for client, secret in ((one, "mine"), (other, "guessed")):
            hello = {"type": "hello", "client_id": "cafe-1", "secret": secret}
            await client.ask(hello, "welcome")
            joined = await client.ask({"type": "room_join", **ROOM}, "room_joined")
            members.append(joined["member"])
        assert len(set(members)) == 2
        assert "cafe-1" not in members


async def test_a_client_that_is_lost_and_comes_back_was_never_gone(app: App) -> None:
    await app.changes.push("orders", "7", {})
    hello = {"type": "hello", "client_id": "cafe-1", "secret": "one of ours"}
    async with raw(app.url) as watcher, raw(app.url) as one, raw(app.url) as again:
        await one.ask(hello, "welcome")
        first = await one.ask({"type": "room_join", **ROOM, "state": "ada"}, "room_joined")
        await sees(watcher, "ada")
        seen = len(watcher.log)
        one.socket.transport.abort()
        await again.ask(hello, "welcome")
        second = await again.ask({"type": "room_join", **ROOM, "state": "back"}, "room_joined")
        assert first["member"] == second["member"]
        async for members in watched(watcher):
            if members == {"back"}:
                break
        assert not any(each.get("gone") for each in watcher.log[seen:])


async def test_a_client_that_comes_online_again_joins_by_itself(app: App) -> None:
    await app.changes.push("orders", "7", {})
    async with (
        rhtmx.connect(app.url) as ada,
        rhtmx.connect(app.url) as bob,
        ada.room("orders/7").joined("ada") as room,
    ):
        other = bob.room("orders/7")
        await other.join("bob")
        await until(room, names("ada", "bob"))
        ada.offline()
        await until(other, names("bob"))
        ada.online()
        await until(other, names("ada", "bob"))
        await other.join("bob, still here")
        await until(room, names("ada", "bob, still here"))


async def test_members_of_a_server_that_is_started_again_come_back_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 0.2)
    place = f"sqlite:///{tmp_path / 'app.db'}"
    first = App(store=place, config=Config(port=0))
    url = await first.start()
    await first.changes.push("orders", "7", {})
    async with (
        rhtmx.connect(url) as ada,
        rhtmx.connect(url) as bob,
        ada.room("orders/7").joined("ada") as room,
        bob.room("orders/7").joined("bob"),
    ):
        await until(room, names("ada", "bob"))
        await first.stop()
        port = urlsplit(url).port
        assert port is not None
        async with App(store=place, config=Config(port=port)), raw(url) as watcher:
            await sees(watcher, "ada", "bob")
            await until(room, names("ada", "bob"))


@pytest.mark.one_server
async def test_a_client_that_is_killed_is_gone_after_two_heartbeats(store: str) -> None:
    config = Config(port=0, heartbeat=0.2)
    async with App(store=store, config=config) as app:
        await app.changes.push("orders", "7", {})
        async with raw(app.url) as watcher:
            await watcher.send({"type": "room_join", **ROOM, "watch": True})
            seen = watched(watcher)
            async with running(JOINER, app.url, at_once=True) as process:
                while await anext(seen) != {"joiner"}:
                    pass
                process.kill()
                while await anext(seen) != set():
                    pass


async def test_a_client_that_closes_is_gone_at_once(app: App) -> None:
    await app.changes.push("orders", "7", {})
    async with raw(app.url) as watcher:
        async with rhtmx.connect(app.url) as ada:
            await ada.room("orders/7").join("ada")
            await sees(watcher, "ada")
        async for members in watched(watcher):
            if not members:
                break


async def test_a_record_that_is_not_there_has_no_room_and_one_that_goes_takes_it_along(
    app: App,
) -> None:
    async with rhtmx.connect(app.url) as ada, raw(app.url) as bare:
        room = ada.room("orders/7")
        with pytest.raises(rhtmx.RhtmxError) as refused:
            await room.join("ada")
        assert refused.value.code is rhtmx.ErrorCode.NOT_FOUND
        await ada.push("orders", "7", {})
        await room.join("ada")
        await sees(bare, "ada")
        changes = room.subscribe()
        await anext(changes)
        await ada.delete("orders", "7")
        await ends(changes)
        assert room.members == ()
        assert (await bare.until("room_closed"))["code"] == "not_found"


async def test_what_is_too_large_is_refused_before_anything_has_changed(app: App) -> None:
    await app.changes.push("orders", "7", {})
    async with rhtmx.connect(app.url) as ada, ada.room("orders/7").joined("ada") as room:
        await until(room, names("ada"))
        with pytest.raises(rhtmx.RhtmxError, match=r"room_join\.state: at most 4096 bytes"):
            await room.join("x" * 5000)
        with pytest.raises(rhtmx.RhtmxError, match=r"room_message\.data: at most 4096 bytes"):
            room.send("x" * 5000)
        await until(room, names("ada"))


async def test_only_members_tell_and_what_they_say_is_bounded(app: App) -> None:
    await app.changes.push("orders", "7", {})
    async with raw(app.url) as bare:
        large = "x" * 5000
        refused = await bare.ask({"type": "room_join", **ROOM, "state": large}, "error")
        assert refused["code"] == "bad_message"
        await sees(bare)
        refused = await bare.ask({"type": "room_message", **ROOM, "data": 1}, "error")
        assert (refused["code"], refused["details"]) == ("forbidden", {"type": "room_message"})
        await bare.ask({"type": "room_join", **ROOM, "state": "ada"}, "room_joined")
        for _ in range(200):
            await bare.send({"type": "room_message", **ROOM, "data": 1})
        refused = await bare.until("error")
        assert (refused["code"], refused["retryable"]) == ("rate_limited", True)


HOSTILE_IDS = (
    "__proto__",
    "constructor",
    "a/b",
    "\0",
    " ",
    "..",
    "\u202e\U0001f600",
    "x" * 255,
    "x" * 256,
)


async def test_a_room_may_be_called_anything_that_a_record_may(app: App) -> None:
    async with raw(app.url) as bare, rhtmx.connect(app.url) as ada:
        for entity_id in HOSTILE_IDS:
            join = {"type": "room_join", "entity": "orders", "entity_id": entity_id}
            refused = await bare.ask(join, "error")
            assert refused["code"] in ("not_found", "bad_message"), (entity_id, refused)
            if refused["code"] == "not_found":
                await ada.push("orders", entity_id, {})
                await bare.ask(join, "room_joined")
                async with ada.room(f"orders/{entity_id}").joined("ada") as room:
                    await until(room, lambda members: len(members) == 2)


async def test_a_state_may_be_nested_as_deep_as_it_is_taken(app: App) -> None:
    """Whatever a member says of itself, the others go on."""
    await app.changes.push("orders", "7", {})
    async with (
        raw(app.url, max_size=None) as bare,
        rhtmx.connect(app.url) as ada,
        ada.room("orders/7").joined("ada") as room,
    ):
        await until(room, lambda members: len(members) == 1)
        taken = 0
        for depth in (10, 100, 500, 1000, 2000):
            state = "[" * depth + "]" * depth
            await bare.socket.send(
                f'{{"type":"room_join","entity":"orders","entity_id":"7","state":{state}}}'
            )
            answer = await bare.until_that(lambda each: each["type"] in ("room_joined", "error"))
            if answer["type"] == "error":
                assert answer["code"] == "bad_message"
            else:
                taken += 1
                await until(room, lambda members: len(members) == 2)
            await bare.send({"type": "room_leave", **ROOM})
            await until(room, lambda members: len(members) == 1)
        assert taken > 0
        assert ada.state is State.OPEN


async def teams(request: Request) -> Grant:
    """Tokens are `subject:team`."""
    subject, _, team = request.token.partition(":")
    return Grant(subject, claims={"team": team})


@pytest.fixture
async def divided(store: str) -> AsyncIterator[App]:
    """A server on which everybody reads the orders of their team, and some read one more."""
    app = App(store=store, config=Config(port=0), authenticate=teams)
    app.entity("orders", partition=["team"]).access(read=claim("team"), write=nobody)
    app.entity("docs", partition=["project"]).access(write=nobody)

    @app.scope("docs")
    async def readable(who: Grant) -> dict[str, list[str]]:
        return {"project": PROJECTS.get(who.subject, [])}

    async with app:
        await app.changes.push("orders", "7", {"team": "red"})
        await app.changes.push("docs", "7", {"project": "x"})
        yield app


PROJECTS: dict[str, list[str]] = {}


async def test_who_may_not_read_the_record_learns_nothing_of_its_room(divided: App) -> None:
    async with (
        rhtmx.connect(divided.url, token="ada:red") as ada,
        rhtmx.connect(divided.url, token="eve:blue") as eve,
        ada.room("orders/7").joined({"name": "Ada"}) as room,
    ):
        await until(room, lambda members: [each.subject for each in members] == ["ada"])
        said = []
        for record in ("7", "no such"):
            with pytest.raises(rhtmx.RhtmxError) as refused:
                await eve.room(f"orders/{record}").join("eve")
            said.append((refused.value.code, refused.value.message.replace(record, "ID")))
        assert said[0] == said[1]
        assert len(room.members) == 1


async def test_a_record_that_goes_to_another_team_takes_its_readers_out(divided: App) -> None:
    async with (
        rhtmx.connect(divided.url, token="ada:red") as ada,
        rhtmx.connect(divided.url, token="bob:red") as bob,
        rhtmx.connect(divided.url, token="eve:blue") as eve,
        bob.room("orders/7").joined("bob") as other,
    ):
        room = ada.room("orders/7")
        await room.join("ada")
        await until(room, names("ada", "bob"))
        changes = other.subscribe()
        await anext(changes)
        await divided.changes.push("orders", "7", {"team": "blue"})
        await ends(changes)
        await eventually(lambda: room.members == ())
        async with eve.room("orders/7").joined("eve") as theirs:
            await until(theirs, names("eve"))
        assert (room.members, other.members) == ((), ())


async def test_a_right_that_is_taken_away_ends_it_and_the_others_see_that(divided: App) -> None:
    PROJECTS.update(ada=["x"], bob=["x"])
    async with (
        rhtmx.connect(divided.url, token="ada:") as ada,
        rhtmx.connect(divided.url, token="bob:") as bob,
        ada.room("docs/7").joined("ada") as room,
    ):
        other = bob.room("docs/7")
        await other.join("bob")
        await until(room, names("ada", "bob"))
        PROJECTS["bob"] = []
        await divided.rescope("bob")
        await until(room, names("ada"))
        await eventually(lambda: other.members == ())
        PROJECTS["bob"] = ["x"]
        await divided.rescope("bob")
        await other.join("bob")
        await until(room, names("ada", "bob"))


async def test_somebody_who_is_disconnected_leaves_at_once(divided: App) -> None:
    async with (
        rhtmx.connect(divided.url, token="ada:red") as ada,
        raw(divided.url) as bob,
    ):
        await bob.ask({"type": "hello", "token": "bob:red"}, "welcome")
        async with ada.room("orders/7").joined("ada") as room:
            await bob.ask({"type": "room_join", **ROOM, "state": "bob"}, "room_joined")
            await until(room, names("ada", "bob"))
            divided.disconnect("bob")
            await until(room, names("ada"))


async def test_a_user_finds_no_place_for_one_client_more_and_is_told_what_to_do() -> None:
    config = Config(port=0, room_members_per_subject=2)
    async with contextlib.AsyncExitStack() as stack:
        app = App(store="memory://", config=config, authenticate=teams)
        app.entity("orders")
        await stack.enter_async_context(app)
        await app.changes.push("orders", "7", {})
        for number in range(3):  # killed, as far as the server can see
            async with raw(app.url) as lost:
                hello = {"type": "hello", "token": "ada:red", "client_id": str(number)}
                await lost.ask(hello, "welcome")
                await lost.ask({"type": "room_join", **ROOM}, "room_joined")
                lost.socket.transport.abort()
        for _ in range(2):
            ada = await stack.enter_async_context(rhtmx.connect(app.url, token="ada:red"))
            await ada.room("orders/7").join("ada")
        third = await stack.enter_async_context(rhtmx.connect(app.url, token="ada:red"))
        with pytest.raises(rhtmx.RhtmxError, match="--room-members-per-subject") as refused:
            await third.room("orders/7").join("ada")
        assert refused.value.code is ErrorCode.TOO_MANY_SUBSCRIPTIONS
        assert [each.state for each in app.room("orders/7").members] == ["ada", "ada"]
        labels = {"reason": "subject_in_room"}
        count = app.metrics.registry.get_sample_value("rhtmx_room_joins_refused_total", labels)
        assert count == 1


async def test_many_who_come_at_once_cost_each_a_bounded_number_of_messages(app: App) -> None:
    await app.changes.push("orders", "7", {})
    count = 100
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw(app.url)) for _ in range(count)]
        for number, client in enumerate(clients):
            await client.send({"type": "room_join", **ROOM, "state": str(number)})
        for client in clients:
            async for members in watched(client):
                if len(members) == count:
                    break
        told = [sum(each["type"] == "room_members" for each in it.log) for it in clients]
        # What comes within a twentieth of a second comes together: never one for each who comes.
        assert max(told) <= count / 4
