"""The client for backends against the real door, and beside a client of the socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from rhtmx_server import App, Config, Grant, Request
from rhtmx_server.transports.grpc.reads import PAGE
from tests.support.certificates import authority, signed
from tests.support.sockets import PATIENCE
from tests.support.waiting import eventually


@pytest.fixture
async def app(store: str) -> AsyncIterator[App]:
    """A running server with both doors that takes any entity, and has a form."""
    app = App(store=store, config=Config(port=0, grpc_port=0), undeclared=True)
    app.form("signup").field("email", required=True, email=True)
    async with app:
        yield app


@pytest.fixture
async def trackers(app: App) -> AsyncIterator[rhtmx.Backend]:
    async with rhtmx.backend(app.grpc_address, client_id="batch") as trackers:
        yield trackers


async def take(changes: Any, count: int) -> list[Any]:
    """The next changes."""
    taken: list[Any] = []
    async with asyncio.timeout(PATIENCE):
        async for each in changes:
            taken.append(each)
            if len(taken) == count:
                break
    return taken


async def test_a_record_is_written_read_and_deleted(trackers: rhtmx.Backend) -> None:
    pushed = await trackers.push("prices", "EURUSD", {"bid": 1.0853})
    assert (pushed.entity_id, pushed.version) == ("EURUSD", 1)
    record = await trackers.get("prices", "EURUSD")
    assert record is not None
    assert (record.data, record.version, record.client_id) == ({"bid": 1.0853}, 1, "batch")
    assert (await trackers.delete("prices", "EURUSD")).version == 2
    assert await trackers.get("prices", "EURUSD") is None
    assert await trackers.get_fields("prices", "EURUSD") is None


async def test_a_history_goes_on_after_a_page_of_nothing_but_writes_that_lost(
    app: App, trackers: rhtmx.Backend
) -> None:
    await trackers.push_fields("tasks", "1", {"n": 0})
    past = datetime.now(UTC) - timedelta(hours=1)
    async with rhtmx.backend(app.grpc_address, client_id="late") as late:
        for n in range(1, 3 * PAGE):
            assert (await late.push_fields("tasks", "1", {"n": n}, timestamp=past)).conflicts
    await trackers.push("tasks", "2", {"n": 1})
    assert [each.version async for each in trackers.history("tasks")] == [1, 2]
    assert [each.version async for each in trackers.history("tasks", "2")] == [2]


async def test_fields_are_merged_and_conflicts_told(app: App, trackers: rhtmx.Backend) -> None:
    first = await trackers.push_fields("tasks", "1", {"title": "a", "done": False})
    past = datetime.now(UTC) - timedelta(hours=1)
    async with rhtmx.backend(app.grpc_address, client_id="another") as another:
        result = await another.push_fields("tasks", "1", {"title": "b"}, timestamp=past)
    assert (first.applied, result.applied) == (2, 0)
    [conflict] = result.conflicts
    assert (conflict.field, conflict.server_value, conflict.winner) == ("title", "a", "server")
    fields = await trackers.get_fields("tasks", "1")
    assert fields is not None
    assert {name: each.value for name, each in fields.items()} == {"title": "a", "done": False}
    assert {each.client_id for each in fields.values()} == {"batch"}


async def test_a_numbered_write_takes_effect_once(trackers: rhtmx.Backend) -> None:
    first = await trackers.push("tasks", "1", {"n": 1}, seq=1)
    again = await trackers.push("tasks", "1", {"n": 1}, seq=1)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert first.version == again.version
    with pytest.raises(rhtmx.RhtmxError) as caught:
        await trackers.push("tasks", "1", {"n": 1}, seq=9)
    assert caught.value.code is rhtmx.ErrorCode.OUT_OF_ORDER
    assert caught.value.details == b'{"last_seq":1}'


async def test_numbered_fields_sent_again_with_their_time_take_effect_once(
    trackers: rhtmx.Backend,
) -> None:
    numbered: Any = {"timestamp": datetime.now(UTC), "seq": 1}
    first = await trackers.push_fields("tasks", "1", {"n": 1}, **numbered)
    again = await trackers.push_fields("tasks", "1", {"n": 1}, **numbered)
    assert (first.duplicate, again.duplicate, again.version) == (False, True, 1)
    with pytest.raises(rhtmx.RhtmxError) as caught:
        await trackers.push_fields("tasks", "1", {"n": 1}, seq=1)
    assert caught.value.code is rhtmx.ErrorCode.SEQ_REUSED, "its time is another one"


async def test_a_numbered_transaction_takes_effect_once(trackers: rhtmx.Backend) -> None:
    numbered: Any = {"timestamp": datetime.now(UTC), "seq": 1}
    results = []
    for _ in range(2):
        async with trackers.transaction(**numbered) as both:
            both.set("orders", "7", {"goods": "tea"}, base_version=0)
            both.patch("stock", "tea", {"left": rhtmx.Increment(-1)})
        results.append(both.result)
    first, again = results
    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.transaction == first.transaction
    stock = await trackers.get("stock", "tea")
    assert stock is not None
    assert stock.data == {"left": -1}


async def test_a_transaction_is_rejected_as_a_whole(trackers: rhtmx.Backend) -> None:
    await trackers.push("orders", "7", {})
    both = trackers.transaction(timeout=PATIENCE)
    both.set("lines", "7-1", {"order": "7"})
    both.set("orders", "7", {}, base_version=0)
    with pytest.raises(rhtmx.RhtmxError) as caught:
        async with both:
            pass
    assert caught.value.code is rhtmx.ErrorCode.CONFLICT
    assert b'"index":1' in (caught.value.details or b"")
    assert await trackers.get("lines", "7-1") is None


@pytest.mark.parametrize(("client_id", "words"), [("till", "number this"), (None, "name this cl")])
async def test_an_operation_in_a_transaction_needs_a_number(
    app: App, client_id: str | None, words: str
) -> None:
    async with rhtmx.backend(app.grpc_address, client_id=client_id) as till:
        both = till.transaction()
        both.set("orders", "7", {})
        both.patch("stock", "tea", {"left": rhtmx.Increment(-1)})
        with pytest.raises(rhtmx.RhtmxError, match=f"transaction.seq: increment .* {words}"):
            async with both:
                pass
        assert await till.get("orders", "7") is None


async def test_a_transaction_of_a_backend_that_raises_writes_nothing(
    trackers: rhtmx.Backend,
) -> None:
    both = trackers.transaction()
    both.set("orders", "7", {})
    with pytest.raises(ZeroDivisionError):
        async with both:
            raise ZeroDivisionError
    with pytest.raises(rhtmx.RhtmxError, match="there after `async with`"):
        both.result  # noqa: B018
    assert await trackers.get("orders", "7") is None


async def test_a_write_on_an_old_version_is_refused(trackers: rhtmx.Backend) -> None:
    await trackers.push("tasks", "1", {"n": 1})
    await trackers.push("tasks", "1", {"n": 2})
    with pytest.raises(rhtmx.RhtmxError) as caught:
        await trackers.push("tasks", "1", {"n": 3}, base_version=1)
    assert caught.value.code is rhtmx.ErrorCode.CONFLICT
    assert b'"n":2' in (caught.value.details or b"")


async def test_many_writes_are_answered_in_order(trackers: rhtmx.Backend) -> None:
    writes = (rhtmx.Write("tasks", str(n % 50), {"n": n}) for n in range(1000))
    results = [each async for each in trackers.push_many(writes)]
    assert [each.version for each in results] == list(range(1, 1001))
    assert [each.entity_id for each in results] == [str(n % 50) for n in range(1000)]


async def test_each_of_many_writes_has_its_outcome(trackers: rhtmx.Backend) -> None:
    """Refused for what is there, for its number, and for its content; the others are written."""

    def writes() -> Any:
        for n in range(1000):
            yield rhtmx.Write("tasks", str(n), {}, base_version=7 if n == 500 else None)
        yield rhtmx.Write("tasks", "numbered", {}, seq=5)
        yield rhtmx.Delete("tasks", "x" * 256)
        yield rhtmx.Write("tasks", "nan", {"n": float("nan")})
        yield rhtmx.Delete("tasks", "0")

    outcomes = [each async for each in trackers.push_many(writes())]
    refused = {each.entity_id: each.error for each in outcomes if each.error is not None}
    codes = rhtmx.ErrorCode
    assert [(name[:9], error.code) for name, error in refused.items()] == [
        ("500", codes.CONFLICT),
        ("numbered", codes.OUT_OF_ORDER),
        ("x" * 9, codes.BAD_MESSAGE),
        ("nan", codes.BAD_MESSAGE),
    ]
    assert refused["nan"].message.startswith("push.data.n: ")
    assert [each.entity_id for each in outcomes[:1000]] == [str(n) for n in range(1000)]
    written = [each.version for each in outcomes if each.error is None]
    assert written == list(range(1, 1001))
    assert len([each async for each in trackers.sync("tasks")]) == 999
    assert await trackers.get("tasks", "500") is None


async def test_one_of_many_that_cannot_be_sent_uses_up_its_number(app: App) -> None:
    wrong: list[rhtmx.Write | rhtmx.Delete] = [
        rhtmx.Write("tasks", "2", object(), seq=2),
        rhtmx.Delete("", "2", seq=3),
    ]
    writes = [rhtmx.Write("tasks", "1", {}, seq=1), *wrong, rhtmx.Delete("tasks", "1", seq=4)]
    async with rhtmx.backend(app.grpc_address, client_id="c") as trackers:
        for again in (False, True):
            outcomes = [each async for each in trackers.push_many(writes)]
            assert [each.version for each in outcomes] == [1, None, None, 2]
            assert [each.duplicate for each in outcomes] == [again, False, False, again]


async def test_a_form_is_checked(trackers: rhtmx.Backend) -> None:
    assert await trackers.validate_field("signup", "email", "ada@example.com")
    assert not await trackers.validate_field("signup", "email", "nope")
    verdict = await trackers.validate_form("signup", {})
    assert [each.field for each in verdict.errors] == ["email"]
    with pytest.raises(rhtmx.RhtmxError) as caught:
        await trackers.validate_form("sign-up", {})
    assert caught.value.code is rhtmx.ErrorCode.UNKNOWN_FORM


async def test_history_has_every_commit(trackers: rhtmx.Backend) -> None:
    for n in range(3):
        await trackers.push("tasks", "1", {"n": n})
        await trackers.push("tasks", "2", {"n": n})
    commits = [each async for each in trackers.history("tasks", "1", since=1)]
    assert [(each.version, each.data) for each in commits] == [(3, {"n": 1}), (5, {"n": 2})]
    assert [each.version async for each in trackers.history("tasks")] == [1, 2, 3, 4, 5, 6]
    past = datetime.now(UTC) - timedelta(hours=1)
    assert [each async for each in trackers.history("tasks", until=past)] == []


async def test_a_sync_has_each_record_at_its_latest(trackers: rhtmx.Backend) -> None:
    for n in range(4):
        await trackers.push("tasks", str(n % 2), {"n": n})
    result = await trackers.sync("tasks")
    assert [(each.version, each.data) for each in result] == [(3, {"n": 2}), (4, {"n": 3})]
    await trackers.push_fields("tasks", "0", {"a": 1, "b": 2})
    fields = [each async for each in trackers.sync_fields("tasks", result.position)]
    assert [(each.field, each.version) for each in fields] == [("a", 5), ("b", 5)]
    assert [each.version async for each in trackers.sync("tasks", result.position)] == [5]


async def test_a_browser_pushes_and_a_backend_sees_it_and_the_other_way(
    app: App, trackers: rhtmx.Backend
) -> None:
    async with (
        rhtmx.connect(app.url) as client,
        trackers.watch("tasks") as watch,
        client.changes("tasks") as subscription,
    ):
        await client.push("tasks", "1", {"by": "browser"})
        await trackers.push("tasks", "2", {"by": "backend"})
        for changes in (watch, subscription):
            seen = [await anext(changes) for _ in range(2)]
            assert [(each.version, each.data["by"]) for each in seen] == [
                (1, "browser"),
                (2, "backend"),
            ]
        assert watch.position == subscription.position


async def test_a_position_of_one_door_is_resumed_at_the_other(
    app: App, trackers: rhtmx.Backend
) -> None:
    async with rhtmx.connect(app.url) as client:
        await client.push("tasks", "1", {})
        here = (await client.sync("tasks")).position
        await client.push("tasks", "2", {})
        [change] = await take(trackers.watch("tasks", since=here), 1)
        assert change.version == 2
        there = (await trackers.sync("tasks")).position
        await trackers.push("tasks", "3", {})
        [change] = await take(client.changes("tasks", since=there), 1)
        assert change.version == 3


async def test_an_unknown_position_is_a_reset(trackers: rhtmx.Backend) -> None:
    await trackers.push("tasks", "1", {})
    elsewhere = rhtmx.Position(epoch="another", version=7)
    with pytest.raises(rhtmx.Reset):
        await take(trackers.watch("tasks", since=elsewhere), 1)
    resets: list[rhtmx.Reset] = []
    [change] = await take(trackers.watch("tasks", since=elsewhere, on_reset=resets.append), 1)
    assert change.version == 1
    assert [each.position for each in resets] == [elsewhere]
    assert (await trackers.sync("tasks", elsewhere)).reset


async def test_a_reader_that_lags_does_not_keep_back_its_own_writes(
    trackers: rhtmx.Backend,
) -> None:
    """More waits for the watch than a connection may have under way."""
    large = "x" * 100_000
    async with trackers.watch("tasks") as watch:
        for n in range(150):
            await trackers.push("tasks", str(n), {"large": large})
        async with asyncio.timeout(PATIENCE):
            await trackers.push("tasks", "last", {})
            seen = {(await anext(watch)).entity_id for _ in range(151)}
    assert len(seen) == 151


async def test_it_goes_on_when_the_server_comes_back(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'live.db'}"
    seen: list[int] = []

    async def read(trackers: rhtmx.Backend) -> None:
        async for change in trackers.watch("tasks", since=0):
            seen.append(change.version)
            if change.entity_id == "end":
                return

    first = App(store=store, config=Config(port=0, grpc_port=0), undeclared=True)
    async with first:
        address = first.grpc_address
        trackers = await rhtmx.backend(address).__aenter__()
        await trackers.push("tasks", "1", {})
        reading = asyncio.create_task(read(trackers))
        await eventually(lambda: seen == [1])
    with pytest.raises(rhtmx.ConnectionClosed, match="is the server running"):
        await trackers.push("tasks", "2", {})
    port = int(address.rpartition(":")[2])
    async with App(store=store, config=Config(port=0, grpc_port=port), undeclared=True):
        await trackers.push("tasks", "2", {})
        await trackers.push("tasks", "end", {})
        async with asyncio.timeout(PATIENCE):
            await reading
        await trackers.close()
    assert seen == [1, 2, 3]


async def test_no_server_is_said_at_once() -> None:
    with pytest.raises(rhtmx.ConnectionClosed, match=r"cannot connect to '127\.0\.0\.1:1'"):
        async with rhtmx.backend("127.0.0.1:1"):
            pass


async def test_a_watch_outlives_its_token() -> None:
    async def authenticate(request: Request) -> Grant:
        tokens.append(request.token)
        return Grant("ada", time.time_ns() // 1000 + 300_000)

    async def fresh() -> str:
        return f"t{len(tokens)}"

    tokens: list[str] = []
    config = Config(port=0, grpc_port=0)
    app = App(store="memory://", config=config, undeclared=True, authenticate=authenticate)
    async with (
        app,
        rhtmx.backend(app.grpc_address, token=fresh) as trackers,
        trackers.watch("tasks") as watch,
        asyncio.timeout(PATIENCE),
    ):
        await eventually(lambda: len(tokens) >= 2)
        await trackers.push("tasks", "1", {})
        assert (await anext(watch)).version == 1
    with pytest.raises(rhtmx.RhtmxError) as caught:
        async with app, rhtmx.backend(app.grpc_address) as trackers:
            await trackers.get("tasks", "1")
    assert caught.value.code is rhtmx.ErrorCode.UNAUTHENTICATED


async def test_tls_on_both_sides(tmp_path: Path) -> None:
    ca = authority(tmp_path, "ca")
    server, client = signed(tmp_path, "server", ca), signed(tmp_path, "client", ca)
    config = Config(
        port=0,
        grpc_port=0,
        grpc_cert=str(server.cert),
        grpc_key=str(server.key),
        grpc_client_ca=str(ca.cert),
    )
    async with App(store="memory://", config=config, undeclared=True) as app:
        known = rhtmx.Tls(ca=ca.cert, cert=client.cert, key=client.key)
        async with rhtmx.backend(app.grpc_address, tls=known) as trackers:
            assert (await trackers.push("tasks", "1", {})).version == 1
        with pytest.raises(
            rhtmx.ConnectionClosed, match=r"an authority that nobody here trusts: .*tls=Tls\(ca=…\)"
        ):
            async with rhtmx.backend(app.grpc_address, tls=True):
                pass
        with pytest.raises(rhtmx.ConnectionClosed, match=r"certificate .* \(tls=Tls\(cert=…\)\)"):
            async with rhtmx.backend(app.grpc_address, tls=rhtmx.Tls(ca=ca.cert)):
                pass
        with pytest.raises(rhtmx.ConnectionClosed, match=r"does it speak TLS \(tls=\)"):
            async with rhtmx.backend(app.grpc_address):
                pass
        with pytest.raises(rhtmx.ConnectionClosed, match="the server's door for gRPC"):
            async with rhtmx.backend(app.url.split("/")[2]):
                pass


class Cable:
    """Carries bytes to an address and back, until it is cut: then it swallows them."""

    def __init__(self, address: str) -> None:
        self._host, _, self._port = address.rpartition(":")
        self._carrying: list[asyncio.Task[None]] = []
        self.cut = False

    async def plug(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(self._host, self._port)
        for source, target in ((reader, there[1]), (there[0], writer)):
            self._carrying.append(asyncio.create_task(self._carry(source, target)))

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                if not self.cut:
                    target.write(data)
        finally:
            target.close()

    async def unplug(self) -> None:
        for each in self._carrying:
            each.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)


async def test_a_server_that_is_gone_without_a_word_is_noticed(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx.grpc.channel._KEEPALIVE", 0.1)
    cable = Cable(app.grpc_address)
    async with await asyncio.start_server(cable.plug, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        async with (
            rhtmx.backend(app.grpc_address) as direct,
            rhtmx.backend(f"127.0.0.1:{port}") as trackers,
            trackers.watch("tasks") as watch,
            asyncio.timeout(PATIENCE),
        ):
            await asyncio.sleep(0.5)  # signs of life are answered: nothing is taken for dead
            cable.cut = True
            await direct.push("tasks", "1", {})
            waiting = asyncio.ensure_future(anext(watch))
            await asyncio.sleep(0.5)
            cable.cut = False
            assert (await waiting).version == 1
        await cable.unplug()
