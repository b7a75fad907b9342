"""A form of rhtmx as a dependency of FastAPI."""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated, Any
from urllib.parse import urlencode

import pytest
from fastapi import Depends, FastAPI, Header, HTTPException, Request

import rhtmx
from rhtmx_server import App, Config, Grant, Invalid
from rhtmx_server.access import signed_in
from rhtmx_server.adapters.fastapi import validated
from tests.support.mounted import Host
from tests.support.plain_http import Answer, exchange, take_apart

GOOD = {"email": "bob@example.com", "age": "36"}
BAD = [("email", "is already registered"), ("age", "must be 18 or more")]


def app_of(ran: Counter[str]) -> App:
    app = App(store="memory://", config=Config(port=0))
    signup = app.form("signup")
    signup.field("photo", file=True, max_size=10)

    @signup.field("email", required=True, email=True)
    async def is_free(value: str) -> None:
        ran["email"] += 1
        if value == "ada@example.com":
            raise Invalid("is already registered")

    signup.field("age", required=True, type=int, ge=18)

    @signup.check
    async def is_no_robot(form: Any) -> None:
        if form["age"] == "99":
            raise Invalid("are you there?")

    return app


def who(user: Annotated[str, Header()] = "") -> Grant:
    if user == "eve":
        raise HTTPException(401)
    return Grant(user)


def api_of(app: App) -> FastAPI:
    live, form = app.asgi(), app.form("signup")
    api = FastAPI(lifespan=live.lifespan)
    found, quiet = Depends(validated(form)), Depends(validated(form, raises=False))
    theirs = Depends(validated(form, who=who))

    @api.post("/sign-up")
    async def sign_up(verdict: Any = found) -> Any:
        return verdict.cleaned

    @api.post("/quiet")
    async def look(verdict: Any = quiet) -> Any:
        return {"valid": verdict.valid, "errors": verdict.field_errors}

    @api.post("/theirs")
    async def sign_up_as(verdict: Any = theirs) -> Any:
        return verdict.valid

    @api.post("/upload")
    async def upload(request: Request, verdict: Any = found) -> Any:
        photo: Any = (await request.form())["photo"]
        return (await photo.read()).decode()

    api.mount("/live", live)
    return api


class Site:
    """The API, and what was run for it."""

    def __init__(self) -> None:
        self.ran = Counter[str]()
        self.app = app_of(self.ran)
        self.host = Host(api_of(self.app))

    async def post(self, path: str, body: bytes | str, kind: str, *headers: str) -> Answer:
        content = body.encode() if isinstance(body, str) else body
        lines = (f"Content-Type: {kind}", f"Content-Length: {len(content)}", *headers)
        head = "\r\n".join(
            (f"POST {path} HTTP/1.1", "Host: a", "Connection: close", *lines, "", "")
        )
        url = f"http://127.0.0.1:{self.host.port}"
        return take_apart(await exchange(url, head.encode() + content))

    async def form(self, path: str, values: dict[str, str], *headers: str) -> Answer:
        kind = "application/x-www-form-urlencoded"
        return await self.post(path, urlencode(values), kind, *headers)

    async def json(self, path: str, values: Any) -> Answer:
        return await self.post(path, json.dumps(values), "application/json")


@pytest.fixture
def site() -> Site:
    return Site()


def problems(answer: Answer) -> list[tuple[str, str]]:
    assert answer.status == 422
    return [(".".join(each["loc"]), each["msg"]) for each in answer.json["detail"]]


async def test_a_handler_is_called_with_the_verdict_on_a_valid_form(site: Site) -> None:
    async with site.host:
        answer = await site.form("/sign-up", GOOD)
    assert answer.status == 200
    assert answer.json == {"photo": None, "email": "bob@example.com", "age": 36}


async def test_an_object_of_json_is_judged_as_a_form_is(site: Site) -> None:
    async with site.host:
        assert (await site.json("/sign-up", {**GOOD, "age": 36})).json["age"] == 36
        wrong = await site.json("/sign-up", {"email": "ada@example.com", "age": 17})
        assert problems(wrong) == [(f"body.{field}", words) for field, words in BAD]


async def test_a_form_that_is_not_valid_is_answered_as_fastapi_answers_one(site: Site) -> None:
    async with site.host:
        answer = await site.form("/sign-up", {"email": "ada@example.com", "age": "17"})
        assert problems(answer) == [(f"body.{field}", words) for field, words in BAD]
        assert {each["type"] for each in answer.json["detail"]} == {"value_error"}
        assert "ada@example.com" not in answer.body.decode()
        assert problems(await site.form("/sign-up", {**GOOD, "age": "99"})) == [
            ("body", "are you there?")
        ]


async def test_a_handler_that_wants_to_is_called_with_what_is_wrong(site: Site) -> None:
    async with site.host:
        answer = await site.form("/quiet", {**GOOD, "age": "17"})
    assert answer.json == {"valid": False, "errors": {"age": ["must be 18 or more"]}}


@pytest.mark.parametrize(("body", "kind"), [("{", "json_invalid"), ("[1]", "dict_type")])
async def test_a_body_that_is_no_object_says_so(site: Site, body: str, kind: str) -> None:
    async with site.host:
        answer = await site.post("/sign-up", body, "application/json")
    assert answer.status == 422
    assert [each["type"] for each in answer.json["detail"]] == [kind]


async def test_json_that_is_nested_without_end_is_no_failure_of_the_server(site: Site) -> None:
    async with site.host:
        for body in ("[" * 100_000, '{"age":' * 100_000):
            answer = await site.post("/sign-up", body, "application/json")
            assert problems(answer) == [("body", "the body is no JSON")]


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", ""])
async def test_a_body_of_another_kind_is_not_taken_for_an_empty_form(site: Site, kind: str) -> None:
    async with site.host:
        assert (await site.post("/quiet", urlencode(GOOD), kind)).status == 415
        assert (await site.post("/quiet", "", kind)).json["errors"]["age"] == ["is required"]


async def test_who_sends_it_is_a_dependency_of_the_api(site: Site) -> None:
    site.app.form("signup").access(validate=signed_in)
    async with site.host:
        assert (await site.form("/theirs", GOOD, "user: ada")).json is True
        assert (await site.form("/theirs", GOOD)).status == 403
        assert (await site.form("/theirs", GOOD, "user: eve")).status == 401


async def test_a_misspelt_field_is_a_bad_request(site: Site) -> None:
    async with site.host:
        answer = await site.form("/sign-up", {"emial": "x", "age": "36"})
    assert answer.status == 400
    assert "did you mean 'email'" in answer.json["detail"]


async def test_the_receipt_of_the_page_spares_the_handler_the_validators(site: Site) -> None:
    async with site.host:
        url = f"ws://127.0.0.1:{site.host.port}/live/api/ws"
        async with rhtmx.connect(url) as client:
            verdict = await client.validate_form("signup", GOOD, receipt=True)
        assert site.ran["email"] == 1
        answer = await site.form("/sign-up", {**GOOD, "_rhtmx_receipt": verdict.receipt or ""})
        assert answer.status == 200
        assert site.ran["email"] == 1
        await site.form("/sign-up", GOOD)
        assert site.ran["email"] == 2


async def test_an_upload_is_judged_by_its_size_and_left_to_the_handler(site: Site) -> None:
    def body(content: str) -> str:
        parts = [*(f'name="{name}"\r\n\r\n{value}' for name, value in GOOD.items())]
        parts.append(f'name="photo"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n{content}')
        shown = "".join(f"--x\r\nContent-Disposition: form-data; {part}\r\n" for part in parts)
        return f"{shown}--x--\r\n"

    async with site.host:
        kind = "multipart/form-data; boundary=x"
        assert (await site.post("/upload", body("short"), kind)).json == "short"
        large = await site.post("/upload", body("much too long"), kind)
        assert [field for field, _ in problems(large)] == ["body.photo"]
