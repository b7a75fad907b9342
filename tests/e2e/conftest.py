"""A real server on a free port, in this process, and bare clients for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rhtmx_server import App, Config


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Every end-to-end test runs on both stores."""
    return "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
async def app(store: str) -> AsyncIterator[App]:
    """A running server that takes any entity."""
    async with App(store=store, config=Config(port=0)) as app:
        yield app
