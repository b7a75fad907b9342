"""Short ways to write to a store, for tests of stores."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rhtmx.messages import ChangeAction
from rhtmx_server.model import ClientRow, Granularity, HistoryEntry, Outcome, Record
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot, Store

SECOND = 1_000_000


def record(
    entity_id: str,
    version: int,
    data: bytes | None = b'{"n":1}',
    *,
    entity: str = "tasks",
    deleted: bool = False,
    time: int | None = None,
) -> Record:
    """A record; its time is its version in seconds unless told."""
    return Record(
        entity,
        entity_id,
        version,
        ChangeAction.DELETE if deleted else ChangeAction.UPDATE,
        None if deleted else data,
        "client-1",
        version * SECOND if time is None else time,
    )


def writing(
    *records: Record, clients: Iterable[ClientRow] = (), outcomes: Iterable[Outcome] = ()
) -> BatchWrites:
    """What a batch writes that makes these records, history and heads with it."""
    heads: dict[str, int] = {}
    for one in records:
        heads[one.entity] = max(one.version, heads.get(one.entity, 0))
    return BatchWrites(
        records={(one.entity, one.entity_id): one for one in records}.values(),
        heads=heads,
        history=[HistoryEntry(one, Granularity.RECORDS) for one in records],
        clients=list(clients),
        outcomes=list(outcomes),
    )


def always(writes: BatchWrites) -> Callable[[Snapshot], BatchWrites]:
    """A decision that does not look."""
    return lambda _: writes


async def put(store: Store, *records: Record) -> None:
    """Commit these records in one transaction."""
    await store.commit(BatchNeeds(), always(writing(*records)))


async def put_each(store: Store, *records: Record) -> None:
    """Commit these records one by one."""
    for one in records:
        await put(store, one)


async def look(store: Store, wanted: BatchNeeds) -> Snapshot:
    """What a transaction sees; writes nothing."""
    seen: list[Snapshot] = []

    def decide(snapshot: Snapshot) -> BatchWrites:
        seen.append(snapshot)
        return BatchWrites()

    await store.commit(wanted, decide)
    return seen[0]


async def versions(
    store: Store, after: int = 0, upto: int = 1000, limit: int = 1000, entity: str = "tasks"
) -> list[int]:
    """The versions of one page."""
    return [one.version for one in await store.since(entity, after, upto, limit)]
