"""What one of two wrote that stood against each other.

Knows values, deletions and operations. Must not know conflicts, nor how they are answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rhtmx.messages import FieldAction
from rhtmx.messages.tables import FIELD_ACTION_SPELLINGS
from rhtmx.unknown_enum_values import spelled
from rhtmx.values.field_operations import FieldOperation, operand_text, operation_of
from rhtmx.values.json_value import Json, from_json, to_json
from rhtmx.values.operations import OPERATIONS

__all__ = ["DELETED", "ConflictSide", "merged"]


@dataclass(frozen=True, slots=True)
class ConflictSide:
    """What one of the two wrote, who it was, and when.

    Attributes:
        text: the value, or the operand of an operation, as JSON; `None` for JSON null, too.
        action: what it did: set, delete, or an operation.
        client_id: the client that wrote it, if known.
        subject: the user who wrote it, if known.
        at: when it was written, as merged, if known.
    """

    text: bytes | None
    action: FieldAction = FieldAction.UPDATE
    client_id: str | None = None
    subject: str | None = None
    at: datetime | None = None

    @property
    def deleted(self) -> bool:
        """It is a deletion. A stored null is none."""
        return self.action is FieldAction.DELETE

    @property
    def operation(self) -> str | None:
        """The word for the operation, if it is one: `increment`; or that of a newer server."""
        if self.action in (FieldAction.UPDATE, FieldAction.DELETE):
            return None
        return spelled(FIELD_ACTION_SPELLINGS, self.action)

    @property
    def value(self) -> Json:
        """The value; `None` for a deletion; an operation as an application writes it."""
        if self.action in OPERATIONS:
            return operation_of(self.action, self.text)
        return None if self.deleted else from_json(self.text)


DELETED = ConflictSide(None, FieldAction.DELETE)


def merged(value: Json) -> ConflictSide:
    """A value that is neither of the two, or an operation.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it cannot be JSON, or some operation's operand.
    """
    if isinstance(value, FieldOperation):
        return ConflictSide(operand_text(value, "merge", "merge.value"), value.action)
    return ConflictSide(to_json(value, "merge.value"))
