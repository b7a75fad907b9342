"""Facts about `rhtmx.cli.requests`."""

from __future__ import annotations

import pytest

from rhtmx.cli.requests import Server


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ws://h:1/api/ws", "ws://h:1/api/ws"),
        ("wss://ada:pw@h/api/ws?token=s3cr3t#x", "wss://h/api/ws"),
        ("ws://[::1]:3000/api/ws", "ws://[::1]:3000/api/ws"),
    ],
)
def test_what_is_shown_of_a_url_holds_no_secret(url: str, shown: str) -> None:
    assert Server(url, None, None, "json", 10).shown == shown
