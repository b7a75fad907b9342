"""Emits `messages/__init__.py`, `messages/tables.py` and `messages/descriptor.py`.

Knows how the schema's tables look in Python. Must not know the wire's glue, nor
any file: schema in, text out.
"""

from __future__ import annotations

import base64
import textwrap

from google.protobuf import descriptor_pb2

from codegen.model import Case, Enum, Field, Kind, Schema
from codegen.python_names import constant, enum_member, module

__all__ = ["emit_descriptor", "emit_package", "emit_tables"]

# What options.proto itself defines; betterproto2 generates it with the rest.
OPTION_TYPES = ("Direction", "ErrorTraits")

SHAPE = '''
class Shape(NamedTuple):
    """What the wire needs to know of one field of a message."""

    kind: str
    label: str
    type_name: str
    mandatory: bool


class ErrorRow(NamedTuple):
    """What one error code means: JSON spelling, gRPC status, close code (0: none)."""

    spelling: str
    grpc_status: int
    close_code: int
    retryable: bool
'''


def emit_package(schema: Schema) -> str:
    """Emit the package that re-exports all message and enum classes."""
    names = sorted(
        [message.name for message in schema.messages]
        + [enum.name for enum in schema.enums]
        + list(OPTION_TYPES)
    )
    return module(
        "The messages of the schema. Server and stub of gRPC stay in `.rhtmx.v1`.",
        [f"from .rhtmx.v1 import ({', '.join(names)},)"],
        [f"__all__ = {names!r}"],
    )


def emit_tables(schema: Schema) -> str:
    """Emit the tables by which both formats, sessions and dispatch are driven."""
    classes = sorted(
        {case.message for case in schema.cases} | {enum.name for enum in schema.wire_enums}
    )
    body = [SHAPE]
    body += _case_tables(schema)
    body += _unions(schema)
    for enum in schema.wire_enums:
        body += _enum_tables(enum)
    never = "" if schema.ephemeral else "Never, "
    pairs = ", ".join(f'"{enum.name}": {constant(enum.name)}_VALUES' for enum in schema.wire_enums)
    body += [f"ENUM_VALUES: dict[str, Mapping[str, int]] = {{{pairs}}}"]
    body += ['"""Enum by name → its values by JSON spelling."""', ""]
    body += _errors(schema)
    body += _shapes(schema)
    return module(
        "The tables of the schema: cases, directions, spellings, error codes.",
        [
            "from collections.abc import Mapping",
            f"from typing import NamedTuple, {never}TypeAlias",
            "",
            f"from .rhtmx.v1 import ({', '.join(classes)},)",
        ],
        body,
    )


def _case_tables(schema: Schema) -> list[str]:
    def tuple_of(cases: list[Case]) -> str:
        return f"({', '.join(case.message for case in cases)},)"

    cases = ", ".join(f'"{case.name}": {case.message}' for case in schema.cases)
    names = ", ".join(f'{case.message}: "{case.name}"' for case in schema.cases)
    client = tuple_of([case for case in schema.cases if case.from_client])
    server = tuple_of([case for case in schema.cases if case.from_server])
    answers = ", ".join(f"{asked.message}: {each.message}" for asked, each in schema.questions)
    ephemeral = tuple_of(list(schema.ephemeral)) if schema.ephemeral else "()"
    return [
        f'SCHEMA_HASH = "{schema.hash}"',
        '"""Names this version of the schema; comments do not change it."""',
        "",
        f"CASES: dict[str, type[Message]] = {{{cases}}}",
        '"""Value of `type` in JSON, case of the envelope in protobuf → message class."""',
        "",
        f"NAMES: dict[type[Message], str] = {{{names}}}",
        '"""Message class → its name on the wire."""',
        "",
        f"CLIENT_MESSAGES: tuple[type[Message], ...] = {client}",
        '"""What a client may send."""',
        "",
        f"SERVER_MESSAGES: tuple[type[Message], ...] = {server}",
        '"""What a server may send."""',
        "",
        f"ANSWERS: dict[type[Message], type[Message]] = {{{answers}}}",
        '"""What is asked → what answers it, with the same `request_id`."""',
        "",
        f"EPHEMERAL: frozenset[type[Message]] = frozenset({ephemeral})",
        '"""What is told to those whom it concerns now, and never stored."""',
        "",
    ]


def _unions(schema: Schema) -> list[str]:
    def union(names: list[str]) -> str:
        return f"({' | '.join(dict.fromkeys(names)) or 'Never'})"

    cases, questions = schema.cases, schema.questions

    return [
        f"ClientMessage: TypeAlias = {union([c.message for c in cases if c.from_client])}",
        f"ServerMessage: TypeAlias = {union([c.message for c in cases if c.from_server])}",
        f"Message: TypeAlias = {union([case.message for case in cases])}",
        f"Question: TypeAlias = {union([asked.message for asked, _ in questions])}",
        f"Answer: TypeAlias = {union([answer.message for _, answer in questions])}",
        f"Ephemeral: TypeAlias = {union([case.message for case in schema.ephemeral])}",
        "",
    ]


def _enum_tables(enum: Enum) -> list[str]:
    name = constant(enum.name)
    spellings = ", ".join(f'{enum_member(enum, each)}: "{each.spelling}"' for each in enum.spelled)
    return [
        f"{name}_SPELLINGS: dict[{enum.name}, str] = {{{spellings}}}",
        f"{name}_VALUES: dict[str, {enum.name}] = "
        f"{{text: value for value, text in {name}_SPELLINGS.items()}}",
        "",
    ]


def _errors(schema: Schema) -> list[str]:
    rows = [
        f'{enum_member(enum, value)}: ErrorRow(spelling="{value.spelling}", '
        f"grpc_status={value.error.grpc_status}, close_code={value.error.close_code}, "
        f"retryable={value.error.retryable}),"
        for enum in schema.enums
        for value in enum.values
        if value.error is not None
    ]
    return [
        f"ERRORS: dict[ErrorCode, ErrorRow] = {{{''.join(rows)}}}",
        '"""What each error code means to the peer."""',
        "",
        "RECONNECT_CLOSE_CODES = range(4000, 4500)",
        '"""WebSocket close codes after which a client reconnects."""',
        "",
        "FINAL_CLOSE_CODES = range(4500, 5000)",
        '"""WebSocket close codes after which a client must not reconnect."""',
        "",
    ]


def _shapes(schema: Schema) -> list[str]:
    def shape(field: Field) -> str:
        type_name = field.type_name if field.kind in (Kind.MESSAGE, Kind.ENUM) else ""
        return (
            f'"{field.name}": Shape("{field.kind.value}", "{field.label.value}", '
            f'"{type_name}", {field.mandatory}),'
        )

    rows = [
        f'"{message.name}": {{{"".join(shape(field) for field in message.fields)}}},'
        for message in schema.wire_messages
    ]
    return [
        f"SHAPES: dict[str, dict[str, Shape]] = {{{''.join(rows)}}}",
        '"""Message → its fields, in the schema\'s order."""',
        "",
    ]


def emit_descriptor(schema: Schema) -> str:
    """Emit the descriptor set that the binary format's classes are made from.

    Without comments, options and what only they need: the parser reads none of
    them. The service stays: gRPC's reflection tells it to clients without a schema.
    """
    files = descriptor_pb2.FileDescriptorSet.FromString(schema.descriptor)
    kept = descriptor_pb2.FileDescriptorSet()
    dropped = {f"{schema.package.replace('.', '/')}/options.proto"}
    dropped.add("google/protobuf/descriptor.proto")
    for file in files.file:
        if file.name not in dropped:
            kept.file.append(_bare(file, dropped))
    text = base64.b64encode(kept.SerializeToString(deterministic=True)).decode()
    lines = "\n".join(f'"{line}"' for line in textwrap.wrap(text, 88))
    return module(
        "The schema as protobuf's own descriptors, for the binary format.",
        ["import base64"],
        [f"DESCRIPTOR_SET: bytes = base64.b64decode({lines})"],
    )


def _bare(
    file: descriptor_pb2.FileDescriptorProto, dropped: set[str]
) -> descriptor_pb2.FileDescriptorProto:
    bare = descriptor_pb2.FileDescriptorProto()
    bare.CopyFrom(file)
    kept = [name for name in file.dependency if name not in dropped]
    bare.ClearField("dependency")
    bare.dependency.extend(kept)
    for message in bare.message_type:
        for field in message.field:
            field.ClearField("options")
    for enum in bare.enum_type:
        for value in enum.value:
            value.ClearField("options")
    return bare
