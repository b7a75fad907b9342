"""The tables "Which call should I use?" are true to both clients."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

import rhtmx
from rhtmx import ErrorCode, RhtmxError
from rhtmx_server import App, Config
from tests.docs.markdown import ROOT, page, rows

PAGE = page("docs/clients.md")
WRITING = list(rows(PAGE, "to write"))
READING = list(rows(PAGE, "to read"))
CLASSES = {"tasks": rhtmx.Collection, "client": rhtmx.Client, "trackers": rhtmx.Backend}
ADA = {"name": "Ada"}


def together(client: rhtmx.Client) -> None:
    """A transaction of one record, and a field of it."""
    with client.transaction() as both:
        both.set("tasks", "1", {})
        both.patch("tasks", "1", ADA)


Write = Callable[[rhtmx.Client], object]
OFFLINE: dict[str, Write] = {
    "tasks.set": lambda client: client.collection("tasks").set("1", ADA),
    "tasks.patch": lambda client: client.collection("tasks").patch("1", ADA),
    "tasks.delete": lambda client: client.collection("tasks").delete("1"),
    "client.push": lambda client: client.push("tasks", "1", ADA),
    "client.push_fields": lambda client: client.push_fields("tasks", "1", ADA),
    "client.transaction": lambda client: together(client),
}


def called(cell: str) -> str:
    """`tasks.set` of a cell that shows how it is called."""
    found = re.fullmatch(r"`(\w+\.\w+)(?:\(.*\))?`", cell)
    assert found is not None, cell
    return found[1]


def typescript(module: str) -> str:
    (path,) = (ROOT / "clients" / "typescript" / "src").rglob(module)
    return path.read_text()


def test_every_call_in_python_is_there() -> None:
    calls = [called(row["Python"]) for row in WRITING + READING]
    assert {"tasks.set", "client.push_fields", "tasks.subscribe", "trackers.watch"} <= set(calls)
    for whose, _, name in (call.partition(".") for call in calls):
        assert hasattr(CLASSES[whose], name)


def test_every_call_in_typescript_is_there() -> None:
    source = {"tasks": typescript("collection.ts"), "client": typescript("client.ts")}
    calls = [called(row["TypeScript"]) for row in WRITING + READING if row["TypeScript"]]
    assert {"tasks.patch", "client.pushFields", "client.changes"} <= set(calls)
    for whose, _, name in (call.partition(".") for call in calls):
        declared = rf"^  (get |async )?{name}\("
        assert re.search(declared, source[whose], re.MULTILINE), f"{whose}.{name}"


@pytest.fixture
def app() -> App:
    return App(store="memory://", config=Config(port=0, grpc_port=0))


async def test_what_shows_offline_is_what_is_said_to(app: App) -> None:
    waiting = [row for row in WRITING if not row["offline"].startswith(("fails", "waits"))]
    assert [called(row["Python"]) for row in waiting] == list(OFFLINE)
    for write in OFFLINE.values():
        async with app, rhtmx.connect(app.url) as client:
            tasks = client.collection("tasks")
            await tasks.set("1", {"name": "Grace"})
            await tasks.synced()
            client.offline()
            write(client)
            assert len(client.queue) == 1
            shown = [(row.data, row.pending) for row in tasks.all()]
            assert shown == ([] if client.queue[0].action == "delete" else [(ADA, True)])


async def test_what_fails_without_a_server_is_what_is_said_to(app: App) -> None:
    said = [called(row["Python"]) for row in WRITING if row["offline"].startswith("fails")]
    names = ["push", "push_fields", "transaction", "push_many"]
    assert said == [f"trackers.{name}" for name in names]
    await app.start()
    async with rhtmx.backend(app.grpc_address) as trackers:
        await app.stop()
        with pytest.raises(rhtmx.ConnectionClosed):
            await trackers.push("tasks", "1", ADA)
        with pytest.raises(rhtmx.ConnectionClosed):
            await trackers.push_fields("tasks", "1", ADA)
        with pytest.raises(rhtmx.ConnectionClosed):
            async for _ in trackers.push_many([rhtmx.Write("tasks", "1", ADA)]):
                pass


async def test_a_whole_record_replaces_another_authors_unless_it_names_a_version(
    app: App,
) -> None:
    async with app, rhtmx.connect(app.url) as ada, rhtmx.connect(app.url) as bob:
        first = await ada.push("tasks", "1", {"name": "Grace"})
        second = await bob.collection("tasks").set("1", ADA)
        assert second.version == first.version + 1
        with pytest.raises(RhtmxError) as refused:
            await ada.collection("tasks").set("1", {}, base_version=first.version)
        assert refused.value.code is ErrorCode.CONFLICT


async def test_a_patch_and_a_field_push_tell_of_what_their_author_had_not_seen(app: App) -> None:
    async with app, rhtmx.connect(app.url) as ada, rhtmx.connect(app.url) as bob:
        first = await ada.push("tasks", "1", {"name": "Grace"})
        tasks = bob.collection("tasks")
        await tasks.synced()
        bob.offline()
        late = tasks.patch("1", {"name": "Bob"})
        await ada.push_fields("tasks", "1", ADA)
        bob.online()
        assert len((await late).conflicts) == 1
        seen = first.version
        pushed = await bob.push_fields("tasks", "1", {"name": "Eve"}, base_version=seen)
        assert len(pushed.conflicts) == 1
        pushed = await ada.push_fields("tasks", "1", {"name": "Later"})
        assert pushed.conflicts == (), "without a version, the later one has seen the earlier one"
        async for conflict in bob.conflicts():
            assert (conflict.mine, conflict.theirs) == ("Bob", "Ada")
            break
