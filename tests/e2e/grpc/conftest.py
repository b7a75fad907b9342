"""A real server with both doors, in this process, and foreign clients for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rhtmx_server import App, Config
from tests.support.grpcio_client import Backend, backend, generated


@pytest.fixture(scope="session")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The schema, as grpcio's own tools generate it."""
    return _generated(tmp_path_factory.getbasetemp() / "foreign-stubs")


def _generated(folder: Path) -> Any:
    return generated(folder)


@pytest.fixture
async def app(store: str) -> AsyncIterator[App]:
    """A running server that takes any entity, and has a form."""
    app = App(store=store, config=Config(port=0, grpc_port=0), undeclared=True)
    app.form("signup").field("email", required=True, email=True)
    async with app:
        yield app


@pytest.fixture
async def client(app: App, messages: Any) -> AsyncIterator[Backend]:
    async with backend(messages, app.grpc_address) as client:
        yield client
