"""Parts of an entity at every door that reads: sockets, gRPC, plain HTTP, old clients."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from grpc import RpcError, StatusCode
from websockets.exceptions import ConnectionClosed

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server import Config
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from tests.support.divided import DividedApp, SimpleAccess
from tests.support.grpcio_client import Backend, backend
from tests.support.plain_http import ask
from tests.support.sockets import raw

A = {"tasks": {"team": "a"}}
ANN = (("authorization", "Bearer ann"),)


async def by_name(request: Request) -> Grant:
    if not request.token:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "no token")
    return Grant(request.token)


@pytest.fixture
async def divided() -> AsyncIterator[DividedApp]:
    access = SimpleAccess()
    access.rights["ann", "tasks"] = [{"team": "a"}]
    config = Config(port=0, grpc_port=0)
    async with DividedApp(access, config=config, undeclared=True, authenticate=by_name) as app:
        await app.changes.push("tasks", "1", {"team": "a", "n": 1})
        await app.changes.push("tasks", "2", {"team": "b", "secret": "canary"})
        yield app


@pytest.fixture
async def client(divided: DividedApp, messages: Any) -> AsyncIterator[Backend]:
    async with backend(messages, divided.grpc_address) as client:
        yield client


async def hello(client: Any, name: str = "ann") -> None:
    await client.send({"type": "hello", "client_id": name, "token": name})
    await client.until("welcome")


async def test_a_socket_reads_its_part_and_is_told_what_leaves_it(divided: DividedApp) -> None:
    async with raw(divided.url) as client:
        await hello(client)
        since = {"tasks": {"epoch": "", "version": 0}}
        await client.send({"type": "subscribe", "entities": ["tasks"], "where": A, "since": since})
        answer = await client.until("sync_complete")
        assert (answer["where"], len(answer["scope"])) == (A["tasks"], 16)
        await divided.changes.push("tasks", "1", {"team": "b", "secret": "canary"})
        gone = (await client.until("change"))["change"]
        assert (gone["entity_id"], gone["action"], gone["left"]) == ("1", "delete", True)
        assert "canary" not in json.dumps(client.log)


async def test_other_rights_come_without_a_new_connection(divided: DividedApp) -> None:
    async with raw(divided.url) as client:
        await hello(client)
        await client.send({"type": "subscribe", "entities": ["tasks"]})
        await client.until("sync_complete")
        divided.access.rights["ann", "tasks"] = [{"team": "b"}]
        await divided._running.rescope("ann")
        begin = await client.until("sync_begin")
        answer = await client.until("sync_complete")
        assert (begin["reset"], answer["reset"]) == (True, True)
        assert begin["scope"] == answer["scope"]
        changes = [each["change"]["entity_id"] for each in client.log if each["type"] == "change"]
        assert changes == ["2"]


async def test_a_subject_that_is_disconnected_has_to_say_anew_who_it_is(
    divided: DividedApp,
) -> None:
    async with raw(divided.url) as ann, raw(divided.url) as ben:
        await hello(ann)
        await hello(ben, "ben")
        divided._running.disconnect("ann")
        with pytest.raises(ConnectionClosed) as caught:
            await ann.receive()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 4503
        await ben.settle()


async def test_watch_reads_a_part_and_answers_with_it(divided: DividedApp, client: Backend) -> None:
    m = client.m
    request = m.WatchRequest(
        entity="tasks", where=b'{"team":"a"}', since=m.Position(epoch="", version=0)
    )
    watch = client.stream("Watch", request, metadata=ANN)
    begin, change, end = [await watch.next() for _ in range(3)]
    watch.cancel()
    assert change.change.change.entity_id == "1"
    for said in (begin.sync_begin, end.sync_complete):
        assert (said.where, said.scope) == (b'{"team":"a"}', end.sync_complete.scope)


async def test_sync_reads_a_part(divided: DividedApp, client: Backend) -> None:
    m = client.m
    request = m.Sync(entity="tasks", where=b'{"team":"b"}', epoch="")
    events = await client.all("Sync", request, metadata=ANN)
    assert [each.WhichOneof("message") for each in events] == ["sync_begin", "sync_complete"]


@pytest.mark.parametrize("waits", [False, True])
async def test_a_part_that_is_no_part_is_refused(
    divided: DividedApp, client: Backend, waits: bool
) -> None:
    async def at_once() -> None: ...

    divided.access.ask = at_once if waits else None
    request = client.m.Sync(entity="tasks", where=b'{"n":1}')
    with pytest.raises(RpcError) as caught:
        await client.all("Sync", request, metadata=ANN)
    assert caught.value.code() is StatusCode.UNIMPLEMENTED


async def test_a_record_of_another_part_is_not_there(divided: DividedApp, client: Backend) -> None:
    m = client.m
    mine = await client.ask(
        "GetRecord", m.GetRecordRequest(entity="tasks", entity_id="1"), metadata=ANN
    )
    assert json.loads(mine.data)["n"] == 1
    words = set()
    for method, kind in (("GetRecord", m.GetRecordRequest), ("GetFields", m.GetFieldsRequest)):
        for entity_id in ("2", "9"):
            with pytest.raises(RpcError) as caught:
                await client.ask(method, kind(entity="tasks", entity_id=entity_id), metadata=ANN)
            error: Any = caught.value
            assert error.code() is StatusCode.NOT_FOUND
            words.add(error.details().replace(entity_id, "?"))
    assert len(words) == 1


async def test_the_history_has_what_was_in_the_part_and_its_deletes(
    divided: DividedApp, client: Backend
) -> None:
    await divided.changes.push("tasks", "1", {"team": "b"})
    await divided.changes.push("tasks", "3", {"team": "a"})
    await divided.changes.delete("tasks", "3")
    await divided.changes.delete("tasks", "2")
    request = client.m.HistoryRequest(entity="tasks")
    commits = await client.all("History", request, metadata=ANN)
    assert [(each.entity_id, each.version) for each in commits] == [("1", 1), ("3", 4), ("3", 5)]


async def test_old_pages_read_by_scope_and_are_told_what_left(divided: DividedApp) -> None:
    await divided.changes.push("tasks", "1", {"team": "b"})
    await divided.changes.push("tasks", "3", {"team": "a"})

    async def read(path: str) -> Any:
        answer = await ask(divided.url, path, Authorization="Bearer ann")
        return json.loads(answer.body)

    fresh = await read("/api/sync/tasks")
    assert [each["entity_id"] for each in fresh["changes"]] == ["3"]
    later = await read("/api/sync/tasks?since=2")
    seen = [(each["entity_id"], each["action"]) for each in later["changes"]]
    assert seen == [("1", "delete"), ("3", "create")]
    assert await read("/api/field-sync/tasks/2/latest") == {}
    assert await read("/api/field-sync/tasks/3/latest") == {"team": "a"}


async def test_a_client_of_the_seed_reads_what_it_may_without_a_word_of_parts() -> None:
    access = SimpleAccess()
    access.rights["", "tasks"] = [{"team": "a"}]
    async with DividedApp(access, config=Config(port=0), undeclared=True) as app:
        await app.changes.push("tasks", "1", {"team": "a"})
        async with raw(app.url) as client:
            await client.send({"type": "subscribe", "entities": ["tasks"]})
            await client.send({"type": "sync", "entity": "tasks", "since": 0})
            await client.until("sync_complete")
            await app.changes.push("tasks", "2", {"team": "b"})
            await app.changes.push("tasks", "1", {"team": "b"})
            gone = (await client.until("change"))["change"]
            assert (gone["entity_id"], gone["action"]) == ("1", "delete")
