"""Facts about `rhtmx_server.transports.grpc.health`."""

from __future__ import annotations

import asyncio

from grpclib.const import Status

from rhtmx_server.transports.grpc.framing import prefixed
from rhtmx_server.transports.grpc.health import Health
from rhtmx_server.transports.grpc.standard import message_class
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.transports.grpc.peers import Call, door

SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3
RESPONSE = message_class("grpc.health.v1.HealthCheckResponse")


def asked(service: str) -> Call:
    call, name = Call(), service.encode()
    call._stream.say(prefixed(b"\x0a" + bytes([len(name)]) + name))
    return call


async def check(health: Health, service: str) -> Call:
    call = asked(service)
    await health.__mapping__()["/grpc.health.v1.Health/Check"].func(call.stream)
    return call


async def test_it_says_whether_the_server_is_ready() -> None:
    for ready, status in ((True, SERVING), (False, NOT_SERVING)):
        health = Health(door(Side(), ready=ready), ("x.Y",))
        for service in ("", "x.Y"):
            assert [each.status for each in (await check(health, service)).heard(RESPONSE)] == [
                status
            ]


async def test_a_service_that_is_not_here_is_not_found() -> None:
    call = await check(Health(door(Side()), ()), "no")
    assert call.ended is not None
    assert call.ended["status"] is Status.NOT_FOUND


async def test_who_watches_is_told_of_changes_and_of_nothing_else() -> None:
    opened, ready = door(Side()), [False]
    opened.ready = lambda: ready[0]
    health, call = Health(opened, ()), asked("")
    watch = health.__mapping__()["/grpc.health.v1.Health/Watch"].func
    task = asyncio.create_task(watch(call.stream))
    for value in (False, True, True, False):
        ready[0] = value
        health.changed()
        for _ in range(5):
            await asyncio.sleep(0)
    assert [each.status for each in call.heard(RESPONSE)] == [NOT_SERVING, SERVING, NOT_SERVING]
    await opened.end(0.0)
    await task
    assert call.ended is not None
    assert call.ended["status"] is Status.UNAVAILABLE
    assert health._watching == set()
