"""An app in a test: what its clients see, and what fails the test."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from rhtmx.core.events import State
from rhtmx_server import App, Change, Config, Grant, Invalid, Request, RhtmxError
from rhtmx_server.access import role, signed_in
from rhtmx_server.testing import AppFailed, AppUnderTest, MemoryClient, app_under_test


def authenticate(request: Request) -> Grant:
    if request.token == "key of ada":
        return Grant("ada", roles={"clerk"})
    if request.cookies.get("session") == "of bob":
        return Grant("bob")
    raise RhtmxError(rhtmx.ErrorCode.UNAUTHENTICATED, "no such key")


def shop(**options: Any) -> App:
    app = App(store="sqlite:////nowhere/at/all.db", authenticate=authenticate, **options)
    app.entity("tasks").access(all=signed_in, delete=role("clerk"))
    return app


async def reading(client: MemoryClient) -> rhtmx.Collection:
    tasks = client.collection("tasks")
    await tasks.synced()
    return tasks


def state(client: MemoryClient) -> State:
    return client.state  # a function: mypy takes an attribute that was looked at for unchanged


def titles(tasks: rhtmx.Collection) -> list[Any]:
    return [row.data["title"] for row in tasks.all()]


async def test_what_one_client_writes_another_one_sees() -> None:
    async with AppUnderTest(shop()) as running:
        ada, bob = await running.client("ada"), await running.client("bob")
        tasks = await reading(bob)
        await ada.push("tasks", "1", {"title": "Test it"})
        await running.settled()
        assert titles(tasks) == ["Test it"]


@pytest.mark.parametrize("form", ["json", "proto"])
async def test_what_goes_over_the_line_is_what_goes_over_a_socket(form: Any) -> None:
    async with AppUnderTest(shop()) as running:
        ada = await running.client("ada", format=form)
        result = await ada.push("tasks", "1", {"title": "größer"})
        assert result.version == 1
        assert titles(await reading(ada)) == ["größer"]


async def test_each_start_finds_an_empty_store_and_the_declared_one_is_not_touched() -> None:
    app = shop()
    for _ in range(3):
        async with AppUnderTest(app) as running:
            ada = await running.client("ada")
            assert (await ada.push("tasks", "1", {"title": "first"})).version == 1


async def test_no_port_is_opened_whatever_is_configured() -> None:
    app = shop(config=Config(host="0.0.0.0", port=1, grpc_port=1))
    async with AppUnderTest(app) as running:
        assert app.url == ""
        assert app.grpc_address == ""
        assert (await running.client("ada")).state is State.OPEN


async def test_the_app_reads_and_writes_by_itself() -> None:
    async with AppUnderTest(shop()) as running:
        tasks = await reading(await running.client("ada"))
        await running.changes.push("tasks", "1", {"title": "by the app"})
        await running.fields.push("tasks", "1", {"done": True})
        await running.settled()
        assert [row.data for row in tasks.all()] == [{"title": "by the app", "done": True}]


async def test_a_subject_has_the_roles_and_claims_that_it_is_given() -> None:
    seen: list[Grant] = []
    app = shop()

    @app.entity("notes").check
    def remember(who: Grant, before: Any, after: Any) -> None:
        seen.append(who)

    async with AppUnderTest(app) as running:
        ada = await running.client("ada", roles={"clerk"}, claims={"team": "red"})
        await ada.push("notes", "1", {})
        assert seen == [Grant("ada", roles={"clerk"}, claims={"team": "red"})]
        await ada.push("tasks", "1", {"title": "x"})
        bob = await running.client("bob")
        with pytest.raises(RhtmxError) as refused:
            await bob.delete("tasks", "1")
        assert refused.value.code is rhtmx.ErrorCode.FORBIDDEN
        await ada.delete("tasks", "1")


async def test_without_a_subject_the_apps_own_authenticate_is_asked() -> None:
    async with AppUnderTest(shop()) as running:
        assert (await running.client(token="key of ada")).state is State.OPEN
        assert (await running.client(headers={"Cookie": "session=of bob"})).state is State.OPEN
        with pytest.raises(rhtmx.ConnectionClosed, match="no such key"):
            await running.client(token="another")
        with pytest.raises(rhtmx.ConnectionClosed, match="no such key"):
            await running.client()


async def test_arguments_that_do_not_go_together_are_refused_in_words() -> None:
    async with AppUnderTest(shop()) as running:
        with pytest.raises(ValueError, match="roles and claims are of a subject"):
            await running.client(roles={"clerk"})
        with pytest.raises(ValueError, match="a subject needs no token"):
            await running.client("ada", token="key of ada")
    async with AppUnderTest(App(store="memory://")) as running:
        with pytest.raises(ValueError, match="has no authenticate, so everybody is a guest"):
            await running.client("ada")
        assert (await running.client()).state is State.OPEN


async def test_what_is_written_offline_waits_and_arrives() -> None:
    async with AppUnderTest(shop()) as running:
        ada, bob = await running.client("ada"), await running.client("bob")
        tasks = await reading(bob)
        ada.network.down()
        saving = ada.push("tasks", "1", {"title": "on a train"})
        await running.settled()
        assert state(ada) in (State.WAITING, State.CONNECTING)
        assert titles(tasks) == []
        ada.network.up()
        await running.settled()
        assert ada.state is State.OPEN
        assert titles(tasks) == ["on a train"]
        assert (await saving).version == 1


async def test_a_write_whose_answer_is_lost_takes_effect_once() -> None:
    async with AppUnderTest(shop()) as running:
        ada = await running.client("ada")
        ada.network.drop_at_answer()
        assert (await ada.push("tasks", "1", {"title": "once"})).version == 1
        assert (await ada.push("tasks", "2", {"title": "next"})).version == 2


async def test_a_dropped_client_comes_again_and_goes_on() -> None:
    async with AppUnderTest(shop()) as running:
        ada = await running.client("ada")
        tasks = await reading(ada)
        ada.network.drop()
        await running.changes.push("tasks", "1", {"title": "meanwhile"})
        await running.settled()
        assert titles(tasks) == ["meanwhile"]


async def test_the_clock_stands_still_and_stamps_what_is_committed() -> None:
    async with AppUnderTest(shop()) as running:
        clock = running.clock
        ada = await running.client("ada")
        await ada.push("tasks", "1", {"title": "at first"})
        began = clock.now()
        assert began.microsecond == 0
        first = await running.changes.get("tasks", "1")
        await clock.advance(minutes=2, seconds=0.5)
        await ada.push("tasks", "2", {"title": "later"})
        second = await running.changes.get("tasks", "2")
        assert first is not None
        assert second is not None
        assert first.created_at == began
        assert (second.created_at - began).total_seconds() == 120.5


async def test_signs_of_life_go_by_the_clock() -> None:
    async with AppUnderTest(shop()) as running:
        clock = running.clock
        ada = await running.client("ada")
        await clock.advance(hours=1)
        assert ada.state is State.OPEN
        assert len(running.app.blueprint.life.connections()) == 1


async def test_a_reconnection_waits_for_the_clock() -> None:
    async with AppUnderTest(shop()) as running:
        clock = running.clock
        ada = await running.client("ada")
        ada.network.down()
        await running.settled()
        ada.network.up(at_once=False)
        await running.settled()
        assert state(ada) is State.WAITING
        await clock.advance(seconds=1)
        assert ada.state is State.OPEN


async def test_a_clock_that_is_asked_for_late_goes_on_from_there() -> None:
    async with AppUnderTest(shop()) as running:
        ada = await running.client("ada")
        await running.clock.advance(minutes=5)
        assert ada.state is State.OPEN
        with pytest.raises(ValueError, match="a clock moves on"):
            await running.clock.advance(seconds=-1)


async def test_sleep_in_the_app_goes_by_the_clock() -> None:
    app, woken = shop(), asyncio.Event()

    @app.on_commit
    async def slow(change: Change) -> None:
        await asyncio.sleep(30)
        woken.set()

    async with AppUnderTest(app) as running:
        clock = running.clock
        await running.changes.push("tasks", "1", {"title": "x"})
        await clock.advance(seconds=29)
        assert not woken.is_set()
        await clock.advance(seconds=1)
        assert woken.is_set()
        await running.settled()


async def test_it_is_settled_when_hooks_in_threads_have_been_called() -> None:
    app, go, told = shop(), threading.Event(), list[str]()

    @app.on_commit
    def slow(change: Change) -> None:
        go.wait()
        told.append(change.entity_id)

    async with AppUnderTest(app) as running:
        await running.changes.push("tasks", "1", {"title": "x"})
        asyncio.get_running_loop().call_later(0.01, go.set)
        await running.settled()
        assert told == ["1"]


async def test_what_never_settles_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    app = shop()

    @app.on_commit
    async def never(change: Change) -> None:
        await asyncio.sleep(1000)

    async with AppUnderTest(app) as running:
        clock = running.clock
        await running.changes.push("tasks", "1", {"title": "x"})
        with monkeypatch.context() as hasty:
            hasty.setattr(app_under_test, "PATIENCE", 0.05)
            with pytest.raises(TimeoutError, match=r"wait for their hooks .*rhtmx_clock\.advance"):
                await running.settled()
        await clock.advance(seconds=1000)


async def test_a_test_that_fails_while_a_hook_waits_for_the_clock_ends() -> None:
    app = shop()

    @app.on_commit
    async def never(change: Change) -> None:
        await asyncio.sleep(1000)

    async def fails() -> None:
        async with AppUnderTest(app) as running:
            assert running.clock is not None  # stands still from here on
            await running.changes.push("tasks", "1", {"title": "x"})
            raise OSError("the test failed")

    with pytest.raises(OSError, match="the test failed"):
        await fails()


async def test_a_hook_that_fails_fails_the_test() -> None:
    app = shop()

    @app.on_commit
    def mail(change: Change) -> None:
        raise OSError("the mail server is down")

    with pytest.raises(AppFailed, match=r"on_commit .*mail failed") as failed:
        async with AppUnderTest(app) as running:
            await running.changes.push("tasks", "1", {"title": "x"})
    assert isinstance(failed.value.__cause__, OSError)
    assert "the mail server is down" in str(failed.value)
    assert "rhtmx_app.expect_failure(OSError)" in str(failed.value)


async def test_a_failure_that_is_expected_does_not() -> None:
    app = shop()

    @app.on_commit
    def mail(change: Change) -> None:
        raise OSError("the mail server is down")

    async with AppUnderTest(app) as running:
        expected = running.expect_failure(OSError, match="mail server")
        await running.changes.push("tasks", "1", {"title": "x"})
        await running.settled()
        assert [str(each) for each in expected.met] == ["the mail server is down"]


async def test_a_test_that_fails_says_what_failed_in_the_app() -> None:
    app = shop()

    @app.form("signup").field("email")
    def free(value: str) -> None:
        raise KeyError("column")

    with pytest.raises(RhtmxError, match="the server failed") as failed:
        async with AppUnderTest(app) as running:
            await (await running.client("ada")).validate_field("signup", "email", "a")
    (note,) = failed.value.__notes__
    assert "During this test validator signup.email" in note
    assert note.rstrip().endswith("KeyError: 'column'")


async def test_a_verdict_is_no_failure() -> None:
    app = shop()

    @app.form("signup").field("email")
    def free(value: str) -> None:
        raise Invalid("is taken")

    async with AppUnderTest(app) as running:
        ada = await running.client("ada")
        assert (await ada.validate_field("signup", "email", "a")).error == "is taken"


def test_a_plain_test_runs_what_it_waits_for() -> None:
    running = AppUnderTest(shop())

    async def steps() -> list[Any]:
        ada = await running.client("ada")
        await ada.push("tasks", "1", {"title": "x"})
        return titles(await reading(ada))

    with running.plain():
        assert running.run(steps) == ["x"]
        assert running.run(lambda: running.changes.get("tasks", "1")) is not None
    running.abandon()
    assert running.app.blueprint.life.server is None


async def test_run_is_not_for_async_tests() -> None:
    async with AppUnderTest(shop()) as running:
        with pytest.raises(RuntimeError, match="in an async one, await"):
            running.run(running.settled)


def test_an_app_whose_loop_has_ended_can_be_started_again() -> None:
    app = shop()
    lost = AppUnderTest(app)
    asyncio.run(lost.start())  # and no end
    lost.abandon()

    async def again() -> None:
        async with AppUnderTest(app) as running:
            await running.client("ada")

    asyncio.run(again())


async def test_an_app_that_runs_already_is_not_taken_over(tmp_path: Path) -> None:
    app = App(store=f"sqlite:///{tmp_path / 'a.db'}", config=Config(port=0))
    async with app:
        with pytest.raises(RuntimeError, match="running already"):
            await AppUnderTest(app).start()
        async with rhtmx.connect(app.url) as client:  # and it goes on
            await client.push("tasks", "1", {})


async def test_two_apps_do_not_meet() -> None:
    async with AppUnderTest(shop()) as one:
        await one.changes.push("tasks", "1", {"title": "of the first"})
        async with asyncio.timeout(60):
            assert await one.changes.get("tasks", "1") is not None


async def test_two_apps_on_one_loop_have_one_clock() -> None:
    async with AppUnderTest(shop()) as first, AppUnderTest(shop()) as second:
        began = first.clock.now()
        ada = await second.client("ada")
        await first.clock.advance(minutes=1)
        await ada.push("tasks", "1", {"title": "Later"})
        task = await second.changes.get("tasks", "1")
        assert task is not None
        assert task.created_at == began + timedelta(minutes=1)


@pytest.mark.parametrize("stands", [False, True])
async def test_it_is_settled_when_a_mirrored_table_is_shown(tmp_path: Path, stands: bool) -> None:
    pytest.importorskip("sqlalchemy")
    app, at = shop(), tmp_path / "shop.db"
    app.mirror("orders", table="orders", fields=["title"], source=f"sqlite:///{at}")

    def run(statement: str) -> None:
        with contextlib.closing(sqlite3.connect(at)) as database, database:
            database.execute(statement)

    run("CREATE TABLE orders (id INTEGER PRIMARY KEY, title TEXT)")
    app.mirror.install()
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)"
    run(f"INSERT INTO orders {many} SELECT i, 'early' FROM n")
    async with AppUnderTest(app) as running:
        if stands:
            assert running.clock
        await running.settled()
        assert len(await app.collection("orders").all()) == 1200
        run("UPDATE orders SET title = 'late'")
        await running.settled()
        assert {row.data["title"] for row in await app.collection("orders").all()} == {"late"}
        run("DROP TABLE orders")
        await running.settled()  # what is missing keeps nobody waiting
