"""Facts about `rhtmx_server.transports.grpc.standard`."""

from __future__ import annotations

import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from rhtmx_server.transports.grpc.standard import HEALTH, POOL, REFLECTIONS, message_class


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        (f"{HEALTH}.HealthCheckRequest", health_pb2.HealthCheckRequest),
        (f"{HEALTH}.HealthCheckResponse", health_pb2.HealthCheckResponse),
        *(
            (f"grpc.reflection.v1alpha.{name}", getattr(reflection_pb2, name))
            for name in reflection_pb2.DESCRIPTOR.message_types_by_name
        ),
    ],
)
def test_the_messages_are_those_of_grpc(name: str, theirs: type) -> None:
    ours = message_class(name).DESCRIPTOR
    expected = theirs.DESCRIPTOR  # type: ignore[attr-defined]

    def fields(descriptor: object) -> list[tuple[object, ...]]:
        every = descriptor.fields  # type: ignore[attr-defined]
        return [(f.name, f.number, f.type, f.is_repeated) for f in every]

    assert fields(ours) == fields(expected)


def test_both_versions_of_reflection_and_the_schema_are_in_the_pool() -> None:
    for name in (*(f"{each}.ServerReflection" for each in REFLECTIONS), "rhtmx.v1.Trackers"):
        assert POOL.FindServiceByName(name).methods
