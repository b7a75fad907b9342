"""What the client's tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rhtmx.api.client import Client
from tests.unit.rhtmx.peer import Peer, client_of, peering


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A peer that listens."""
    async with peering() as peer:
        yield peer


@pytest.fixture
async def client(peer: Peer) -> AsyncIterator[Client]:
    """A client that is connected to it."""
    async with client_of(peer) as client:
        yield client
