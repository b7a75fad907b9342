"""The ready-made authenticators, behind real doors."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import rhtmx
from rhtmx_server import App, Config
from rhtmx_server.authenticators import (
    first_of,
    hash_token,
    jwt_tokens,
    session_cookies,
    static_tokens,
)
from tests.support.issuer import Answer, says, serving_keys
from tests.support.signing import AUDIENCE, EC, ISSUER, RSA, jwk, key_set, token
from tests.support.sockets import raw

BILLING = "a-token-of-billing-for-tests"


def serving(authenticate: Any) -> App:
    config = Config(port=0, grpc_port=0)
    return App(store="memory://", config=config, undeclared=True, authenticate=authenticate)


async def test_a_rotation_of_keys_locks_nobody_out() -> None:
    keys = [jwk(EC, "ES256", "old")]

    def answer() -> Answer:
        return says(key_set(*keys))

    with serving_keys(answer) as url:
        app = serving(jwt_tokens(key_set=url, issuer=ISSUER, audience=AUDIENCE))
        async with app:
            for key, algorithm, key_id in ((EC, "ES256", "old"), (RSA, "RS256", "new")):
                async with raw(app.url) as client:
                    presented = token(key, algorithm, key_id)
                    await client.ask({"type": "hello", "token": presented}, "welcome")
                keys[:] = [jwk(RSA, "RS256", "new")]  # a moment after the others were fetched


async def test_users_come_with_tokens_and_backends_with_theirs() -> None:
    users = jwt_tokens(secret="a secret of more than 32 bytes, really", issuer=None, audience=None)
    authenticate = first_of(static_tokens({hash_token(BILLING): "billing"}), users)
    ada = token("a secret of more than 32 bytes, really", "HS256", iss=None, aud=None)
    async with serving(authenticate) as app:
        async with rhtmx.connect(app.url, token=ada) as client:
            await client.collection("tasks").set("1", {"title": "Plums"})
        async with rhtmx.backend(app.grpc_address, token=BILLING) as backend:
            record = await backend.get("tasks", "1")
            assert record is not None
            assert record.data == {"title": "Plums"}


async def test_a_page_is_signed_in_by_the_cookie_of_its_own_application() -> None:
    from tests.unit.rhtmx_server.authenticators.test_session_cookies import SECRET, of_starlette

    value = await of_starlette({"user": "ada"})
    async with serving(session_cookies(SECRET)) as app:
        origin: Any = f"http://{urlsplit(app.url).netloc}"
        cookie = {"Cookie": f"session={value}"}
        async with raw(app.url, additional_headers=cookie, origin=origin) as client:
            await client.ask({"type": "hello"}, "welcome")
            await client.push("tasks", "1", {})
