"""Reflection, both versions: the whole schema, for clients that have none.

Knows the descriptors. Must not know the services behind them.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpclib.const import Cardinality, Handler, Status
from grpclib.server import Stream

from rhtmx_server.transports.grpc.calls import (
    GrpcMethod,
    answering,
    connection_of,
    kept,
    opened,
    receive,
    send,
)
from rhtmx_server.transports.grpc.door import Door
from rhtmx_server.transports.grpc.standard import POOL, REFLECTIONS, message_class

__all__ = ["Reflection"]

_REQUEST = "ServerReflectionRequest"
_RESPONSE = "ServerReflectionResponse"


class Reflection:
    """Answers what services, messages and files there are.

    Args:
        door: the server.
        services: their full names.
    """

    def __init__(self, door: Door, services: tuple[str, ...]) -> None:
        self._door = door
        self._services = services

    def __mapping__(self) -> dict[str, Handler]:
        return {
            f"/{package}.ServerReflection/ServerReflectionInfo": Handler(
                answering(self._door, "ServerReflection", self._method(package)),
                Cardinality.STREAM_STREAM,
                message_class(f"{package}.{_REQUEST}"),
                message_class(f"{package}.{_RESPONSE}"),
            )
            for package in REFLECTIONS
        }

    def _method(self, package: str) -> GrpcMethod:
        asked = message_class(f"{package}.{_REQUEST}")
        answered = message_class(f"{package}.{_RESPONSE}")

        async def method(door: Door, stream: Stream[Any, Any]) -> None:
            await stream.send_initial_metadata()
            room = connection_of(stream).answers
            while (request := await receive(stream, asked)) is not None:
                # A peer that takes no answers is asked nothing more: an answer is larger than its
                # question.
                await opened(door, stream)
                async with room.turn():
                    response = answered(valid_host=request.host, original_request=request)
                    self._answer(request, response)
                    told = kept(room, response)
                await send(door, stream, told, room)

        return method

    def _answer(self, request: Any, response: Any) -> None:
        case = request.WhichOneof("message_request")
        try:
            if case == "list_services":
                for name in self._services:
                    response.list_services_response.service.add(name=name)
            elif case == "file_by_filename":
                _tell(POOL.FindFileByName(request.file_by_filename), response)
            elif case == "file_containing_symbol":
                _tell(POOL.FindFileContainingSymbol(request.file_containing_symbol), response)
            elif case == "all_extension_numbers_of_type":
                POOL.FindMessageTypeByName(request.all_extension_numbers_of_type)
                name = request.all_extension_numbers_of_type  # proto3: none has extensions
                response.all_extension_numbers_response.base_type_name = name
            # Extensions, and whatever comes later: there are none, as the protocol wants it said.
            else:
                raise KeyError(case)
        except KeyError:
            response.error_response.error_code = Status.NOT_FOUND.value
            response.error_response.error_message = "not found"


def _tell(file: Any, response: Any) -> None:
    """Put a file and all that it imports into the answer."""
    told: dict[str, bytes] = {}
    # A walk with a list, not a recursion: files may be imported by several others.
    ahead = [file]
    while ahead:
        each = ahead.pop()
        if each.name not in told:
            proto = FileDescriptorProto()
            each.CopyToProto(proto)
            told[each.name] = proto.SerializeToString()
            ahead.extend(each.dependencies)
    response.file_descriptor_response.file_descriptor_proto.extend(told.values())
