"""Facts about `rhtmx_server.transports.grpc.reflection`."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from rhtmx_server.transports.grpc.framing import prefixed
from rhtmx_server.transports.grpc.reflection import Reflection
from rhtmx_server.transports.grpc.standard import message_class
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.transports.grpc.peers import Call, door

V1 = "grpc.reflection.v1"


async def ask(package: str = V1, **question: Any) -> Any:
    request = message_class(f"{package}.ServerReflectionRequest")(**question)
    call = Call()
    call._stream.say(prefixed(request.SerializeToString()))
    path = f"/{package}.ServerReflection/ServerReflectionInfo"
    await Reflection(door(Side()), ("a.B",)).__mapping__()[path].func(call.stream)
    (response,) = call.heard(message_class(f"{package}.ServerReflectionResponse"))
    assert response.original_request == request
    return response


async def files(**question: Any) -> list[str]:
    told = (await ask(**question)).file_descriptor_response.file_descriptor_proto
    return [FileDescriptorProto.FromString(each).name for each in told]


@pytest.mark.parametrize("package", [V1, "grpc.reflection.v1alpha"])
async def test_it_lists_the_services(package: str) -> None:
    response = await ask(package, list_services="*")
    assert [each.name for each in response.list_services_response.service] == ["a.B"]


async def test_a_file_comes_with_all_that_it_imports() -> None:
    told = await files(file_containing_symbol="rhtmx.v1.Trackers")
    assert told[0] == "rhtmx/v1/trackers.proto"
    assert {"rhtmx/v1/errors.proto", "google/protobuf/timestamp.proto"} <= set(told)
    assert len(set(told)) == len(told)


async def test_methods_messages_and_files_can_be_asked_for() -> None:
    assert (await files(file_containing_symbol="rhtmx.v1.Push"))[0] == "rhtmx/v1/entity.proto"
    by_name = await files(file_by_filename="rhtmx/v1/forms.proto")
    assert by_name == ["rhtmx/v1/forms.proto"]
    response = await ask(all_extension_numbers_of_type="rhtmx.v1.Push")
    assert response.all_extension_numbers_response.base_type_name == "rhtmx.v1.Push"


@pytest.mark.parametrize(
    "question",
    [
        {"file_containing_symbol": "no.Such"},
        {"file_by_filename": "no.proto"},
        {"all_extension_numbers_of_type": "no.Such"},
        {},
    ],
)
async def test_what_is_not_here_is_not_found(question: dict[str, str]) -> None:
    assert (await ask(**question)).error_response.error_code == 5
