"""Facts about `rhtmx_server.authenticators.key_sets`."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.authenticators.key_sets import FetchedKeys, FixedKeys
from rhtmx_server.authenticators.keys import key_of_secret
from tests.support.issuer import Answer, says, serving_keys
from tests.support.signing import EC, RSA, jwk, key_set

ONE = key_set(jwk(EC, "ES256", "one"))
BOTH = key_set(jwk(EC, "ES256", "one"), jwk(RSA, "RS256", "two"))
URL = "https://login.example.com/keys"


class Issuer:
    """Answers from memory, as long as `held` is set, and counts."""

    def __init__(self, answer: bytes) -> None:
        self.answer: bytes | Exception = answer
        self.fetches = 0
        self.held = threading.Event()
        self.held.set()
        self.now = 0.0

    def __call__(self, url: str) -> bytes:
        assert url == URL
        self.fetches += 1
        assert self.held.wait(10)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def keys(self) -> FetchedKeys:
        return FetchedKeys(URL, self, lambda: self.now)


async def test_keys_are_fetched_when_the_first_token_comes_and_then_kept() -> None:
    issuer = Issuer(ONE)
    keys = issuer.keys()
    assert issuer.fetches == 0
    for _ in range(10):
        assert (await keys.key("one")) is not None
    assert issuer.fetches == 1


async def test_all_who_wait_share_one_fetch() -> None:
    issuer = Issuer(ONE)
    keys = issuer.keys()
    issuer.held.clear()
    waiting = [asyncio.ensure_future(keys.key("one")) for _ in range(100)]
    await asyncio.sleep(0)
    issuer.held.set()
    assert all(await asyncio.gather(*waiting))
    assert issuer.fetches == 1


async def test_who_goes_away_takes_the_fetch_from_nobody() -> None:
    issuer = Issuer(ONE)
    keys = issuer.keys()
    issuer.held.clear()
    first = asyncio.ensure_future(keys.key("one"))
    second = asyncio.ensure_future(keys.key("one"))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    issuer.held.set()
    assert await second is not None
    assert issuer.fetches == 1


async def test_a_key_that_was_just_made_is_found_at_once() -> None:
    issuer = Issuer(ONE)
    keys = issuer.keys()
    await keys.key("one")
    issuer.answer = BOTH
    issuer.now = 0.001
    assert (await keys.key("two")) is not None
    assert issuer.fetches == 2


async def test_while_the_issuer_is_down_the_last_keys_are_good(
    caplog: pytest.LogCaptureFixture,
) -> None:
    issuer = Issuer(ONE)
    keys = issuer.keys()
    await keys.key("one")
    issuer.answer = OSError("connection refused")
    issuer.now = 100_000
    with caplog.at_level(logging.ERROR):
        assert (await keys.key("one")) is not None
        assert (await keys.key("two")) is None
    assert "connection refused" in caplog.text
    assert "the last ones are used on" in caplog.text


async def test_an_answer_that_is_no_key_set_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    issuer = Issuer(ONE)
    keys = issuer.keys()
    await keys.key("one")
    issuer.answer = b"<html>maintenance</html>"
    issuer.now = 100_000
    await keys.key("two")
    assert (await keys.key("one")) is not None
    assert "no JSON Web Key Set" in caplog.text


async def test_without_any_keys_the_peer_is_told_to_come_again() -> None:
    issuer = Issuer(b"")
    with pytest.raises(RhtmxError) as caught:
        await issuer.keys().key("one")
    assert caught.value.code is ErrorCode.TIMEOUT


async def test_an_old_key_is_used_while_it_is_fetched_anew() -> None:
    issuer = Issuer(ONE)
    keys = issuer.keys()
    await keys.key("one")
    issuer.now = 100_000
    issuer.held.clear()
    assert (await keys.key("one")) is not None  # and waits for nothing
    issuer.held.set()


async def test_a_single_fixed_key_is_for_every_token() -> None:
    key = key_of_secret(b"x" * 32)
    assert await FixedKeys({None: key}).key("whatever") is key
    assert await FixedKeys({None: key}).key(None) is key


async def test_keys_are_fetched_over_http_from_this_machine() -> None:
    with serving_keys(lambda: says(ONE)) as url:
        assert (await FetchedKeys(url).key("one")) is not None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (says(b"", 503), "503"),
        (says(b"", 302, Location="http://login.example.com/keys"), "an https address expected"),
        (says(b"", 302, Location="file:///etc/hostname"), "not allowed"),
        (says(b" " * (1024 * 1024 + 1)), "this is no set of keys"),
    ],
)
async def test_what_an_issuer_must_not_answer_is_a_failure(
    answer: Answer, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serving_keys(lambda: answer) as url, pytest.raises(RhtmxError, match="cannot be fetched"):
        await FetchedKeys(url).key("one")
    assert words in caplog.text
