"""The program's functions about writes, over every door: `check`, and `prepare`."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import rhtmx
from rhtmx import Increment, RhtmxError, Violation
from rhtmx_server import App, Config, ErrorCode, Grant, Invalid, Request
from rhtmx_server.access import anyone
from tests.support.plain_http import ask
from tests.support.sockets import raw

LATER = "2099-01-01T00:00:00Z"
"""The server brings it back to a minute from its own clock: later than all that was written."""

WRONG = Violation("end", "too_early", "ends before it starts")

Check = Callable[[Any, Any, Any], None]


def ends_after_it_starts(who: Grant | None, before: Any, after: Any) -> None:
    if after and after.get("start", 0) > after.get("end", 10):
        raise Invalid(WRONG.message, field=WRONG.field, code=WRONG.code)


def stamp(who: Grant | None, after: Any) -> dict[str, Any]:
    return {"owner": who.subject if who else "the app", "status": after.get("status", "open")}


async def anybody(request: Request) -> Grant:
    return Grant(request.token or "guest")


def build(store: str, authenticate: Any = None) -> App:
    app = App(store=store, config=Config(port=0, grpc_port=0), authenticate=authenticate)
    events = app.entity("events").access(all=anyone)
    events.check(ends_after_it_starts)
    events.prepare(stamp)
    return app


@pytest.fixture
async def app(store: str) -> AsyncIterator[App]:
    async with build(store, anybody) as app:
        yield app


# Two authors, each of whom is right alone.

PAIRS = 3_000
SOCKETS = 10
"""So many for each side, with an equal share of the pairs."""


def on_the_patch_only(who: Grant | None, before: Any, after: Any) -> None:
    """The control: the same rule, asked of what the author wrote and not of what comes of it."""
    before = before or {}
    patch = {name: value for name, value in after.items() if before.get(name) != value}
    ends_after_it_starts(who, None, patch)


@pytest.mark.parametrize(
    ("check", "broken", "refused"),
    [(ends_after_it_starts, 0, PAIRS), (on_the_patch_only, PAIRS, 0)],
    ids=["on the merged record", "control: on the patch only"],
)
async def test_of_two_authors_who_are_right_alone_and_wrong_together_one_is_refused(
    check: Check, broken: int, refused: int
) -> None:
    app = App(store="memory://", config=Config(port=0))
    app.entity("events").check(check)
    async with app:
        for number in range(PAIRS):
            await app.changes.push("events", str(number), {"start": 0, "end": 10})
        sides = [("start", 8), ("end", 3)]
        told = await asyncio.gather(
            *(author(app, share, *side) for share in range(SOCKETS) for side in sides)
        )
        answers = [answer for each in told for answer in each]
        errors = [answer for answer in answers if answer["type"] == "error"]
        stored = [await app.changes.get("events", str(number)) for number in range(PAIRS)]
    spans = [(each.data["start"], each.data["end"]) for each in stored if each is not None]
    assert len(answers) == 2 * PAIRS
    assert len(spans) == PAIRS
    assert sum(start > end for start, end in spans) == broken
    # Each who was refused is told: of every pair exactly one, by its own request.
    assert len({answer["request_id"].partition(" ")[2] for answer in errors}) == refused
    assert len(errors) == refused
    for error in errors:
        assert error["code"] == "invalid"
        assert error["details"] == {"field": "end", "violations": [spelt(WRONG)]}


def spelt(violation: Violation) -> dict[str, str]:
    return {
        "field": violation.field,
        "code": violation.code,
        "message": violation.message,
    }


async def author(app: App, share: int, field: str, value: int) -> list[dict[str, Any]]:
    """Write one field of a share of the records; the answers, in any order."""
    numbers = range(share, PAIRS, SOCKETS)
    async with raw(app.url) as client:

        async def write() -> None:
            for number in numbers:
                update = {"field": field, "value": value, "action": "update", "timestamp": LATER}
                await client.send(patch(str(number), update, request_id=f"{field} {number}"))

        writing = asyncio.create_task(write())
        answers = [
            await client.until_that(lambda m: m["type"] in ("field_push_ack", "error"))
            for _ in numbers
        ]
        await writing
        return answers


def patch(entity_id: str, *updates: dict[str, Any], **more: Any) -> dict[str, Any]:
    push = {"type": "push_fields", "entity": "events", "entity_id": entity_id}
    return {**push, "fields": list(updates), **more}


# Every door.


async def by_push(app: App) -> Any:
    async with rhtmx.connect(app.url) as client:
        await client.push("events", "1", {"start": 8, "end": 3})


async def by_field_push(app: App) -> Any:
    async with rhtmx.connect(app.url) as client:
        await client.push_fields("events", "1", {"start": 11})


async def by_operation(app: App) -> Any:
    async with rhtmx.connect(app.url) as client:
        await client.push_fields("events", "1", {"start": Increment(11)})


async def by_transaction(app: App) -> Any:
    async with rhtmx.connect(app.url) as client, client.transaction() as both:
        both.set("events", "2", {"start": 1})
        both.patch("events", "1", {"start": 11})


async def by_grpc_transaction(app: App) -> Any:
    backend = rhtmx.backend(app.grpc_address, token="billing")
    async with backend as opened, opened.transaction() as both:
        both.set("events", "2", {"start": 1})
        both.patch("events", "1", {"start": 11})


async def by_transaction_of_the_app(app: App) -> Any:
    async with app.transaction() as both:
        both.set("events", "2", {"start": 1})
        both.patch("events", "1", {"start": 11})


async def by_grpc(app: App) -> Any:
    async with rhtmx.backend(app.grpc_address, token="billing") as backend:
        await backend.push("events", "1", {"start": 8, "end": 3})


async def by_grpc_fields(app: App) -> Any:
    async with rhtmx.backend(app.grpc_address, token="billing") as backend:
        await backend.push_fields("events", "1", {"start": 11})


async def by_push_many(app: App) -> Any:
    async with rhtmx.backend(app.grpc_address, token="billing") as backend:
        writes = [rhtmx.Write("events", "1", {"start": 8, "end": 3})]
        async for outcome in backend.push_many(writes):
            if outcome.error is not None:
                raise outcome.error


async def by_the_app(app: App) -> Any:
    await app.changes.push("events", "1", {"start": 8, "end": 3})


async def by_fields_of_the_app(app: App) -> Any:
    await app.fields.push("events", "1", {"start": Increment(11)})


TOGETHER = [by_transaction, by_grpc_transaction, by_transaction_of_the_app]
DOORS = [
    by_push, by_field_push, by_operation, by_grpc, by_grpc_fields, by_push_many, by_the_app,
    by_fields_of_the_app, *TOGETHER,
]  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
async def test_no_door_lets_by_what_a_check_refuses(app: App, door: Callable[[App], Any]) -> None:
    await app.changes.push("events", "1", {"start": 1})
    with pytest.raises(RhtmxError) as refused:
        await door(app)
    assert refused.value.code is ErrorCode.INVALID
    (violation,) = refused.value.violations
    assert (violation.field, violation.code, violation.message) == (
        "end",
        "too_early",
        WRONG.message,
    )
    assert violation.write == (1 if door in TOGETHER else None)
    kept = await app.changes.get("events", "1")
    assert kept is not None
    assert kept.data == {"start": 1, "owner": "the app", "status": "open"}
    assert await app.changes.get("events", "2") is None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "/api/sync/ws",
            {"type": "push", "action": "update", "data": {"start": 8, "end": 3}},
        ),
        (
            "/api/field-sync/ws",
            {
                "type": "push_fields",
                "fields": [{"field": "start", "value": 11, "action": "update", "timestamp": LATER}],
            },
        ),
    ],
)
async def test_nor_do_the_old_endpoints(path: str, message: dict[str, Any]) -> None:
    about = {"entity": "events", "entity_id": "1"}
    good = json.loads(json.dumps(message).replace(": 11", ": 1").replace(": 8", ": 1"))
    app = build("memory://")
    async with app, raw(app.url.replace("/api/ws", path)) as client:
        error = await client.ask({**message, **about}, "error")
        assert error == {"type": "error", "message": WRONG.message}
        ack = await client.ask({**good, **about}, "push_ack")
        assert "prepared" not in ack, "they never had it"
        kept = await app.changes.get("events", "1")
        assert kept is not None
        assert kept.data["status"] == "open"


# What is filled in.


async def test_the_author_has_what_was_filled_in_with_the_acknowledgement(app: App) -> None:
    async with rhtmx.connect(app.url, token="ada") as client:
        events = client.collection("events")
        await events.synced()
        result = await events.set("1", {"start": 1, "owner": "eve"})
        assert isinstance(result, rhtmx.PushResult)
        assert result.prepared == {"owner": "ada", "status": "open"}
        shown = events.get("1")
        assert shown is not None
        assert shown.data == {"start": 1, "owner": "ada", "status": "open"}
        fields = await events.patch("2", {"start": 1})
        assert isinstance(fields, rhtmx.FieldPushResult)
        assert fields.prepared == {"owner": "ada", "status": "open"}
        again = await events.patch("2", {"start": 2})
        assert isinstance(again, rhtmx.FieldPushResult)
        assert again.prepared == {}


async def test_everybody_else_reads_what_was_filled_in_at_both_granularities(app: App) -> None:
    async with raw(app.url) as client, raw(app.url) as author:
        await client.ask({"type": "hello", "token": "eve"}, "welcome")
        await client.send({"type": "subscribe_fields", "entities": ["events"]})
        await client.settle()
        await author.ask({"type": "hello", "token": "ada"}, "welcome")
        ack = await author.push("events", "1", {"start": 1})
        assert ack["prepared"] == {"owner": "ada", "status": "open"}
        await client.settle()
    fields = [each["change"] for each in client.log if each["type"] == "field_change"]
    assert [(each["field"], each["value"], each["version"]) for each in fields] == [
        ("owner", "ada", 1),
        ("start", 1, 1),
        ("status", "open", 1),
    ]
    record = await app.fields.get("events", "1")
    assert record is not None
    assert set(record) == {"owner", "start", "status"}


async def test_a_backend_and_the_app_are_told_what_was_filled_in(app: App) -> None:
    async with rhtmx.backend(app.grpc_address, token="billing") as backend:
        result = await backend.push("events", "1", {})
        assert result.prepared == {"owner": "billing", "status": "open"}
        fields = await backend.push_fields("events", "2", {"start": 1})
        assert fields.prepared == {"owner": "billing", "status": "open"}
    assert (await app.changes.push("events", "3", {})).prepared["owner"] == "the app"
    assert (await app.fields.push("events", "4", {"n": 1})).prepared["owner"] == "the app"
    async with app.transaction() as both:
        both.set("events", "5", {})
        both.patch("events", "6", {"n": 1})
    assert [each.prepared["owner"] for each in both.result.results] == ["the app"] * 2


async def test_each_entity_has_its_own_figures(app: App) -> None:
    for _ in range(3):
        await app.changes.push("events", "1", {})
    text = (await ask(app.url, "/metrics")).body.decode()
    figures = Counter(
        {
            line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in text.splitlines()
            if line.startswith("rhtmx_check_seconds_count")
        }
    )
    # Three writes were checked, and the first one was filled in.
    assert figures == {'rhtmx_check_seconds_count{entity="events"}': 4.0}
