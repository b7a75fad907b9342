"""Facts about `rhtmx_server.verdicts`."""

from __future__ import annotations

from rhtmx_server.verdicts import Forbidden, Invalid, Valid


def test_verdicts_carry_what_their_author_says() -> None:
    invalid = Invalid("taken", {"hint": 1}, "email")
    assert (invalid.message, invalid.metadata, invalid.field, str(invalid)) == (
        "taken", {"hint": 1}, "email", "taken",
    )  # fmt: skip
    assert (Invalid("no").metadata, Invalid("no").field) == (None, "")
    assert (Forbidden("mine").message, Forbidden().message) == ("mine", "")
    assert Valid({"a": 1}).metadata == {"a": 1}
