"""A real server on a free port, in this process, and bare clients for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rhtmx_server import App, Config
from tests.support.nodes import Spread
from tests.support.postgres import Postgres

_STORES = ("memory", "sqlite", "postgres")
"""Every end-to-end test runs on all stores."""

_SERVERS = (*_STORES, "nodes")
"""And where the server is a usual one, on several that share a store, the clients in turn."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on all that it can be run on."""
    if "store_kind" in metafunc.fixturenames:
        is_alone = metafunc.definition.get_closest_marker("one_server") is not None
        several = "app" in metafunc.fixturenames and not is_alone
        kinds = _SERVERS if several else _STORES
        metafunc.parametrize("store_kind", kinds)


@pytest.fixture
def store(store_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where records are kept."""
    match store_kind:
        case "memory":
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
    made = (
        Spread(store, config=config) if store_kind == "nodes" else App(store=store, config=config)
    )
    async with made as app:
        yield app
