"""The tools of an application: one for each entity, and one for each form. Pure.

Knows what a tool takes, and what it gives. Must not know how it is called, nor what does what it is
for.

A tool takes one flat object, as models are told of it: some of them refuse a choice of several at
the top. So the arguments of all actions stand side by side, each says to which it belongs, and
`arguments` refuses those that do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rhtmx.mcp.document import DeclaredField, DeclaredMessage, Node, SchemaDocument
from rhtmx.mcp.plain_schema import plain, reachable, said_of_rules

__all__ = [
    "ACTIONS",
    "FORM_OUTPUT",
    "MOST_LISTED",
    "OPERATIONS",
    "RECORD_OUTPUT",
    "USUALLY_LISTED",
    "ToolDescription",
    "filters",
    "tools_of",
]

MOST_LISTED, USUALLY_LISTED = 100, 20
"""Records, or commits, in one answer."""

_LONGEST_NAME = 64
"""Characters: what hosts take."""

ACTIONS: Mapping[str, str] = {
    "list": "records, by id: those of 'where', at most 'limit', from behind 'after'",
    "get": "the record 'id'",
    "create": "a new record, from 'record'",
    "edit": "some fields of the record 'id', the others stay",
    "delete": "the record 'id'",
    "history": "what became of the record 'id': its commits, the newest first",
}
"""What can be done with an entity."""

_KINDS = ("type", "enum", "anyOf")
"""What of a schema says of which kind a value is."""

_READING = ("list", "get", "history")

OPERATIONS: Mapping[str, tuple[str, str]] = {
    "increment": (
        "counter",
        "edit: adds to a number, whatever it is by then; below zero counts down. "
        "Better than 'changes' where others count, too.",
    ),
    "add": ("set", "edit: adds elements to a set, and leaves the others."),
    "remove": ("set", "edit: removes elements from a set, and leaves the others."),
}
"""Argument → for fields that are merged so, and what it does."""


@dataclass(frozen=True, slots=True)
class ToolDescription:
    """A tool, as an assistant is told of it.

    Attributes:
        name: what it is called.
        description: what it is for.
        input_schema: the JSON Schema of its arguments.
        output_schema: the one of what it answers.
        read_only: it writes nothing.
        declared: the entity, or the form.
        form: whether it is for a form.
    """

    name: str
    description: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    read_only: bool
    declared: DeclaredMessage
    form: bool

    def keys(self, argument: str) -> Collection[str]:
        """The fields that an argument may have."""
        found: Collection[str] = self.input_schema["properties"][argument]["properties"]
        return found


def tools_of(
    document: SchemaDocument, *, only: Collection[str] = (), read_only: bool = False
) -> dict[str, ToolDescription]:
    """The tools of an application, by their names.

    Args:
        document: its schema.
        only: the names of entities and forms; none: all of them.
        read_only: without what writes.
    """
    found: dict[str, ToolDescription] = {}
    for name, entity in document.entities.items():
        if not only or name in only:
            called = _called(name, found)
            found[called] = _entity_tool(called, entity, document, read_only)
    for name, form in document.forms.items():
        if not only or name in only:
            called = _called(f"validate_{name}", found)
            found[called] = _form_tool(called, form, document)
    return found


def _called(name: str, taken: Collection[str]) -> str:
    """A name that hosts take, and no other tool has."""
    base = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:_LONGEST_NAME]
    made, number = base, 1
    while made in taken:
        number += 1
        made = f"{base[: _LONGEST_NAME - len(str(number)) - 1]}_{number}"
    return made


# Entities


def _entity_tool(
    name: str, entity: DeclaredMessage, document: SchemaDocument, read_only: bool
) -> ToolDescription:
    actions = _READING if read_only else tuple(ACTIONS)
    arguments = dict(_reading_arguments(entity))
    if not read_only:
        arguments |= dict(_writing_arguments(entity))
    order = ("action", "id", *(each for each in arguments if each != "id"))
    arguments["action"] = {
        "type": "string",
        "enum": list(actions),
        "description": "; ".join(f"{each}: {ACTIONS[each]}" for each in actions) + ".",
    }
    schema = {
        "type": "object",
        "properties": {each: arguments[each] for each in order},
        "required": ["action"],
        "additionalProperties": False,
    }
    return ToolDescription(
        name,
        "\n".join(_about_entity(entity, actions)),
        _with_definitions(schema, document),
        RECORD_OUTPUT,
        read_only,
        entity,
        form=False,
    )


def _about_entity(entity: DeclaredMessage, actions: Iterable[str]) -> Iterator[str]:
    comment = str(entity.schema.get("description", "")).strip()
    if comment:
        yield comment
    yield f"Records of the entity '{entity.name}': {', '.join(actions)}."
    yield from said_of_rules(entity.extra.get("rules", ()))
    if access := entity.entity.get("access"):
        yield f"Who may: {'; '.join(map(_allowed, access))}."


def _allowed(access: Mapping[str, Any]) -> str:
    who, field, value = access["who"], access.get("field"), access.get("value")
    words = {
        "owner": f"if '{field}' is who asks",
        "role": f"with the role '{value}'",
        "tenant": f"if '{field}' is among one's '{value}'",
        "equal": f"if '{field}' is {json.dumps(value, ensure_ascii=False)}",
        "anyone": "anyone",
        "signed_in": "whoever is signed in",
        "backend": "backends",
    }
    return f"{', '.join(access['actions'])}: {words.get(who, who)}"


def _reading_arguments(entity: DeclaredMessage) -> Iterator[tuple[str, Any]]:
    yield "id", {"type": "string", "minLength": 1, "description": "The id of the record."}
    if found := filters(entity):
        words = (
            "list: only records with these values. Null and the zero value match a field that is "
            "not there, too."
        )
        yield "where", {**_object(words), "properties": {e.key: _wanted(e.schema) for e in found}}
    yield (
        "limit",
        _whole(f"list, history: at most so many; {USUALLY_LISTED} if left out.", 1, MOST_LISTED),
    )
    yield "after", {"type": "string", "description": "list: go on behind the 'next' of a page."}
    yield "before", _whole("history: go on behind the 'before' of a page.", 1)


def _writing_arguments(entity: DeclaredMessage) -> Iterator[tuple[str, Any]]:
    yield (
        "id",
        {
            "type": "string",
            "minLength": 1,
            "description": "The id of the record. create: a new one is made if it is left out.",
        },
    )
    new = [each for each in entity.fields.values() if not each.read_only]
    record = _fields(new, "create: the fields of the new record.")
    required = [
        key
        for key in entity.schema.get("required", ())
        if key in record["properties"] and not entity.fields[key].filled_in
    ]
    if required:
        record["required"] = required
    if "allOf" in entity.schema:
        record["allOf"] = [plain(each) for each in entity.schema["allOf"]]
    yield "record", record
    editable = [each for each in new if not each.immutable]
    yield "changes", _fields(editable, "edit: new values; null takes a value away.")
    for name, (merge, words) in OPERATIONS.items():
        operated = {each.key: _operand(each) for each in editable if each.merge == merge}
        if operated:
            yield name, {**_object(words), "properties": operated}
    yield (
        "version",
        _whole(
            "edit, delete: the version of the record as you have read it. If somebody else has "
            "written the same since, nothing is written, and you are told.",
            1,
        ),
    )


def filters(entity: DeclaredMessage) -> list[DeclaredField]:
    """The fields by which records can be listed: those with a single value."""
    return [each for each in entity.fields.values() if not each.secret and _is_single(each.schema)]


def _is_single(schema: Node) -> bool:
    if "anyOf" in schema:
        return all(map(_is_single, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return True
    kinds = schema.get("type", "object")
    listed = [kinds] if isinstance(kinds, str) else kinds
    return not {"object", "array"}.intersection(listed)


def _wanted(schema: Node) -> Any:
    """What a value is that records are looked for with: whatever rules it has to keep."""
    shown = plain({key: value for key, value in schema.items() if key in _KINDS})
    return shown or {"type": ["string", "number", "boolean", "null"]}


def _operand(field: DeclaredField) -> Any:
    """What is added to a number; the elements that come or go."""
    shown = plain(field.schema)
    if field.merge == "set":
        return {"type": "array", "items": shown["items"], "minItems": 1}
    if "string" in shown.get("type", ()):
        words = shown.get("description", "A whole number as text.")
        return {"type": "string", "description": words}
    return {"type": "integer"}


def _fields(fields: Iterable[DeclaredField], words: str) -> dict[str, Any]:
    return {**_object(words), "properties": {each.key: plain(each.schema) for each in fields}}


def _object(words: str) -> dict[str, Any]:
    return {"type": "object", "description": words, "properties": {}, "additionalProperties": False}


def _whole(words: str, least: int, most: int | None = None) -> dict[str, Any]:
    bound = {} if most is None else {"maximum": most}
    return {"type": "integer", "minimum": least, **bound, "description": words}


def _with_definitions(schema: dict[str, Any], document: SchemaDocument) -> dict[str, Any]:
    found = reachable(schema, document)
    return {**schema, "$defs": found} if found else schema


# Forms


def _form_tool(name: str, form: DeclaredMessage, document: SchemaDocument) -> ToolDescription:
    schema = plain(form.schema)
    for each in ("description", "allOf"):  # said below; by the server
        schema.pop(each, None)
    comment = str(form.schema.get("description", "")).strip()
    about = [
        *([comment] if comment else []),
        f"Says whether the form '{form.name}' would be accepted with these values, and what is "
        "wrong with each field. It stores nothing.",
        *said_of_rules(form.extra.get("rules", ())),
    ]
    return ToolDescription(
        name,
        "\n".join(about),
        _with_definitions(schema, document),
        FORM_OUTPUT,
        True,
        form,
        form=True,
    )


# What comes back


def _answer(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {**properties, **_ALWAYS}}


def _some(words: str = "", **properties: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": properties}
    return {**made, "description": words} if words else made


def _listed(items: dict[str, Any], words: str) -> dict[str, Any]:
    return {"type": "array", "items": items, "description": words}


_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "integer"}
_VIOLATION = _some(field=_TEXT, rule=_TEXT, message=_TEXT)
_ALWAYS: dict[str, Any] = {
    "error": _some(
        "Why it was not done.",
        code=_TEXT,
        message=_TEXT,
        violations=_listed(_VIOLATION, "What is wrong with which field."),
    ),
    "earlier": _listed(_TEXT, "What became of earlier writes whose answer had not come in time."),
}
_RECORD = _some(id=_TEXT, version=_NUMBER, data={})

RECORD_OUTPUT: Mapping[str, Any] = _answer(
    records=_listed(_RECORD, "list: these."),
    total={**_NUMBER, "description": "list: how many there are on all pages."},
    next={**_TEXT, "description": "list: there are more: pass it as 'after'."},
    record=_RECORD,
    id={**_TEXT, "description": "create, edit, delete: what was written."},
    version={**_NUMBER, "description": "create, edit, delete: the version of the record now."},
    filled_in={"type": "object", "description": "create: what the server has filled in."},
    lost=_listed(_some(field=_TEXT, value={}), "edit: fields that kept another value."),
    commits=_listed(
        _some(
            version=_NUMBER,
            action=_TEXT,
            changed=_listed(_TEXT, "The fields that it set or removed."),
            data={},
            subject=_TEXT,
            client_id=_TEXT,
            created_at=_TEXT,
        ),
        "history: these.",
    ),
    before={**_NUMBER, "description": "history: there may be more: pass it as 'before'."},
    complete={"type": "boolean", "description": "history: the last one is the record's first."},
)
"""What the tool of an entity answers."""

FORM_OUTPUT: Mapping[str, Any] = _answer(
    valid={"type": "boolean"},
    errors=_listed(_some(field=_TEXT, message=_TEXT), "What is wrong with which field."),
)
"""What the tool of a form answers."""
