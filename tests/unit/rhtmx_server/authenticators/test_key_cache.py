"""Facts about `rhtmx_server.authenticators.key_cache`."""

from __future__ import annotations

import pytest

from rhtmx_server.authenticators.key_cache import Advice, KeyCache, KeyCacheLimits

LIMITS = KeyCacheLimits(lifetime=300, pause=5, burst=3, refill=10)


def cache(*keys: str, at: float = 0) -> KeyCache[str]:
    made: KeyCache[str] = KeyCache(LIMITS)
    if keys:
        made.fetched({key: key.upper() for key in keys}, at)
    return made


def test_without_keys_a_fetch_comes_first_however_often_one_asks() -> None:
    keys = cache()
    assert {keys.ask(f"k{n}", 0) for n in range(50)} == {Advice.FETCH_FIRST}


def test_a_known_key_is_used() -> None:
    keys = cache("a")
    assert keys.ask("a", 1) is Advice.USE
    assert keys.find("a") == "A"


def test_an_old_key_is_used_and_fetched_anew_beside_it() -> None:
    keys = cache("a")
    assert keys.ask("a", 299) is Advice.USE
    assert keys.ask("a", 300) is Advice.USE_AND_FETCH
    assert keys.find("a") == "A"


def test_a_key_made_a_moment_after_a_fetch_is_fetched_at_once() -> None:
    keys = cache("a")
    assert keys.ask("b", 0.001) is Advice.FETCH_FIRST
    keys.fetched({"a": "A", "b": "B"}, 0.002)
    assert keys.ask("b", 0.003) is Advice.USE
    assert keys.find("b") == "B"


def test_ids_that_are_made_up_cause_a_handful_of_fetches_and_then_one_in_a_while() -> None:
    keys = cache("a")
    asked = [keys.ask(f"made up {second}", second) for second in range(1000)]
    assert asked[:4] == [Advice.FETCH_FIRST] * 3 + [Advice.USE]
    assert asked.count(Advice.FETCH_FIRST) <= 3 + 1000 / LIMITS.refill


def test_a_known_key_stays_good_while_ids_are_made_up() -> None:
    keys = cache("a")
    for _ in range(100):
        keys.ask("made up", 1)
    assert keys.ask("a", 1) is Advice.USE


def test_a_fetch_that_fails_keeps_the_keys_and_waits_before_the_next() -> None:
    keys = cache("a")
    keys.failed(400)
    assert keys.ask("a", 404) is Advice.USE
    assert keys.ask("b", 404) is Advice.USE
    assert keys.ask("a", 405) is Advice.USE_AND_FETCH
    assert keys.find("a") == "A"


def test_a_first_fetch_that_fails_is_tried_again_after_the_pause() -> None:
    keys = cache()
    keys.failed(0)
    assert keys.ask("a", 4) is Advice.USE
    assert keys.empty
    assert keys.ask("a", 5) is Advice.FETCH_FIRST


def test_keys_that_were_withdrawn_are_gone() -> None:
    keys = cache("a", "b")
    keys.fetched({"b": "B"}, 10)
    assert keys.find("a") is None


@pytest.mark.parametrize(("known", "found"), [(["a"], "A"), (["a", "b"], None)])
def test_a_token_without_an_id_has_the_only_key_there_is(
    known: list[str], found: str | None
) -> None:
    assert cache(*known).find(None) == found
