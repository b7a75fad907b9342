"""What no server can read is refused where a Python program calls, through every door."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

import rhtmx
from rhtmx.errors import ErrorCode
from rhtmx.messages import ChangeAction, Error, Hello, Push
from rhtmx.wire import Format, decode, encode
from rhtmx_server import App, Config

EAST = timezone(timedelta(hours=14))
DOORS = ["json", "proto", "json, stored", "proto, stored", "grpc"]

Asking = rhtmx.Client | rhtmx.Backend


@asynccontextmanager
async def through(door: str, folder: Path) -> AsyncIterator[Asking]:
    app = App(store="memory://", config=Config(port=0, grpc_port=0), undeclared=True)
    app.form("signup").field("name")
    form, _, stored = door.partition(", ")
    async with app:
        if form == "grpc":
            async with rhtmx.backend(app.grpc_address) as backend:
                yield backend
        else:
            store = folder / "client.db" if stored else None
            async with rhtmx.connect(app.url, format=form, store=store) as client:  # type: ignore[arg-type]
                yield client


CALLS: list[tuple[str, Callable[[Asking], Awaitable[Any]]]] = [
    ("push.base_version", lambda it: it.push("e", "1", 1, base_version=2**53)),
    ("push.base_version", lambda it: it.push("e", "1", 1, base_version=-1)),
    ("push.base_version", lambda it: it.delete("e", "1", base_version=2**70)),
    ("push.entity_id", lambda it: it.push("e", "a\0b", 1)),
    ("push.entity", lambda it: it.push("", "1", 1)),
    ("push_fields.base_version", lambda it: it.push_fields("e", "1", {"a": 1}, base_version=2**53)),
    (
        "push_fields.fields[0].timestamp",
        lambda it: it.push_fields("e", "1", {"a": 1}, timestamp=datetime(1, 1, 1, tzinfo=EAST)),
    ),
    ("validate_field.value", lambda it: it.validate_field("signup", "name", "a\0b")),
    ("validate_form.fields[0].value", lambda it: it.validate_form("signup", {"name": "\ud800"})),
    ("since.version", lambda it: it.sync("e", rhtmx.Position("x", 2**53))),
]


@pytest.mark.parametrize("door", DOORS)
async def test_it_is_refused_at_the_call_and_the_client_goes_on(door: str, tmp_path: Path) -> None:
    async with through(door, tmp_path) as client:
        for path, call in CALLS * 2:  # a server closes after ten of them
            with pytest.raises(rhtmx.RhtmxError) as caught:
                await call(client)
            assert caught.value.code is ErrorCode.BAD_MESSAGE
            assert caught.value.message.startswith(f"{path}: ")
        assert (await client.push("e", "1", 1)).version == 1
        assert (await client.validate_field("signup", "name", "Ada")).valid
        assert len((await client.sync("e")).changes) == 1


@pytest.mark.parametrize("door", DOORS[:-1])
@pytest.mark.parametrize("entity", ["a\0b", "\ud800"])
async def test_an_entity_that_no_server_reads_is_refused_and_others_are_read(
    door: str, entity: str, tmp_path: Path
) -> None:
    async with through(door, tmp_path) as client:
        assert isinstance(client, rhtmx.Client)
        with pytest.raises(rhtmx.RhtmxError, match=r"subscribe\.entities\[0\]: a string holds"):
            await client.sync(entity)
        with pytest.raises(rhtmx.RhtmxError, match=r"subscribe\.entities\[0\]: a string holds"):
            client.collection(entity).all()
        async with client.collection("e") as collection:
            await collection.synced()


async def test_one_of_many_has_its_outcome_in_its_turn_and_the_others_go_on(tmp_path: Path) -> None:
    async with through("grpc", tmp_path) as backend:
        assert isinstance(backend, rhtmx.Backend)
        for bad in (rhtmx.Write("e", "2", 1, seq=2**63), rhtmx.Delete("e", "2", base_version=-1)):
            writes = [rhtmx.Write("e", "1", 1), bad, rhtmx.Write("e", "3", 1)]
            outcomes = [each async for each in backend.push_many(writes)]
            assert [(each.entity_id, each.error is None) for each in outcomes] == [
                ("1", True),
                ("2", False),
                ("3", True),
            ]
            assert re.match(r"push\.(seq|base_version): an integer", str(outcomes[1].error))


@pytest.mark.parametrize("form", list(Format))
async def test_the_server_names_the_message_that_it_could_not_read(form: Format) -> None:
    """In its words a client finds the write or the question, whoever wrote that client."""
    app = App(store="memory://", config=Config(port=0), undeclared=True)
    push = Push("e", "1", ChangeAction.UPDATE, b"1", "r", 7, base_version=2**53)
    async with app, connect(app.url, subprotocols=[Subprotocol(form.subprotocol)]) as socket:
        for message in (Hello(), push):
            await socket.send(encode(message, form), text=form is Format.JSON)
            answer = decode(await socket.recv(decode=False), form)
    assert isinstance(answer, Error)
    assert (answer.request_id, answer.seq) == ("r", 7)
