"""Receipts in the hands of a hostile page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx_server.forms.receipts import MOST_LENGTH, MOST_RULES, Receipts

SECRET = b"a secret of 16 bytes or more"
RECEIPTS = Receipts(SECRET, seconds=300)
NOW = 1_790_000_000_000_000
FACTS = [b"email", b"nickname", b"the form"]
NONE = frozenset[int]()

facts = st.lists(st.binary(max_size=20), min_size=1, max_size=5)


def issued(*found: bytes, now: int = NOW) -> str:
    receipt = RECEIPTS.issue(found or FACTS, now)
    assert receipt is not None
    return receipt


@given(facts)
def test_a_receipt_attests_what_it_was_issued_for(found: list[bytes]) -> None:
    assert RECEIPTS.attested(issued(*found), found, NOW) == frozenset(range(len(found)))


@given(facts, facts)
def test_a_rule_is_attested_only_by_the_same_facts(then: list[bytes], now: list[bytes]) -> None:
    same = {place for place, (a, b) in enumerate(zip(then, now, strict=False)) if a == b}
    assert RECEIPTS.attested(issued(*then), now, NOW) == same


@given(st.data())
def test_another_letter_never_attests_what_was_not(data: st.DataObject) -> None:
    receipt = issued()
    place = data.draw(st.integers(0, len(receipt) - 1))
    letter = data.draw(st.characters().filter(lambda each: each != receipt[place]))
    changed = receipt[:place] + letter + receipt[place + 1 :]
    # A tag that was left alone is still good for its own rule, if nothing before it was touched.
    assert RECEIPTS.attested(changed, FACTS, NOW) < frozenset({0, 1, 2})
    assert RECEIPTS.attested(changed, [b"other", b"facts", b"now"], NOW) == NONE


@given(st.text() | st.text("ABab01-_=", max_size=200) | st.binary().map(bytes.hex))
def test_whatever_comes_attests_nothing_and_is_no_error(anything: str) -> None:
    assert RECEIPTS.attested(anything, FACTS, NOW) == NONE


@pytest.mark.parametrize("spelling", ["{}=", "{} ", " {}", "{}!", "{}\n", "{}A", "{}AAAA"])
def test_only_the_spelling_that_was_written_is_taken(spelling: str) -> None:
    assert RECEIPTS.attested(spelling.format(issued()), FACTS, NOW) == NONE


@given(st.binary(max_size=40).filter(lambda secret: secret != SECRET))
def test_another_secret_attests_nothing(secret: bytes) -> None:
    assert Receipts(secret, 300).attested(issued(), FACTS, NOW) == NONE


@given(st.integers(0, 2**63))
def test_a_receipt_is_worth_something_for_its_time_only(now: int) -> None:
    good = NOW - 5_000_000 <= now < NOW + 300_000_000
    assert bool(RECEIPTS.attested(issued(), FACTS, now)) is good


def test_its_time_cannot_be_made_another_one() -> None:
    """Tags of two receipts do not go together: the time is in each of them."""
    old, new = issued(now=NOW - 400_000_000), issued(now=NOW)
    spliced = new[:12] + old[12:]  # the time of one, the tags of the other
    assert len(spliced) == len(new)
    assert RECEIPTS.attested(spliced, FACTS, NOW) == NONE


def test_a_tag_is_worth_nothing_in_the_place_of_another_rule() -> None:
    assert RECEIPTS.attested(issued(b"email", b"nickname"), [b"nickname", b"email"], NOW) == NONE


def test_nothing_is_issued_where_nothing_is_attested() -> None:
    assert RECEIPTS.issue([], NOW) is None


def test_no_seconds_are_no_receipts() -> None:
    assert Receipts(SECRET, 0).issue(FACTS, NOW) is None
    assert Receipts(SECRET, 0).attested(issued(), FACTS, NOW) == NONE


def test_a_receipt_is_short_and_never_longer_than_the_longest() -> None:
    many = [str(number).encode() for number in range(2 * MOST_RULES)]
    assert len(issued(b"one rule")) == 34
    assert len(issued(*many)) == MOST_LENGTH
    assert RECEIPTS.attested(issued(*many), many, NOW) == frozenset(range(MOST_RULES))
    assert RECEIPTS.attested("A" * 10_000_000, many, NOW) == NONE
