"""What an application may call from its own SQL, and what a store makes of that."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import asyncpg
import pytest

from rhtmx_server.model import Granularity, HistoryEntry
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.sql_writes import EVERYTHING, SqlLook, SqlWrite
from rhtmx_server.stores.postgres import PostgresStore
from tests.contract.builders import record
from tests.support.application import Application
from tests.support.postgres import Postgres


@pytest.fixture
def place(postgres: Postgres) -> str:
    return postgres.place()


@pytest.fixture
async def store(place: str) -> AsyncIterator[PostgresStore]:
    made = PostgresStore(place, shared=True)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def shop(store: PostgresStore, place: str) -> AsyncIterator[Application]:
    """An application beside the store."""
    async with Application.at(place) as made:
        yield made


async def waiting(store: PostgresStore) -> list[SqlWrite]:
    """All that waits, in the order in which it is applied."""
    look = await store.sql_look(EVERYTHING)
    page = await store.sql_page(look.transactions, 500)
    assert page.whole
    return list(page.writes)


async def test_a_write_is_there_when_its_transaction_is_committed(
    store: PostgresStore, shop: Application
) -> None:
    async with shop.transaction():
        await shop.call("push('orders', '7', '{\"state\": \"paid\"}')")
        assert await waiting(store) == []
    (write,) = await waiting(store)
    assert write[2:] == ("push", "orders", "7", b'{"state": "paid"}', [], None)


async def test_a_write_of_a_transaction_that_is_rolled_back_never_was(
    store: PostgresStore, shop: Application
) -> None:
    transaction = shop.transaction()
    await transaction.start()
    await shop.call("push('orders', '7', '1')")
    await transaction.rollback()
    assert await waiting(store) == []


async def test_a_value_is_a_text_json_or_jsonb(store: PostgresStore, shop: Application) -> None:
    await shop.call("push('orders', '1', '[1]')")
    await shop.call("push('orders', '2', '[1]'::json)")
    await shop.call("push('orders', '3', to_jsonb(ARRAY[1]))")
    await shop.call("push('orders', '4', NULL)")
    await shop.call("push_fields('orders', '5', json_build_object('a', 1), ARRAY['b'])")
    await shop.call("push_fields('orders', '6', '{}', removed => '{b}', author => 'ada')")
    await shop.call("delete('orders', '7', author => 'ada')")
    assert [each[2:] for each in await waiting(store)] == [
        ("push", "orders", "1", b"[1]", [], None),
        ("push", "orders", "2", b"[1]", [], None),
        ("push", "orders", "3", b"[1]", [], None),
        ("push", "orders", "4", None, [], None),
        ("push_fields", "orders", "5", b'{"a": 1}', ["b"], None),
        ("push_fields", "orders", "6", b"{}", ["b"], "ada"),
        ("delete", "orders", "7", None, [], "ada"),
    ]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("push('', '1', '1')", "push: entity: 1 to 255 bytes expected, got 0"),
        ("push(NULL, '1', '1')", "push: entity: 1 to 255 bytes expected, got NULL"),
        ("push(repeat('ä', 128), '1', '1')", "entity: 1 to 255 bytes expected, got 256"),
        ("push('constructor', '1', '1')", "'constructor' may not be the name of an entity"),
        ("push('$conflicts/a', '1', '1')", "may not be the name of an entity"),
        ("delete('a', '')", "delete: entity_id: 1 to 255 bytes expected, got 0"),
        ("delete('a', '1', '')", "author: 1 to 255 bytes expected, or NULL, got 0"),
        ("push('a', '1', '{')", "invalid input syntax for type json"),
        (r"""push('a', '1', '"\u0000"')""", "unsupported Unicode escape sequence"),
        ("push('a', '1', to_jsonb(repeat('x', 2000000)))", "at most 1048576 bytes of JSON"),
        (f"push('a', '1', '{'[' * 33}{']' * 33}')", "at most 32 lists and objects inside"),
        ("push('a', '1', '[{\"__proto__\": 1}]')", "may not be keys"),
        ("push('a', '1', '[1, -1e309]')", "data: a number is too large"),
        ("push_fields('a', '1', '[]')", "fields: a JSON object expected, got array"),
        ("push_fields('a', '1', NULL, '{x}')", "fields: a JSON object expected, got NULL"),
        ("push_fields('a', '1', '{}')", "nothing to write"),
        ("push_fields('a', '1', '{\"x\": 1}', '{x}')", "removed: a field is named twice"),
        ("push_fields('a', '1', '{}', '{x, x}')", "removed: a field is named twice"),
        ("push_fields('a', '1', '{}', '{NULL}')", "removed: names expected, got NULL"),
        ("push_fields('a', '1', '{\"\": 1}')", "names of 1 to 255 bytes expected"),
        ("push_fields('a', '1', '{}', '{prototype}')", "names of 1 to 255 bytes expected"),
    ],
)
async def test_what_no_server_would_take_fails_where_it_is_called(
    store: PostgresStore, shop: Application, call: str, words: str
) -> None:
    with pytest.raises(asyncpg.PostgresError, match=words):
        await shop.call(call)
    assert await waiting(store) == []


async def test_what_is_just_small_enough_is_taken(store: PostgresStore, shop: Application) -> None:
    deep = "[" * 32 + "]" * 32
    await shop.call(f"push(repeat('ä', 127), repeat('x', 255), '{deep}')")
    await shop.call("push('a', '1', to_jsonb(repeat('x', 1048574)))")
    await shop.call("push('a', '1', '[\"__proto__\", 1.7e308]')")
    assert len((await store.sql_look(EVERYTHING)).transactions) == 3


async def test_a_role_that_was_granted_the_functions_may_call_them_and_nothing_else(
    postgres: Postgres, place: str, store: PostgresStore
) -> None:
    schema = place.rpartition("=")[2]
    role = f"role_{schema}"
    postgres.sql(f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role}")
    async with Application.at(place, role=role) as other:
        for call in (
            "push('a', '1', '1')",
            "push_fields('a', '1', '{\"x\": 1}')",
            "delete('a', '1')",
            "retry(1)",
            "write_1('push', 'a', '1', '1', '{}', NULL)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await other.call(call)
        postgres.sql(f"GRANT EXECUTE ON FUNCTION {schema}.push(text, text, jsonb, text) TO {role}")
        await other.call("push('a', '1', '1'::jsonb)")
        for statement in (
            "SELECT * FROM {}.outbox",
            "DELETE FROM {}.outbox",
            "SELECT * FROM {}.records",
            "SELECT * FROM {}.rejected",
            "INSERT INTO {}.outbox(kind, entity, entity_id, removed) "
            "VALUES ('push', 'a', '1', '{{}}')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await other.run(statement.format(schema))
    assert [each.entity_id for each in await waiting(store)] == ["1"]


async def test_what_was_granted_stays_granted_when_a_server_starts(
    postgres: Postgres, place: str, store: PostgresStore
) -> None:
    schema = place.rpartition("=")[2]
    role = f"stays_{schema}"
    postgres.sql(
        f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role};"
        f"GRANT EXECUTE ON FUNCTION {schema}.delete TO {role}"
    )
    other = PostgresStore(place, shared=True)
    await other.open()
    await other.close()
    async with Application.at(place, role=role) as granted:
        await granted.call("delete('a', '1')")


async def test_transactions_are_applied_in_the_order_of_their_last_writes(
    store: PostgresStore, shop: Application, place: str
) -> None:
    """Two that write one record lock it, so the later one writes last; but not always first."""
    async with Application.at(place) as other, shop.transaction():
        await shop.call("push('orders', 'first of one', '1')")
        async with other.transaction():
            await other.call("push('orders', 'shared', '\"other\"')")
        await shop.call("push('orders', 'shared', '\"one\"')")
    assert [(each.entity_id, each.data) for each in await waiting(store)] == [
        ("shared", b'"other"'),
        ("first of one", b"1"),
        ("shared", b'"one"'),
    ]


async def test_who_has_looked_sees_what_is_new_and_nothing_of_before(
    store: PostgresStore, shop: Application, place: str
) -> None:
    async with Application.at(place) as other, other.transaction():
        await other.call("push('orders', 'long', '1')")
        await shop.call("push('orders', 'before', '1')")
        first = await store.sql_look(EVERYTHING)
        await shop.call("push('orders', 'after', '1')")
        second = await store.sql_look(first.mark)
    third = await store.sql_look(second.mark)

    async def ids(look: SqlLook) -> list[str]:
        return [each.entity_id for each in (await store.sql_page(look.transactions, 9)).writes]

    assert [await ids(each) for each in (first, second, third)] == [["before"], ["after"], ["long"]]


async def test_a_page_ends_where_it_is_long_or_heavy_enough(
    store: PostgresStore, shop: Application
) -> None:
    for number in range(3):
        await shop.call(f"push('orders', '{number}', to_jsonb(repeat('x', 600000)))")
    look = await store.sql_look(EVERYTHING)
    page = await store.sql_page(look.transactions, 9)
    assert (len(page.writes), page.whole) == (2, False)
    page = await store.sql_page(look.transactions, 1)
    assert (len(page.writes), page.whole) == (1, False)
    page = await store.sql_page(look.transactions[:1], 1)
    assert (len(page.writes), page.whole) == (1, True)
    assert await store.sql_page(["1"], 1) == ([], True)


def applying(ids: list[int], seen: list[Snapshot]) -> tuple[BatchNeeds, object]:
    """What counts, in a record, the rows that were there."""

    def decide(snapshot: Snapshot) -> BatchWrites:
        seen.append(snapshot)
        before = snapshot.records.get(("tasks", "1"))
        count = int((before.data if before else None) or b"0") + len(snapshot.sql_rows)
        version = snapshot.heads["tasks"].version + 1
        made = record("1", version, b"%d" % count)
        return BatchWrites(
            records=[made],
            heads={"tasks": version},
            history=[HistoryEntry(made, Granularity.RECORDS, previous=version - 1)],
            sql_rows=snapshot.sql_rows,
        )

    return BatchNeeds(records=[("tasks", "1")], sql_rows=ids), decide


async def test_what_two_servers_apply_at_once_is_applied_once(
    store: PostgresStore, shop: Application, place: str
) -> None:
    for number in range(5):
        await shop.call(f"push('tasks', '{number}', '1')")
    ids = [each.id for each in await waiting(store)]
    other = PostgresStore(place, shared=True)
    await other.open()
    seen: list[Snapshot] = []
    needs, decide = applying(ids, seen)

    async def overtaken() -> None:
        """The other one comes in between, with some of the rows."""
        needs, decide = applying(ids[:3], [])
        await other.commit(needs, decide)  # type: ignore[arg-type]

    look = store._writer._look  # type: ignore[union-attr]
    looks = iter([overtaken])

    async def look_and_be_late(*args: object) -> object:
        found = await look(*args)  # type: ignore[arg-type]
        for meanwhile in looks:
            await meanwhile()
        return found

    store._writer._look = look_and_be_late  # type: ignore[union-attr, method-assign]
    await store.commit(needs, decide)  # type: ignore[arg-type]
    found = await store.record("tasks", "1")
    assert found is not None
    assert found.data == b"5"
    assert [sorted(each.sql_rows) for each in seen] == [ids, ids[3:]]
    assert await waiting(store) == []
    await other.close()


async def test_what_is_rejected_is_kept_aside_until_it_is_tried_again(
    store: PostgresStore, shop: Application
) -> None:
    await shop.call("push('tasks', '1', '1')")
    (write,) = await waiting(store)
    await store.sql_reject({write.id: "because"})
    assert await waiting(store) == []
    (row,) = await shop.rows("SELECT * FROM {}.rejected")
    assert (row["id"], row["entity_id"], row["reason"]) == (write.id, "1", "because")
    mark = (await store.sql_look(EVERYTHING)).mark
    assert [dict(each) for each in await shop.rows(f"SELECT {{}}.retry({write.id})")] == [
        {"retry": True}
    ]
    assert len((await store.sql_look(mark)).transactions) == 1
    assert [each.id for each in await waiting(store)] == [write.id]
    assert await shop.rows("SELECT * FROM {}.rejected") == []
    assert [each["retry"] for each in await shop.rows("SELECT {}.retry(99)")] == [False]


async def test_what_is_rejected_may_be_deleted(store: PostgresStore, shop: Application) -> None:
    await shop.call("push('tasks', '1', '1')")
    (write,) = await waiting(store)
    await store.sql_reject({write.id: "because"})
    await shop.run("DELETE FROM {}.rejected")
    assert await shop.rows("SELECT * FROM {}.outbox") == []


async def test_a_value_is_what_json_says_it_is(store: PostgresStore, shop: Application) -> None:
    value = {"ä": ["\"'\\\n", 1.5, 2**60, None, True], "$$": "}{"}
    await shop.rows("SELECT {}.push('tasks', '1', $1::jsonb)", json.dumps(value))
    (write,) = await waiting(store)
    assert json.loads(write.data or b"") == value
