"""`rhtmx-server mirror --check` says whether all records are as the rows of their tables."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from rhtmx_server import App, Config
from rhtmx_server.cli.loading import load
from tests.support.postgres import Postgres
from tests.support.process import ran
from tests.support.shop import Shop, on_sqlite
from tests.support.waiting import eventually

PROGRAM = """
from rhtmx_server import App, Config
app = App(store={store!r}, bus={bus!r})
app.mirror("orders", table="shop_orders", fields=["title"], source={url!r})
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = on_sqlite(tmp_path)
    made.install()
    made.engine.dispose()
    return made


def program(shop: Shop, folder: Path, store: str, bus: str | None = None) -> App:
    (folder / "checked.py").write_text(PROGRAM.format(store=store, bus=bus, url=shop.url))
    app = load("checked:app", App, folder)
    app.configure(Config(port=0))
    return app


@pytest.fixture(autouse=True)
def imported_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.delitem(sys.modules, "checked", raising=False)
    monkeypatch.chdir(tmp_path)


async def checked(folder: Path, code: int, *more: str) -> str:
    command = (sys.executable, "-m", "rhtmx_server", "mirror", "--app", "checked:app", "--check")
    done = await ran(*command, *more, code=code, folder=folder)
    return done.output + done.errors


async def test_a_difference_is_reported_and_left(shop: Shop, tmp_path: Path) -> None:
    app = program(shop, tmp_path, "sqlite:///live.db")
    assert "there is no file live.db" in await checked(tmp_path, 2)
    assert not (tmp_path / "live.db").exists()
    async with app:
        shop.add(1)
        shop.add(2)
        await eventually(lambda: shop.waiting() == 0)
    assert "2 rows; records that were missing: 0" in await checked(tmp_path, 0)
    shop.run("UPDATE shop_orders SET title = 'noted, and late'")
    assert "otherwise: 0" in await checked(tmp_path, 0)
    shop.run("DELETE FROM rhtmx_outbox")
    for _ in range(2):
        assert "otherwise: 2, without a row: 0" in await checked(tmp_path, 3)
    shop.run("DROP TRIGGER rhtmx_outbox_shop_orders_update")
    assert "are missing, or switched off" in await checked(tmp_path, 1)
    shop.engine.dispose()


async def test_beside_a_server_that_has_its_store_to_itself_and_notices_nothing(
    shop: Shop, tmp_path: Path
) -> None:
    app = program(shop, tmp_path, "sqlite:///live.db")
    async with app:
        shop.add(1)
        await eventually(lambda: shop.waiting() == 0)
        assert "1 rows; records that were missing: 0" in await checked(tmp_path, 0)
        shop.run("UPDATE shop_orders SET title = 'unseen'", "DELETE FROM rhtmx_outbox")
        assert "otherwise: 1, without a row: 0" in await checked(tmp_path, 3)
        shop.run("UPDATE shop_orders SET title = 'seen'")
        await eventually(lambda: shop.waiting() == 0)
        assert "otherwise: 0" in await checked(tmp_path, 0)
    assert "otherwise: 0" in await checked(tmp_path, 0)
    shop.engine.dispose()


async def test_beside_a_server_of_another_version_it_says_which_one_to_run(
    shop: Shop, tmp_path: Path
) -> None:
    async with program(shop, tmp_path, "sqlite:///live.db"):
        with closing(apsw.Connection("live.db")) as other:
            format_now = other.pragma("user_version")
            other.pragma("user_version", format_now - 1)
        said = await checked(tmp_path, 1)
        assert "use the rhtmx-server that runs there" in said
    shop.engine.dispose()


async def test_beside_a_server_that_shares_its_store(
    shop: Shop, tmp_path: Path, postgres: Postgres
) -> None:
    place = postgres.place()
    async with program(shop, tmp_path, place, "notify:"):
        shop.add(1)
        await eventually(lambda: shop.waiting() == 0)
        assert "1 rows; records that were missing: 0" in await checked(tmp_path, 0)
    shop.engine.dispose()


async def test_a_store_in_memory_has_nothing_to_compare(shop: Shop, tmp_path: Path) -> None:
    program(shop, tmp_path, "memory://")
    assert "the store has to be one that lasts" in await checked(tmp_path, 2)
    assert "--store: " in await checked(tmp_path, 2, "--store", "bad://")
