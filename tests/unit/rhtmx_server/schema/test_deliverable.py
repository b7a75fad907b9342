"""Facts about `rhtmx_server.schema.deliverable`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx import schema as _s
from rhtmx_server.schema.deliverable import undeliverable

WORDS = "must be an email address that can receive mail"


def said(value: object, changed: Any = None, **traits: Any) -> list[tuple[str, str]]:
    field = _s.field("mail", _s.STRING, key="address", deliverable=True, **traits)
    data: Any = {} if value is ... else {"address": value}
    found = undeliverable([field] if field.deliverable else [], data, changed)
    return [(each.code, each.message) for each in found]


@pytest.mark.parametrize("address", ["a@localhost", "a..b@c.de", "a@1.2.3.4", "", "a@b.invalid"])
def test_what_no_mail_could_reach_is_wrong(address: str) -> None:
    assert said(address) == [("deliverable", WORDS)]


def test_what_mail_could_reach_is_right() -> None:
    assert said("ada@example.com") == []


def test_only_what_has_changed_is_judged() -> None:
    assert said("a@localhost", {"title"}) == []
    assert len(said("a@localhost", {"mail"})) == 1


def test_what_has_been_said_or_is_allowed_to_be_absent_is_left_alone() -> None:
    assert said(7) == []
    assert said(...) == [("deliverable", WORDS)]
    assert said(..., required=True) == said("", ignore_zero=True) == []
    assert said(..., presence=True) == said(None, presence=True) == []
    assert len(said("", presence=True, ignore_zero=True)) == 1
    assert said("a@localhost", ignore=True) == []


def test_it_is_said_in_the_words_of_the_application() -> None:
    assert said("x", words={"deliverable": "no mail"}) == [("deliverable", "no mail")]
