"""The messages behind a user's calls. Pure.

Knows what each call says on the wire, and refuses what no server could read. Must not know
sessions or the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    FieldAction,
    FieldUpdate,
    Position,
    Push,
    PushFields,
    ValidateField,
    ValidateForm,
)
from rhtmx.values.field_operations import FieldOperation, operand_text
from rhtmx.values.form_value import File, FormValue, entries, field_values
from rhtmx.values.json_value import Json, to_json
from rhtmx.wire.check_outgoing import checked
from rhtmx.wire.embedded_json import check_text
from rhtmx.wire.limits import MAX_TOKEN
from rhtmx.wire.refusal import expected

__all__ = [
    "checked_token",
    "position",
    "push",
    "push_delete",
    "push_fields",
    "validate_field",
    "validate_form",
]


def position(since: Position | int | None) -> Position | None:
    """Where a user wants to start.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it is a version without its epoch, or a position
            that can be in no log.
    """
    if since is None:
        return None
    if isinstance(since, Position):
        return checked(since, "since")
    if since != 0:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"since: None, 0 or a Position expected, got {since!r}: a version alone does not say "
            "of which log it is",
        )
    return Position(epoch="", version=0)


def push(
    entity: str, entity_id: str, data: Json, base_version: int | None, seq: int | None = None
) -> Push:
    """Write a record.

    Raises:
        RhtmxError: `BAD_MESSAGE`, `data` cannot be JSON, or no server could read the rest.
    """
    message = Push(
        entity=entity,
        entity_id=entity_id,
        action=ChangeAction.UPDATE,
        data=to_json(data, "push.data"),
        seq=seq,
        base_version=base_version,
    )
    return checked(message)


def push_delete(
    entity: str, entity_id: str, base_version: int | None, seq: int | None = None
) -> Push:
    """Delete a record.

    Raises:
        RhtmxError: `BAD_MESSAGE`, no server could read it.
    """
    message = Push(
        entity=entity,
        entity_id=entity_id,
        action=ChangeAction.DELETE,
        seq=seq,
        base_version=base_version,
    )
    return checked(message)


def push_fields(
    entity: str,
    entity_id: str,
    fields: Mapping[str, Json],
    delete: Iterable[str],
    base_version: int | None,
    at: datetime,
    seq: int | None = None,
) -> PushFields:
    """Write some fields of a record, at a time.

    Args:
        entity: the collection.
        entity_id: the record.
        fields: new values, or operations, by field.
        delete: fields to remove.
        base_version: what its author has seen.
        at: when the author did it.
        seq: its number.

    Raises:
        RhtmxError: `BAD_MESSAGE`, a value cannot be JSON, an operation has an operand that
            no field could take, no server could read the rest, or there is nothing to write.
    """
    if not isinstance(fields, Mapping):
        raise expected("push_fields.fields", "values by the names of their fields", fields)
    updates = [
        _update(name, value, f"push_fields.fields[{index}].value", at)
        for index, (name, value) in enumerate(fields.items())
    ]
    updates += [FieldUpdate(field=name, action=FieldAction.DELETE, timestamp=at) for name in delete]
    if not updates:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            "push_fields.fields: nothing to write: no value, and none to delete",
        )
    message = PushFields(
        entity=entity, entity_id=entity_id, fields=updates, seq=seq, base_version=base_version
    )
    return checked(message)


def _update(field: str, value: Json | FieldOperation, where: str, at: datetime) -> FieldUpdate:
    if isinstance(value, FieldOperation):
        text = operand_text(value, field, where)
        return FieldUpdate(field=field, value=text, action=value.action, timestamp=at)
    text = to_json(value, where)
    return FieldUpdate(field=field, value=text, action=FieldAction.UPDATE, timestamp=at)


def checked_token(token: str) -> str:
    """A token that a server may take. It is not repeated in the error: it is secret.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it is none, or larger than any server takes.
    """
    if not isinstance(token, str):
        words = f"token: a text expected, got {type(token).__name__}"
        raise RhtmxError(ErrorCode.BAD_MESSAGE, words)
    check_text(token, "token")
    size = len(token.encode())
    if size > MAX_TOKEN:
        words = f"token: at most {MAX_TOKEN} bytes expected, got {size}"
        raise RhtmxError(ErrorCode.BAD_MESSAGE, words)
    return token


def validate_field(
    form: str,
    field: str,
    value: FormValue,
    values: Mapping[str, FormValue],
    form_instance: str | None,
    *,
    live: bool = False,
) -> ValidateField:
    """Ask about one field. What it has is `value`, whatever `values` say of it.

    Raises:
        RhtmxError: `BAD_MESSAGE`, a value is neither a text nor a `File`, nor a list of these,
            or no server could read the rest.
    """
    own = entries(value, "validate_field.value")
    first = own[0] if own else ""
    others = {name: each for name, each in values.items() if name != field}
    if len(own) > 1 or isinstance(first, File):  # a text alone needs no list
        others[field] = own
    message = ValidateField(
        form=form,
        field=field,
        value=first.name if isinstance(first, File) else first,
        form_instance=form_instance,
        values=field_values(others, "validate_field.values"),
        live=live or None,
    )
    return checked(message)


def validate_form(
    form: str,
    fields: Mapping[str, FormValue],
    form_instance: str | None,
    *,
    with_receipt: bool = False,
    live: bool = False,
) -> ValidateForm:
    """Ask about a whole form.

    Raises:
        RhtmxError: `BAD_MESSAGE`, as for `validate_field`.
    """
    values = field_values(fields, "validate_form.fields")
    message = ValidateForm(form=form, fields=values, form_instance=form_instance)
    message.with_receipt, message.live = with_receipt or None, live or None
    return checked(message)
