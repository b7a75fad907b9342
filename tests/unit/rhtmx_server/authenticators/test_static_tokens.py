"""Facts about `rhtmx_server.authenticators.static_tokens`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import BACKEND, Grant
from rhtmx_server.access.request import Request
from rhtmx_server.authenticators import hash_token, new_token, static_tokens

TOKEN, OTHER = "a-token-of-billing-for-tests", "another-one-of-reports-for-tests"


async def test_a_token_speaks_for_its_service_which_is_a_backend() -> None:
    grant = await static_tokens({hash_token(TOKEN): "billing"})(Request(TOKEN))
    assert grant == Grant("billing", roles={BACKEND})


async def test_a_token_may_have_a_grant_of_its_own() -> None:
    own = Grant("reports", roles={"reader"}, claims={"team": "red"})
    tokens: dict[str, str | Grant] = {hash_token(OTHER): "billing", hash_token(TOKEN): own}
    assert await static_tokens(tokens)(Request(TOKEN)) is own


@pytest.mark.parametrize(
    "presented", ["", "x", OTHER, TOKEN + "x", TOKEN[:-1], "\ud800", hash_token(TOKEN)]
)
async def test_another_token_is_refused(presented: str) -> None:
    with pytest.raises(RhtmxError) as caught:
        await static_tokens({hash_token(TOKEN): "billing"})(Request(presented))
    assert caught.value.code is ErrorCode.UNAUTHENTICATED


def test_a_token_in_the_place_of_its_hash_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="is no hash") as caught:
        static_tokens({TOKEN: "billing"})
    assert TOKEN not in str(caught.value)


def test_a_token_that_can_be_guessed_has_no_hash() -> None:
    with pytest.raises(ValueError, match="at least 24"):
        hash_token("hunter2")


def test_no_two_tokens_are_equal() -> None:
    assert len({new_token() for _ in range(1000)}) == 1000
