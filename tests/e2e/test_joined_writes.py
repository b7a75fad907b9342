"""What is certain to follow in the next turn goes out with what is there: one write for both."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from rhtmx_server import App, Config
from rhtmx_server.transports.socket import Socket
from tests.unit.rhtmx_server.transports.sockets import REQUEST, text


async def all_that_is_written(monkeypatch: pytest.MonkeyPatch, missed: int) -> list[bytes]:
    """What a client is written that comes back after so many writes to two entities, by write."""
    written: list[bytes] = []
    write = Socket.write

    def noted(socket: Socket, data: bytes) -> int | None:
        written.append(data)
        return write(socket, data)

    monkeypatch.setattr(Socket, "write", noted)
    async with App(store="memory://", config=Config(port=0), undeclared=True) as app:
        for number in range(missed):
            for entity in ("notes", "tasks"):
                await app.collection(entity).set(str(number), {"text": "x" * 100})
        host, port = urlsplit(app.url).hostname, urlsplit(app.url).port
        reading, writing = await asyncio.open_connection(host, port, limit=1 << 20)
        writing.write(REQUEST)
        await reading.readuntil(b"\r\n\r\n")
        epoch = app._running.services.store.epoch
        since = {each: {"version": 0, "epoch": epoch} for each in ("notes", "tasks")}
        asked = {"type": "subscribe", "entities": list(since), "since": since}
        writing.write(text(b'{"type":"hello"}') + text(json.dumps(asked).encode()))
        for _ in since:
            await reading.readuntil(b'"sync_complete"')
        writing.close()
    return written


async def test_who_comes_back_and_has_missed_little_is_written_to_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (all_of_it,) = await all_that_is_written(monkeypatch, missed=20)
    kinds = (b'"welcome"', b'"change"', b'"sync_complete"')
    assert [all_of_it.count(b'"type":' + kind) for kind in kinds] == [1, 40, 2]


async def test_what_is_much_is_written_in_several_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    written = await all_that_is_written(monkeypatch, missed=1000)
    assert len(written) > 3
    assert max(map(len, written)) < 128 * 1024
