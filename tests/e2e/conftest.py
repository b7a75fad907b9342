"""A real server on a free port, in this process, and bare clients for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rhtmx_server import App, Config
from tests.support.mounted import Mounted
from tests.support.nodes import Spread
from tests.support.postgres import Postgres

_STORES = ("memory", "sqlite", "postgres")
"""Every end-to-end test runs on all stores."""

_SERVERS = (*_STORES, "nodes", "asgi")
"""And where the server is a usual one, on several that share a store, the clients in turn; and on
one without a port of its own, mounted in another application."""


_OF_THE_OWN_PORT = frozenset(
    ("test_arrivals", "test_bodies", "test_fragments", "test_garbage", "test_http")
)
"""What they say of sockets, and of plain HTTP without a client, is in `asgi/` for ASGI."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on all that it can be run on."""
    if "store_kind" in metafunc.fixturenames:
        kinds = {*(_SERVERS if "app" in metafunc.fixturenames else _STORES)}
        if metafunc.definition.get_closest_marker("one_server") is not None:
            kinds.discard("nodes")
        if metafunc.module.__name__.rpartition(".")[2] in _OF_THE_OWN_PORT:
            kinds.discard("asgi")
        kinds_in_order = [each for each in _SERVERS if each in kinds]
        metafunc.parametrize("store_kind", kinds_in_order)


@pytest.fixture
def store(store_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where records are kept."""
    match store_kind:
        case "memory" | "asgi":
            return "memory://"
        case "sqlite":
            return f"sqlite:///{tmp_path / 'test.db'}"
        case _:
            server: Postgres = request.getfixturevalue("postgres")
            return server.place()


@pytest.fixture
async def app(store: str, store_kind: str) -> AsyncIterator[App]:
    """A running server that takes any entity."""
    config = Config(port=0)
    kind: Any = {"nodes": Spread, "asgi": Mounted}.get(store_kind, App)
    made: App = kind(store=store, config=config)
    async with made as app:
        yield app
