"""A connection that is cut at every byte of a push, and of its acknowledgement, costs nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

import pytest

import rhtmx
from rhtmx_server import App
from tests.support.cutting import cutting
from tests.support.sockets import PATIENCE

MOST = 500
"""More bytes than either message has."""


@pytest.mark.parametrize("form", ["json", "proto"])
@pytest.mark.parametrize("way", ["up", "down"])
async def test_a_write_takes_effect_once_wherever_the_connection_is_cut(
    app: App,
    tmp_path: Path,
    form: Literal["json", "proto"],
    way: Literal["up", "down"],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rhtmx.backoff._FIRST", 0.0)
    monkeypatch.setattr("rhtmx.backoff._LONGEST", 0.0)
    async with (
        asyncio.timeout(4 * PATIENCE),
        cutting(app.url) as cutter,
        rhtmx.connect(cutter.url, format=form, store=tmp_path / "replica.db") as client,
    ):
        tasks = client.collection("tasks")
        await tasks.set("warm", 0)
        count = 0
        for count in range(MOST):
            before = cutter.cuts
            cutter.cut_after(way, count)
            await tasks.set(str(count), count)
            if cutter.cuts == before:
                break
        cutter.leave_alone()
        assert 20 < count < MOST, "it was never cut, or always"
        history = await app.history("tasks")
        assert [each.record.entity_id for each in history] == ["warm", *map(str, range(count + 1))]
        assert (len(client.queue), len(client.rejected)) == (0, 0)
