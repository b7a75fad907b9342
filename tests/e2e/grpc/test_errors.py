"""Errors arrive as the status of the one table, with code and details in trailers."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import grpc
import pytest

from rhtmx.messages import ErrorCode
from rhtmx.messages.tables import ERRORS
from rhtmx_server import App, Config, Grant, Invalid, Request, RhtmxError
from rhtmx_server.forms.forms import FormTracker
from tests.support.grpcio_client import Backend, Refusal, backend
from tests.support.waiting import eventually

NAME = (("x-rhtmx-client-id", "ada"), ("x-rhtmx-client-secret", "hers"))


def told(refusal: Refusal) -> tuple[str, str | None]:
    return refusal.status, refusal.code


async def test_a_conflict_carries_the_record_as_it_is(client: Backend) -> None:
    await client.ask("Push", client.push("u", "1", {"n": 1}))
    refusal = await client.refused("Push", client.push("u", "1", {"n": 2}, base_version=7))
    assert told(refusal) == ("ABORTED", "conflict")
    assert refusal.details["data"] == {"n": 1}


async def test_details_that_no_client_would_take_are_left_out(client: Backend) -> None:
    await client.ask("Push", client.push("u", "1", "x" * 100_000))
    refusal = await client.refused("Push", client.push("u", "1", 1, base_version=7))
    assert told(refusal) == ("ABORTED", "conflict")
    assert refusal.details is None
    assert int(refusal.trailers["rhtmx-details-size"]) > 100_000


async def test_what_is_not_there_is_not_found(client: Backend) -> None:
    m = client.m
    await client.ask("Push", client.push("u", "1", 1))
    await client.ask("Push", client.push("u", "1", None))
    for method, question in (
        ("GetRecord", m.GetRecordRequest(entity="u", entity_id="1")),
        ("GetFields", m.GetFieldsRequest(entity="u", entity_id="2")),
    ):
        assert told(await client.refused(method, question)) == ("NOT_FOUND", "not_found")


async def test_what_makes_no_sense_is_an_invalid_argument(client: Backend) -> None:
    m = client.m
    nonsense = [
        ("Push", client.push("", "1", 1)),
        ("Push", client.push("u", "1", 1, seq=1)),
        ("Push", m.Push(entity="u", entity_id="1", action=2, data=b"{")),
        ("PushFields", m.PushFields(entity="u", entity_id="x" * 256)),
        ("GetRecord", m.GetRecordRequest(entity="u")),
        ("ValidateField", m.ValidateField(form="")),
    ]
    for method, question in nonsense:
        refusal = await client.refused(method, question)
        assert told(refusal) == ("INVALID_ARGUMENT", "bad_message"), method
    for method, question in (
        ("Watch", m.WatchRequest(entity="")),
        ("Sync", m.Sync(entity="u", since=-1)),
        ("History", m.HistoryRequest(entity="u", since=-1)),
    ):
        refusal = await client.stream(method, question).end()
        assert told(refusal) == ("INVALID_ARGUMENT", "bad_message"), method


async def test_an_unknown_form_is_not_found(client: Backend) -> None:
    refusal = await client.refused("ValidateForm", client.m.ValidateForm(form="no"))
    assert told(refusal) == ("NOT_FOUND", "unknown_form")


async def test_a_record_that_is_not_valid_says_so_in_words_that_any_client_reads(
    messages: Any,
) -> None:
    app = App(store="memory://", config=Config(port=0, grpc_port=0))
    tasks = app.entity("tasks")

    @tasks.check
    def has_a_title(who: Any, before: Any, after: Any) -> None:
        if after is not None and not after.get("title"):
            raise Invalid("is required", field="title", code="required")

    async with app, backend(messages, app.grpc_address) as client:
        refusal = await client.refused("Push", client.push("tasks", "1", {}))
    assert told(refusal) == ("INVALID_ARGUMENT", "invalid")
    (violation,) = refusal.details["violations"]
    assert (violation["field"], violation["code"]) == ("title", "required")
    told_of = refusal.trailers["grpc-status-details-bin"]
    assert isinstance(told_of, bytes)
    assert b"buf.validate.Violations" in told_of
    assert b"title" in told_of


async def test_names_that_were_not_declared_are_unknown(messages: Any) -> None:
    app = App(store="memory://", config=Config(port=0, grpc_port=0))
    app.entity("users", fields=False)
    async with app, backend(messages, app.grpc_address) as client:
        refusal = await client.refused("Push", client.push("posts", "1", 1))
        assert told(refusal) == ("NOT_FOUND", "unknown_entity")
        refusal = await client.stream("Watch", messages.WatchRequest(entity="posts")).end()
        assert told(refusal) == ("NOT_FOUND", "unknown_entity")
        refusal = await client.stream("WatchFields", messages.WatchRequest(entity="users")).end()
        assert told(refusal) == ("UNIMPLEMENTED", "not_supported")


async def test_numbered_pushes_take_effect_once(client: Backend) -> None:
    first = client.push("u", "1", {"n": 1}, seq=1)
    once = await client.ask("Push", first, metadata=NAME)
    again = await client.ask("Push", first, metadata=NAME)
    assert (once.duplicate, again.duplicate, again.version) == (False, True, 1)
    gap = await client.refused("Push", client.push("u", "1", 1, seq=3), metadata=NAME)
    assert told(gap) == ("FAILED_PRECONDITION", "out_of_order")
    other = await client.refused("Push", client.push("u", "1", 2, seq=1), metadata=NAME)
    assert told(other) == ("ALREADY_EXISTS", "seq_reused")


async def test_each_push_of_many_has_its_outcome(client: Backend) -> None:
    m = client.m
    pushes = [
        client.push("u", "1", 1),
        client.push("u", "1", 2, base_version=7),
        m.Push(entity="u", entity_id="1", action=2, data=b"{"),
        client.push("u", "2", 3, seq=1),
        client.push("u", "2", 4),
    ]
    outcomes = await client.all("PushEach", iter(pushes))
    assert [each.ack.version for each in outcomes if each.HasField("ack")] == [1, 2]
    refused = [each.error for each in outcomes if each.HasField("error")]
    assert [each.code for each in refused] == [
        m.ERROR_CODE_CONFLICT,
        m.ERROR_CODE_BAD_MESSAGE,
        m.ERROR_CODE_BAD_MESSAGE,
    ]
    assert json.loads(refused[0].details)["data"] == 1
    assert "push.data" in refused[1].message.lower()
    assert [each.HasField("ack") for each in outcomes] == [True, False, False, False, True]


async def test_numbered_pushes_of_many_use_up_their_numbers_when_they_are_refused(
    client: Backend,
) -> None:
    pushes = [
        client.push("u", "1", 1, seq=1),
        client.push("u", "1", 2, seq=2, base_version=7),
        client.push("u", "1", 3, seq=3),
    ]
    for again in (False, True):
        outcomes = await client.all("PushEach", iter(pushes), metadata=NAME)
        assert [each.ack.seq or each.error.seq for each in outcomes] == [1, 2, 3]
        assert [each.HasField("error") for each in outcomes] == [False, True, False]
        assert [each.ack.duplicate for each in outcomes] == [again, False, again]


async def test_push_many_ends_at_the_first_that_is_refused(client: Backend) -> None:
    pushes = [client.push("u", "1", {"n": 1}), client.push("u", "1", 2, base_version=9)]
    call = client.stream("PushMany", iter([*pushes, client.push("u", "2", 3)]))
    assert (await call.next()).version == 1
    assert told(await call.end()) == ("ABORTED", "conflict")


async def test_a_push_that_cannot_be_read_ends_push_many_after_the_answers(
    client: Backend,
) -> None:
    bad = client.m.Push(entity="u", entity_id="1", action=2, data=b"{")
    call = client.stream("PushMany", iter([client.push("u", "1", 1), bad]))
    assert (await call.next()).version == 1
    assert told(await call.end()) == ("INVALID_ARGUMENT", "bad_message")


async def test_a_deadline_ends_a_call_and_its_work(client: Backend, app: App) -> None:
    release = asyncio.Event()

    @app.form("slow").field("x")
    async def wait(value: str) -> None:
        await release.wait()

    question = client.m.ValidateField(form="slow", field="x", value="1")
    with pytest.raises(grpc.RpcError) as caught:
        await client.run(client.stub.ValidateField, question, timeout=0.1)
    assert Refusal(caught.value).status == "DEADLINE_EXCEEDED"
    forms = app._running.services.forms
    assert isinstance(forms, FormTracker)
    await eventually(lambda: not forms._runs)
    watch = client.stream("Watch", client.m.WatchRequest(entity="u"), timeout=0.2)
    assert (await watch.end()).status == "DEADLINE_EXCEEDED"


LIFE = {"short": 200_000, "long": 3_600_000_000}


async def authenticate(request: Request) -> Grant:
    subject, _, life = request.token.partition(":")
    if life not in LIFE:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "this request.token is not known")
    return Grant(subject, time.time_ns() // 1000 + LIFE[life])


def token(text: str) -> tuple[tuple[str, str], ...]:
    return (*NAME, ("authorization", f"Bearer {text}"))


async def test_where_tokens_are_asked_for_every_call_needs_one(messages: Any) -> None:
    config = Config(port=0, grpc_port=0, heartbeat=0.2)
    app = App(store="memory://", config=config, undeclared=True, authenticate=authenticate)
    async with app, backend(messages, app.grpc_address) as client:
        push = client.push("u", "1", 1, seq=1)
        watch = messages.WatchRequest(entity="u")
        for metadata in (None, token("ada:never"), (("authorization", "Basic x"),)):
            refusal = await client.refused("Push", push, metadata=metadata)
            assert told(refusal) == ("UNAUTHENTICATED", "unauthenticated")
            refusal = await client.stream("Watch", watch, metadata=metadata).end()
            assert told(refusal) == ("UNAUTHENTICATED", "unauthenticated")
        await client.ask("Push", push, metadata=token("ada:long"))
        refusal = await client.refused("Push", push, metadata=token("bob:long"))
        assert told(refusal) == ("PERMISSION_DENIED", "client_id_taken")
        stream = client.stream("Watch", watch, metadata=token("ada:short"))
        await stream.until("sync_complete")
        assert told(await stream.end()) == ("UNAUTHENTICATED", "unauthenticated")


async def test_a_conversation_may_show_its_token_in_hello(messages: Any) -> None:
    config = Config(port=0, grpc_port=0)
    app = App(store="memory://", config=config, undeclared=True, authenticate=authenticate)
    m = messages
    async with app, backend(messages, app.grpc_address) as client:
        push = m.Envelope(push=client.push("u", "1", 1))
        said = [push, m.Envelope(hello=m.Hello(token="ada:long")), push]
        got = await client.all("Connect", iter(said))
        kinds = [envelope.WhichOneof("message") for envelope in got]
        assert kinds == ["error", "welcome", "push_ack"]
        got = await client.all("Connect", iter([push]), metadata=token("ada:long"))
        assert [envelope.WhichOneof("message") for envelope in got] == ["push_ack"]


@pytest.mark.parametrize("code", [code for code in ErrorCode if code])
def test_every_code_has_a_status(code: ErrorCode) -> None:
    assert 1 <= ERRORS[code].grpc_status <= 16


async def test_a_failure_of_the_server_says_nothing_but_an_id(
    client: Backend, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise ValueError("".join(["sec", "ret"]))  # the source itself is in the log

    app._running.services.store.record = fail  # type: ignore[assignment,method-assign]
    question = client.m.GetRecordRequest(entity="u", entity_id="1")
    refusal = await client.refused("GetRecord", question)
    assert told(refusal) == ("INTERNAL", "internal")
    assert "secret" not in refusal.words + json.dumps(refusal.details)
    assert refusal.details["correlation_id"] in caplog.text
    assert "secret" not in caplog.text
