"""Another copy of the database in the place of the one that a server reads is noticed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rhtmx_server import App, Config
from rhtmx_server.mirror import feed
from tests.support.postgres import running
from tests.support.shop import Shop, on_postgres, on_sqlite
from tests.support.waiting import eventually, eventually_found


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = on_sqlite(tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> App:
    for name in ("CHECK", "AGAIN"):
        monkeypatch.setattr(feed, name, 0.02)
    return App(store="memory://", config=Config(port=0))


async def until_there_are(app: App, expected: Mapping[str, Any]) -> None:
    """Wait for the titles of the orders, and until nothing is read any more."""

    async def look() -> bool:
        orders = await app.collection("orders").all()
        return {each.id: each.data["title"] for each in orders} == expected

    await eventually_found(look)
    await eventually(lambda: not any(each.busy for each in app.mirror))


def moved(copy: Path, there: Path) -> None:
    copy.replace(there)


def copied(copy: Path, there: Path) -> None:
    shutil.copyfile(copy, there)


def restored(copy: Path, there: Path) -> None:
    """As `.restore` of the `sqlite3` program does."""
    with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(there)) as target:
        source.backup(target)


@pytest.mark.parametrize("put_back", [moved, copied, restored])
async def test_a_file_that_is_restored_is_read(
    shop: Shop, app: App, put_back: Callable[[Path, Path], None]
) -> None:
    """Not the one that is open, which nobody writes any more."""
    shop.mirror(app)
    there = Path(shop.engine.url.database)
    async with app:
        shop.add(1)
        await until_there_are(app, {"1": "tea"})
        copy = there.with_name("copy.db")
        shutil.copyfile(there, copy)
        shop.put(1, "coffee")
        shop.add(2)
        await until_there_are(app, {"1": "coffee", "2": "tea"})
        put_back(copy, there)
        await until_there_are(app, {"1": "tea"})
        with closing(sqlite3.connect(there)) as program, program:
            program.execute("INSERT INTO shop_orders (id, title) VALUES (3, 'milk')")
        await until_there_are(app, {"1": "tea", "3": "milk"})


async def test_a_file_that_is_gone_is_said(
    shop: Shop, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    shop.mirror(app)
    there = Path(shop.engine.url.database)
    away = there.with_name("away.db")
    async with app:
        shop.add(1)
        await until_there_are(app, {"1": "tea"})
        moved(there, away)
        await eventually(lambda: "No such file" in caplog.text)
        moved(away, there)
        shop.add(2)
        await until_there_are(app, {"1": "tea", "2": "tea"})


async def test_a_server_that_comes_back_without_its_last_commits_is_compared(app: App) -> None:
    """As a standby that lags, or a server that does not wait for its disk."""
    with running() as postgres:
        shop = on_postgres(postgres, "lost")
        shop.mirror(app)
        async with app:
            shop.add(1)
            await until_there_are(app, {"1": "tea"})
            shop.engine.dispose()
            postgres.stop("fast")
            postgres.start()
            # In the place of a loss: no trigger, no definition, nothing but the row is gone.
            shop.run("SET LOCAL session_replication_role = replica", "DELETE FROM shop_orders")
            await until_there_are(app, {})
        shop.engine.dispose()
