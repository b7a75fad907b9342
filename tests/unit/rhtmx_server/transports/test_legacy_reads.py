"""The plain reads of the old browser clients."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.model import Granularity, Head, Record
from rhtmx_server.transports.bodies import PAGE_BYTES, Pages
from rhtmx_server.transports.legacy_reads import ENTRIES, Latest, ReadSince

from .conftest import Server

RECORDS, FIELDS = Granularity.RECORDS, Granularity.FIELDS


async def whole(pages: Pages) -> list[bytes]:
    made = []
    while not pages.done:
        made.append(await pages.next())
    return made


async def records(server: Server, since: int = 0, entity: str = "users") -> Any:
    return json.loads(b"".join(await whole(ReadSince(server.services, entity, since, RECORDS))))


async def fields(server: Server, since: int = 0) -> Any:
    return json.loads(b"".join(await whole(ReadSince(server.services, "users", since, FIELDS))))


async def latest(server: Server, entity_id: str) -> bytes:
    (page,) = await whole(Latest(server.services, "users", entity_id))
    return page


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


async def test_a_text_is_written_as_it_always_was(server: Server) -> None:
    await server.write('us"ers', "1", b'{"a": 1}')
    await server.write('us"ers', "2", None)
    (page,) = await whole(ReadSince(server.services, 'us"ers', 0, RECORDS))
    moment = b'"2027-01-15T08:00:00Z"'
    assert page == (
        b'{"entity":"us\\"ers","version":2,"changes":['
        b'{"entity":"us\\"ers","entity_id":"1","action":"create","data":{"a": 1},"version":1,'
        b'"client_id":null,"created_at":' + moment + b"},"
        b'{"entity":"us\\"ers","entity_id":"2","action":"delete","data":null,"version":2,'
        b'"client_id":null,"created_at":' + moment + b"}]}"
    )


async def test_a_page_holds_so_many_changes_and_no_more(server: Server) -> None:
    for n in range(3 * ENTRIES):
        await server.write("users", str(n), b"1")
    pages = await whole(ReadSince(server.services, "users", 0, RECORDS))
    assert max(page.count(b'"entity_id"') for page in pages) == ENTRIES
    answer = json.loads(b"".join(pages))
    assert [change["version"] for change in answer["changes"]] == list(range(1, 3 * ENTRIES + 1))


async def test_a_page_of_large_records_stays_small(server: Server) -> None:
    data = b'"%b"' % (b"x" * 30_000)
    for n in range(20):
        await server.write("users", str(n), data)
    pages = await whole(ReadSince(server.services, "users", 0, RECORDS))
    assert max(map(len, pages)) < PAGE_BYTES + 40_000
    assert len(json.loads(b"".join(pages))["changes"]) == 20


async def test_no_more_is_read_from_the_store_than_about_what_the_next_page_takes(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(40):
        await server.write("users", str(n), b'"%b"' % (b"x" * 60_000))
    read, limits = server.store.since, []

    async def since(entity: str, after: int, upto: int, limit: int, **more: Any) -> list[Record]:
        limits.append(limit)
        return await read(entity, after, upto, limit, **more)

    monkeypatch.setattr(server.store, "since", since)
    await records(server)
    assert limits[0] == 16
    assert max(limits[2:]) < 8


async def test_a_record_of_many_fields_is_spread_over_pages(server: Server) -> None:
    names = [f"f{n:04}" for n in range(3 * ENTRIES + 5)]
    data = json.dumps(dict.fromkeys(names, 1)).encode()
    await server.write("users", "1", data, *names)
    await server.write("users", "2", b'{"a":1}', "a")
    pages = await whole(ReadSince(server.services, "users", 0, FIELDS))
    assert max(page.count(b'"field"') for page in pages) == ENTRIES
    changes = json.loads(b"".join(pages))["changes"]
    assert [change["field"] for change in changes] == [*names, "a"]


async def test_a_record_that_is_written_in_the_middle_of_its_fields_comes_whole_again(
    server: Server,
) -> None:
    names = [f"f{n:04}" for n in range(ENTRIES + 5)]
    await server.write("users", "1", json.dumps(dict.fromkeys(names, 1)).encode(), *names)
    pages = ReadSince(server.services, "users", 0, FIELDS)
    first = await pages.next()
    await server.write("users", "1", json.dumps(dict.fromkeys(names, 2)).encode(), *names)
    answer = json.loads(first + b"".join(await whole(pages)))
    assert answer["version"] == 1
    latest = {change["field"]: change["value"] for change in answer["changes"]}
    assert latest == dict.fromkeys(names, 2)
    assert len(answer["changes"]) == ENTRIES + len(names)


async def test_pages_without_a_change_that_an_old_client_takes_are_no_hole(server: Server) -> None:
    for n in range(ENTRIES):
        await server.write("users", str(n), b'{"id":1}', "id")
    await server.write("users", "x", b'{"a":1}', "a")
    assert [change["field"] for change in (await fields(server))["changes"]] == ["a"]


async def test_what_is_written_meanwhile_comes_after_the_rest_and_the_version_is_from_before(
    server: Server,
) -> None:
    for n in range(ENTRIES + 2):
        await server.write("users", str(n), b"1")
    pages = ReadSince(server.services, "users", 0, RECORDS)
    first = await pages.next()
    await server.write("users", "0", b"2")
    await server.write("users", str(ENTRIES + 1), b"2")
    answer = json.loads(first + b"".join(await whole(pages)))
    assert answer["version"] == ENTRIES + 2
    seen = [change["entity_id"] for change in answer["changes"]]
    assert seen == [*map(str, range(ENTRIES + 1)), "0", str(ENTRIES + 1)]
    versions = [change["version"] for change in answer["changes"]]
    assert versions == sorted(set(versions))


async def test_a_body_ends_though_more_is_written_than_its_reader_takes(server: Server) -> None:
    for n in range(2 * ENTRIES):
        await server.write("users", str(n), b"1")
    pages, text = ReadSince(server.services, "users", 0, RECORDS), b""
    while not pages.done:
        text += await pages.next()
        for n in range(2 * ENTRIES):
            await server.write("users", f"{len(text)}/{n}", b"1")
    answer = json.loads(text)
    assert 2 * ENTRIES < len(answer["changes"]) <= 6 * ENTRIES
    assert answer["version"] == 2 * ENTRIES


async def test_a_record_that_moves_on_before_it_is_read_leaves_no_hole(server: Server) -> None:
    await server.write("users", "0", b"1")
    pages = ReadSince(server.services, "users", 0, RECORDS)
    await server.write("users", "0", b"2")
    (change,) = json.loads(b"".join(await whole(pages)))["changes"]
    assert (change["version"], change["data"]) == (2, 2)


async def test_a_record_whose_next_version_was_not_handed_out_yet_is_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.write("users", "0", b"1")
    monkeypatch.setattr(server.hub, "deliver", lambda commits: None)
    await server.write("users", "0", b"2")
    pages = ReadSince(server.services, "users", 0, RECORDS)
    assert json.loads(await pages.next()) == {"entity": "users", "version": 1, "changes": []}
    assert pages.done


async def test_deletes_that_are_forgotten_while_they_are_read_break_the_read_off(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(ENTRIES + 2):
        await server.write("users", str(n), b"1")

    async def head(entity: str) -> Head:
        return Head(ENTRIES + 2, floor=3)

    monkeypatch.setattr(server.store, "head", head)
    assert len((await records(server, 3))["changes"]) == ENTRIES - 1
    assert len((await records(server, 0))["changes"]) == ENTRIES + 2  # it needs no deletes
    with pytest.raises(RhtmxError, match="read again") as caught:
        await records(server, 2)
    assert caught.value.code is ErrorCode.STORAGE_FAILED


async def test_whole_records_are_read_without_their_clocks(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.write("users", "1", b'{"a":1}', "a")
    read, asked = server.store.since, []

    async def since(*args: Any, clocks: bool = True) -> list[Record]:
        asked.append(clocks)
        return await read(*args, clocks=clocks)

    monkeypatch.setattr(server.store, "since", since)
    await records(server)
    await fields(server)
    assert asked == [False, True]


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
    assert await latest(server, "1") == b'{"name":"Ada","big":12345678901234567890}'


async def test_what_has_no_fields_has_no_latest_ones(server: Server) -> None:
    await server.write("users", "list", b"[1]")
    await server.write("users", "null", b"null")
    await server.write("users", "gone", b'{"a":1}', "a")
    await server.write("users", "gone", None, "a")
    for entity_id in ("list", "null", "gone", "never"):
        assert await latest(server, entity_id) == b"{}"
