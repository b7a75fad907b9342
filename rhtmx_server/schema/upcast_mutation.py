"""A mutation of an older version of the schema, on its way to where it is decided. Pure.

Knows mutations, single ones and transactions. Must not know what becomes of a write
(`upcast` does), nor who decides.
"""

from __future__ import annotations

from rhtmx.errors import RhtmxError
from rhtmx.messages import Push, PushFields
from rhtmx_server.conflict_log import RESERVED
from rhtmx_server.model import Mutation
from rhtmx_server.schema.upcast import Upcaster
from rhtmx_server.writing.transactions import rejection

__all__ = ["upcast"]


def upcast(mutation: Mutation, version: int, upcaster: Upcaster) -> None:
    """Have a mutation write what it means today.

    What it said when it came is kept: a client sends that again, whichever server it meets then.

    Args:
        mutation: it is changed.
        version: the one under which it was made.
        upcaster: knows what has changed since.

    Raises:
        RhtmxError: it cannot be made one of today; of a transaction, with each write that is the
            reason in the details.
    """
    if not mutation.writes:
        write = _of_today(mutation, version, upcaster)
        if write is not mutation.message:
            mutation.sent, mutation.message = mutation.message, write
        return
    faults: list[tuple[int, RhtmxError]] = []
    for index, each in enumerate(mutation.writes):
        try:
            each.message = _of_today(each, version, upcaster)
        except RhtmxError as error:
            faults.append((index, error))
    if faults:
        raise rejection([each.write for each in mutation.writes], faults)


def _of_today(single: Mutation, version: int, upcaster: Upcaster) -> Push | PushFields:
    write = single.write
    # Answers to conflicts are of no version: whoever answers one has it from this server.
    return write if write.entity.startswith(RESERVED) else upcaster.of_today(write, version)
