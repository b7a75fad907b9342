"""From a Python call to a message, to a mutation, and from its reply back.

Knows Python values, messages, mutations and the event loop. Must not know what a
mutation does, nor the wire: the check of JSON texts is handed in.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    FieldAction,
    FieldUpdate,
    Push,
    PushFields,
    Transaction,
)
from rhtmx.messages.tables import ServerMessage
from rhtmx.values.field_operations import FieldOperation
from rhtmx_server.failures import raise_if_error
from rhtmx_server.model import THE_APP, Mutation

__all__ = [
    "CheckJson",
    "Submit",
    "call",
    "delete_message",
    "encode_value",
    "push_fields_message",
    "push_message",
]

Submit: TypeAlias = Callable[[Mutation], None]
"""Puts a mutation in line; raises `RhtmxError` if it is not even worth that."""

CheckJson: TypeAlias = Callable[[bytes, str], bytes | None]
"""Checks a JSON text and names its place in the error; `None` for `null`."""


async def call(
    submit: Submit, message: Push | PushFields | Transaction, client_id: str | None
) -> Sequence[ServerMessage]:
    """Submit a mutation and wait until it is durable.

    The app is trusted: without a number it writes in the name of any client.
    With one it needs an id of its own, which no client of a door has used or
    will use: a number of theirs that it used up would be missing to them.

    Cancelling the call does not cancel the mutation.

    Raises:
        RhtmxError: it was rejected, or not decided.
    """
    replied: asyncio.Future[Sequence[ServerMessage]] = asyncio.get_running_loop().create_future()

    def answer(reply: Sequence[ServerMessage]) -> None:
        # The caller may have been cancelled; the mutation is written all the same.
        if not replied.done():
            replied.set_result(reply)

    submit(Mutation(message=message, answer=answer, client_id=client_id, secret=THE_APP))
    reply = await replied
    raise_if_error(reply[-1])
    return reply


def push_message(
    entity: str,
    entity_id: str,
    data: object,
    check: CheckJson,
    base_version: int | None = None,
    seq: int | None = None,
) -> Push:
    """Write a record.

    Raises:
        RhtmxError: `BAD_MESSAGE`, `data` cannot be written as JSON.
    """
    return Push(
        entity=entity,
        entity_id=entity_id,
        action=ChangeAction.UPDATE,
        data=encode_value(data, "data", check),
        base_version=base_version,
        seq=seq,
    )


def delete_message(
    entity: str, entity_id: str, base_version: int | None = None, seq: int | None = None
) -> Push:
    """Delete a record."""
    return Push(
        entity=entity,
        entity_id=entity_id,
        action=ChangeAction.DELETE,
        base_version=base_version,
        seq=seq,
    )


def push_fields_message(
    entity: str,
    entity_id: str,
    fields: Mapping[str, object],
    delete: Iterable[str],
    written: datetime,
    check: CheckJson,
    base_version: int | None = None,
    seq: int | None = None,
) -> PushFields:
    """Write some fields of a record.

    Args:
        entity: the collection.
        entity_id: the record.
        fields: new values, or operations, by name.
        delete: the fields to remove.
        written: when that was.
        check: the wire's check of JSON texts.
        base_version: the version of the record that the caller saw.
        seq: the number of this mutation.

    Raises:
        RhtmxError: `BAD_MESSAGE`, a value cannot be written as JSON.
    """
    updates = [_update(name, value, written, check) for name, value in fields.items()]
    updates += [
        FieldUpdate(field=name, action=FieldAction.DELETE, timestamp=written) for name in delete
    ]
    return PushFields(
        entity=entity, entity_id=entity_id, fields=updates, base_version=base_version, seq=seq
    )


def _update(field: str, value: object, written: datetime, check: CheckJson) -> FieldUpdate:
    action, where = FieldAction.UPDATE, f"fields['{field[:40]}']"
    if isinstance(value, FieldOperation):
        action, value = value.action, value.operand
    text = encode_value(value, where, check)
    return FieldUpdate(field=field, value=text, action=action, timestamp=written)


def encode_value(value: object, where: str, check: CheckJson) -> bytes | None:
    """Write a Python value as the JSON text that messages carry.

    Args:
        value: anything that msgspec can write as JSON; `bytes` are taken for
            JSON text that is ready.
        where: the value's name, for the error.
        check: the wire's check of JSON texts.

    Returns:
        The text; `None` for `null`.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it cannot be written as JSON, or not safely.
    """
    if value is None:
        return None
    if isinstance(value, bytes):
        return check(value, where)
    try:
        text = msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, f"{where}: cannot be written as JSON: {error}"
        ) from error
    # msgspec writes NaN and the infinities as null: that would lose them in silence.
    if b"null" in text and not _is_finite(msgspec.to_builtins(value)):
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, f"{where}: holds NaN or an infinity, which JSON cannot express"
        )
    return check(text, where)


def _is_finite(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_finite, value))
    return True
