"""Every method, called by grpcio with stubs of its own."""

from __future__ import annotations

import json
import threading
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from rhtmx_server import App
from tests.support.grpcio_client import Backend, one_by_one


def update(client: Backend, field: str, value: Any, seconds: int = 1_900_000_000) -> Any:
    return client.m.FieldUpdate(
        field=field,
        value=json.dumps(value).encode(),
        action=client.m.FIELD_ACTION_UPDATE,
        timestamp=Timestamp(seconds=seconds),
    )


async def test_push_writes_a_record(client: Backend, app: App) -> None:
    ack = await client.ask("Push", client.push("users", "1", {"n": 1}, request_id="r"))
    assert (ack.entity, ack.entity_id, ack.version, ack.request_id) == ("users", "1", 1, "r")
    change = await app.changes.get("users", "1")
    assert change is not None
    assert change.data == {"n": 1}


async def test_push_many_answers_in_order(client: Backend) -> None:
    pushes = [client.push("users", str(n % 7), {"n": n}, request_id=str(n)) for n in range(500)]
    acks = await client.all("PushMany", iter(pushes))
    assert [ack.request_id for ack in acks] == [str(n) for n in range(500)]
    assert [ack.version for ack in acks] == list(range(1, 501))


async def test_push_fields_answers_with_the_conflicts(client: Backend) -> None:
    m = client.m
    late = m.PushFields(entity="u", entity_id="1", fields=[update(client, "a", 1, 1_700_000_000)])
    early = m.PushFields(entity="u", entity_id="1", fields=[update(client, "a", 2, 1_600_000_000)])
    assert (await client.ask("PushFields", late)).ack.applied == 1
    answer = await client.ask("PushFields", early)
    assert (answer.ack.applied, answer.ack.conflicts) == (0, 1)
    (conflict,) = answer.conflicts
    assert (conflict.field, conflict.server_value) == ("a", b"1")
    assert conflict.winner == m.WINNER_SERVER


def order(client: Backend, left: int, seconds: int = 1_900_000_000, **more: Any) -> Any:
    """A record of one entity, and a field of another."""
    m = client.m
    made = m.TransactionWrite(
        entity="orders", entity_id="7", action=m.CHANGE_ACTION_UPDATE, data=b'{"goods":"tea"}'
    )
    fields = [update(client, "left", left, seconds)]
    return m.Transaction(
        writes=[made, m.TransactionWrite(entity="stock", entity_id="tea", fields=fields)], **more
    )


async def test_transact_writes_all_and_answers_with_the_conflicts(
    client: Backend, app: App
) -> None:
    answer = await client.ask("Transact", order(client, 3, 1_700_000_000, request_id="r"))
    assert [(each.entity, each.version) for each in answer.ack.results] == [
        ("orders", 1),
        ("stock", 1),
    ]
    assert (answer.ack.request_id, len(answer.conflicts)) == ("r", 0)
    late = await client.ask("Transact", order(client, 2, 1_600_000_000))
    (conflict,) = late.conflicts
    assert (conflict.entity, conflict.field, conflict.server_value) == ("stock", "left", b"3")
    assert [each.conflicts for each in late.ack.results] == [0, 1]
    made = await app.changes.get("orders", "7")
    assert made is not None
    assert (made.data, made.version) == ({"goods": "tea"}, 2)


async def test_a_conversation_takes_a_transaction_too(client: Backend) -> None:
    m = client.m
    hello = m.Envelope(hello=m.Hello(client_id="till", secret="s"))
    got = await client.all(
        "Connect", iter([hello, m.Envelope(transaction=order(client, 3, seq=1))])
    )
    kinds = [envelope.WhichOneof("message") for envelope in got]
    assert kinds == ["welcome", "transaction_ack"]


async def test_get_record_and_get_fields_read_the_latest(client: Backend) -> None:
    m = client.m
    name = (("x-rhtmx-client-id", "ada"),)
    await client.ask("Push", client.push("u", "1", {"a": 1, "b": 2}), metadata=name)
    one = m.PushFields(entity="u", entity_id="1", fields=[update(client, "b", 3)])
    await client.ask("PushFields", one)
    record = await client.ask("GetRecord", m.GetRecordRequest(entity="u", entity_id="1"))
    assert (json.loads(record.data), record.version) == ({"a": 1, "b": 3}, 2)
    answer = await client.ask("GetFields", m.GetFieldsRequest(entity="u", entity_id="1"))
    got = [(f.field, f.value, f.version, f.client_id) for f in answer.fields]
    assert got == [("a", b"1", 1, "ada"), ("b", b"3", 2, "")]
    assert all(f.HasField("timestamp") for f in answer.fields)


async def test_validation_judges_a_value_and_a_form(client: Backend) -> None:
    m = client.m
    bad = m.ValidateField(request_id="1", form="signup", field="email", value="no")
    result = await client.ask("ValidateField", bad)
    assert (result.request_id, result.valid, bool(result.error)) == ("1", False, True)
    form = m.ValidateForm(request_id="2", form="signup", fields=[])
    whole = await client.ask("ValidateForm", form)
    assert not whole.valid
    assert [each.field for each in whole.errors] == ["email"]


async def test_sync_reads_what_changed_and_ends(client: Backend) -> None:
    m = client.m
    for n in range(5):
        await client.ask("Push", client.push("u", str(n), {"n": n}))
    got = await client.all("Sync", m.Sync(entity="u", since=2, request_id="r"))
    assert [e.change.change.version for e in got[:-1]] == [3, 4, 5]
    last = got[-1].sync_complete
    assert (last.version, last.request_id, last.reset) == (5, "r", False)
    fields = await client.all("SyncFields", m.SyncFields(entity="u", since=4))
    assert [e.WhichOneof("message") for e in fields] == ["field_change", "sync_fields_complete"]


async def test_watch_tells_where_it_begins_and_goes_on_live(client: Backend) -> None:
    m = client.m
    await client.ask("Push", client.push("u", "1", {"n": 1}))
    watch = client.stream("Watch", m.WatchRequest(entity="u"))
    assert (await watch.until("sync_complete")).version == 1
    fields = client.stream("WatchFields", m.WatchRequest(entity="u"))
    assert (await fields.until("sync_fields_complete")).version == 1
    await client.ask("Push", client.push("u", "1", {"n": 2}))
    assert (await watch.next()).change.change.data == b'{"n": 2}'
    change = (await fields.next()).field_change.change
    assert (change.field, change.value, change.version) == ("n", b"2", 2)


async def test_history_has_every_commit_and_no_write_that_lost(client: Backend) -> None:
    m = client.m
    for n in range(300):
        await client.ask("Push", client.push("u", str(n % 2), {"n": n}))
    lost = m.PushFields(entity="u", entity_id="0", fields=[update(client, "n", 0, 1)])
    assert (await client.ask("PushFields", lost)).ack.conflicts == 1
    every = await client.all("History", m.HistoryRequest(entity="u"))
    assert [log.version for log in every] == list(range(1, 301))
    of_one = await client.all("History", m.HistoryRequest(entity="u", entity_id="1", since=290))
    assert [log.version for log in of_one] == [292, 294, 296, 298, 300]
    until = every[9].created_at
    early = await client.all("History", m.HistoryRequest(entity="u", until=until))
    assert early[-1].created_at == until


async def test_connect_is_the_conversation_of_a_socket(client: Backend) -> None:
    m = client.m
    said = [
        m.Envelope(hello=m.Hello(client_id="c")),
        m.Envelope(subscribe=m.Subscribe(entities=["u"])),
        m.Envelope(push=client.push("u", "1", {"n": 1}, seq=1)),
        m.Envelope(push=client.push("u", "1", {"n": 1}, seq=1)),
        m.Envelope(sync=m.Sync(entity="u", request_id="s")),
    ]
    got = await client.all("Connect", iter(said))
    kinds = [envelope.WhichOneof("message") for envelope in got]
    assert kinds[:2] == ["welcome", "sync_complete"]
    assert set(kinds[2:]) == {"push_ack", "change", "sync_complete"}
    acks = [envelope.push_ack for envelope in got if envelope.WhichOneof("message") == "push_ack"]
    assert [(ack.version, ack.duplicate) for ack in acks] == [(1, False), (1, True)]


async def test_a_conversation_goes_on_until_the_peer_has_said_all(client: Backend) -> None:
    m = client.m
    said = [m.Envelope(subscribe=m.Subscribe(entities=["u"])), m.Envelope(ping=m.Ping())]
    over = threading.Event()
    talk = client.stream("Connect", one_by_one(said, over.wait))
    await talk.until("pong")
    await client.ask("Push", client.push("u", "1", {"n": 1}))
    assert (await talk.until("change")).change.version == 1
    over.set()
    await client.run(list, talk.call)
    assert talk.call.code().name == "OK"
