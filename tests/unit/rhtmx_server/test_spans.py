"""Facts about `rhtmx_server.spans`."""

from __future__ import annotations

import pytest

from rhtmx_server.spans import RemoteSpan, remote_span

ONE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
READ = RemoteSpan(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, 1)


def test_a_traceparent_names_a_span() -> None:
    assert remote_span(ONE) == READ


def test_a_later_version_may_say_more() -> None:
    assert remote_span(f"cc{ONE[2:]}-what-else") == READ


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "traces",
        ONE[:-1],
        ONE.upper(),
        f"{ONE}-what-else",
        f"{ONE}\n",
        f"ff{ONE[2:]}",
        ONE.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        ONE.replace("b7ad6b7169203331", "0" * 16),
    ],
)
def test_what_is_no_traceparent_names_none(text: str | None) -> None:
    assert remote_span(text) is None
