"""Warnings that are given once."""

from __future__ import annotations

import pytest

from rhtmx_server.transports.notices import Once


def test_each_thing_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    once, other = Once("paths"), Once("origins")
    for _ in range(3):
        once.warn("/a", "no /a")
        once.warn("/b", "no /b")
    other.warn("/a", "no origin /a")
    assert [record.message for record in caplog.records] == ["no /a", "no /b", "no origin /a"]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_after_so_many_different_things_it_says_so_and_is_silent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    once = Once("paths", kept=3)
    for n in range(1000):
        once.warn(f"/{n}", f"no /{n}")
    assert [record.message for record in caplog.records] == [
        "no /0", "no /1", "no /2", "3 different paths were refused: no more of them are logged",
    ]  # fmt: skip
    assert len(once._seen) == 4


def test_what_a_peer_chose_cannot_forge_a_line_or_tell_a_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    once = Once("paths")
    once.warn("x", "no x\nERROR forged \x1b[31m \u202e token=s3cr3t")
    (record,) = caplog.records
    assert record.message == "no x\\nERROR forged \\x1b[31m \\u202e token=***"


def test_long_things_take_little_room(caplog: pytest.LogCaptureFixture) -> None:
    once = Once("paths")
    once.warn("x" * 10_000, "y" * 10_000)
    assert len(caplog.records[0].message) == 300
    assert len(next(iter(once._seen))) == 300


def test_a_percent_sign_is_no_placeholder(caplog: pytest.LogCaptureFixture) -> None:
    Once("paths").warn("/%s", "no /%s %d")
    assert caplog.records[0].message == "no /%s %d"
