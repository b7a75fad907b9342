"""What the guide shows of mirrored tables works as it stands there."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest

import rhtmx
from rhtmx_server import App, Config
from rhtmx_server.cli.loading import load
from tests.docs.markdown import blocks, page, programs
from tests.support.process import ran

pytest.importorskip("sqlalchemy")

PAGE = page("docs/guides/mirror.md")
TABLE = "CREATE TABLE shop_orders (id INTEGER PRIMARY KEY, title TEXT, state TEXT, customer_id INT)"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the programs of the page, and the table."""
    for name, (source, _) in programs(PAGE).items():
        (tmp_path / name).write_text(source)
    write(tmp_path, TABLE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    for name in ("live", "shown", "wishes"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def write(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "shop.db")
    connection.execute(statement)
    connection.commit()
    connection.close()


async def test_the_first_example_shows_what_is_written(folder: Path) -> None:
    insert = next(block.text for block in blocks(PAGE) if "INSERT INTO shop_orders" in block.text)
    server = (sys.executable, "-m", "rhtmx_server", "mirror", "--app", "live:app")
    printed = await ran(*server, "--sql", folder=folder)
    assert 'CREATE TRIGGER "rhtmx_outbox_shop_orders_insert"' in printed.output
    assert (await ran(*server, "--install", folder=folder)).errors == "installed: orders\n"
    app = load("live:app", App, folder)
    app.configure(Config(port=0))
    write(folder, insert)
    async with app, rhtmx.connect(app.url) as client:
        async for change in client.changes("orders", since=0):
            assert (change.entity_id, change.data) == ("7", {"title": "tea", "state": "paid"})
            break


async def test_a_function_says_what_is_shown(folder: Path) -> None:
    app = load("shown:app", App, folder)
    app.configure(Config(port=0))
    app.mirror.install()
    write(folder, "INSERT INTO shop_orders VALUES (1, 'cake', 'draft', 3), (2, 'tea', 'paid', 3)")
    async with app, rhtmx.connect(app.url) as client:
        async for change in client.changes("orders", since=0):
            assert (change.entity_id, change.data) == ("2", {"title": "Tea", "customer": "3"})
            break


async def test_wishes_are_fulfilled_or_refused(folder: Path) -> None:
    app = load("wishes:app", App, folder)
    app.configure(Config(port=0))
    app.mirror.install()
    async with app, rhtmx.connect(app.url) as client:
        fulfilling = asyncio.create_task(asyncio.to_thread(sys.modules["wishes"].fulfil_wishes))
        wishes, orders = client.collection("wishes"), client.collection("orders")
        await wishes.set("8", {"title": "tea"})
        await wishes.set("9", {"title": "coffee"})
        async for change in orders.changes(since=0):
            assert (change.entity_id, change.data) == ("8", {"title": "tea", "state": "new"})
            break
        async for change in wishes.changes(since=0):
            if change.data and "refused" in change.data:
                assert (change.entity_id, change.data["refused"]) == ("9", "we have no coffee")
                break
        assert await app.collection("wishes").get("8") is None
    await fulfilling


async def test_the_command_says_what_is_missing(folder: Path) -> None:
    server = (sys.executable, "-m", "rhtmx_server", "mirror")
    for arguments, words in (
        (("--app", "live:app"), "one of the arguments --sql --install --check is required"),
        (("--sql",), "--app"),
    ):
        assert words in (await ran(*server, *arguments, code=2, folder=folder)).errors
    write(folder, "DROP TABLE shop_orders")
    failed = await ran(*server, "--app", "live:app", "--sql", code=1, folder=folder)
    assert "there is no table 'shop_orders'" in failed.errors
    (folder / "bare.py").write_text("from rhtmx_server import App\napp = App()\n")
    bare = await ran(*server, "--app", "bare:app", "--sql", code=2, folder=folder)
    assert "the app mirrors no tables" in bare.errors
