"""A server without sockets: what the doors need of it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rhtmx.messages import ChangeAction
from rhtmx_server.config import Config
from rhtmx_server.connections.services import Authenticator, Services
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.delivery.outbox import Tick
from rhtmx_server.metrics import Metrics
from rhtmx_server.model import Clock, Commit, Granularity, Record
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.stores.memory import MemoryStore

NOW = 1_800_000_000_000_000


class Server:
    """Services over a store in memory, and a short way to write to it."""

    def __init__(self, config: Config, **options: Any) -> None:
        self.store = MemoryStore()
        self.hub = Hub(Tick(lambda function: function()))
        unused: Any = None
        self.services = Services(
            config=config,
            store=self.store,
            hub=self.hub,
            committer=unused,
            turns=unused,
            tick=unused,
            forms=unused,
            metrics=Metrics(),
            clock=lambda: NOW,
            now=lambda: 0.0,
            **options,
        )

    async def write(self, entity: str, entity_id: str, data: bytes | None, *fields: str) -> int:
        """Commit a record, and hand it to the hub; `None` deletes it."""
        version = self.hub.position(entity) + 1
        record = Record(
            entity=entity,
            entity_id=entity_id,
            version=version,
            action=ChangeAction.DELETE if data is None else ChangeAction.CREATE,
            data=data,
            client_id=None,
            time=NOW,
            clocks={name: Clock(version, NOW, deleted=data is None) for name in fields},
        )

        def decide(snapshot: Snapshot) -> BatchWrites:
            return BatchWrites(records=[record], heads={entity: version})

        await self.store.commit(BatchNeeds(records=[(entity, entity_id)]), decide)
        self.hub.deliver([Commit(record, Granularity.RECORDS, fields)])
        return version


@pytest.fixture
def make_server() -> Callable[..., Server]:
    def make(
        config: Config | None = None,
        entities: frozenset[str] | None = None,
        authenticate: Authenticator | None = None,
    ) -> Server:
        return Server(config or Config(), entities=entities, authenticate=authenticate)

    return make


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    return make_server()
