"""Facts about `rhtmx_server.authenticators.session_cookies`, with the frameworks themselves."""

from __future__ import annotations

import time
from http.cookies import SimpleCookie
from typing import Any

import flask
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request as Asked
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.request import Request
from rhtmx_server.authenticators import session_cookies

SECRET = "the application's secret key"
SESSION = {"user": "ada", "roles": ["clerk"], "team": {"name": "red"}}


async def of_starlette(session: dict[str, Any], secret: str = SECRET) -> str:
    """The cookie that Starlette sets for a session."""

    async def sign_in(request: Asked) -> PlainTextResponse:
        request.session.update(session)
        return PlainTextResponse("")

    app = Starlette(
        routes=[Route("/", sign_in)],
        middleware=[Middleware(SessionMiddleware, secret_key=secret)],
    )
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    await app(scope, receive, send)
    headers = dict(sent[0]["headers"])
    return SimpleCookie(headers[b"set-cookie"].decode())["session"].value


async def of_flask(session: dict[str, Any], secret: str = SECRET) -> str:
    """The cookie that Flask sets for a session."""
    app = flask.Flask("test")
    app.secret_key = secret

    @app.get("/")
    def sign_in() -> str:
        flask.session.update(session)
        return ""

    header = app.test_client().get("/").headers["Set-Cookie"]
    return SimpleCookie(header)["session"].value


@pytest.fixture(params=["starlette", "flask"])
def framework(request: pytest.FixtureRequest) -> Any:
    return request.param


async def cookie(framework: str, session: dict[str, Any], secret: str = SECRET) -> str:
    return await (of_flask if framework == "flask" else of_starlette)(session, secret)


async def test_who_is_signed_in_there_is_known_here(framework: Any) -> None:
    authenticate = session_cookies(SECRET, framework=framework, max_age=3600)
    before = time.time()
    grant = await authenticate(Request(cookies={"session": await cookie(framework, SESSION)}))
    assert (grant.subject, grant.roles) == ("ada", {"clerk"})
    assert grant.claims["team"] == {"name": "red"}
    assert grant.expires is not None
    assert before + 3598 <= grant.expires / 1e6 <= time.time() + 3600


async def test_the_subject_may_lie_deeper_and_be_a_number(framework: Any) -> None:
    authenticate = session_cookies(SECRET, framework=framework, subject="user.id")
    value = await cookie(framework, {"user": {"id": 7}})
    assert (await authenticate(Request(cookies={"session": value}))).subject == "7"


async def test_a_secret_that_takes_the_place_of_another_leaves_old_cookies_good(
    framework: Any,
) -> None:
    authenticate = session_cookies(["old " * 8, "new " * 8], framework=framework)
    for secret in ("old " * 8, "new " * 8):
        value = await cookie(framework, SESSION, secret)
        assert (await authenticate(Request(cookies={"session": value}))).subject == "ada"


async def refused(authenticate: Any, **cookies: str) -> str:
    with pytest.raises(RhtmxError) as caught:
        await authenticate(Request(cookies=cookies))
    assert caught.value.code is ErrorCode.UNAUTHENTICATED
    return caught.value.message


async def test_a_cookie_of_another_secret_is_refused(framework: Any) -> None:
    authenticate = session_cookies(SECRET, framework=framework)
    value = await cookie(framework, SESSION, "another " * 8)
    assert "not signed as" in await refused(authenticate, session=value)


async def test_a_session_that_is_too_old_is_refused(framework: Any) -> None:
    authenticate = session_cookies(SECRET, framework=framework, max_age=-1)
    value = await cookie(framework, SESSION)
    assert "expired" in await refused(authenticate, session=value)


@pytest.mark.parametrize("value", ["", "x", "a.b.c", ".", "é", "W10=.x.y", "a" * 5000])
async def test_what_is_no_session_is_refused(framework: Any, value: str) -> None:
    await refused(session_cookies(SECRET, framework=framework), session=value)


async def test_without_the_cookie_one_is_told_to_sign_in(framework: Any) -> None:
    authenticate = session_cookies(SECRET, framework=framework, cookie="sid")
    value = await cookie(framework, SESSION)
    assert "no cookie 'sid'" in await refused(authenticate, session=value)


async def test_a_session_without_a_user_is_refused(framework: Any) -> None:
    authenticate = session_cookies(SECRET, framework=framework)
    value = await cookie(framework, {"cart": [1]})
    assert "no subject in 'user'" in await refused(authenticate, session=value)


async def test_a_cookie_of_one_framework_is_none_of_the_other() -> None:
    await refused(session_cookies(SECRET, framework="flask"), session=await of_starlette(SESSION))
    await refused(session_cookies(SECRET), session=await of_flask(SESSION))


def test_a_setting_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="secret"):
        session_cookies("")
    with pytest.raises(ValueError, match="secret"):
        session_cookies([])
    with pytest.raises(ValueError, match="starlette or flask"):
        session_cookies(SECRET, framework="django")  # type: ignore[arg-type]
