"""Clients without a schema: `buf curl`, health checkers, readers of reflection."""

from __future__ import annotations

import base64
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from rhtmx_server import App
from tests.support.grpcio_client import Backend, Reading
from tests.support.process import ran

BUF = shutil.which("buf") or str(Path(sys.executable).with_name("buf"))
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


async def curl(app: App, path: str, *arguments: str, data: Any = None) -> tuple[str, str]:
    """What `buf curl` prints, and complains of."""
    body = () if data is None else ("-d", json.dumps(data))
    ended = await ran(
        *(BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", *arguments, *body),
        f"http://{app.grpc_address}{path}",
        code=None,
    )
    return ended.output, ended.errors


async def test_buf_curl_calls_without_a_schema(app: App) -> None:
    data = base64.b64encode(b'{"n":1}').decode()
    push = {"entity": "u", "entityId": "1", "action": "CHANGE_ACTION_UPDATE", "data": data}
    output, _ = await curl(app, "/rhtmx.v1.Trackers/Push", data=push)
    assert json.loads(output)["version"] == "1"
    output, _ = await curl(app, "/rhtmx.v1.Trackers/Sync", data={"entity": "u"})
    assert '"syncComplete"' in output
    missing = {"entity": "u", "entityId": "2"}
    _, errors = await curl(app, "/rhtmx.v1.Trackers/GetRecord", data=missing)
    assert json.loads(errors) == {"code": "not_found", "message": "there is no record u/2"}


@pytest.mark.parametrize("version", ["grpc-v1", "grpc-v1alpha"])
async def test_buf_curl_lists_what_there_is(app: App, version: str) -> None:
    output, _ = await curl(app, "", "--list-methods", "--reflect-protocol", version)
    listed = output.split()
    assert "rhtmx.v1.Trackers/PushMany" in listed
    assert "grpc.health.v1.Health/Watch" in listed


async def test_reflection_tells_the_whole_schema(client: Backend) -> None:
    base = ProtoReflectionDescriptorDatabase(client.channel)
    services = await client.run(base.get_services)
    assert {"rhtmx.v1.Trackers", "grpc.health.v1.Health"} <= set(services)

    def read() -> dict[str, str]:
        service = DescriptorPool(base).FindServiceByName("rhtmx.v1.Trackers")
        return {method.name: method.output_type.full_name for method in service.methods}

    methods = await client.run(read)
    assert methods["Watch"] == "rhtmx.v1.Envelope"
    assert methods["PushEach"] == "rhtmx.v1.PushOutcome"
    assert len(methods) == 17
    with pytest.raises(KeyError):
        await client.run(DescriptorPool(base).FindServiceByName, "rhtmx.v1.No")


def asked(service: str) -> Any:
    return health_pb2.HealthCheckRequest(service=service)


async def test_health_follows_readiness(client: Backend, app: App) -> None:
    health = health_pb2_grpc.HealthStub(client.channel)
    for service in ("", "rhtmx.v1.Trackers"):
        assert (await client.run(health.Check, asked(service))).status == SERVING
    with pytest.raises(Exception, match="no such service"):
        await client.run(health.Check, asked("no"))
    watch = Reading(client, health.Watch(asked("")))
    other = Reading(client, health.Watch(asked("no")))
    assert (await watch.next()).status == SERVING
    assert (await other.next()).status == UNKNOWN
    await app.stop()
    assert (await watch.next()).status == NOT_SERVING
    assert (await watch.end()).status == "UNAVAILABLE"
