"""The statements of generated Python that declare entities, forms, and the schema of them.

Knows what is declared of each. Must not know dataclasses, nor rules.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from zlib import compress

from rhtmx_codegen.emit_fields import ACTIONS, MERGES
from rhtmx_codegen.emit_names import Names, table_name
from rhtmx_codegen.entities import entity_name, form_name
from rhtmx_codegen.json_schema import json_schema
from rhtmx_codegen.model import Message, Retired, Schema
from rhtmx_codegen.pool import bare_set
from rhtmx_codegen.python_layout import Call, Code, keyword, lines_of, quoted
from rhtmx_codegen.python_types import PythonTypes
from rhtmx_codegen.rules import LeftRule, server_rules
from rhtmx_codegen.served import served_descriptors
from rhtmx_codegen.words import python_attribute

__all__ = ["declaration", "descriptor_lines", "json_schema_lines", "schema_lines"]


def declaration(message: Message, names: Names, types: PythonTypes) -> list[str]:
    """The statement that gives a dataclass its shape.

    Args:
        message: of the dataclass.
        names: of everything.
        types: how its module writes types.
    """
    name = names.of(message.full_name)
    rows: list[Code] = [
        _entry(quoted(python_attribute(each.name)), types.codec(each)) for each in message.fields
    ]
    arguments: list[Code] = [name, table_name(name), Call("{", rows, "}")]
    kind = "Shape"
    if message.entity is not None:
        kind = "Entity"
        arguments = [quoted(entity_name(message)), *arguments, *_options(message)]
    elif message.form is not None:
        kind = "Form"
        arguments = [quoted(form_name(message)), *arguments]
    return lines_of(Call(f"{name}.__rhtmx__ = _d.{kind}(", arguments))


def _entry(key: str, value: Code) -> Code:
    if isinstance(value, str):
        return f"{key}: {value}"
    return Call(f"{key}: {value.opening}", value.items, value.closing)


def _options(message: Message) -> Iterator[Code]:
    """What is declared of an entity beyond its fields."""
    said = message.entity
    if said.whole:
        yield "whole=True"
    if said.merge:
        yield f"merge={quoted(MERGES[said.merge])}"
    if said.no_conflicts:
        yield "conflicts=False"
    if said.partition:
        parts = [
            _tuple(quoted(_key(message, each)) for each in one.fields) for one in said.partition
        ]
        yield keyword("partition", _tuple(parts))
    if said.access:
        yield keyword("access", _tuple(_access(message, each) for each in said.access))


def _tuple(items: Any) -> Call:
    return Call("(", list(items))


def _key(message: Message, name: str) -> str:
    """The key of a field in JSON."""
    return next((each.key for each in message.fields if each.name == name), name)


def _access(message: Message, access: Any) -> Code:
    actions = _tuple(quoted(ACTIONS[each]) for each in access.actions)
    who = access.WhichOneof("who")
    arguments: list[Code] = [actions, quoted(who)]
    if who == "owner":
        arguments.append(quoted(_key(message, access.owner)))
    elif who == "role":
        arguments.append(f"value={quoted(access.role)}")
    elif who == "tenant":
        claim = access.tenant.claim or access.tenant.field
        arguments += [quoted(_key(message, access.tenant.field)), f"value={quoted(claim)}"]
    elif who == "equal":
        value = repr(json.loads(access.equal.json))
        arguments += [quoted(_key(message, access.equal.field)), f"value={value}"]
    return Call("_d.Access(", arguments)


def schema_lines(schema: Schema, names: Names, digest: str) -> list[str]:
    """The statement that makes the schema.

    Args:
        schema: it.
        names: of everything.
        digest: its hash.
    """
    said: list[Code] = [
        "__name__",
        f"version={schema.version}",
        f"oldest={schema.oldest}",
        f"hash={quoted(digest)}",
    ]
    messages = schema.messages.values()
    entities = [each for each in messages if each.entity is not None]
    forms = [each for each in messages if each.form is not None]
    for word, found in (("entities", entities), ("forms", forms)):
        rows: list[Code] = [f"{names.of(each.full_name)}.__rhtmx__" for each in found]
        said.append(keyword(word, Call("(", rows)))
    if schema.renames:
        rows = [
            Call("_d.Rename(", [str(each.version), *map(quoted, (each.entity, each.old, each.new))])
            for each in schema.renames
        ]
        said.append(keyword("renames", Call("(", rows)))
    if schema.retired:
        rows = [Call("_d.Retired(", list(_retired(each))) for each in schema.retired]
        said.append(keyword("retired", Call("(", rows)))
    return lines_of(Call("schema = _d.Schema(", said))


def _retired(each: Retired) -> Iterator[Code]:
    path = ", ".join(map(quoted, each.path))
    yield from (str(each.version), quoted(each.entity))
    yield f"({path}{',' if len(each.path) == 1 else ''})"
    if each.word is not None:
        yield quoted(each.word)


def descriptor_lines(schema: Schema) -> list[str]:
    """The statements that have the descriptors: as text, since everything generated is text.

    Args:
        schema: it.
    """
    whole, served = bare_set(schema.descriptors, schema.files), served_descriptors(schema)
    lines = [
        *_encoded("DESCRIPTORS", whole),
        '"""A `FileDescriptorSet`, in base64."""',
        "",
    ]
    if served == whole:
        lines.append("SERVED = DESCRIPTORS")
    else:
        lines += _encoded("SERVED", served)
    lines.append('"""The same without what must not leave a server."""')
    left = [_left(each) for each in server_rules(schema)]
    if left:
        lines += ["", *lines_of(Call("SERVER_RULES = (", left))]
        lines.append('"""The rules that only the server judges, as `ServerRule` has them."""')
    return lines


def _left(rule: LeftRule) -> Code:
    texts = [rule.kind, rule.name, rule.message, rule.id, rule.field]
    rest = [rule.words, b64encode(compress(rule.files, 9)).decode()]
    items: list[Code] = [quoted(each) for each in texts]
    reads = Call("(", [quoted(each) for each in rule.reads])
    return Call("(", [*items, reads, *map(quoted, rest)])


def _encoded(name: str, data: bytes) -> list[str]:
    text = b64encode(data).decode()
    pieces = [f'    "{text[at : at + _PIECE]}"' for at in range(0, len(text), _PIECE)]
    return [f"{name} = (", *pieces, ")"]


def json_schema_lines(schema: Schema) -> list[str]:
    """The statement that has the schema as JSON Schema, as text.

    Args:
        schema: it.
    """
    # No quotation mark of JSON is followed by two more, and all else that is not ASCII is escaped.
    first, *rest = json.dumps(json_schema(schema), indent=1).splitlines()
    return [f'JSON_SCHEMA = r"""{first}', *rest, '"""']


_PIECE = 92
