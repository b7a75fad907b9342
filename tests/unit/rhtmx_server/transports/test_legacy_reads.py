"""The plain reads of the old browser clients."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rhtmx_server.model import Granularity, Record
from rhtmx_server.transports.legacy_reads import PAGE, latest, read_since

from .conftest import Server


async def records(server: Server, since: int = 0, entity: str = "users") -> Any:
    return json.loads(await read_since(server.services, entity, since, Granularity.RECORDS))


async def fields(server: Server, since: int = 0) -> Any:
    return json.loads(await read_since(server.services, "users", since, Granularity.FIELDS))


async def test_an_entity_that_nobody_wrote_to_is_empty_at_version_0(server: Server) -> None:
    assert await records(server) == {"entity": "users", "version": 0, "changes": []}


async def test_every_record_comes_once_at_its_latest_in_version_order(server: Server) -> None:
    for n in range(3):
        await server.write("users", str(n), b"%d" % n)
    await server.write("users", "0", b"9")
    answer = await records(server)
    assert answer["version"] == 4
    seen = [
        (change["entity_id"], change["version"], change["data"]) for change in answer["changes"]
    ]
    assert seen == [("1", 2, 1), ("2", 3, 2), ("0", 4, 9)]


async def test_only_what_came_after_the_version_is_read(server: Server) -> None:
    for n in range(3):
        await server.write("users", str(n), b"1")
    assert [change["version"] for change in (await records(server, 2))["changes"]] == [3]
    assert await records(server, 3) == {"entity": "users", "version": 3, "changes": []}


async def test_a_deleted_record_is_read_as_deleted(server: Server) -> None:
    await server.write("users", "1", b"1")
    await server.write("users", "1", None)
    (change,) = (await records(server, 1))["changes"]
    assert (change["action"], change["data"], change["version"]) == ("delete", None, 2)


async def test_a_version_from_the_future_is_answered_with_everything(server: Server) -> None:
    await server.write("users", "1", b"1")
    answer = await records(server, 99)
    assert answer["version"] == 1
    assert len(answer["changes"]) == 1


async def test_more_than_a_page_is_read_whole(server: Server) -> None:
    for n in range(PAGE + 2):
        await server.write("users", str(n), b"1")
    answer = await records(server)
    assert [change["version"] for change in answer["changes"]] == list(range(1, PAGE + 3))


async def test_a_record_that_is_written_meanwhile_is_not_missed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(PAGE + 2):
        await server.write("users", str(n), b"1")
    read = server.store.since

    async def since(entity: str, after: int, upto: int, limit: int) -> list[Record]:
        page = await read(entity, after, upto, limit)
        if after == 0:
            await server.write("users", str(PAGE + 1), b"2")
        return page

    monkeypatch.setattr(server.store, "since", since)
    answer = await records(server)
    assert answer["version"] == PAGE + 3
    assert {change["entity_id"] for change in answer["changes"]} == {
        str(n) for n in range(PAGE + 2)
    }
    assert answer["changes"][-1]["data"] == 2


async def test_fields_come_one_by_one_with_the_version_of_their_record(server: Server) -> None:
    await server.write("users", "1", b'{"b":2,"a":"x"}', "a", "b")
    answer = await fields(server)
    assert (answer["entity"], answer["version"]) == ("users", 1)
    assert [change["field"] for change in answer["changes"]] == ["a", "b"]
    assert answer["changes"][0] == {
        "entity": "users",
        "entity_id": "1",
        "field": "a",
        "value": "x",
        "action": "update",
        "version": 1,
        "client_id": None,
        "timestamp": "2027-01-15T08:00:00Z",
    }


async def test_the_fields_of_a_deleted_record_are_read_as_deleted(server: Server) -> None:
    await server.write("users", "1", b'{"a":1}', "a")
    await server.write("users", "1", None, "a")
    (change,) = (await fields(server, 1))["changes"]
    assert (change["action"], change["value"], change["version"]) == ("delete", None, 2)


async def test_the_latest_fields_of_a_record_are_its_data(server: Server) -> None:
    await server.write("users", "1", b'{"name":"Ada","big":12345678901234567890}')
    assert await latest(server.services, "users", "1") == (
        b'{"name":"Ada","big":12345678901234567890}'
    )


async def test_what_has_no_fields_has_no_latest_ones(server: Server) -> None:
    await server.write("users", "list", b"[1]")
    await server.write("users", "null", b"null")
    await server.write("users", "gone", b'{"a":1}', "a")
    await server.write("users", "gone", None, "a")
    for entity_id in ("list", "null", "gone", "never"):
        assert await latest(server.services, "users", entity_id) == b"{}"
