"""A server that other machines reach asks who they are, or is opened on purpose."""

from __future__ import annotations

import logging

import pytest

from rhtmx_server import App, Config, ErrorCode, Grant, Request, RhtmxError
from tests.support.sockets import raw

EVERYWHERE = Config(port=0, host="0.0.0.0")


async def anybody(request: Request) -> Grant:
    return Grant("")


async def test_a_server_for_other_machines_does_not_start_without_a_word_about_who_they_are() -> (
    None
):
    with pytest.raises(RhtmxError, match=r"--open or Config\(open=True\)") as caught:
        await App(store="memory://", config=EVERYWHERE).start()
    assert caught.value.code is ErrorCode.FORBIDDEN
    assert "0.0.0.0" in caught.value.message


async def test_it_starts_where_it_asks_who_they_are(caplog: pytest.LogCaptureFixture) -> None:
    async with App(store="memory://", config=EVERYWHERE, authenticate=anybody):
        assert "open:" not in caplog.text


async def test_it_starts_where_it_is_opened_on_purpose_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = Config(port=0, host="0.0.0.0", open=True)
    with caplog.at_level(logging.WARNING):
        async with App(store="memory://", config=config) as app, raw(app.url) as client:
            await client.ask({"type": "ping"}, "pong")
    assert "open: everybody who reaches 0.0.0.0 may read and write everything" in caplog.text


async def test_on_this_machine_alone_nothing_is_asked_and_nothing_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with App(store="memory://", config=Config(port=0)):
        assert "open:" not in caplog.text
