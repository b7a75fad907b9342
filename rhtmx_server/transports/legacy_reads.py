"""The plain reads that the old browser clients do before they connect.

Knows the shape of the answers. Must not know paths or headers.

They read the state, like a sync on a socket: each record once, at its latest.
"""

from __future__ import annotations

import asyncio

from rhtmx.messages import Change, FieldChange
from rhtmx_server.cursor import resume
from rhtmx_server.model import Granularity
from rhtmx_server.render import state_messages
from rhtmx_server.services import Services
from rhtmx_server.transports.shapes import Members, join, log_entry, told

__all__ = ["latest", "read_since"]

PAGE = 128


async def read_since(
    services: Services, entity: str, since: int, granularity: Granularity
) -> bytes:
    """Read everything that changed after a version.

    A version that cannot be resumed is answered with everything there is: the
    old protocol has no word for a reset.

    Args:
        services: the server.
        entity: the collection.
        since: the last version that the client has; 0 for everything.
        granularity: `RECORDS` or `FIELDS`.

    Returns:
        JSON: `{"entity": …, "version": …, "changes": […]}`.
    """
    hub, store = services.hub, services.store
    start, _ = resume(since, None, hub.head(entity), store.epoch, trusting=True)
    changes: list[Members] = []
    read = start
    while read < (upto := hub.position(entity)):
        page = await store.since(entity, read, upto, PAGE)
        for record in page:
            for message in state_messages(record, granularity, start):
                assert isinstance(message, Change | FieldChange)
                if told(message):
                    changes.append(log_entry(message))
        read = page[-1].version if page else upto
        # The loop serves everyone else between two pages.
        await asyncio.sleep(0)
    return join({"entity": entity, "version": read, "changes": changes})


async def latest(services: Services, entity: str, entity_id: str) -> bytes:
    """Read the fields of one record.

    Returns:
        JSON: the value of each field by its name; `{}` if there is no such
        record, or if its data is not made of fields.
    """
    record = await services.store.record(entity, entity_id)
    if record is None or record.data is None or not record.data.lstrip().startswith(b"{"):
        return b"{}"
    return record.data
