"""Facts about `rhtmx.runtime.connection`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from rhtmx.api.client import Client
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.events import State
from rhtmx.core.session import Session
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Authenticate, Error, Hello, Limits, Ping, Push, ValidateField, Welcome
from rhtmx.runtime.handshake import _MAX_MESSAGE, WebSocketEndpoint
from rhtmx.stores.memory import MemoryStore
from rhtmx.stores.sqlite import SqliteStore
from rhtmx.wire import Format
from tests.support.sockets import PATIENCE
from tests.support.waiting import eventually
from tests.unit.rhtmx.model_server import NOW
from tests.unit.rhtmx.peer import Peer, client_of


def hellos(peer: Peer) -> list[Hello]:
    return [each for each in peer.heard if isinstance(each, Hello)]


async def test_a_first_attempt_that_fails_is_not_repeated() -> None:
    endpoint = WebSocketEndpoint("ws://127.0.0.1:1/api/ws", Format.JSON)
    with pytest.raises(ConnectionClosed, match="is the server running"):
        async with Client(Session("c1", lambda: 0.0), endpoint):
            pass


async def test_a_server_that_says_no_welcome_is_none_of_ours() -> None:
    async def hang_up(socket: ServerConnection) -> None:
        await socket.recv()

    async with serve(hang_up, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        endpoint = WebSocketEndpoint(f"ws://127.0.0.1:{port}/", Format.JSON)
        with pytest.raises(ConnectionClosed, match="address of an rhtmx server"):
            async with Client(Session("c1", lambda: 0.0), endpoint):
                pass


async def test_a_server_that_says_nothing_is_not_waited_for_for_ever(peer: Peer) -> None:
    peer.mute = True
    endpoint = WebSocketEndpoint(peer.url, Format.JSON, open_timeout=0.02)
    with pytest.raises(ConnectionClosed, match=r"did not answer|no answer"):
        async with Client(Session("c1", lambda: 0.0), endpoint):
            pass


async def test_a_lost_connection_is_made_again_and_reading_goes_on(
    client: Client, peer: Peer
) -> None:
    for number in (1, 2):
        await peer.write("a", {"n": number})
    seen = []
    async for change in client.changes("tasks", since=0):
        seen.append(change.version)
        if change.version == 4:
            break
        await peer.drop()
        await peer.until(lambda: peer.server.cursor is None)
        await peer.write("b", {"n": change.version})
    assert seen == [2, 3, 4]


async def test_a_write_whose_answer_was_lost_takes_effect_once(client: Client, peer: Peer) -> None:
    peer.mute = True
    push = asyncio.create_task(client.push("tasks", "1", 1))
    await peer.until(lambda: any(isinstance(each, Push) for each in peer.heard))
    peer.mute = False
    await peer.drop()
    result = await push
    assert result.duplicate
    assert peer.server.effects == ["1"]


async def test_a_question_is_asked_again_on_the_next_connection(client: Client, peer: Peer) -> None:
    peer.mute = True
    heard = len(peer.heard)
    question = asyncio.create_task(client.validate_field("signup", "email", "ok"))
    await peer.until(lambda: len(peer.heard) > heard)
    peer.mute = False
    await peer.drop()
    assert await question


async def test_a_silent_server_is_given_up_and_connected_to_again(peer: Peer) -> None:
    peer.heartbeat = 20
    async with client_of(peer):
        await peer.until(lambda: Ping() in peer.heard)
        peer.mute = True
        await peer.until(lambda: peer.connections == 2)


async def test_a_final_close_code_ends_everything_that_waits(client: Client, peer: Peer) -> None:
    changes = client.changes("tasks")
    peer.mute = True
    heard = len(peer.heard)
    push = asyncio.create_task(client.push("tasks", "1", 1))
    reading = asyncio.create_task(anext(changes))
    await peer.until(lambda: len(peer.heard) >= heard + 2)
    await peer.drop(4501, "taken")
    for waiting in (push, reading):
        with pytest.raises(ConnectionClosed, match="4501 client_id_taken") as caught:
            await waiting
        assert caught.value.code is ErrorCode.CLIENT_ID_TAKEN
    assert client.state is State.CLOSED
    assert peer.connections == 1


async def test_a_close_code_that_asks_for_it_is_followed(client: Client, peer: Peer) -> None:
    await peer.drop(4000, "the server is stopping")
    await peer.until(lambda: len(hellos(peer)) == 2)


async def test_what_cannot_be_understood_ends_the_client(client: Client, peer: Peer) -> None:
    reading = asyncio.create_task(anext(client.changes("tasks")))
    assert peer.socket is not None
    await peer.socket.send('{"type":"change"}')
    with pytest.raises(ConnectionClosed, match="does not understand"):
        await reading


@pytest.mark.parametrize("form", Format)
async def test_what_a_newer_server_says_is_passed_over_and_noted_once(
    form: Format, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    new = b'{"type":"presence","who":["ada"]}' if form is Format.JSON else b"\xa2\x1f\x03abc"

    async def say() -> None:
        assert peer.socket is not None
        await peer.socket.send(new, text=form is Format.JSON)

    async with client_of(peer, form) as client:
        for _ in range(3):
            await say()
        await peer.drop()
        await peer.until(lambda: len(hellos(peer)) == 2)
        await say()
        await client.push("tasks", "1", {"n": 1})
    noted = [
        each.getMessage()
        for each in caplog.records
        if "newer than this client" in each.getMessage()
    ]
    assert len(noted) == 1


async def test_a_write_refused_in_a_word_of_a_newer_server_is_rejected_with_the_word(
    client: Client, peer: Peer
) -> None:
    peer.mute = True
    writing = asyncio.ensure_future(client.push("tasks", "1", {"n": 1}))
    await peer.until(lambda: any(isinstance(each, Push) for each in peer.heard))
    assert peer.socket is not None
    await peer.socket.send('{"type":"error","message":"no","code":"quota_exceeded","seq":1}')
    with pytest.raises(RhtmxError, match=r"no \(quota_exceeded\)"):
        await writing
    (rejected,) = client.rejected
    assert rejected.error.code.name == "quota_exceeded"
    assert client.state is State.OPEN


async def test_what_is_out_of_place_only_ends_the_connection(client: Client, peer: Peer) -> None:
    await peer.say(Welcome("s", "e", 0, 1, Limits(1, 1, 1), NOW, "x"))
    await peer.until(lambda: len(hellos(peer)) == 2)


async def test_a_refused_hello_is_raised_in_the_servers_words(peer: Peer) -> None:
    peer.refusal = Error("this client_id belongs to another user", ErrorCode.CLIENT_ID_TAKEN)
    with pytest.raises(ConnectionClosed, match="belongs to another user"):
        async with client_of(peer):
            pass


async def test_each_connection_gets_a_fresh_token(peer: Peer) -> None:
    tokens = iter(["t1", "t2"])

    async def token() -> str:
        return next(tokens)

    async with client_of(peer, token=token):
        await peer.drop()
        await peer.until(lambda: len(hellos(peer)) == 2)
    assert [each.token for each in hellos(peer)] == ["t1", "t2"]


async def test_a_token_that_cannot_be_had_is_an_error_in_words(peer: Peer) -> None:
    async def token() -> str:
        raise OSError("the identity provider is down")

    with pytest.raises(ConnectionClosed, match="identity provider is down"):
        async with client_of(peer, token=token):
            pass


async def test_a_token_that_no_server_takes_does_not_travel(
    peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = ["t" * 4096, "s3cr3t" + "t" * 4096, "t2"]

    async def token() -> str:
        return tokens.pop(0)

    async with client_of(peer, token=token) as client:
        with pytest.raises(RhtmxError, match="at most 4096 bytes expected, got 4097") as refused:
            await client.authenticate("t" * 4097)
        assert refused.value.code is ErrorCode.BAD_MESSAGE
        await peer.drop()
        await eventually(lambda: client.state is State.WAITING and len(tokens) == 1)
        client.online()  # the next one may be shorter
        await peer.until(lambda: len(hellos(peer)) == 2)
    assert [each.token for each in hellos(peer)] == ["t" * 4096, "t2"]
    assert "token: at most 4096 bytes expected, got 4102" in caplog.text
    assert "s3cr3t" not in caplog.text


async def test_a_first_token_that_no_server_takes_is_raised(peer: Peer) -> None:
    async def token() -> str:
        return "t" * 4097

    with pytest.raises(ConnectionClosed, match="at most 4096 bytes expected, got 4097"):
        async with client_of(peer, token=token):
            pass
    assert peer.connections == 0


async def test_closing_ends_what_waits(client: Client, peer: Peer) -> None:
    peer.mute = True
    heard = len(peer.heard)
    push = asyncio.create_task(client.push("tasks", "1", 1))
    await peer.until(lambda: len(peer.heard) > heard)
    await client.close()
    with pytest.raises(ConnectionClosed, match="the client was closed"):
        await push


async def test_offline_lets_go_and_online_connects_at_once(client: Client, peer: Peer) -> None:
    client.offline()
    assert client.state is State.OFFLINE
    push = asyncio.create_task(client.push("tasks", "1", 1))
    await peer.until(lambda: peer.server.cursor is None)
    client.online()
    assert (await push).version == 1
    assert peer.connections == 2


async def test_online_does_not_wait_for_the_next_attempt(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx.core.backoff._FIRST", 1000.0)
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 1000.0)
    session = Session("c1", random=lambda: 0.999)
    async with Client(session, WebSocketEndpoint(peer.url, Format.JSON)) as client:
        await peer.drop()
        async for state in client.states():
            if state is State.WAITING:
                break
        client.online()
        await peer.until(lambda: peer.connections == 2)


async def test_online_finds_a_dead_connection_at_once(
    client: Client, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx.core.connection_lifecycle.PROOF", 0.05)
    peer.mute = True  # the socket stands, and nobody is there
    client.online()
    await peer.until(lambda: peer.connections == 2)


async def test_online_gives_a_handshake_that_is_under_way_little_time(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx.core.connection_lifecycle.PROOF", 0.05)
    monkeypatch.setattr("rhtmx.runtime.handshake_deadline._BURST", 0.0)
    shaking = asyncio.Event()

    async def nobody(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shaking.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(nobody, "127.0.0.1", 0) as silent:
        url = f"ws://127.0.0.1:{silent.sockets[0].getsockname()[1]}/"
        store = SqliteStore(tmp_path / "client.db")
        endpoint = WebSocketEndpoint(url, Format.JSON, open_timeout=1000.0)
        async with Client(Session("c1", lambda: 0.5), endpoint, store=store) as client:
            await shaking.wait()
            client.online()
            async for state in client.states():
                if state is State.WAITING:
                    break
            assert client.problem is not None
            assert "since this machine woke" in client.problem.message


async def test_online_leaves_a_connection_that_answers_alone(client: Client, peer: Peer) -> None:
    client.online()
    await peer.until(lambda: Ping() in peer.heard)
    assert (await client.push("tasks", "1", 1)).version == 1
    assert peer.connections == 1


async def test_a_machine_that_has_slept_looks_after_its_connection(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx.runtime.alarm._LOOK", 0.001)
    monkeypatch.setattr("rhtmx.core.connection_lifecycle.PROOF", 0.05)
    loop, hour = asyncio.get_running_loop(), [0.0]
    monkeypatch.setattr("rhtmx.runtime.alarm._wall", lambda: loop.time() + hour[0])
    async with client_of(peer):
        peer.mute = True
        hour[0] = 3600.0
        await peer.until(lambda: peer.connections == 2)


async def test_a_machine_that_has_slept_does_not_wait_for_the_next_attempt(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx.core.backoff._FIRST", 1000.0)
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 1000.0)
    monkeypatch.setattr("rhtmx.runtime.alarm._LOOK", 0.001)
    loop, hour = asyncio.get_running_loop(), [0.0]
    monkeypatch.setattr("rhtmx.runtime.alarm._wall", lambda: loop.time() + hour[0])
    session = Session("c1", random=lambda: 0.999)
    async with Client(session, WebSocketEndpoint(peer.url, Format.JSON)) as client:
        await peer.drop()
        await eventually(lambda: client.state is State.WAITING)
        hour[0] = 3600.0
        await peer.until(lambda: peer.connections == 2)


async def test_offline_while_connecting_ends_the_attempt(peer: Peer) -> None:
    async with client_of(peer) as client:
        peer.mute = True
        await peer.drop()
        await peer.until(lambda: len(hellos(peer)) == 2)
        client.offline()
        peer.mute = False
        peer.server.outgoing.clear()
        client.online()
        assert (await client.push("tasks", "1", 1)).version == 1


async def test_a_write_that_waits_and_is_too_large_is_refused_and_holds_up_nothing(
    client: Client, peer: Peer
) -> None:
    client.offline()
    limits, client._runtime.session.limits = client._runtime.session.limits, None
    big = asyncio.create_task(client.push("tasks", "big", "x" * 70_000))
    small = asyncio.create_task(client.push("tasks", "small", "x"))
    await asyncio.sleep(0)
    client._runtime.session.limits = limits
    client.online()
    with pytest.raises(RhtmxError, match="at most 65536 bytes") as caught:
        await big
    assert caught.value.code is ErrorCode.TOO_LARGE
    assert (await small).version == 1
    assert [each.entity_id for each in client.rejected] == ["big"]


async def test_a_question_that_waits_and_is_too_large_is_refused_and_the_client_goes_on(
    client: Client, peer: Peer
) -> None:
    client.offline()
    limits, client._runtime.session.limits = client._runtime.session.limits, None
    big = asyncio.create_task(client.validate_field("signup", "email", "x" * 70_000))
    await asyncio.sleep(0)
    client._runtime.session.limits = limits
    client.online()
    with pytest.raises(RhtmxError, match="at most 65536 bytes") as caught:
        await big
    assert caught.value.code is ErrorCode.TOO_LARGE
    assert (await client.push("tasks", "1", 1)).version == 1


async def test_what_is_larger_than_this_client_takes_is_no_fault_of_a_write(
    client: Client, peer: Peer
) -> None:
    peer.mute = True
    push = asyncio.create_task(client.push("tasks", "1", 1))
    await peer.until(lambda: isinstance(peer.heard[-1], Push))
    assert peer.socket is not None
    await peer.socket.send("x" * (_MAX_MESSAGE + 1))
    with pytest.raises(ConnectionClosed, match="larger than this client takes") as caught:
        await push
    assert caught.value.close_code == 1009
    assert not client.rejected
    assert [each.entity_id for each in client.queue] == ["1"]


async def test_a_token_that_the_server_no_longer_takes_is_replaced(peer: Peer) -> None:
    tokens = iter(["t1", "t2", "t3"])

    async def token() -> str:
        return next(tokens)

    async with client_of(peer, token=token) as client:
        await peer.drop(4503, "expired")
        await peer.until(lambda: len(hellos(peer)) == 2)
        assert (await client.push("tasks", "1", 1)).version == 1
    assert [each.token for each in hellos(peer)] == ["t1", "t2"]


async def test_writes_that_wait_for_a_fresh_token_get_one(peer: Peer) -> None:
    tokens = iter(["t1", "t2"])

    async def token() -> str:
        return next(tokens)

    async with client_of(peer, token=token) as client:
        peer.mute = True
        push = asyncio.create_task(client.push("tasks", "1", 1))
        await peer.until(lambda: any(isinstance(each, Push) for each in peer.heard))
        peer.server.outgoing.clear()
        peer.server.seqs.clear()
        peer.mute = False
        await peer.say(Error("expired", ErrorCode.UNAUTHENTICATED, seq=1))
        await push
        assert [each.token for each in peer.heard if isinstance(each, Authenticate)] == ["t2"]


async def test_a_first_token_that_is_refused_is_raised_in_the_servers_words(peer: Peer) -> None:
    async def token() -> str:
        return "t1"

    peer.refusal = Error("this token has expired", ErrorCode.UNAUTHENTICATED)
    with pytest.raises(ConnectionClosed, match="this token has expired"):
        async with client_of(peer, token=token):
            pass


async def test_writes_that_wait_for_a_token_that_nobody_gives_are_said_in_the_log(
    client: Client, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    peer.mute = True
    push = asyncio.create_task(client.push("tasks", "1", 1))
    await peer.until(lambda: any(isinstance(each, Push) for each in peer.heard))
    peer.server.outgoing.clear()
    peer.server.seqs.clear()
    peer.mute = False
    await peer.say(Error("expired", ErrorCode.UNAUTHENTICATED, seq=1))
    await eventually(lambda: "wait for a fresh token: call authenticate" in caplog.text)
    await client.authenticate("t2")
    assert (await push).version


async def test_a_message_that_comes_in_the_moment_of_the_end_leaves_no_socket_open(
    peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(peer) as client:
        connection = client._runtime._connection
        assert connection is not None
        connection._closing = True
        client._runtime.session.close()
        await peer.say(Ping())
        # The reader has ended by itself, and only waits for the writer, when it is cancelled.
        await eventually(lambda: not connection._alarm.armed)
    assert caplog.text == ""
    await peer.until(lambda: peer.socket is None or peer.socket.close_code is not None)


async def test_a_message_that_cannot_be_written_ends_the_client_aloud(
    client: Client, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    client._runtime.session._link.send(Push(base_version="5"))  # type: ignore[arg-type]
    with pytest.raises(ConnectionClosed, match=r"the client failed: .*cannot be written"):
        await client.push("tasks", "1", 1)
    assert client.state is State.CLOSED
    assert "cannot be written as JSON" in caplog.text


@pytest.mark.parametrize("apart", [False, True])
async def test_what_asks_for_a_token_may_close_the_client(peer: Peer, apart: bool) -> None:
    """It is cancelled then, as the attempt is that it was asked for."""
    asked: list[str] = []

    async def token() -> str:
        asked.append("now")
        await (asyncio.create_task(client.close()) if apart else client.close())
        raise AssertionError("it went on")

    client = client_of(peer, token=token, store=MemoryStore("c"))
    async with asyncio.timeout(PATIENCE), client:
        assert [state async for state in client.states()][-1] is State.CLOSED
    assert asked == ["now"]


async def test_what_is_asked_for_another_token_may_close_the_client(peer: Peer) -> None:
    closed = asyncio.Event()

    async def token() -> str:
        if peer.connections:
            await client.close()
            closed.set()
        return "t"

    async with asyncio.timeout(PATIENCE), client_of(peer, token=token) as client:
        client._runtime.router._renew()
        await closed.wait()
        assert client.state is State.CLOSED


async def test_whoever_waits_for_a_client_whose_task_was_cancelled_is_told(
    client: Client, peer: Peer
) -> None:
    peer.mute = True
    waiting = asyncio.create_task(client.validate_field("form", "name", "ok"))
    await peer.until(lambda: any(isinstance(each, ValidateField) for each in peer.heard))
    connection = client._runtime._connection
    assert connection is not None
    connection.end()
    with pytest.raises(ConnectionClosed, match="its task was cancelled"):
        await waiting
    with pytest.raises(ConnectionClosed, match="its task was cancelled"):
        await client.push("users", "1", {"n": 1})
