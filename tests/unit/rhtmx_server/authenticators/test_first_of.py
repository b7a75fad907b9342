"""Facts about `rhtmx_server.authenticators.first_of`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from rhtmx_server.authenticators import first_of


def knows(token: str, code: ErrorCode = ErrorCode.UNAUTHENTICATED) -> object:
    async def authenticate(request: Request) -> Grant:
        if request.token != token:
            raise RhtmxError(code, f"not {token}")
        return Grant(token)

    return authenticate


async def test_the_first_that_knows_a_peer_decides() -> None:
    authenticate = first_of(knows("a"), knows("b"), knows("b"))  # type: ignore[arg-type]
    assert (await authenticate(Request("a"))).subject == "a"
    assert (await authenticate(Request("b"))).subject == "b"


async def test_a_peer_that_none_knows_is_told_what_the_last_one_says() -> None:
    authenticate = first_of(knows("a"), knows("b"))  # type: ignore[arg-type]
    with pytest.raises(RhtmxError, match="not b"):
        await authenticate(Request("c"))


async def test_a_failure_that_is_not_about_the_token_ends_the_search() -> None:
    down = knows("a", ErrorCode.TIMEOUT)
    with pytest.raises(RhtmxError, match="not a") as caught:
        await first_of(down, knows("b"))(Request("b"))  # type: ignore[arg-type]
    assert caught.value.code is ErrorCode.TIMEOUT


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(TypeError, match="at least one"):
        first_of()
    with pytest.raises(TypeError, match="async"):
        first_of(lambda request: Grant("a"))  # type: ignore[arg-type,return-value]
