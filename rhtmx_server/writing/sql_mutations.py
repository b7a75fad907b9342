"""From what an application has written by its own SQL to mutations, and what came of them.

Pure. Knows such writes, messages and errors. Must not know the store, nor when anything is done.

The writes of one transaction of the application become one transaction, as long as they are no more
than that may have. What cannot be applied of it is rejected by itself, and the rest is applied: all
of it is true already. Nobody is told what is in conflict: the author is no client that waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error, Push, PushFields
from rhtmx.messages.tables import ERRORS, ServerMessage
from rhtmx.values.transaction_writes import MOST_WRITES, transaction_of
from rhtmx_server.model import THE_APP, Mutation
from rhtmx_server.sql_writes import SqlPage, SqlWrite
from rhtmx_server.trackers.calls import (
    CheckJson,
    delete_message,
    push_fields_message,
    push_message,
)

__all__ = ["MOST_WRITES", "SqlVerdict", "mutation_of", "steps_of", "verdict_of"]


class _Fault(msgspec.Struct):
    index: int
    message: str


class _Faults(msgspec.Struct):
    writes: list[_Fault]


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_faults = msgspec.json.Decoder(_Faults).decode


class SqlVerdict(NamedTuple):
    """What came of the writes of one step.

    Args:
        applied: how many are applied.
        rejected: by the id of its row, why one cannot be.
        apart: they have to be applied each for itself: together they are too large.
        later: why nothing came of them: the server cannot write now.
        gone: another server was quicker with them.
    """

    applied: int = 0
    rejected: Mapping[int, str] = MappingProxyType({})
    apart: bool = False
    later: str = ""
    gone: bool = False


def steps_of(page: SqlPage) -> list[Sequence[SqlWrite]]:
    """The writes that are applied together, in order.

    Args:
        page: what was read. If there is more, its last transaction may have more writes; then
            it is left for the next page, where it comes first. One that is too large for a page
            is applied in several steps.
    """
    groups = [tuple(each) for _, each in groupby(page.writes, lambda write: write.transaction)]
    return list(groups if page.whole or len(groups) < 2 else groups[:-1])


def mutation_of(
    writes: Sequence[SqlWrite],
    now: datetime,
    check: CheckJson,
    answer: Callable[[Sequence[ServerMessage]], None],
) -> Mutation:
    """What is to be decided about the writes of one step.

    Args:
        writes: at least one, and at most `MOST_WRITES`.
        now: the time. A field is written when it is applied: its row counts from the commit on
            that let it be seen, and not from the call.
        check: the wire's check of JSON texts.
        answer: see `Mutation`.
    """
    parts = [_single(each, now, check, answer) for each in writes]
    if len(parts) == 1:
        return parts[0]
    message = transaction_of([each.write for each in parts])
    rows = [each.id for each in writes]
    return Mutation(message, answer, secret=THE_APP, writes=parts, sql_rows=rows)


def verdict_of(writes: Sequence[SqlWrite], reply: Sequence[ServerMessage]) -> SqlVerdict:
    """What came of a step.

    Args:
        writes: those of the step.
        reply: the answer to its mutation.
    """
    if not reply:
        return SqlVerdict(gone=True)
    error = reply[-1]
    if not isinstance(error, Error):
        return SqlVerdict(len(writes))
    if error.code is not None and ERRORS[error.code].retryable:
        return SqlVerdict(later=error.message)
    if error.details is not None and len(writes) > 1:
        faults = _faults(error.details).writes
        rejected = {writes[each.index].id: each.message for each in faults}
        return SqlVerdict(len(writes) - len(rejected), rejected)
    if len(writes) > 1:
        return SqlVerdict(apart=True)
    return SqlVerdict(0, {writes[0].id: error.message})


def _single(
    write: SqlWrite,
    now: datetime,
    check: CheckJson,
    answer: Callable[[Sequence[ServerMessage]], None],
) -> Mutation:
    mutation = Mutation(
        delete_message(write.entity, write.entity_id),
        answer,
        client_id=write.author,
        secret=THE_APP,
        sql_rows=[write.id],
    )
    try:
        mutation.message = _message(write, now, check)
    except RhtmxError as error:  # somebody has written into the table past the functions
        mutation.rejection = error
    return mutation


def _message(write: SqlWrite, now: datetime, check: CheckJson) -> Push | PushFields:
    entity, entity_id, data = write.entity, write.entity_id, write.data
    if write.kind == "delete":
        return delete_message(entity, entity_id)
    if write.kind == "push":
        return push_message(entity, entity_id, data, check)
    try:
        fields = _fields(data or b"null")
    except msgspec.MsgspecError:
        raise RhtmxError(ErrorCode.BAD_MESSAGE, "fields: a JSON object expected") from None
    values = {name: bytes(text) for name, text in fields.items()}
    return push_fields_message(entity, entity_id, values, write.removed, now, check)
