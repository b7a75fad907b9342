"""A thief reads an id in a change, and tries every door with it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import pytest
from websockets.asyncio.client import connect

import rhtmx
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.push_many import Write
from rhtmx_server import App, Config, Grant, Request
from rhtmx_server.stores.sqlite.schema import _STEPS, APPLICATION_ID
from tests.support.sockets import PATIENCE, Raw, raw

AT = datetime(2026, 1, 1, tzinfo=UTC)

Door = Callable[[App, str, dict[str, Any]], Awaitable[str]]
"""Pushes in a client's name; returns the code of the refusal, empty if it is taken."""


async def authenticate(request: Request) -> Grant:
    if not request.token:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "who are you?")
    return Grant(request.token)


def application(store: str, *, tokens: bool = False, **config: Any) -> App:
    return App(
        store=store,
        config=Config(port=0, grpc_port=0, **config),
        undeclared=True,
        authenticate=authenticate if tokens else None,
    )


def push(seq: int | None, entity_id: str = "1", data: object = "stolen") -> dict[str, Any]:
    said = {"type": "push", "entity": "e", "entity_id": entity_id, "action": "update"}
    return {**said, "data": data, **({} if seq is None else {"seq": seq})}


def fields(seq: int | None, time_: str = "2020-01-01T00:00:00Z") -> dict[str, Any]:
    update = {"field": "n", "value": "stolen", "action": "update", "timestamp": time_}
    said = {"type": "push_fields", "entity": "e", "entity_id": "1", "fields": [update]}
    return {**said, **({} if seq is None else {"seq": seq})}


async def code_of(client: Raw, *messages: dict[str, Any]) -> str:
    """The code of the first refusal of these, said one after the other."""
    for message in messages:
        await client.send(message)
        answer = await client.until_that(
            lambda m: (
                m["type"]
                in ("welcome", "authenticated", "push_ack", "field_push_ack", "error", "conflict")
            )
        )
        if answer["type"] == "error":
            return str(answer.get("code") or answer["message"])
    return ""


def tokens_of(app: App) -> bool:
    return app._declared.authenticate is not None


async def by_url(app: App, name: str, message: dict[str, Any]) -> str:
    async with raw(f"{app.url}?client_id={name}") as client:
        unlock = {"type": "authenticate", "token": "bob"}
        return await code_of(client, *([unlock] if tokens_of(app) else []), message)


async def by_url_and_hello(app: App, name: str, message: dict[str, Any]) -> str:
    async with raw(f"{app.url}?client_id={name}") as client:
        return await code_of(client, {"type": "hello", "token": "bob"}, message)


async def by_hello(app: App, name: str, message: dict[str, Any]) -> str:
    async with raw(app.url) as client:
        return await code_of(client, {"type": "hello", "client_id": name, "token": "bob"}, message)


async def by_hello_with_a_guess(app: App, name: str, message: dict[str, Any]) -> str:
    async with raw(app.url) as client:
        hello = {"type": "hello", "client_id": name, "token": "bob", "secret": "guessed"}
        return await code_of(client, hello, message)


async def through_a_refused_hello(app: App, name: str, message: dict[str, Any]) -> str:
    """What is said of the push itself, with the id of the URL."""
    async with raw(f"{app.url}?client_id={name}") as client:
        await code_of(client, {"type": "hello", "client_id": name, "token": "bob"})
        return await code_of(client, message)


def by_grpc(secret: str | None, many: bool) -> Door:
    async def door(app: App, name: str, message: dict[str, Any]) -> str:
        backend = rhtmx.backend(
            app.grpc_address, client_id=name, token="bob" if tokens_of(app) else None
        )
        backend._calls._client_secret = secret
        seq = message.get("seq")
        async with backend as trackers:
            try:
                if message["type"] == "push_fields":
                    await trackers.push_fields("e", "1", {"n": "stolen"}, seq=seq)
                elif many:
                    writes = [Write("e", "1", "stolen", seq=seq)]
                    (outcome,) = [each async for each in trackers.push_many(writes)]
                    return "" if outcome.error is None else outcome.error.code.name.lower()
                else:
                    await trackers.push("e", "1", "stolen", seq=seq)
            except RhtmxError as error:
                return error.code.name.lower()
        return ""

    return door


DOORS: dict[str, Door] = {
    "URL": by_url,
    "URL and hello": by_url_and_hello,
    "hello": by_hello,
    "hello with a guess": by_hello_with_a_guess,
    "after a refused hello": through_a_refused_hello,
    "gRPC unary": by_grpc(None, many=False),
    "gRPC unary with a guess": by_grpc("guessed", many=False),
    "PushMany": by_grpc(None, many=True),
    "PushMany with a guess": by_grpc("guessed", many=True),
}


async def owner(app: App, seqs: list[int | None], name: str) -> str | None:
    """The owner writes; returns its secret, if it was given one."""
    async with raw(app.url) as client:
        hello = {"type": "hello", "client_id": name, "token": "ada"}
        welcome = await client.ask(hello, "welcome")
        for seq in seqs:
            await client.ask(push(seq, data={"n": 1}), "push_ack")
        given: str | None = welcome.get("secret")
        return given


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
@pytest.mark.parametrize("numbered", [False, True], ids=["owner without", "owner with numbers"])
async def test_another_subject_writes_nothing_under_an_id_through_any_door(
    store: str, door: Door, numbered: bool
) -> None:
    async with application(store, tokens=True) as app:
        assert await owner(app, [1] if numbered else [None], "c") is None
        for message in (push(None), push(1), push(2), fields(None), fields(2)):
            assert await door(app, "c", message) == "client_id_taken", message
        assert len(await app.history("e")) == 1
        assert await owner(app, [2] if numbered else [None], "c") is None


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
async def test_where_nobody_is_asked_a_thief_writes_nothing_under_an_id_that_was_numbered(
    store: str, door: Door
) -> None:
    async with application(store) as app:
        async with raw(app.url) as watching:
            await watching.send({"type": "subscribe", "entities": ["e"]})
            secret = await owner(app, [1], "c")
            stolen = (await watching.until("change"))["change"]["client_id"]
        assert secret
        for message in (push(None), push(1), push(2), fields(None), fields(2)):
            assert await door(app, stolen, message) == "client_id_taken", message
        assert len(await app.history("e")) == 1
        async with raw(app.url) as client:
            hello = {"type": "hello", "client_id": "c", "secret": secret}
            assert (await client.ask(hello, "welcome")).get("secret") is None
            await client.ask(push(2, data=2), "push_ack")


@pytest.mark.parametrize("tokens", [False, True])
async def test_whose_an_id_is_outlives_a_restart(tmp_path: Path, tokens: bool) -> None:
    store = f"sqlite:///{tmp_path / 'app.db'}"
    async with application(store, tokens=tokens) as app:
        secret = await owner(app, [1], "c")
        await owner(app, [None], "d")
    hello: dict[str, Any] = {"type": "hello", "client_id": "c", "token": "ada", "secret": secret}
    async with application(store, tokens=tokens) as app:
        for door in (by_url, by_hello, DOORS["gRPC unary"]):
            assert await door(app, "c", push(None)) == "client_id_taken"
            if tokens:
                assert await door(app, "d", push(None)) == "client_id_taken"
        async with raw(app.url) as client:
            assert (await client.ask(hello, "welcome"))["last_seq"] == 1
            await client.ask(push(2), "push_ack")


async def test_clients_of_a_file_of_before_the_secrets_are_bound_by_their_next_number(
    tmp_path: Path,
) -> None:
    with contextlib.closing(apsw.Connection(str(tmp_path / "app.db"))) as old:
        old.execute(_STEPS[0])
        old.pragma("application_id", APPLICATION_ID)
        old.pragma("user_version", 1)
        old.execute("INSERT INTO meta VALUES ('epoch', 'e')")
        now = time.time_ns() // 1000
        old.execute("INSERT INTO clients VALUES (1, 'c', '', 7, ?)", (now,))
    async with application(f"sqlite:///{tmp_path / 'app.db'}") as app:
        async with raw(app.url) as client:
            welcome = await client.ask({"type": "hello", "client_id": "c"}, "welcome")
            assert welcome["last_seq"] == 7
            await client.ask(push(8), "push_ack")
        assert await by_hello(app, "c", push(9)) == "client_id_taken"
        async with raw(app.url) as client:
            hello = {"type": "hello", "client_id": "c", "secret": welcome["secret"]}
            assert (await client.ask(hello, "welcome"))["last_seq"] == 8


@pytest.mark.parametrize("path", ["/api/sync/ws", "/api/field-sync/ws"])
async def test_an_old_endpoint_is_no_way_around_it(store: str, path: str) -> None:
    message = push(None) if path == "/api/sync/ws" else fields(None)
    async with application(store) as app:
        secret = await owner(app, [1], "c")
        assert secret
        url = app.url.replace("/api/ws", path)
        async with connect(f"{url}?client_id=c") as socket, asyncio.timeout(PATIENCE):
            await socket.send(json.dumps(message))
            answer = json.loads(await socket.recv())
        assert (answer["type"], "secret" in answer["message"]) == ("error", True)
        async with connect(f"{url}?client_id=old") as socket, asyncio.timeout(PATIENCE):
            await socket.send(json.dumps(message))
            assert json.loads(await socket.recv())["type"] in ("push_ack", "conflict")


async def test_a_stale_field_of_another_is_never_taken_for_the_owner_s_own(store: str) -> None:
    """With the owner's id it was: an own write is no conflict, however old."""
    async with application(store, tokens=True) as app:
        async with raw(f"{app.url}?client_id=c") as client:
            await client.ask({"type": "authenticate", "token": "ada"}, "authenticated")
            await client.ask(fields(None, "2026-01-01T00:00:00Z"), "field_push_ack")
        stale = {**fields(None), "base_version": 0}
        assert await by_url(app, "c", stale) == "client_id_taken"
        assert len(await app.history("e")) == 1


async def test_a_raw_client_that_never_numbers_notices_nothing(store: str) -> None:
    async with application(store) as app:
        for _ in range(2):
            async with raw(f"{app.url}?client_id=c") as one, raw(app.url) as two:
                await two.ask({"type": "hello", "client_id": "c"}, "welcome")
                for client in (one, two):
                    await client.push("e", "1", 1)
                    await client.ask(fields(None) | {"entity_id": "2"}, "field_push_ack")


async def test_a_lost_welcome_locks_nobody_out(store: str) -> None:
    async with application(store) as app:
        lost = await owner(app, [], "c")
        kept = await owner(app, [1], "c")
        assert lost
        assert kept
        assert lost != kept
        async with raw(app.url) as client:
            hello = {"type": "hello", "client_id": "c", "secret": lost}
            assert await code_of(client, hello) == "client_id_taken"
        async with raw(app.url) as client:
            hello = {"type": "hello", "client_id": "c", "secret": kept}
            assert (await client.ask(hello, "welcome"))["last_seq"] == 1


async def test_a_backend_numbers_under_a_secret_of_its_own_choice(store: str) -> None:
    async with application(store) as app:
        for _ in range(2):
            made = rhtmx.backend(app.grpc_address, client_id="batch", client_secret="hers")
            async with made as trackers:
                await trackers.push("e", "1", 1, seq=1)
                await trackers.push_fields("f", "1", {"n": 1}, seq=2, timestamp=AT)
        async with rhtmx.backend(app.grpc_address, client_id="batch") as another:
            with pytest.raises(RhtmxError) as refused:
                await another.push("e", "1", 1, seq=3)
        assert refused.value.code is ErrorCode.CLIENT_ID_TAKEN
        assert len(await app.history("e")) == len(await app.history("f")) == 1


async def test_the_app_itself_writes_in_any_name_and_numbers_under_its_own(store: str) -> None:
    async with application(store, tokens=True) as app:
        await owner(app, [1], "c")
        await app.changes.push("e", "2", 1, client_id="c")
        await app.fields.push("e", "3", {"n": 1}, client_id="c")
        with pytest.raises(RhtmxError) as refused:
            await app.changes.push("e", "2", 1, client_id="c", seq=2)
        assert refused.value.code is ErrorCode.CLIENT_ID_TAKEN
        await app.changes.push("e", "2", 1, client_id="import", seq=1)
        await app.changes.push("e", "2", 2, client_id="import", seq=2)
        assert await by_hello(app, "import", push(3)) == "client_id_taken"
        await owner(app, [2], "c")


async def test_new_clients_are_refused_beyond_the_limit_and_known_ones_go_on(store: str) -> None:
    async with application(store, clients=2) as app:
        secret = await owner(app, [1], "c")
        await owner(app, [1], "d")
        async with raw(app.url) as client:
            await client.ask({"type": "hello", "client_id": "e"}, "welcome")
            error = await client.ask(push(1), "error")
            assert (error["code"], error["retryable"]) == ("too_many_requests", True)
            assert "clients" in error["message"]
        async with raw(app.url) as client:
            hello = {"type": "hello", "client_id": "c", "secret": secret}
            await client.ask(hello, "welcome")
            await client.ask(push(2), "push_ack")
        async with raw(f"{app.url}?client_id=e") as client:
            await client.push("e", "1", 1)


async def test_a_secret_is_in_no_change_no_metric_and_no_log(
    store: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with application(store) as app:
        async with raw(app.url) as client:
            await client.send({"type": "subscribe", "entities": ["e"]})
            secret = await owner(app, [1], "c")
            change = await client.until("change")
            page = app.metrics.render().decode()
        assert secret
        for text in (json.dumps(change), page, repr(app.__dict__), repr(await app.history("e"))):
            assert secret not in text
        assert secret not in "".join(
            record.getMessage()
            for record in caplog.records
            if record.name.startswith("rhtmx") and "websockets" not in record.name
        )


@pytest.mark.parametrize("restarted", [False, True], ids=["the same program", "a restart"])
async def test_our_client_keeps_its_secret_and_goes_on(
    store: str, tmp_path: Path, restarted: bool
) -> None:
    async with application(store) as app:
        kept = {"store": tmp_path / "client.db"} if restarted else {"client_id": "mine"}
        client = rhtmx.connect(app.url, **kept)
        async with client:
            await client.push("e", "1", 1)
            client.offline()
            waiting = asyncio.create_task(client.push("e", "1", 2))
            if not restarted:
                client.online()
                assert (await waiting).version == 2
            else:
                await client.saved()
                waiting.cancel()
        if restarted:
            async with rhtmx.connect(app.url, store=tmp_path / "client.db") as again:
                async for queue in again.queues():
                    if not queue:
                        break
        assert [entry.data for entry in await app.history("e")] == [1, 2]


async def test_our_client_whose_id_is_another_s_goes_on_under_a_new_one_and_loses_no_write(
    store: str, tmp_path: Path
) -> None:
    async with application(store) as app:
        async with rhtmx.connect(app.url, store=tmp_path / "client.db") as client:
            client.offline()
            name = client.client_id
            rejected = client.push("e", "1", 1)
            await rejected.stored()
            await app._running.services.store.commit(*claimed(name))
            client.online()
            with pytest.raises(RhtmxError) as refused:
                await rejected
            assert refused.value.code is ErrorCode.CLIENT_ID_TAKEN
            await client.push("e", "1", 2)
            assert client.client_id != name
            (kept,) = client.rejected
            await kept.retry()
        assert [entry.data for entry in await app.history("e")] == [2, 1]


def claimed(name: str) -> Any:
    from rhtmx_server.model import ClientRow
    from rhtmx_server.ports import BatchNeeds, BatchWrites

    now = time.time_ns() // 1000
    return BatchNeeds(), lambda _: BatchWrites(clients=[ClientRow(name, "", 1, now, b"another's")])
