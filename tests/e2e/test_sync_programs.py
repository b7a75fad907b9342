"""Programs without an event loop: scripts, and processes that fork."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rhtmx_server import App, Config
from tests.support.postgres import Postgres
from tests.support.process import run

FORKED = """
import os
from rhtmx_server import App, RhtmxError

app = App(store="memory://")
orders = app.sync.collection("orders")


def told(call):
    try:
        call()
    except RhtmxError as error:
        print(error.code.name, error.message.partition(":")[0])


with app.sync:
    orders.set("1", {})
    child = os.fork()
    if not child:
        told(orders.all)
        told(lambda: app.sync.transaction().__exit__(None, None, None))
        told(app.sync.start)
        app.sync.stop()
        print("child ends", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    print(len(orders.all()), flush=True)  # or a child prints what is in its copy of the buffer
child = os.fork()
if not child:  # nothing runs by now: each process may have its own
    with app.sync:
        print("in the child:", len(orders.all()), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


def test_after_a_fork_a_call_says_so_instead_of_waiting_for_ever() -> None:
    ended = run(sys.executable, "-W", "ignore", "-c", FORKED)
    words = "NOT_SUPPORTED the app was started before this process was forked, and runs in the"
    lines = ended.output.splitlines()
    assert [line.startswith(words) for line in lines[:3]] == [True] * 3
    assert lines[3:] == ["child ends", "1", "in the child: 1"]


SCRIPT = """
from rhtmx_server import App, Config

app = App(store={store!r}, bus={bus!r}, config=Config(port={port}, grpc_port={port}))
with app.sync:
    app.sync.collection("orders").set("1", {{"goods": "tea"}})
    print(app.url or "listens nowhere")
"""


def test_a_script_writes_without_listening(tmp_path: Path) -> None:
    place = f"sqlite:///{tmp_path / 'shop.db'}"
    ended = run(sys.executable, "-c", SCRIPT.format(store=place, bus=None, port=1))
    assert ended.output == "listens nowhere\n"
    with App(store=place).sync as sync:
        assert [row.data for row in sync.collection("orders").all()] == [{"goods": "tea"}]
        refused = run(sys.executable, "-c", SCRIPT.format(store=place, bus=None, port=1), code=1)
        assert "shop.db" in refused.errors.splitlines()[-1]


@pytest.mark.parametrize("listen", [False, True])
def test_a_script_beside_a_server_on_postgresql_is_one_of_several(
    postgres: Postgres, *, listen: bool
) -> None:
    place = postgres.place()
    app = App(store=place, bus="notify:", config=Config(port=0))
    app.sync.start(listen=listen)
    try:
        assert bool(app.url) is listen
        with app.sync.collection("orders").changes() as stream:
            run(sys.executable, "-c", SCRIPT.format(store=place, bus="notify:", port=1))
            assert next(stream).data == {"goods": "tea"}
    finally:
        app.sync.stop()


LEFT = """
from rhtmx_server import App, Config
app = App(store={store!r})
app.sync.start()
app.sync.collection("orders").set("1", {{}})
"""


def test_a_program_that_ends_without_stop_stops_the_app(tmp_path: Path) -> None:
    place = f"sqlite:///{tmp_path / 'shop.db'}"
    run(sys.executable, "-W", "error", "-c", LEFT.format(store=place))
    with App(store=place).sync as sync:
        assert len(sync.collection("orders").all()) == 1
