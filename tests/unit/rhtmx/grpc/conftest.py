"""What the tests of the backend's client share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rhtmx.grpc.client import Backend
from tests.unit.rhtmx.grpc.fake import Fake, backend_to


@pytest.fixture
def fake() -> Fake:
    """A server that says what it is told to."""
    return Fake()


@pytest.fixture
async def backend(fake: Fake) -> AsyncIterator[Backend]:
    """A backend of it that is entered."""
    async with backend_to(fake, client_id="cafe", token="secret") as backend:
        yield backend


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rhtmx.grpc.watch.random.random", lambda: 0.0)
