"""The open conflicts of an entity, as an entity of their own. Pure.

Knows what it is called, and how one of them is answered there: once. Must not know what a
conflict says.
"""

from __future__ import annotations

from datetime import datetime

from rhtmx.core.storage_ops import Mutation, Write
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FieldAction, FieldUpdate, PushFields
from rhtmx.messages.tables import ERROR_CODE_SPELLINGS
from rhtmx.values.json_value import from_json
from rhtmx.values.transaction_writes import writes_of

__all__ = ["answered_meanwhile", "is_removal", "log_of", "removal"]

_PREFIX = "$conflicts/"

_ANSWERED = (
    "this conflict is not open any more: it has been answered, or a newer one has taken its "
    "place; nothing was written"
)


def log_of(entity: str) -> str:
    """The entity whose records are the open conflicts of the records of this one."""
    return _PREFIX + entity


def removal(entity: str, entity_id: str, number: int, at: datetime) -> PushFields:
    """What says that a conflict is answered, unless somebody has said so.

    Args:
        entity: the collection that the conflict is about.
        entity_id: the record.
        number: that of the conflict.
        at: now.
    """
    gone = FieldUpdate(f"${number}", action=FieldAction.DELETE, timestamp=at)
    log = log_of(entity)
    return PushFields(log, entity_id, [gone], base_version=number, if_unchanged=True)


def is_removal(message: Mutation) -> bool:
    """Whether it says that a conflict is answered, and writes nothing else."""
    return isinstance(message, PushFields) and _is_of_log(message)


def answered_meanwhile(message: Mutation, error: RhtmxError) -> RhtmxError | None:
    """The error in the words of whoever answered a conflict too late; `None`: it is another.

    Args:
        message: what was rejected.
        error: why.
    """
    if error.code is not ErrorCode.CONFLICT:
        return None
    writes = writes_of(message)
    if len(writes) == 1:
        late = _is_of_log(writes[0])
    else:
        late = any(_is_of_log(writes[place]) for place in _places(error) if place < len(writes))
    if not late:
        return None
    return RhtmxError(error.code, _ANSWERED, request_id=error.request_id, details=error.details)


def _places(error: RhtmxError) -> list[int]:
    """Which writes of a transaction are in conflict."""
    details = from_json(error.details)
    faults = details.get("writes", ()) if isinstance(details, dict) else ()
    word = ERROR_CODE_SPELLINGS[ErrorCode.CONFLICT]
    return [each["index"] for each in faults if each.get("code") == word]


def _is_of_log(write: Write) -> bool:
    return write.entity.startswith(_PREFIX)
