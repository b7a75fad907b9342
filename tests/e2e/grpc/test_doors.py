"""Two doors, one house: what comes in at one is seen at the other."""

from __future__ import annotations

from typing import Any

from rhtmx_server import App, Config
from tests.support.grpcio_client import Backend, backend
from tests.support.sockets import raw
from tests.support.waiting import eventually

BIG = "x" * 30_000


async def test_a_backend_pushes_and_a_browser_sees_it(client: Backend, app: App) -> None:
    async with raw(app.url) as browser:
        await browser.send({"type": "subscribe", "entities": ["u"]})
        await browser.settle()
        await client.ask("Push", client.push("u", "1", {"name": "Ada"}))
        change = (await browser.until("change"))["change"]
        assert (change["data"], change["version"]) == ({"name": "Ada"}, 1)


async def test_a_browser_pushes_and_a_backend_sees_it(client: Backend, app: App) -> None:
    watch = client.stream("Watch", client.m.WatchRequest(entity="u"))
    await watch.until("sync_complete")
    async with raw(app.url) as browser:
        await browser.push("u", "1", {"name": "Ada"})
    assert (await watch.until("change")).change.data == b'{"name": "Ada"}'


async def test_a_position_of_one_door_resumes_at_the_other(client: Backend, app: App) -> None:
    m = client.m
    async with raw(app.url) as browser:
        ack = await browser.push("u", "1", 1)
        await browser.push("u", "2", 2)
    since = m.Position(epoch=ack["epoch"], version=ack["version"])
    watch = client.stream("Watch", m.WatchRequest(entity="u", since=since))
    assert (await watch.until("change")).change.version == 2
    complete = await watch.until("sync_complete")
    assert (complete.version, complete.reset) == (2, False)
    await client.ask("Push", client.push("u", "3", 3))
    position = {"epoch": complete.epoch, "version": complete.version}
    async with raw(app.url) as browser:
        await browser.send({"type": "subscribe", "entities": ["u"], "since": {"u": position}})
        assert (await browser.until("change"))["change"]["version"] == 3
        assert (await browser.until("sync_complete"))["reset"] is False


async def test_a_position_of_another_epoch_is_reset(client: Backend) -> None:
    m = client.m
    await client.ask("Push", client.push("u", "1", 1))
    since = m.Position(epoch="another", version=1)
    watch = client.stream("Watch", m.WatchRequest(entity="u", since=since))
    assert (await watch.until("change")).change.version == 1
    assert (await watch.until("sync_complete")).reset is True


def figure(app: App, name: str, **labels: str) -> float:
    return app.metrics.registry.get_sample_value(f"rhtmx_{name}", labels) or 0.0


async def test_a_stream_that_is_cancelled_leaves_at_once(client: Backend, app: App) -> None:
    watch = client.stream("Watch", client.m.WatchRequest(entity="u"))
    await watch.until("sync_complete")
    assert figure(app, "subscriptions") == 1
    watch.cancel()
    await eventually(lambda: figure(app, "subscriptions") == 0)
    await client.ask("Push", client.push("u", "1", 1))
    assert app._running.services.hub._groups == {}


async def test_a_slow_stream_falls_back_to_the_store_and_gets_the_latest(
    store: str, messages: Any
) -> None:
    app = App(store=store, config=Config(port=0, grpc_port=0, stall_timeout=60))
    async with app, backend(messages, app.grpc_address) as client:
        watch = client.stream("Watch", messages.WatchRequest(entity="e"))
        quick = client.stream("Watch", messages.WatchRequest(entity="e"))
        await watch.until("sync_complete")
        await quick.until("sync_complete")
        for n in range(600):
            await app.changes.push("e", str(n % 10), {"n": n, "piece": BIG})
            assert (await quick.next()).change.change.version == n + 1
        assert figure(app, "lagging_cursors") == 1
        assert figure(app, "outbox_bytes") < 2 * app.config.outbox
        versions: list[int] = []
        while not versions or versions[-1] < 600:
            versions.append((await watch.until("change")).change.version)
        assert len(versions) < 600
        assert versions[-10:] == list(range(591, 601))
        assert versions == sorted(set(versions))
        await eventually(lambda: figure(app, "lagging_cursors") == 0)
        await app.changes.push("e", "0", 1)
        assert (await watch.until("change")).change.version == 601


async def test_a_stream_without_progress_is_cut_off(store: str, messages: Any) -> None:
    app = App(store=store, config=Config(port=0, grpc_port=0, stall_timeout=0.05))
    async with app, backend(messages, app.grpc_address) as client:
        watch = client.stream("Watch", messages.WatchRequest(entity="e"))
        await watch.until("sync_complete")
        for n in range(400):
            await app.changes.push("e", str(n % 10), {"piece": BIG})
        await eventually(lambda: figure(app, "stalled_total") == 1)
        await eventually(lambda: figure(app, "subscriptions") == 0)
        assert (await watch.end()).code == "stalled"


async def test_a_backend_that_only_listens_is_not_taken_for_gone(messages: Any) -> None:
    app = App(store="memory://", config=Config(port=0, grpc_port=0, heartbeat=0.5))
    async with app, backend(messages, app.grpc_address) as client:
        watch = client.stream("Watch", messages.WatchRequest(entity="e"))
        talk = client.stream("Connect", iter(()))  # says nothing, and has said all
        await watch.until("sync_complete")
        await client.run(list, talk.call)
        (connection,) = app._running.grpc.connections()
        for _ in range(3):
            connection.look(app._running.services.now() + 1000)
        await app.changes.push("e", "1", 1)
        assert (await watch.until("change")).change.version == 1


async def test_calls_and_connections_are_counted(client: Backend, app: App) -> None:
    watch = client.stream("Watch", client.m.WatchRequest(entity="u"))
    await watch.until("sync_complete")
    await client.ask("Push", client.push("u", "1", 1))
    assert figure(app, "connections", endpoint="grpc") == 1
    assert figure(app, "grpc_calls_total", method="Watch") == 1
    assert figure(app, "messages_received_total", type="push") == 1
    assert figure(app, "messages_received_total", type="subscribe") == 1
    assert figure(app, "deliveries_total") == 1
