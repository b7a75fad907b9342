"""What is committed to mirrored tables is shown, whatever becomes of the server."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from tests.support.process import serving
from tests.support.shop import FIELDS, Shop, on_postgres, on_sqlite
from tests.support.sockets import PATIENCE

KILLS = int(os.environ.get("RHTMX_KILLS", "4"))
"""As many as are wanted, for a campaign."""

NAMES = count()

PROGRAM = """
from rhtmx_server import App
app = App()
app.mirror("orders", table="shop_orders", fields={fields}, source={url!r})
"""


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    if request.param == "sqlite":
        made = on_sqlite(tmp_path)
    else:
        made = on_postgres(request.getfixturevalue("postgres"), f"killed{next(NAMES)}")
    (tmp_path / "mirroring.py").write_text(PROGRAM.format(fields=FIELDS, url=made.url))
    made.install()
    yield made
    made.engine.dispose()


async def shown(url: str) -> Mapping[str, Any]:
    async with rhtmx.connect(url) as client:
        found = await client.sync("orders")
        return {each.entity_id: each.data["title"] for each in found if each.data is not None}


async def test_a_server_that_is_killed_shows_all_that_was_committed_when_it_is_back(
    shop: Shop, tmp_path: Path
) -> None:
    chance = random.Random(5)
    app = ("--app", "mirroring:app")
    for _ in range(KILLS):
        async with serving(*app, folder=tmp_path) as server:
            for _ in range(chance.randrange(5, 30)):
                number = chance.randrange(20)
                if chance.random() < 0.3:
                    shop.run("DELETE FROM shop_orders WHERE id = :id", id=number)
                else:
                    shop.put(number, f"{chance.random()}")
                await asyncio.sleep(0)
            await server.kill()
    shop.put(99, "written while no server runs")
    async with serving(*app, folder=tmp_path) as server, asyncio.timeout(PATIENCE):
        rows = shop.rows("SELECT id, title FROM shop_orders")
        expected = {str(number): title for number, title in rows}
        while await shown(server.url) != expected:
            pass
