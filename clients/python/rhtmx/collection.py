"""One entity of a client, so that its name is said once.

Knows the client's calls. Holds nothing and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from rhtmx.changes import Change, FieldChange
from rhtmx.events import Reset
from rhtmx.jsonvalue import Json
from rhtmx.messages import Position
from rhtmx.results import FieldPushResult, PushResult, SyncResult
from rhtmx.subscription import Subscription

if TYPE_CHECKING:
    from rhtmx.client import Client

__all__ = ["Collection"]


class Collection:
    """One entity of a client. The calls are those of `Client`, without the entity.

    Example:
        >>> tasks = client.collection("tasks")
        >>> await tasks.set("1", {"title": "Write it down"})
        >>> async for change in tasks.changes(since=0):
        ...     print(change.version, change.action, change.data)
    """

    def __init__(self, client: Client, entity: str) -> None:
        self.client = client
        self.entity = entity

    async def set(
        self, entity_id: str, data: Json, *, base_version: int | None = None
    ) -> PushResult:
        """Write a whole record; see `Client.push`."""
        return await self.client.push(self.entity, entity_id, data, base_version=base_version)

    async def delete(self, entity_id: str, *, base_version: int | None = None) -> PushResult:
        """Delete a record; see `Client.delete`."""
        return await self.client.delete(self.entity, entity_id, base_version=base_version)

    async def patch(
        self,
        entity_id: str,
        fields: Mapping[str, Json],
        *,
        delete: Iterable[str] = (),
        base_version: int | None = None,
    ) -> FieldPushResult:
        """Write some fields of a record; see `Client.push_fields`."""
        return await self.client.push_fields(
            self.entity, entity_id, fields, delete=delete, base_version=base_version
        )

    def changes(
        self,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> Subscription[Change]:
        """The live stream of whole records; see `Client.subscribe`."""
        return self.client.subscribe(self.entity, since=since, on_reset=on_reset)

    def field_changes(
        self,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> Subscription[FieldChange]:
        """The live stream of field changes; see `Client.subscribe_fields`."""
        return self.client.subscribe_fields(self.entity, since=since, on_reset=on_reset)

    async def sync(self, since: Position | int = 0) -> SyncResult[Change]:
        """Everything that changed after a position; see `Client.sync`."""
        return await self.client.sync(self.entity, since)
