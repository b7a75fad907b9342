"""Numbered mutations take effect once, end to end."""

from __future__ import annotations

from rhtmx_server import App, Config
from tests.support.sockets import Raw, raw


def numbered(seq: int, data: object = 1, entity: str = "e") -> dict[str, object]:
    return {
        "type": "push",
        "entity": entity,
        "entity_id": "1",
        "action": "update",
        "data": data,
        "seq": seq,
    }


async def introduce(client: Raw, client_id: str = "c1") -> dict[str, object]:
    hello = {"type": "hello", "client_id": client_id, "secret": f"that of {client_id}"}
    return await client.ask(hello, "welcome")


async def test_a_mutation_sent_twice_takes_effect_once(app: App) -> None:
    async with raw(app.url) as client:
        await introduce(client)
        first = await client.ask(numbered(1), "push_ack")
        again = await client.ask(numbered(1), "push_ack")
        assert again == {**first, "duplicate": True}
        assert len(await app.history("e")) == 1


async def test_the_answer_is_the_same_on_another_connection_and_after_a_restart(store: str) -> None:
    config = Config(port=0)
    if store == "memory://":
        return
    async with App(store=store, config=config) as app, raw(app.url) as client:
        await introduce(client)
        first = await client.ask(numbered(1), "push_ack")
    async with App(store=store, config=config) as app, raw(app.url) as client:
        assert (await introduce(client))["last_seq"] == 1
        assert await client.ask(numbered(1), "push_ack") == {**first, "duplicate": True}


async def test_a_gap_is_out_of_order_and_writes_nothing(app: App) -> None:
    async with raw(app.url) as client:
        await introduce(client)
        error = await client.ask(numbered(2), "error")
        assert (error["code"], error["seq"], error["details"]) == (
            "out_of_order",
            2,
            {"last_seq": 0},
        )
        assert await app.history("e") == []


async def test_the_same_number_with_other_content_is_refused(app: App) -> None:
    async with raw(app.url) as client:
        await introduce(client)
        await client.ask(numbered(1, "one"), "push_ack")
        assert (await client.ask(numbered(1, "two"), "error"))["code"] == "seq_reused"
        assert len(await app.history("e")) == 1


async def test_a_refused_mutation_uses_up_its_number_and_says_the_same_again(app: App) -> None:
    async with raw(app.url) as client:
        await introduce(client)
        stale = {**numbered(1), "base_version": 7}
        error = await client.ask(stale, "error")
        assert error["code"] == "conflict"
        assert await client.ask(stale, "error") == error
        await client.ask(numbered(2), "push_ack")


async def test_a_mutation_that_breaks_a_rule_uses_up_its_number(app: App) -> None:
    async with raw(app.url) as client:
        await introduce(client)
        error = await client.ask({**numbered(1), "entity_id": ""}, "error")
        assert error["message"] == "push.entity_id: 1 to 255 bytes expected, got 0"
        await client.ask(numbered(2), "push_ack")


async def test_confirmed_answers_are_forgotten(app: App) -> None:
    async with raw(app.url) as client:
        await introduce(client)
        await client.ask(numbered(1), "push_ack")
    async with raw(app.url) as client:
        hello = {"type": "hello", "client_id": "c1", "confirmed_seq": 1, "secret": "that of c1"}
        assert (await client.ask(hello, "welcome"))["last_seq"] == 1
        await client.ask(numbered(2), "push_ack")  # with it the server forgets
        assert (await client.ask(numbered(1), "error"))["code"] == "out_of_order"


async def test_numbers_need_a_client_id(app: App) -> None:
    async with raw(app.url) as client:
        error = await client.ask(numbered(1), "error")
        assert error["code"] == "bad_message"
        assert "client_id" in error["message"]


async def test_a_client_id_in_the_url_is_enough_to_be_named_and_to_number_takes_hello(
    app: App,
) -> None:
    async with raw(app.url + "?client_id=c9") as client:
        await client.send({"type": "subscribe", "entities": ["e"]})
        await client.push("e", "1", 1)
        assert (await client.until("change"))["change"]["client_id"] == "c9"
        error = await client.ask(numbered(1), "error")
        assert (error["code"], "say hello" in error["message"]) == ("bad_message", True)
    async with raw(app.url + "?client_id=c9") as client:
        assert (await client.ask({"type": "hello"}, "welcome"))["secret"]
        await client.ask(numbered(1), "push_ack")


async def test_hello_comes_first_or_not_at_all(app: App) -> None:
    async with raw(app.url) as client:
        await client.ask({"type": "ping"}, "pong")
        error = await client.ask({"type": "hello", "client_id": "c"}, "error")
        assert error["code"] == "bad_message"


async def test_both_kinds_of_push_share_one_sequence(app: App) -> None:
    async with raw(app.url) as client:
        await introduce(client)
        await client.ask(numbered(1, {"a": 1}), "push_ack")
        time = "2030-01-01T00:00:00Z"
        fields = [{"field": "a", "value": 2, "action": "update", "timestamp": time}]
        push = {"type": "push_fields", "entity": "e", "entity_id": "1", "fields": fields, "seq": 2}
        ack = await client.ask(push, "field_push_ack")
        assert await client.ask(push, "field_push_ack") == {**ack, "duplicate": True}
        assert len(await app.history("e")) == 2


async def test_a_numbered_push_that_cannot_be_read_blocks_nothing(app: App) -> None:
    async with raw(app.url) as client:
        await introduce(client)
        poison = {**numbered(1, {"__proto__": 1}), "request_id": "p"}
        error = await client.ask(poison, "error")
        assert (error["code"], error["seq"], error["request_id"]) == ("bad_message", 1, "p")
        assert await client.ask(poison, "error") == error
        await client.ask(numbered(2), "push_ack")
        assert len(await app.history("e")) == 1
