"""Whose a client id is, for backends that are no clients of ours."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx_server import App, Config, Grant, Request
from tests.support.grpcio_client import Backend, backend

Metadata = tuple[tuple[str, str], ...]


def named(secret: str | None = None, token: str | None = None) -> Metadata:
    given = {"x-rhtmx-client-secret": secret, "authorization": token and f"Bearer {token}"}
    return (("x-rhtmx-client-id", "c"), *((k, v) for k, v in given.items() if v is not None))


def fields(m: Any, seq: int) -> Any:
    update = m.FieldUpdate(field="n", value=b"1", action=m.FIELD_ACTION_UPDATE)
    update.timestamp.FromSeconds(1_700_000_000)
    return m.PushFields(entity="u", entity_id="1", fields=[update], seq=seq)


async def test_a_number_without_a_secret_is_told_what_it_takes(client: Backend) -> None:
    refusal = await client.refused("Push", client.push("u", "1", 1, seq=1), metadata=named())
    assert (refusal.status, refusal.code) == ("INVALID_ARGUMENT", "bad_message")
    assert "x-rhtmx-client-secret" in refusal.words
    await client.ask("Push", client.push("u", "1", 1), metadata=named())


async def test_the_first_number_binds_the_id_to_the_secret_of_the_metadata(client: Backend) -> None:
    hers = named("hers")
    await client.ask("PushFields", fields(client.m, 1), metadata=hers)
    many = iter([client.push("u", "2", 2, seq=2), client.push("u", "3", 3, seq=3)])
    assert [ack.seq for ack in await client.all("PushMany", many, metadata=hers)] == [2, 3]
    for metadata in (named("his"), named()):
        for method, message in (
            ("Push", client.push("u", "1", 1, seq=4)),
            ("Push", client.push("u", "1", 1)),
            ("PushFields", fields(client.m, 4)),
        ):
            refusal = await client.refused(method, message, metadata=metadata)
            assert (refusal.status, refusal.code) == ("PERMISSION_DENIED", "client_id_taken")
        stolen = client.stream("PushMany", iter([client.push("u", "1", 1)]), metadata=metadata)
        assert (await stolen.end()).code == "client_id_taken"
    await client.ask("Push", client.push("u", "4", 4, seq=4), metadata=hers)


async def connect(client: Backend, metadata: Metadata | None, *said: Any) -> list[str]:
    """What a conversation is told: the names of the messages, or the codes of refusals."""
    m = client.m
    got = await client.all(
        "Connect", iter([m.Envelope(**{name: each}) for name, each in said]), metadata=metadata
    )
    kinds = []
    for envelope in got:
        kind = envelope.WhichOneof("message")
        wrong = envelope.error.code == m.ERROR_CODE_CLIENT_ID_TAKEN
        kinds.append("taken" if kind == "error" and wrong else kind)
    return kinds


async def test_a_conversation_numbers_with_the_metadata_or_with_hello(client: Backend) -> None:
    m = client.m
    push = [("push", client.push("u", "1", seq, seq=seq)) for seq in range(1, 5)]
    assert await connect(client, named("hers"), push[0]) == ["push_ack"]
    assert await connect(client, named("hers"), ("hello", m.Hello()), push[1]) == [
        "welcome",
        "push_ack",
    ]
    hello = ("hello", m.Hello(client_id="c", secret="hers"))
    for metadata in (None, named()):
        kinds = await connect(client, metadata, hello, push[2])
        assert kinds == ["welcome", "push_ack"]
    assert await connect(client, named(), push[3]) == ["taken"]
    stolen = ("hello", m.Hello(client_id="c"))
    for thief in (stolen, ("hello", m.Hello(client_id="c", secret="his"))):
        assert await connect(client, named(), thief, push[3]) == ["taken", "taken"]
    assert await connect(client, named("hers"), push[3]) == ["push_ack"]


async def test_a_wrong_secret_is_refused_before_the_conversation_begins(client: Backend) -> None:
    await client.ask("Push", client.push("u", "1", 1, seq=1), metadata=named("hers"))
    for method, message in (
        ("Connect", iter([])),
        ("Watch", client.m.WatchRequest(entity="u")),
    ):
        refusal = await client.stream(method, message, metadata=named("his")).end()
        assert refusal.code == "client_id_taken"


@pytest.mark.parametrize("seq", [None, 1])
async def test_with_tokens_the_subject_is_the_right_and_no_secret_is_looked_at(
    messages: Any, store: str, seq: int | None
) -> None:
    async def authenticate(request: Request) -> Grant:
        return Grant(request.token)

    app = App(
        store=store,
        config=Config(port=0, grpc_port=0),
        undeclared=True,
        authenticate=authenticate,
    )
    async with app, backend(messages, app.grpc_address) as client:
        first = client.push("u", "1", 1, **({} if seq is None else {"seq": seq}))
        await client.ask("Push", first, metadata=named("x", token="ada"))
        for metadata in (named(token="bob"), named("x", token="bob")):
            refusal = await client.refused("Push", client.push("u", "1", 2), metadata=metadata)
            assert refusal.code == "client_id_taken"
            refusal = await client.stream("Connect", iter([]), metadata=metadata).end()
            assert refusal.code == "client_id_taken"
        hello = ("hello", client.m.Hello(token="bob", client_id="c"))
        assert await connect(client, None, hello) == ["taken"]
        push = ("push", client.push("u", "2", 2))
        assert await connect(client, named("y", token="ada"), push) == ["push_ack"]
