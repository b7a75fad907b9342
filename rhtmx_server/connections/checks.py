"""What the content of a message may be, beyond what its type says. Pure.

Knows lengths and ranges. The wire has made sure of types, encodings and JSON;
what is right in itself but may not be done here and now is the session's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Authenticate,
    FieldUpdate,
    FormFieldValue,
    Hello,
    Position,
    Push,
    PushFields,
    RoomJoin,
    RoomMessage,
    Subscribe,
    SubscribeFields,
    Sync,
    SyncFields,
    Transaction,
    Unsubscribe,
    UnsubscribeFields,
    ValidateField,
    ValidateForm,
)
from rhtmx.messages.tables import NAMES
from rhtmx.values.transaction_writes import MOST_WRITES
from rhtmx.wire import Message
from rhtmx.wire.check_outgoing import checked
from rhtmx.wire.limits import FORBIDDEN_KEYS, MAX_ITEMS, MAX_NAME, MAX_TOKEN
from rhtmx_server.conflict_log import base_of
from rhtmx_server.connections.wheres import check_where, check_wheres
from rhtmx_server.rooms.ports import MOST_BYTES

__all__ = ["check", "check_at_least", "check_entity", "check_name"]


def check(message: Message) -> None:
    """Make sure that a message from a client says something possible.

    Raises:
        RhtmxError: `BAD_MESSAGE`, naming the field and what was expected.
    """
    _RULES.get(type(message), _by_names)(message)


def _by_names(message: Message) -> None:
    """What has no rule of its own is checked as clients check it: its fields' names tell."""
    checked(message)
    request_id = getattr(message, "request_id", None)
    if request_id is not None:
        _bytes(f"{NAMES[type(message)]}.request_id", request_id, least=0)


def check_name(where: str, value: str) -> str:
    """Make sure that a name has the length of one, wherever it came from.

    Args:
        where: how the error calls it.
        value: the name.

    Returns:
        The name.

    Raises:
        RhtmxError: `BAD_MESSAGE`.
    """
    _bytes(where, value)
    return value


def _bytes(where: str, value: str, most: int = MAX_NAME, least: int = 1) -> None:
    # What arrives in a message has neither, since it was read; what the program says was not.
    if "\0" in value:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"{where}: it holds a NUL character (U+0000), which is not allowed",
        )
    if value.isascii():
        size = len(value)
    else:
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE,
                f"{where}: it holds half of a surrogate pair: no valid Unicode",
            ) from None
    if not least <= size <= most:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, f"{where}: {least} to {most} bytes expected, got {size}"
        )


_SHORT = MAX_NAME // 4
"""Characters that are no more than `MAX_NAME` bytes, whichever they are."""


def _name(where: str, value: str | None) -> None:
    if value is not None:
        _bytes(where, value)


def check_entity(where: str, value: str) -> str:
    """Make sure that a name is one that an entity may have; a conflict log has its entity's.

    Args:
        where: how the error calls it.
        value: the name.

    Returns:
        The name.

    Raises:
        RhtmxError: `BAD_MESSAGE`.
    """
    base = base_of(value)
    _key(where, value if base is None else base)
    return value


def _key(where: str, value: str) -> None:
    """A name that is a key of an object: of a record's fields, or of `since`."""
    _bytes(where, value)
    if value in FORBIDDEN_KEYS:
        raise RhtmxError(ErrorCode.BAD_MESSAGE, f"{where}: '{value}' may not be a key")


def _items(where: str, items: Sequence[object]) -> None:
    if len(items) > MAX_ITEMS:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"{where}: at most {MAX_ITEMS} items expected, got {len(items)}",
        )


def check_at_least(where: str, value: int | None, least: int) -> None:
    """Make sure that a number is not below the least that makes sense.

    Raises:
        RhtmxError: `BAD_MESSAGE`, naming the field and what was expected.
    """
    if value is not None and value < least:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, f"{where}: a number from {least} on expected, got {value}"
        )


def _hello(message: Hello) -> None:
    _name("hello.client_id", message.client_id)
    _name("hello.secret", message.secret)
    check_at_least("hello.confirmed_seq", message.confirmed_seq, 0)
    if message.app_schema is not None:
        check_at_least("hello.app_schema.version", message.app_schema.version, 1)
    if message.token is not None:
        _bytes("hello.token", message.token, MAX_TOKEN, 0)


def _authenticate(message: Authenticate) -> None:
    _bytes("authenticate.token", message.token, MAX_TOKEN, 0)
    _name("authenticate.request_id", message.request_id)


def _subscription(
    what: str,
    entities: Sequence[str],
    where: bytes | None,
    since: Mapping[str, Position] | None = None,
) -> None:
    _items(f"{what}.entities", entities)
    for index, entity in enumerate(entities):
        check_entity(f"{what}.entities[{index}]", entity)
    named = set(entities) if since else ()  # a list is looked through once for each
    for entity, position in (since or {}).items():
        if entity not in named:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE,
                f"{what}.since: '{entity[:40]}' is not among the entities of this message",
            )
        check_at_least(f"{what}.since['{entity[:40]}'].version", position.version, 0)
        _name(f"{what}.since['{entity[:40]}'].scope", position.scope)
    check_wheres(f"{what}.where", where, entities)


def _sync(what: str, message: Sync | SyncFields) -> None:
    check_entity(f"{what}.entity", message.entity)
    check_at_least(f"{what}.since", message.since, 0)
    _name(f"{what}.request_id", message.request_id)
    _name(f"{what}.scope", message.scope)
    check_where(f"{what}.where", message.where)


def _mutation(what: str, message: Push | PushFields) -> None:
    seq, base, request_id = message.seq, message.base_version, message.request_id
    version = message.schema_version
    if (
        0 < len(message.entity) <= _SHORT
        and message.entity not in FORBIDDEN_KEYS
        and 0 < len(message.entity_id) <= _SHORT
        and message.entity.isascii()
        and message.entity_id.isascii()
        and "\0" not in message.entity
        and "\0" not in message.entity_id
        and (seq is None or seq >= 1)
        and (base is None or base >= 0)
        and (version is None or version >= 1)
        and (request_id is None or 0 < len(request_id) <= _SHORT)
    ):
        return  # the usual case: what follows makes words for each of them
    check_entity(f"{what}.entity", message.entity)
    _bytes(f"{what}.entity_id", message.entity_id)
    check_at_least(f"{what}.seq", message.seq, 1)
    check_at_least(f"{what}.base_version", message.base_version, 0)
    check_at_least(f"{what}.schema_version", version, 1)
    _name(f"{what}.request_id", message.request_id)


def _push_fields(message: PushFields) -> None:
    _mutation("push_fields", message)
    _field_updates("push_fields.fields", message.fields)


def _field_updates(where: str, updates: Sequence[FieldUpdate]) -> None:
    _items(where, updates)
    for index, update in enumerate(updates):
        if not 0 < len(update.field) <= _SHORT or update.field in FORBIDDEN_KEYS:
            _key(f"{where}[{index}].field", update.field)  # only here are words made for it


def _transaction(message: Transaction) -> None:
    if not 1 <= len(message.writes) <= MOST_WRITES:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"transaction.writes: 1 to {MOST_WRITES} expected, got {len(message.writes)}",
        )
    check_at_least("transaction.seq", message.seq, 1)
    check_at_least("transaction.schema_version", message.schema_version, 1)
    _name("transaction.request_id", message.request_id)
    for index, write in enumerate(message.writes):
        where = f"transaction.writes[{index}]"
        if (write.action is None) is not bool(write.fields):
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE,
                f"{where}: either an action (and data) or fields expected, got "
                f"{'none of them' if write.action is None else 'both'}",
            )
        if write.if_unchanged and write.action is not None:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE,
                f"{where}.if_unchanged: it is for fields; a whole record is written only in its "
                "base_version",
            )
        check_entity(f"{where}.entity", write.entity)
        _bytes(f"{where}.entity_id", write.entity_id)
        check_at_least(f"{where}.base_version", write.base_version, 0)
        _field_updates(f"{where}.fields", write.fields)


def _room(name: str, message: RoomJoin | RoomMessage, part: str, value: bytes | None) -> None:
    _by_names(message)
    if value is not None and len(value) > MOST_BYTES:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"{name}.{part}: at most {MOST_BYTES} bytes expected, got {len(value)}",
        )


def _form_values(where: str, values: Sequence[FormFieldValue]) -> None:
    _items(where, values)
    for index, each in enumerate(values):
        if each.file is not None:
            check_at_least(f"{where}[{index}].file.size", each.file.size, 0)


def _validate_field(message: ValidateField) -> None:
    _bytes("validate_field.request_id", message.request_id, least=0)
    _bytes("validate_field.form", message.form)
    _bytes("validate_field.field", message.field)
    _form_values("validate_field.values", message.values)
    _name("validate_field.form_instance", message.form_instance)


def _validate_form(message: ValidateForm) -> None:
    _bytes("validate_form.request_id", message.request_id, least=0)
    _bytes("validate_form.form", message.form)
    _form_values("validate_form.fields", message.fields)
    _name("validate_form.form_instance", message.form_instance)


_RULES: Mapping[type[Message], Callable[[Any], None]] = {
    Hello: _hello,
    Authenticate: _authenticate,
    Subscribe: lambda m: _subscription("subscribe", m.entities, m.where, m.since),
    Unsubscribe: lambda m: _subscription("unsubscribe", m.entities, m.where),
    Sync: lambda m: _sync("sync", m),
    Push: lambda m: _mutation("push", m),
    SubscribeFields: lambda m: _subscription("subscribe_fields", m.entities, m.where, m.since),
    UnsubscribeFields: lambda m: _subscription("unsubscribe_fields", m.entities, m.where),
    SyncFields: lambda m: _sync("sync_fields", m),
    PushFields: _push_fields,
    Transaction: _transaction,
    RoomJoin: lambda m: _room("room_join", m, "state", m.state),
    RoomMessage: lambda m: _room("room_message", m, "data", m.data),
    ValidateField: _validate_field,
    ValidateForm: _validate_form,
}
