"""How the old endpoints say that they are old."""

from __future__ import annotations

import re

import pytest

from rhtmx_server.transports.deprecation import HEADERS, Notice


def test_the_headers_name_a_date_and_the_successor() -> None:
    headers = dict(HEADERS)
    assert re.fullmatch(r"@[0-9]+", headers["Deprecation"])
    assert headers["Link"] == '</api/ws>; rel="successor-version"'


def test_each_client_is_warned_about_once(caplog: pytest.LogCaptureFixture) -> None:
    notice = Notice("/api/sync/ws")
    for address in ("10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.1"):
        notice.used(address)
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == 2
    assert "10.0.0.1" in warned[0]
    assert "10.0.0.2" in warned[1]
    assert all("/api/sync/ws" in words and "/api/ws" in words for words in warned)


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notice = Notice("/api/sync/ws", remembered=2)
    for address in ("a", "b", "c", "b", "c", "a"):
        notice.used(address)
    assert len(caplog.records) == 4
