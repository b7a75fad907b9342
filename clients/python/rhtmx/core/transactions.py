"""Several writes that take effect together, as they are collected. Pure.

Knows what a caller may write together, and at what time. Must not know queues, connections
or clocks.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from rhtmx.core import build_message
from rhtmx.core.storage_ops import Mutation, Write
from rhtmx.messages import Transaction
from rhtmx.values.json_value import Json
from rhtmx.values.transaction_writes import transaction_of
from rhtmx.wire.check_outgoing import checked

__all__ = ["TransactionWrites", "without_base"]


class TransactionWrites:
    """Collects what is to be written together.

    Args:
        at: the time of the writes.
        seen: the version that their author has seen of a record, where it is known.
    """

    def __init__(
        self,
        at: Callable[[], datetime],
        seen: Callable[[str, str], int | None] = lambda entity, entity_id: None,
    ) -> None:
        self._at = at
        self._seen = seen
        self._writes: list[Write] = []

    def set(
        self, entity: str, entity_id: str, data: Json, *, base_version: int | None = None
    ) -> None:
        """Write a whole record.

        Args:
            entity: the collection.
            entity_id: the record.
            data: any JSON value.
            base_version: the version that must still be the record's (0: there must be none).

        Raises:
            RhtmxError: `BAD_MESSAGE`, it cannot be written.
        """
        self._writes.append(build_message.push(entity, entity_id, data, base_version))

    def delete(self, entity: str, entity_id: str, *, base_version: int | None = None) -> None:
        """Delete a record; see `set`. It is no error if there is none."""
        self._writes.append(build_message.push_delete(entity, entity_id, base_version))

    def patch(
        self,
        entity: str,
        entity_id: str,
        fields: Mapping[str, Json],
        *,
        delete: Iterable[str] = (),
        base_version: int | None = None,
        if_unchanged: bool = False,
    ) -> None:
        """Write some fields of a record, and leave the others.

        Args:
            entity: the collection.
            entity_id: the record; it is created if need be.
            fields: new values by top-level key, or operations, such as `Increment(1)`.
            delete: keys to remove.
            base_version: the version that the write is based on. If left out, what this
                client has seen of the record, if it reads it.
            if_unchanged: nothing of all this is written if one of these fields was written
                after that (without a version: ever), by whomever.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it cannot be written.
        """
        base = self._seen(entity, entity_id) if base_version is None else base_version
        write = build_message.push_fields(entity, entity_id, fields, delete, base, self._at())
        write.if_unchanged = if_unchanged or None
        self._writes.append(write)

    def message(self, seq: int | None = None) -> Transaction:
        """All of it as one message.

        Args:
            seq: its number, where its author gives it.

        Raises:
            RhtmxError: `BAD_MESSAGE`, nothing is written, or more than a server takes.
        """
        return checked(transaction_of(self._writes, seq))


def without_base(message: Mutation) -> Mutation:
    """The same message for a store that does not know the versions it is based on.

    That there must be none (version 0) is true of any store.
    """
    bare = copy.copy(message)
    if isinstance(bare, Transaction):
        bare.writes = [copy.copy(each) for each in bare.writes]
        for each in bare.writes:
            each.base_version = None if each.base_version else each.base_version
    else:
        bare.base_version = None if bare.base_version else bare.base_version
    return bare
