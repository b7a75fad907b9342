"""A real server on a free port, in this process, and bare clients for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rhtmx_server import App, Config
from tests.support.postgres import Postgres


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Every end-to-end test runs on all stores."""
    match request.param:
        case "memory":
            return "memory://"
        case "sqlite":
            return f"sqlite:///{tmp_path / 'test.db'}"
        case _:
            server: Postgres = request.getfixturevalue("postgres")
            return server.place()


@pytest.fixture
async def app(store: str) -> AsyncIterator[App]:
    """A running server that takes any entity."""
    async with App(store=store, config=Config(port=0)) as app:
        yield app
