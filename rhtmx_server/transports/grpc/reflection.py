"""Reflection, both versions: the whole schema, for clients that have none.

Knows the descriptors: of the protocol, which are for everybody, and of the application's schema,
which are for those who may read. Must not know the services behind them.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpclib.const import Cardinality, Handler, Status
from grpclib.server import Stream

from rhtmx.errors import RhtmxError
from rhtmx_server.transports.grpc.app_files import AppFiles, extension_numbers
from rhtmx_server.transports.grpc.caller import identify, request_of
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
from rhtmx_server.transports.grpc.errors import status_of
from rhtmx_server.transports.grpc.standard import POOL, REFLECTIONS, message_class

__all__ = ["Reflection"]

_REQUEST = "ServerReflectionRequest"
_RESPONSE = "ServerReflectionResponse"
_NUMBERS = "all_extension_numbers_response"


class Reflection:
    """Answers what services, messages and files there are.

    Args:
        door: the server.
        services: their full names.
    """

    def __init__(self, door: Door, services: tuple[str, ...]) -> None:
        self._door = door
        self._services = services
        self._app = AppFiles(door.services.seen)

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
            room, peer = connection_of(stream).answers, _Peer(door, stream)
            while (request := await receive(stream, asked)) is not None:
                # A peer that takes no answers is asked nothing more: an answer is larger than its
                # question.
                await opened(door, stream)
                refusal = await peer.refusal() if self._app.there else None
                async with room.turn():
                    response = answered(valid_host=request.host, original_request=request)
                    self._answered(refusal, request, response)
                    told = kept(room, response)
                await send(door, stream, told, room)

        return method

    def _answered(self, refusal: RhtmxError | None, request: Any, response: Any) -> None:
        """Answer one question.

        Args:
            refusal: why the peer may read nothing of the application, if that is so.
            request: it.
            response: takes the answer.
        """
        if request.WhichOneof("message_request") == "list_services":
            for name in self._services:
                response.list_services_response.service.add(name=name)
            return
        found = _answer(POOL, request, response)
        # Numbers of extensions are those of both.
        if self._app.there and (not found or response.HasField(_NUMBERS)):
            if refusal is None:
                found = _answer(self._app.pool, request, response) or found
            elif not found:
                _refuse(response, status_of(refusal.code), refusal.message)
                return
        if not found:
            _refuse(response, Status.NOT_FOUND, "not found")


def _refuse(response: Any, status: Status, words: str) -> None:
    response.error_response.error_code = status.value
    response.error_response.error_message = words


class _Peer:
    """Who asks on one stream: whether it may read, found out once, when it matters.

    Args:
        door: the server.
        stream: the call.
    """

    def __init__(self, door: Door, stream: Stream[Any, Any]) -> None:
        self._door = door
        self._stream = stream
        self._asked = False
        self._refusal: RhtmxError | None = None

    async def refusal(self) -> RhtmxError | None:
        """Why it may read nothing of the application; `None`: it may."""
        if not self._asked:
            try:
                await identify(self._door.services, request_of(self._stream))
            except RhtmxError as error:
                self._refusal = error
            self._asked = True
        return self._refusal


def _answer(pool: DescriptorPool, request: Any, response: Any) -> bool:
    """Answer with what a pool has; whether it has it."""
    case = request.WhichOneof("message_request")
    try:
        if case == "file_by_filename":
            _tell(pool.FindFileByName(request.file_by_filename), response)
        elif case == "file_containing_symbol":
            _tell(pool.FindFileContainingSymbol(request.file_containing_symbol), response)
        elif case == "file_containing_extension":
            asked = request.file_containing_extension
            extended = pool.FindMessageTypeByName(asked.containing_type)
            extension: Any = pool.FindExtensionByNumber(extended, asked.extension_number)
            _tell(extension.file, response)
        elif case == "all_extension_numbers_of_type":
            name = request.all_extension_numbers_of_type
            told = response.all_extension_numbers_response
            told.base_type_name = name
            numbers = {*told.extension_number, *extension_numbers(pool, name)}
            told.extension_number[:] = sorted(numbers)
        else:  # whatever comes later
            return False
    except KeyError:
        return False
    return True


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
