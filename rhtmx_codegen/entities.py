"""Refuses what an entity or a form says of itself and cannot mean.

Knows entities, forms, their parts and who may reach them. Must not know what single fields say
(`traits` does), nor how rules are judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rhtmx.wire.limits import FORBIDDEN_KEYS, MAX_NAME
from rhtmx_codegen.defaults import misfit
from rhtmx_codegen.model import Field, Kind, Message, Schema
from rhtmx_codegen.problems import Problem
from rhtmx_codegen.traits import COUNTER, SET, trait_problems
from rhtmx_codegen.types import SINGLE
from rhtmx_codegen.words import snake

__all__ = ["entity_name", "entity_problems", "form_name"]

_MOST_PARTITIONS = 16
_READ = 1
_ACTIONS = range(1, 5)
_MERGES = range(7)


def entity_name(message: Message) -> str:
    """The name of the entity whose records are a message.

    Raises:
        ValueError: they are none.
    """
    return _name(message, message.entity)


def form_name(message: Message) -> str:
    """The name of the form whose values are a message.

    Raises:
        ValueError: they are none.
    """
    return _name(message, message.form)


def _name(message: Message, options: Any) -> str:
    if options is None:
        raise ValueError(f"{message.full_name} is not one")
    return options.name or snake(message.name.replace(".", "_"))


def entity_problems(schema: Schema) -> Iterator[Problem]:
    """Find what entities, forms and their fields say and cannot mean.

    Yields:
        Each problem with its place.
    """
    entities: dict[str, str] = {}
    forms: dict[str, str] = {}
    for message in schema.messages.values():
        yield from trait_problems(schema, message)
        if message.entity is not None and message.form is not None:
            yield Problem(
                message.location,
                f"{message.name} is an entity and a form: make the form a message of its own, "
                "with the fields that people fill in",
            )
        if message.entity is not None:
            name = entity_name(message)
            for words in (
                *_of_name("entity", name, message, entities),
                *_of_entity(schema, message),
            ):
                yield Problem(message.location, f"entity {name!r}: {words}")
        if message.form is not None:
            name = form_name(message)
            for words in _of_name("form", name, message, forms):
                yield Problem(message.location, f"form {name!r}: {words}")


def _of_name(kind: str, name: str, message: Message, taken: dict[str, str]) -> Iterator[str]:
    if not 1 <= len(name.encode()) <= MAX_NAME:
        yield f"a name of 1 to {MAX_NAME} bytes expected"
    if kind == "entity" and name.startswith("$"):
        yield "names that begin with '$' are the server's own: take another name"
    if name in FORBIDDEN_KEYS:
        yield "no client could read it: take another name"
    if (one := taken.setdefault(name, message.full_name)) != message.full_name:
        yield f"{one} has this name, too: say another one with (rhtmx.v1.{kind}).name"


def _of_entity(schema: Schema, message: Message) -> Iterator[str]:
    options = message.entity
    if options.merge in (COUNTER, SET):
        yield "not all of its fields are counted, or are sets: say merge at those that are"
    elif options.merge not in _MERGES:
        yield f"there is no merge {options.merge}"
    fields = {field.name: field for field in message.fields}
    yield from _of_partitions(options.partition, fields)
    for access in options.access:
        yield from _of_access(schema, access, fields, options.partition)


def _of_partitions(partitions: Sequence[Any], fields: Mapping[str, Field]) -> Iterator[str]:
    if len(partitions) > _MOST_PARTITIONS:
        yield f"{len(partitions)} partitions, and {_MOST_PARTITIONS} is the most"
    seen: set[frozenset[str]] = set()
    for each in partitions:
        names = frozenset(each.fields)
        if not names or len(names) < len(each.fields):
            yield f"partition {list(each.fields)}: different names of fields expected"
        elif names in seen:
            yield f"partition {list(each.fields)} is there twice"
        seen.add(names)
        for name in each.fields:
            yield from _of_compared("partition", name, fields)


def _of_compared(where: str, name: str, fields: Mapping[str, Field]) -> Iterator[str]:
    """What is wrong with a field that shall be compared as a whole."""
    field = fields.get(name)
    if field is None:
        yield f"{where}: there is no field {name!r} (a field's name is written, not its key)"
    elif not _is_single(field):
        yield (
            f"{where}: field {name!r} is no text, whole number, boolean or enum, and only these "
            "have one spelling to be compared by"
        )
    elif field.traits is not None and field.traits.server_only:
        yield f"{where}: field {name!r} is server_only, and who reads a part is told its value"


def _is_single(field: Field) -> bool:
    return field.type.kind in SINGLE and not field.repeated and field.map_key is None


def _of_access(
    schema: Schema, access: Any, fields: Mapping[str, Field], partitions: Sequence[Any]
) -> Iterator[str]:
    who = access.WhichOneof("who")
    for action in access.actions:
        if action not in _ACTIONS:
            yield f"access: there is no action {action} that somebody may do"
    if who is None:
        yield "access: say who, such as {role: …} or {signed_in: true}"
        return
    yield from _WHO[who](schema, getattr(access, who), fields)
    compared = _compared_field(access, who)
    reads = not access.actions or _READ in access.actions
    if compared in fields and reads and not any(list(p.fields) == [compared] for p in partitions):
        yield (
            f"access: who reads by field {compared!r} is sent just that part, and no partition has "
            f'this field alone: add partition: {{fields: "{compared}"}}'
        )


def _compared_field(access: Any, who: str) -> str | None:
    match who:
        case "owner":
            return str(access.owner)
        case "tenant" | "equal":
            return str(getattr(access, who).field)
    return None


def _of_owner(schema: Schema, name: str, fields: Mapping[str, Field]) -> Iterator[str]:
    yield from _of_compared("access.owner", name, fields)
    if name in fields and fields[name].type.kind is not Kind.STRING:
        yield f"access.owner: field {name!r} is no string, and a subject is one"


def _of_tenant(schema: Schema, tenant: Any, fields: Mapping[str, Field]) -> Iterator[str]:
    yield from _of_compared("access.tenant", tenant.field, fields)


def _of_equal(schema: Schema, equal: Any, fields: Mapping[str, Field]) -> Iterator[str]:
    yield from _of_compared("access.equal", equal.field, fields)
    field = fields.get(equal.field)
    if field is not None and _is_single(field) and (words := misfit(schema, field, equal.json)):
        yield f"access.equal: {words}"


def _of_role(schema: Schema, role: str, fields: Mapping[str, Field]) -> Iterator[str]:
    if not role:
        yield "access.role: the name of a role expected"


def _of_flag(schema: Schema, flag: bool, fields: Mapping[str, Field]) -> Iterator[str]:
    if not flag:
        yield "access: false says nothing; what is named nowhere, nobody may: leave it out"


_WHO: Mapping[str, Callable[[Schema, Any, Mapping[str, Field]], Iterator[str]]] = {
    "owner": _of_owner,
    "tenant": _of_tenant,
    "equal": _of_equal,
    "role": _of_role,
    "anyone": _of_flag,
    "signed_in": _of_flag,
    "backend": _of_flag,
}
