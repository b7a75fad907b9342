"""Facts about `rhtmx_server.verdicts`."""

from __future__ import annotations

import pytest

from rhtmx_server.verdicts import Forbidden, Invalid, Valid


def test_verdicts_carry_what_their_author_says() -> None:
    invalid = Invalid("taken", {"hint": 1}, "email", "taken")
    assert (invalid.code, Invalid("no").code) == ("taken", "")
    assert (invalid.message, invalid.metadata, invalid.field, str(invalid)) == (
        "taken", {"hint": 1}, "email", "taken",
    )  # fmt: skip
    assert (Invalid("no").metadata, Invalid("no").field) == (None, "")
    assert (Forbidden("mine").message, Forbidden().message) == ("mine", "")
    assert Valid({"a": 1}).metadata == {"a": 1}


def test_several_violations_are_one_verdict_that_lists_them() -> None:
    one, two, three = (Invalid(text, field=text) for text in ("a", "b", "c"))
    whole = Invalid.several([one, Invalid.several([two, three])])
    assert (str(whole), whole.field, whole.violations) == ("a; b; c", "", (one, two, three))
    assert Invalid.several(iter([one])) is one
    assert one.violations == (one,)
    with pytest.raises(ValueError, match="nothing to raise"):
        Invalid.several([])
