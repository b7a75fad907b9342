"""Reads one file of a descriptor set into the plain dataclasses of `model.py`.

Knows the layout of protobuf's descriptors and of their source information. Must
not know other files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pb2

from codegen.descriptor_options import PACKAGE, OptionReader
from codegen.model import (
    Direction,
    Enum,
    EnumValue,
    ErrorTraits,
    Field,
    Kind,
    Label,
    Location,
    Message,
    Method,
    Service,
)

__all__ = ["FileReader"]

TIMESTAMP = ".google.protobuf.Timestamp"

Proto = descriptor_pb2.FieldDescriptorProto
KINDS = {
    Proto.TYPE_STRING: Kind.STRING,
    Proto.TYPE_BOOL: Kind.BOOL,
    Proto.TYPE_INT32: Kind.INT32,
    Proto.TYPE_INT64: Kind.INT64,
    Proto.TYPE_BYTES: Kind.BYTES,
    Proto.TYPE_ENUM: Kind.ENUM,
    Proto.TYPE_MESSAGE: Kind.MESSAGE,
}

# Field numbers of descriptor.proto, as they appear in source-info paths.
FILE_MESSAGE, FILE_ENUM, FILE_SERVICE = 4, 5, 6
MESSAGE_FIELD, ENUM_VALUE, SERVICE_METHOD = 2, 2, 2


class FileReader:
    """Reads the messages, enums and services of one file."""

    def __init__(self, file: Any, options: OptionReader, root: str) -> None:
        self._file = file
        self._options = options
        self._path = f"{root}/{file.name}" if root else str(file.name)
        self._source = {tuple(each.path): each for each in file.source_code_info.location}

    def _comment(self, path: tuple[int, ...]) -> str:
        source = self._source.get(path)
        if source is None:
            return ""
        lines = source.leading_comments.strip("\n").split("\n")
        return "\n".join(line.removeprefix(" ").rstrip() for line in lines)

    def _location(self, path: tuple[int, ...]) -> Location:
        source = self._source.get(path)
        return Location(self._path, source.span[0] + 1 if source is not None else 0)

    def messages(self) -> Iterator[Message]:
        """Read the file's messages, in source order."""
        for index, message in enumerate(self._file.message_type):
            path = (FILE_MESSAGE, index)
            entries = {
                f".{PACKAGE}.{message.name}.{each.name}": each
                for each in message.nested_type
                if each.options.map_entry
            }
            yield Message(
                name=message.name,
                fields=tuple(
                    self._field(field, (*path, MESSAGE_FIELD, number), entries, message)
                    for number, field in enumerate(message.field)
                ),
                reserved=tuple((each.start, each.end - 1) for each in message.reserved_range),
                reserved_names=tuple(message.reserved_name),
                nested=tuple(
                    each.name
                    for each in (*message.nested_type, *message.enum_type)
                    if not getattr(each.options, "map_entry", False)
                ),
                comment=self._comment(path),
                location=self._location(path),
            )

    def _field(
        self, field: Any, path: tuple[int, ...], entries: dict[str, Any], message: Any
    ) -> Field:
        entry = entries.get(field.type_name)
        value = entry.field[1] if entry is not None else field
        json = bool(self._options.get(field, "json"))
        required = bool(self._options.get(field, "required"))
        kind = self._kind(value, json)
        if entry is not None and entry.field[0].type != Proto.TYPE_STRING:
            kind = Kind.UNSUPPORTED
        in_oneof = field.HasField("oneof_index") and not field.proto3_optional
        return Field(
            name=field.name,
            number=field.number,
            kind=kind,
            label=Label.MAP if entry is not None else self._label(field, kind, required),
            type_name=value.type_name.rpartition(".")[2]
            if kind in (Kind.MESSAGE, Kind.ENUM)
            else "",
            proto_type=Proto.Type.Name(value.type).removeprefix("TYPE_").lower(),
            json=json,
            required=required,
            omittable=bool(self._options.get(field, "omittable")),
            direction=Direction(self._options.get(field, "direction")),
            ephemeral=bool(self._options.get(field, "ephemeral")),
            answer=self._options.get(field, "answer"),
            oneof=message.oneof_decl[field.oneof_index].name if in_oneof else "",
            comment=self._comment(path),
            location=self._location(path),
        )

    @staticmethod
    def _kind(value: Any, json: bool) -> Kind:
        kind = KINDS.get(value.type, Kind.UNSUPPORTED)
        if kind is Kind.BYTES and json:
            return Kind.JSON
        if value.type_name == TIMESTAMP:
            return Kind.TIME
        if value.type_name and not value.type_name.startswith(f".{PACKAGE}."):
            return Kind.UNSUPPORTED
        return kind

    @staticmethod
    def _label(field: Any, kind: Kind, required: bool) -> Label:
        if field.label == Proto.LABEL_REPEATED:
            return Label.REPEATED
        if kind in (Kind.MESSAGE, Kind.TIME):
            return Label.REQUIRED if required else Label.OPTIONAL
        return Label.OPTIONAL if field.proto3_optional else Label.PLAIN

    def enums(self) -> Iterator[Enum]:
        """Read the file's enums, in source order."""
        for index, each in enumerate(self._file.enum_type):
            path = (FILE_ENUM, index)
            yield Enum(
                name=each.name,
                values=tuple(
                    self._enum_value(value, (*path, ENUM_VALUE, number))
                    for number, value in enumerate(each.value)
                ),
                reserved=tuple((gap.start, gap.end) for gap in each.reserved_range),
                comment=self._comment(path),
                location=self._location(path),
            )

    def _enum_value(self, value: Any, path: tuple[int, ...]) -> EnumValue:
        traits = self._options.get(value, "error")
        return EnumValue(
            name=value.name,
            number=value.number,
            spelling=self._options.get(value, "spelling"),
            error=ErrorTraits(traits.grpc_status, traits.close_code, traits.retryable)
            if self._options.has(value, "error")
            else None,
            comment=self._comment(path),
            location=self._location(path),
        )

    def services(self) -> Iterator[Service]:
        """Read the file's services, in source order."""
        for index, service in enumerate(self._file.service):
            path = (FILE_SERVICE, index)
            yield Service(
                name=service.name,
                methods=tuple(
                    self._method(method, (*path, SERVICE_METHOD, number))
                    for number, method in enumerate(service.method)
                ),
                comment=self._comment(path),
                location=self._location(path),
            )

    def _method(self, method: Any, path: tuple[int, ...]) -> Method:
        return Method(
            name=method.name,
            request=method.input_type.rpartition(".")[2],
            response=method.output_type.rpartition(".")[2],
            request_stream=method.client_streaming,
            response_stream=method.server_streaming,
            comment=self._comment(path),
            location=self._location(path),
        )
