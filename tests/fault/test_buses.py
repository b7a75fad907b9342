"""What becomes of a bus when the server that carries it is cut off, stopped, or another one.

The servers are real, and so is what befalls them. What is measured in seconds is made shorter.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.buses import open_bus
from rhtmx_server.buses.notify import channel_of
from rhtmx_server.sharing import Bus
from tests.support.buses import Join, Node, joining
from tests.support.certificates import authority, signed
from tests.support.nats import NatsServer, running
from tests.support.postgres import Postgres
from tests.support.waiting import eventually

_messages = count()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notice soon that a server has stopped."""
    monkeypatch.setattr("rhtmx_server.buses.nats._PING_EVERY", 0.2)
    monkeypatch.setattr("rhtmx_server.buses.nats._CONNECTING", 1)
    monkeypatch.setattr("rhtmx_server.buses.notify._TIMEOUT", 1)
    monkeypatch.setattr("rhtmx_server.buses.reconnecting._ASK_EVERY", 0.2)
    monkeypatch.setattr("rhtmx_server.buses.backoff.LONGEST", 0.2)


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    with running(tmp_path) as server:
        yield server


@pytest.fixture
async def join(nats: NatsServer) -> AsyncIterator[Join]:
    async with joining(lambda: open_bus(nats.url)) as made:
        yield made


async def flows(sender: Node, *receivers: Node) -> None:
    """Wait until messages arrive again: until then each one may be lost."""
    async with asyncio.timeout(60):
        while True:
            message = b"message %d" % next(_messages)
            sender.bus.announce(message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    for each in receivers:
                        await each.hears(message)
                    return


def announce_much(node: Node, size: int = 500_000) -> list[bytes]:
    """Announce more than there is room for: all of it in one turn of the loop."""
    messages = [b"%d much" % number + b"x" * size for number in range(40)]
    for each in messages:
        node.bus.announce(each)
    return messages


async def refusal(bus: Bus) -> RhtmxError:
    """What `open` says of a bus that no other try will mend."""
    with pytest.raises(RhtmxError) as caught:
        await bus.open("one", "a", lambda _: None, lambda: None)
    assert caught.value.code is ErrorCode.STORAGE_FAILED
    assert "secret" not in str(caught.value)
    assert not bus.ready()
    await bus.close()
    return caught.value


async def nothing_is_left() -> None:
    """Wait until no task of a bus or of a library is left."""
    await eventually(lambda: asyncio.all_tasks() == {asyncio.current_task()})


# NATS


async def test_a_nats_server_that_is_killed_and_started_again_carries_messages_again(
    nats: NatsServer, join: Join
) -> None:
    a, b = await join("a"), await join("b")
    await flows(a, b)
    nats.kill()
    await eventually(lambda: not a.bus.ready() and not b.bus.ready())
    a.bus.announce(b"while it is away")
    assert a.bus.dropped == 1
    nats.start()
    await eventually(lambda: a.missed > 0 and b.missed > 0)
    assert a.bus.ready()
    await flows(a, b)
    await flows(b, a)
    assert b"while it is away" not in b.heard


async def test_a_nats_server_that_is_killed_under_load_leaves_nothing_behind(
    nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with joining(lambda: open_bus(nats.url)) as join:
        a, b = await join("a"), await join("b")
        for _ in range(5):
            nats.freeze()
            announce_much(a)
            for _ in range(20):
                await asyncio.sleep(0)  # some of it waits in each of the buffers
            nats.kill()
            await eventually(lambda: not a.bus.ready() and not b.bus.ready())
            nats.start()
            await eventually(lambda: a.bus.ready() and b.bus.ready())
        await flows(a, b)
        assert a.bus.dropped > 0
    await nothing_is_left()
    gc.collect()
    assert "never retrieved" not in caplog.text
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


async def test_a_nats_server_that_stops_without_a_word_holds_nobody_up(
    nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with joining(lambda: open_bus(nats.url)) as join:
        a, b = await join("a"), await join("b")
        nats.freeze()
        much = announce_much(a)  # comes back at once: this test has one thread
        assert a.bus.dropped > 0
        await eventually(lambda: not a.bus.ready())
        await eventually(lambda: not b.bus.ready())
        dropped = a.bus.dropped
        a.bus.announce(b"while it stands still")
        assert a.bus.dropped == dropped + 1
        nats.thaw()
        await eventually(lambda: a.missed > 0 and b.missed > 0)
        await flows(a, b)
        assert much[-1] not in b.heard
        assert b"while it stands still" not in b.heard
    await nothing_is_left()
    gc.collect()
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


async def test_a_bus_is_closed_while_its_nats_server_stands_still(
    nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with joining(lambda: open_bus(nats.url)) as join:
        files = len(os.listdir("/proc/self/fd"))
        a = await join("a")
        nats.freeze()
        announce_much(a)
        for _ in range(20):
            await asyncio.sleep(0)  # the buffers of both sides are full
        await a.bus.close()
    await nothing_is_left()
    await eventually(lambda: len(os.listdir("/proc/self/fd")) <= files)
    assert caplog.text == ""


async def test_a_bus_opens_before_its_nats_server_is_there(
    nats: NatsServer, join: Join, caplog: pytest.LogCaptureFixture
) -> None:
    nats.kill()
    a, b = await join("a"), await join("b")
    assert not a.bus.ready()
    assert "the bus is not connected" in caplog.text
    nats.start()
    await eventually(lambda: a.bus.ready() and b.bus.ready())
    await flows(a, b)
    assert a.missed > 0


async def test_the_limit_of_the_nats_server_is_kept_to_also_when_it_becomes_another(
    nats: NatsServer, join: Join
) -> None:
    nats.kill()
    nats.settings = ("max_payload: 65536",)
    nats.start()
    a, b = await join("a"), await join("b")
    assert a.bus.most_bytes == 65536
    a.bus.announce(b"x" * 65537)
    a.bus.announce(b"y" * 65536)
    await b.hears(b"y" * 65536)
    assert (a.bus.dropped, a.missed) == (1, 0)
    nats.kill()
    nats.settings = ("max_payload: 8192",)
    nats.start()
    await eventually(lambda: a.missed > 0 and b.missed > 0)
    assert a.bus.most_bytes == 8192
    await flows(a, b)


async def test_a_nats_server_that_takes_next_to_nothing_is_refused(nats: NatsServer) -> None:
    nats.kill()
    nats.settings = ("max_payload: 1000",)
    nats.start()
    assert "max_payload" in str(await refusal(open_bus(nats.url)))
    await nothing_is_left()


async def test_who_is_too_slow_for_nats_is_told_that_something_is_missed(
    join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = await join("a")
    monkeypatch.setattr("rhtmx_server.buses.nats._HEARD_MESSAGES", 3)
    b = await join("b")
    messages = [b"%d" % number for number in range(200)]
    for each in messages:
        a.bus.announce(each)
    await eventually(lambda: b.missed > 0)
    assert b.bus.ready()
    await flows(a, b)
    assert set(b.heard) < {*messages, *b.heard[-1:]}


async def test_what_was_sent_on_an_earlier_connection_is_not_heard_on_the_next_one() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"max_payload":1048576}\r\n')
        while line := await reader.readline():
            if line == b"PING\r\n":
                writer.write(b"PONG\r\n")
            elif line.startswith(b"SUB"):  # what the node itself has sent is let through only now
                writer.write(b"MSG rhtmx.one.a 1 3\r\nold\r\nMSG rhtmx.one.b 1 3\r\nnew\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with joining(lambda: open_bus(f"nats://127.0.0.1:{port}")) as join:
        a = await join("a")
        await a.hears(b"new")
        assert a.heard == [b"new"]
    server.close()
    await nothing_is_left()


async def test_nats_credentials_that_are_wrong_are_refused_at_once(nats: NatsServer) -> None:
    nats.kill()
    nats.settings = ('authorization { user: app, password: "top@secret/1" }',)
    nats.start()
    for login in ("app:wrong-secret@", "secret-token@", ""):
        words = str(await refusal(open_bus(f"nats://{login}{nats.host}")))
        assert "Authorization Violation" in words
    url = f"nats://app:top%40secret%2F1@{nats.host}"
    async with joining(lambda: open_bus(url)) as join:
        await flows(await join("a"), await join("b"))
    await nothing_is_left()


async def test_a_token_of_nats_is_what_stands_before_the_host(nats: NatsServer) -> None:
    nats.kill()
    nats.settings = ('authorization { token: "t:1" }',)
    nats.start()
    async with joining(lambda: open_bus(f"nats://t%3A1@{nats.host}")) as join:
        await flows(await join("a"), await join("b"))


async def test_a_file_of_credentials_is_used_and_a_wrong_one_refused(
    nats: NatsServer, tmp_path: Path
) -> None:
    pytest.importorskip("nkeys")
    from tests.support.nats_accounts import credentials_and_settings

    credentials, settings = credentials_and_settings()
    other, _ = credentials_and_settings()
    nats.kill()
    nats.settings = settings
    nats.start()
    file = tmp_path / "app.creds"
    url = f"{nats.url}?credentials={file}"
    seed_alone = credentials[credentials.index("-----BEGIN USER NKEY SEED") :]
    await refusal(open_bus(url))
    for wrong in ("", "secret", seed_alone, other):
        file.write_text(wrong)
        await refusal(open_bus(url))
    file.write_text(credentials)
    async with joining(lambda: open_bus(url)) as join:
        await flows(await join("a"), await join("b"))
    await nothing_is_left()


async def test_credentials_that_are_changed_later_are_tried_again(
    nats: NatsServer, join: Join, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = await join("a"), await join("b")
    nats.kill()
    open_to_all, nats.settings = nats.settings, ('authorization { token: "other" }',)
    nats.start()
    await eventually(lambda: "Authorization Violation" in caplog.text)
    nats.kill()
    nats.settings = open_to_all
    nats.start()
    await eventually(lambda: a.bus.ready() and b.bus.ready())
    await flows(a, b)


async def test_nats_that_does_not_let_a_node_listen_is_refused(nats: NatsServer) -> None:
    nats.kill()
    allowed = 'permissions: { publish: ">", subscribe: "other.>" }'
    nats.settings = (f"authorization {{ users: [{{ user: a, password: secret, {allowed} }}] }}",)
    nats.start()
    words = str(await refusal(open_bus(f"nats://a:secret@{nats.host}")))
    assert "permissions violation for subscription" in words
    url = f"nats://a:secret@{nats.host}?subject=other.app"
    async with joining(lambda: open_bus(url)) as join:
        await flows(await join("a"), await join("b"))


async def test_nats_that_does_not_let_a_node_send_is_in_the_log_and_it_still_hears(
    nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    nats.kill()
    mute = 'user: mute, password: secret, permissions: { publish: "no", subscribe: ">" }'
    nats.settings = (f"authorization {{ users: [{{ {mute} }}, {{ user: b, password: secret }}] }}",)
    nats.start()
    urls = iter([f"nats://mute:secret@{nats.host}", f"nats://b:secret@{nats.host}"])
    async with joining(lambda: open_bus(next(urls))) as join:
        a, b = await join("a"), await join("b")
        for _ in range(3):
            a.bus.announce(b"not allowed")
        await eventually(lambda: "permissions violation for publish" in caplog.text)
        await flows(b, a)
        assert a.bus.ready()
    assert len([each for each in caplog.records if each.levelname == "ERROR"]) == 1


def secured(nats: NatsServer, folder: Path, more: str = "") -> Path:
    """Have a server use TLS; returns who has signed its certificate."""
    folder.mkdir()
    trusted = authority(folder, "authority")
    pair = signed(folder, "server", trusted)
    nats.kill()
    nats.settings = (f'tls {{ cert_file: "{pair.cert}", key_file: "{pair.key}"{more} }}',)
    nats.start()
    return trusted.cert


async def test_nats_through_tls_is_used_by_whom_its_certificate_is_trusted(
    nats: NatsServer, tmp_path: Path
) -> None:
    ca = secured(nats, tmp_path / "tls")
    url = f"tls://localhost:{nats.port}"
    async with joining(lambda: open_bus(f"{url}?ca={ca}")) as join:
        a, b = await join("a"), await join("b")
        await flows(a, b)
        announce_much(a, 100_000)
        nats.freeze()
        announce_much(a, 100_000)
        await eventually(lambda: not a.bus.ready())
        nats.thaw()
        await flows(a, b)
    for untrusted in (url, f"nats://localhost:{nats.port}"):
        assert "certificate verify failed" in str(await refusal(open_bus(untrusted)))
    assert "no such file" in str(await refusal(open_bus(f"{url}?ca=/not/there.pem")))
    await nothing_is_left()


async def test_a_node_shows_its_own_certificate_to_nats(nats: NatsServer, tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    ca = secured(nats, folder, f', verify: true, ca_file: "{folder}/authority.pem"')
    own = f"cert={folder}/server.pem&key={folder}/server.key"
    async with joining(lambda: open_bus(f"tls://localhost:{nats.port}?ca={ca}&{own}")) as join:
        await flows(await join("a"), await join("b"))


async def test_to_nats_without_tls_nothing_is_sent_where_tls_was_asked_for() -> None:
    received: list[bytes] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"max_payload":1048576,"auth_required":true}\r\n')
        received.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    words = str(await refusal(open_bus(f"tls://app:secret@127.0.0.1:{port}")))
    assert "offers no TLS" in words
    await eventually(lambda: received == [b""])
    server.close()
    await nothing_is_left()


async def test_of_two_nats_servers_one_is_enough(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    cluster = 'cluster { name: test, listen: "127.0.0.1:-1"'
    with (
        running(tmp_path / "first", cluster + " }") as first,
        running(tmp_path / "second", f'{cluster}, routes: ["{first.routes}"] }}') as second,
    ):
        urls = iter([first.url, f"{first.url},{second.host}", second.url])
        async with joining(lambda: open_bus(next(urls))) as join:
            a, b, c = await join("a"), await join("b"), await join("c")
            await flows(a, b, c)
            await flows(c, a, b)
            first.kill()
            await eventually(lambda: not a.bus.ready())
            await flows(c, b)
            await flows(b, c)


async def test_a_nats_server_that_is_away_does_not_hide_another_one(nats: NatsServer) -> None:
    for _ in range(8):  # in which order they are tried is random
        async with joining(lambda: open_bus(f"nats://127.0.0.1:1,{nats.host}")) as join:
            assert (await join("a")).bus.ready()


# NOTIFY

BUSES = "application_name = 'rhtmx-server bus'"


@pytest.fixture
async def listening(postgres: Postgres) -> AsyncIterator[Join]:
    place = postgres.place()
    async with joining(lambda: open_bus("notify:", store=place)) as made:
        yield made


def backends(postgres: Postgres) -> list[int]:
    """The processes of PostgreSQL that serve buses."""
    return [*map(int, postgres.sql(f"SELECT pid FROM pg_stat_activity WHERE {BUSES}").split())]


async def test_connections_of_notify_that_are_ended_are_made_again(
    postgres: Postgres, listening: Join
) -> None:
    a, b = await listening("a"), await listening("b")
    await flows(a, b)
    postgres.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {BUSES}")
    await eventually(lambda: a.missed > 0 and b.missed > 0)
    await flows(a, b)
    await flows(b, a)


async def test_a_database_that_stops_without_a_word_holds_nobody_up(
    postgres: Postgres, listening: Join
) -> None:
    a, b = await listening("a"), await listening("b")
    stopped = backends(postgres)
    for each in stopped:
        os.kill(each, signal.SIGSTOP)
    try:
        for number in range(2000):
            a.bus.announce(b"%d" % number + b"x" * 5000)  # all in one turn of the loop
        assert a.bus.dropped > 0
        await eventually(lambda: a.missed > 0 and b.missed > 0)
        await flows(a, b)
    finally:
        for each in stopped:
            os.kill(each, signal.SIGCONT)


async def test_a_database_that_is_started_again_carries_messages_again(tmp_path: Path) -> None:
    from tests.support.postgres import running as postgres_running

    with postgres_running() as own:
        place = own.place()
        async with joining(lambda: open_bus("notify:", store=place)) as join:
            a, b = await join("a"), await join("b")
            own.stop()
            await eventually(lambda: not a.bus.ready() and not b.bus.ready())
            late = await join("c")
            assert not late.bus.ready()
            a.bus.announce(b"while it is away")
            assert a.bus.dropped == 1
            own.start()
            await eventually(lambda: a.missed > 0 and b.missed > 0 and late.missed > 0)
            await flows(a, b, late)
            assert b"while it is away" not in b.heard
    await nothing_is_left()


async def test_the_longest_name_of_a_schema_is_heard(postgres: Postgres) -> None:
    url = f"{postgres.url()}&schema={'s' * 63}"
    async with joining(lambda: open_bus("notify:", store=url)) as join:
        await flows(await join("a" * 64, "c" * 64), await join("b" * 64, "c" * 64))


async def test_a_database_or_user_that_does_not_exist_is_refused(postgres: Postgres) -> None:
    bus = open_bus("notify:", store=postgres.url("nowhere"))
    assert 'database "nowhere" does not exist' in str(await refusal(bus))
    bus = open_bus("notify:", store=postgres.url().replace("user=app", "user=nobody_here"))
    assert "nobody_here" in str(await refusal(bus))


async def test_where_notifications_do_not_arrive_a_bus_is_refused(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx_server.buses.notify._NOTIFY", "SELECT $1::text, $2::text[]")
    bus = open_bus("notify:", store=postgres.place())
    assert "not to a pooler" in str(await refusal(bus))
    await nothing_is_left()


async def test_what_others_send_by_hand_on_the_channel_of_notify_does_no_harm(
    postgres: Postgres,
) -> None:
    async with joining(lambda: open_bus("notify:", store=postgres.url())) as join:
        a, b = await join("a"), await join("b")
        channel = channel_of("rhtmx", "one")
        for words in ("", "x", "x !", "x \u00fc"):
            postgres.sql(f"SELECT pg_notify('{channel}', '{words}')")
        await flows(a, b)
        assert a.heard == []
        assert a.missed == 0
