"""Who may write what, over real doors: a socket, gRPC, the program itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

import rhtmx
from rhtmx_server import (
    App,
    Config,
    ErrorCode,
    Forbidden,
    FormValues,
    Grant,
    Invalid,
    Request,
    RhtmxError,
)
from rhtmx_server.access import anyone, backend, claim, nobody, owner, role, signed_in
from rhtmx_server.authenticators import first_of, hash_token, static_tokens
from tests.support.sockets import Raw, raw

CANARY = "canary"
BILLING = "a-token-of-billing-for-tests"
USERS = {
    "ada": Grant("ada", claims={"team": "red"}),
    "eve": Grant("eve", claims={"team": "blue"}),
    "bob": Grant("bob", roles={"clerk"}),
    "guest": Grant(""),
}


async def users(request: Request) -> Grant:
    if request.token not in USERS:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "no such token")
    return USERS[request.token]


def build() -> App:
    authenticate = first_of(static_tokens({hash_token(BILLING): "billing"}), users)
    app = App(store="memory://", config=Config(port=0, grpc_port=0), authenticate=authenticate)
    app.entity("orders", partition=["customer"]).access(
        read=owner("customer") | role("clerk"),
        create=owner("customer"),
        update=role("clerk") | owner("customer"),
        delete=nobody,
    )
    app.entity("prices").access(read=anyone, write=backend)
    app.entity("closed").access(read=signed_in)
    app.entity("open")
    events = app.entity("events").access(all=anyone)
    app.entity("docs", partition=["project"]).access(write=signed_in)

    @events.check
    def in_order(who: Grant | None, before: Any, after: Any) -> None:
        if who is not None and before and before["by"] != who.subject:
            raise Forbidden("only its author may change an event")
        if after and after["start"] > after["end"]:
            raise Invalid("ends before it starts", {"start": after["start"]}, field="end")

    @app.scope("docs")
    async def projects(who: Grant) -> Any:
        if who.subject == "eve":
            raise ZeroDivisionError(CANARY)
        return {"project": [who.claims.get("team", "none")]}

    signup = app.form("signup").access(validate=role("clerk"))

    @signup.field("email", email=True)
    def is_mine(value: str, form: FormValues, who: Grant) -> None:
        raise Invalid(f"{value} is not {who.subject}'s")

    return app


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with build() as app:
        yield app


@pytest.fixture
async def sockets(app: App) -> AsyncIterator[dict[str, Raw]]:
    async with AsyncExitStack() as stack:
        opened = {name: await stack.enter_async_context(raw(app.url)) for name in [*USERS, BILLING]}
        for name, client in opened.items():
            await client.ask({"type": "hello", "token": name, "client_id": f"c-{name}"}, "welcome")
        yield opened


async def push(client: Raw, entity: str, entity_id: str, data: Any, **more: Any) -> Any:
    """The answer to a push: `ok`, or the error."""
    action = "delete" if data is None else "update"
    push = {"type": "push", "entity": entity, "entity_id": entity_id, "action": action}
    await client.send({**push, "data": data, **more})
    answer = await client.until_that(lambda m: m["type"] in ("push_ack", "error"))
    return "ok" if answer["type"] == "push_ack" else answer


def denied(answer: Any) -> bool:
    return bool(answer != "ok" and answer["code"] == "forbidden" and answer["details"] is None)


async def test_each_writes_what_is_theirs(sockets: dict[str, Raw]) -> None:
    ada, eve, bob = sockets["ada"], sockets["eve"], sockets["bob"]
    assert await push(ada, "orders", "1", {"customer": "ada", "note": CANARY}) == "ok"
    assert denied(await push(ada, "orders", "2", {"customer": "eve"}))
    assert denied(await push(bob, "orders", "2", {"customer": "bob2"}))
    assert await push(bob, "orders", "1", {"customer": "ada", "note": CANARY + "2"}) == "ok"
    assert denied(await push(ada, "orders", "1", {"customer": "eve"})), "not given away"
    assert denied(await push(ada, "orders", "1", None))
    answer = await push(eve, "orders", "1", {"customer": "eve"})
    assert denied(answer)
    assert CANARY not in str(eve.log)


async def test_what_is_hidden_is_answered_as_what_is_not_there(sockets: dict[str, Raw]) -> None:
    ada, eve = sockets["ada"], sockets["eve"]
    await push(ada, "orders", "1", {"customer": "ada", "note": CANARY})
    for data, more in (
        (None, {}),
        ({"customer": "eve"}, {"base_version": 7}),
        ({"customer": ["eve"]}, {}),
        ({"customer": "ada"}, {}),
    ):
        answers = [await push(eve, "orders", each, data, **more) for each in ("1", "7")]
        assert str(answers[0]).replace("orders/1", "") == str(answers[1]).replace("orders/7", "")
    assert CANARY not in str(eve.log)


async def test_a_field_push_hides_and_judges_as_a_push_does(sockets: dict[str, Raw]) -> None:
    ada, eve = sockets["ada"], sockets["eve"]
    await push(ada, "orders", "1", {"customer": "ada", "note": CANARY})
    for client, field, value, code in (
        (eve, "customer", "eve", "forbidden"),
        (eve, "note", "x", "forbidden"),
        (ada, "customer", "eve", "forbidden"),
        (ada, "customer", ["ada"], "invalid"),
        (ada, "note", "x", None),
    ):
        update = {
            "field": field, "value": value, "action": "update",
            "timestamp": "2020-01-01T00:00:00Z" if client is eve else "2100-01-01T00:00:00Z",
        }  # fmt: skip
        message = {"type": "push_fields", "entity": "orders", "entity_id": "1"}
        await client.send({**message, "fields": [update]})
        answer = await client.until_that(lambda m: m["type"] in ("field_push_ack", "error"))
        assert answer.get("code") == code
    assert CANARY not in str(eve.log)


async def test_what_is_named_nowhere_is_denied_and_what_nothing_is_said_of_is_open(
    sockets: dict[str, Raw],
) -> None:
    for client in sockets.values():
        assert denied(await push(client, "closed", "1", {}))
        assert await push(client, "open", "1", {}) == "ok"


async def test_only_backends_write_what_is_theirs(app: App, sockets: dict[str, Raw]) -> None:
    for name, client in sockets.items():
        assert (await push(client, "prices", "1", {}) == "ok") is (name == BILLING)
    async with rhtmx.backend(app.grpc_address, token=BILLING) as billing:
        await billing.push("prices", "2", {"bid": 1})
    async with rhtmx.backend(app.grpc_address, token="ada") as ada:
        with pytest.raises(rhtmx.RhtmxError) as caught:
            await ada.push("prices", "2", {"bid": 2})
        assert caught.value.code is rhtmx.ErrorCode.FORBIDDEN
        writes = [rhtmx.Write("prices", "2", {}), rhtmx.Write("open", "2", {})]
        answers = [each.error async for each in ada.push_many(writes)]
        assert answers[0] is not None
        assert (answers[0].code, answers[1]) == (rhtmx.ErrorCode.FORBIDDEN, None)


async def test_a_check_names_the_field_at_any_door(app: App, sockets: dict[str, Raw]) -> None:
    ada = sockets["ada"]
    assert await push(ada, "events", "1", {"by": "ada", "start": 1, "end": 2}) == "ok"
    bad = {"by": "ada", "start": 3, "end": 2}
    answer = await push(ada, "events", "1", bad, request_id="r", seq=1)
    assert (answer["code"], answer["message"]) == ("invalid", "ends before it starts")
    wrong = {"field": "end", "code": "", "message": "ends before it starts"}
    assert answer["details"] == {
        "field": "end",
        "metadata": {"start": 3},
        "violations": [{**wrong, "metadata": {"start": 3}}],
    }
    assert await push(ada, "events", "1", bad, request_id="r", seq=1) == answer
    assert await push(ada, "events", "1", {**bad, "end": 4}, seq=2) == "ok"
    answer = await push(sockets["eve"], "events", "1", {"by": "eve", "start": 1, "end": 2})
    assert answer["message"] == "only its author may change an event"
    async with rhtmx.backend(app.grpc_address, token="ada") as backend_of_ada:
        with pytest.raises(rhtmx.RhtmxError, match="ends before it starts") as caught:
            await backend_of_ada.push("events", "1", bad)
        assert caught.value.code is rhtmx.ErrorCode.INVALID


async def test_the_program_itself_may_write_everything_that_passes_the_checks(app: App) -> None:
    await app.changes.push("closed", "1", {"a": 1})
    await app.fields.push("orders", "1", {"customer": "ada"})
    await app.changes.push("events", "1", {"by": "nobody", "start": 1, "end": 2})
    await app.changes.push("events", "1", {"by": "ada", "start": 1, "end": 2})
    with pytest.raises(RhtmxError, match="ends before it starts"):
        await app.fields.push("events", "1", {"start": 3})
    await app.changes.delete("orders", "1")
    with pytest.raises(RhtmxError, match="'customer' divides its entity"):
        await app.changes.push("orders", "1", {"customer": []})


async def test_where_a_function_says_what_is_read_it_is_asked_before_a_write(
    app: App, sockets: dict[str, Raw], caplog: pytest.LogCaptureFixture
) -> None:
    await app.changes.push("docs", "1", {"project": "red", "text": CANARY})
    assert await push(sockets["ada"], "docs", "1", {"project": "red"}) == "ok"
    assert denied(await push(sockets["bob"], "docs", "1", {"project": "red"}))
    assert denied(await push(sockets["guest"], "docs", "2", {"project": "red"}))
    failed = await push(sockets["eve"], "docs", "1", {"project": "red"})
    assert failed["code"] == "internal"
    assert "app.scope('docs')" in caplog.text
    assert CANARY not in str([client.log for client in sockets.values()])
    async with rhtmx.backend(app.grpc_address, token="ada") as ada:
        await ada.push("docs", "1", {"project": "red"})


async def test_the_order_of_writes_is_kept_where_one_has_to_wait(sockets: dict[str, Raw]) -> None:
    ada = sockets["ada"]
    message = {"type": "push", "entity_id": "1", "action": "update"}
    entities = ["open", "docs", "open", "docs"]
    for number, entity in enumerate(entities, 1):
        await ada.send({**message, "entity": entity, "data": {"project": "red"}, "seq": number})
    acks = [await ada.until("push_ack") for _ in entities]
    assert [each["seq"] for each in acks] == [1, 2, 3, 4]


async def test_a_form_is_for_those_who_may_use_it(app: App, sockets: dict[str, Raw]) -> None:
    field = {"type": "validate_field", "request_id": "1", "form": "signup", "field": "email"}
    whole = {"type": "validate_form", "request_id": "2", "form": "signup", "fields": []}
    ada, bob = sockets["ada"], sockets["bob"]
    assert (await ada.ask({**field, "value": "x@y.eu"}, "error"))["code"] == "forbidden"
    assert (await ada.ask(whole, "error"))["code"] == "forbidden"
    answer = await bob.ask({**field, "value": "x@y.eu"}, "validation_result")
    assert answer["error"] == "x@y.eu is not bob's"
    for token, code in (("ada", rhtmx.ErrorCode.FORBIDDEN), ("bob", None)):
        async with rhtmx.backend(app.grpc_address, token=token) as client:
            if code is None:
                result = await client.validate_field("signup", "email", "x@y.eu")
                assert result.error == "x@y.eu is not bob's"
                continue
            with pytest.raises(rhtmx.RhtmxError) as caught:
                await client.validate_field("signup", "email", "x@y.eu")
            assert caught.value.code is code
            with pytest.raises(rhtmx.RhtmxError):
                await client.validate_form("signup", {"email": "x@y.eu"})


async def test_rights_that_change_on_a_live_socket_count_for_the_next_write(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with raw(app.url) as ada:
        await ada.ask({"type": "hello", "token": "ada"}, "welcome")
        assert denied(await push(ada, "prices", "1", {}))
        monkeypatch.setitem(USERS, "ada", Grant("ada", roles={"backend"}))
        await ada.ask({"type": "authenticate", "token": "ada"}, "authenticated")
        assert await push(ada, "prices", "1", {}) == "ok"


async def test_the_old_endpoint_keeps_the_same_rules() -> None:
    app = App(store="memory://", config=Config(port=0))
    app.entity("orders", partition=["customer"]).access(read=anyone, create=claim("customer"))
    async with app, raw(app.url.replace("/api/ws", "/api/sync/ws")) as old:
        message = {"type": "push", "entity": "orders", "entity_id": "1", "action": "create"}
        await old.send({**message, "data": {"customer": "7"}})
        assert (await old.until("error"))["type"] == "error"
        assert await app.changes.get("orders", "1") is None


# What cannot work is refused when the app starts.


async def test_a_rule_that_cannot_work_is_refused_at_the_start_and_can_be_mended() -> None:
    app = App(store="memory://", config=Config(port=0))
    app.entity("orders").access(read=owner("customer"))
    with pytest.raises(ValueError, match=r"declare app.entity\('orders', partition=\['customer'\]"):
        await app.start()
    app.entity("orders", partition=["customer"])
    async with app:
        with pytest.raises(RuntimeError, match="the app is running"):
            app.entity("orders", partition=["team"])
        with pytest.raises(RuntimeError, match="the app is running"):
            app.entity("late").access(all=anyone)
        with pytest.raises(RuntimeError, match="the app is running"):
            app.scope("orders")(lambda who: True)


async def test_a_scope_function_is_refused_for_what_is_not_declared_and_twice() -> None:
    app = App(store="memory://", config=Config(port=0))
    app.entity("docs", partition=["project"])
    app.scope("dogs")(lambda who: True)
    with pytest.raises(ValueError, match="already: join them"):
        app.scope("dogs")(lambda who: True)
    with pytest.raises(ValueError, match=r"app.scope\('dogs'\): there is no such entity"):
        await app.start()


def test_an_entity_that_is_declared_again_keeps_its_access_and_its_parts() -> None:
    app = App(store="memory://")
    orders = app.entity("orders", partition=["customer"]).access(read=owner("customer"))
    assert app.entity("orders", merge="server_wins") is orders
    assert orders.partitions is not None
    assert orders.partitions.declared == (("customer",),)
    assert orders.rules


async def test_the_store_keeps_the_parts_that_are_declared_now() -> None:
    app = App(store="memory://", config=Config(port=0), undeclared=True)
    store = app._storage.store
    async with app:
        await app.changes.push("orders", "1", {"customer": "7"})
    app.entity("orders", partition=["customer"])
    part = '{"customer":"7"}'
    async with app:
        assert len(await store.since_in("orders", [part], 0, 10, 10)) == 1
        await app.changes.push("orders", "2", {"customer": "7"})
        assert len(await store.since_in("orders", [part], 0, 10, 10)) == 2
    again = App(store=store, config=Config(port=0), undeclared=True)
    async with again:  # declared no more: what is written now is in no part
        await again.changes.push("orders", "3", {"customer": "7"})
    async with app:
        assert len(await store.since_in("orders", [part], 0, 10, 10)) == 3
