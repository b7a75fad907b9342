"""Compares what is to be with the records that there are, and writes what differs.

Knows records, mutations and their answers. Must not know where rows come from.

A record that is as it has to be is not written: so the same can be asked for any number of times,
after a crash for example, and readers are told once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error
from rhtmx.messages.tables import ERRORS
from rhtmx.wire import ServerMessage
from rhtmx_server.model import THE_APP, THE_TABLE, Head, Mutation, Record
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.calls import CheckJson, delete_message, push_message
from rhtmx_server.trackers.hidden import whole
from rhtmx_server.trackers.state import live

__all__ = ["Difference", "MirrorStore", "RecordWriter"]


class Difference(NamedTuple):
    """How one record differs from what it has to be.

    Args:
        kind: `added`, `changed` or `removed`: what makes it right.
        data: what it has to be, as JSON; `None` where no record has to be.
    """

    kind: str
    data: bytes | None


class MirrorStore(Protocol):
    """What a mirror needs of the `Store` of its records."""

    @property
    def epoch(self) -> str:
        """Another one after a restore."""

    async def head(self, entity: str) -> Head:
        """The head of one entity."""

    async def since(
        self, entity: str, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> Sequence[Record]:
        """At most `limit` records with `after < version <= upto`, in version order."""

    async def record(self, entity: str, entity_id: str) -> Record | None:
        """One record, or its tombstone, or `None`."""


class RecordWriter:
    """Writes records in the name of the application's tables.

    Args:
        store: where the records are, with the fields that never leave the server.
        submit: puts a mutation in line.
        check: the wire's check of JSON texts.
    """

    def __init__(
        self, store: MirrorStore, submit: Callable[[Mutation], object], check: CheckJson
    ) -> None:
        self.store = store
        self._submit = submit
        self._check = check

    async def compare(
        self, entity: str, wanted: Mapping[str, bytes | None]
    ) -> Mapping[str, Difference]:
        """Which records differ from what they have to be.

        Args:
            entity: the collection.
            wanted: by id, the record as JSON; `None` where none has to be. A few hundred.
        """
        asked = [self.store.record(entity, each) for each in wanted]
        found = dict(zip(wanted, await asyncio.gather(*asked), strict=True))
        differences: dict[str, Difference] = {}
        for name, data in wanted.items():
            record = live(found[name])
            if record is None and data is not None:
                differences[name] = Difference("added", data)
            elif record is not None and data is None:
                differences[name] = Difference("removed", None)
            elif record is not None and not jsontext.same(whole(record).data, data):
                differences[name] = Difference("changed", data)
        return differences

    async def write(self, entity: str, differences: Mapping[str, Difference]) -> Mapping[str, str]:
        """Make records what they have to be, and wait until that is durable.

        Returns:
            By id, why one could not be written, and never will be as it is.

        Raises:
            RhtmxError: the server cannot write now. Some may be written.
        """
        if not differences:
            return {}
        replies: dict[str, Sequence[ServerMessage]] = {}
        all_answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def answer(name: str, reply: Sequence[ServerMessage]) -> None:
            replies[name] = reply
            if len(replies) == len(differences) and not all_answered.done():
                all_answered.set_result(None)

        for name, each in differences.items():
            self._submit(self._mutation(entity, name, each, partial(answer, name)))
        await all_answered
        rejected: dict[str, str] = {}
        for name, reply in replies.items():
            if isinstance(error := reply[-1], Error):
                code = error.code or ErrorCode.INTERNAL
                if ERRORS[code].retryable:
                    raise RhtmxError(code, error.message)
                rejected[name] = error.message
        return rejected

    def _mutation(
        self,
        entity: str,
        name: str,
        difference: Difference,
        answer: Callable[[Sequence[ServerMessage]], None],
    ) -> Mutation:
        message = delete_message(entity, name)
        if difference.data is not None:
            message = push_message(entity, name, difference.data, self._check)
        return Mutation(message, answer, secret=THE_APP, source=THE_TABLE)
