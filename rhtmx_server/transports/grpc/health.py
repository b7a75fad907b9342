"""The standard health service: the server as a whole, and its one service.

Knows readiness and its changes. Must not know what makes the server ready.
"""

from __future__ import annotations

import asyncio
from typing import Any

from grpclib.const import Cardinality, Handler, Status
from grpclib.server import Stream

from rhtmx_server.failures import stopping
from rhtmx_server.transports.grpc.calls import GrpcMethod, answer, answering, patience, receive_one
from rhtmx_server.transports.grpc.door import Door
from rhtmx_server.transports.grpc.standard import HEALTH, message_class

__all__ = ["Health"]

_REQUEST = message_class(f"{HEALTH}.HealthCheckRequest")
_RESPONSE = message_class(f"{HEALTH}.HealthCheckResponse")


class Health:
    """Answers whether the server serves, once or whenever that changes.

    Args:
        door: knows whether it does.
        services: the names that may be asked for; empty means the server.
    """

    def __init__(self, door: Door, services: tuple[str, ...]) -> None:
        self._door = door
        self._services = ("", *services)
        self._watching: set[asyncio.Event] = set()

    def changed(self) -> None:
        """Tell those who watch that readiness may have changed."""
        for event in self._watching:
            event.set()

    def __mapping__(self) -> dict[str, Handler]:
        methods: dict[str, tuple[GrpcMethod, Cardinality]] = {
            "Check": (self._check, Cardinality.UNARY_UNARY),
            "Watch": (self._watch, Cardinality.UNARY_STREAM),
        }
        return {
            f"/{HEALTH}.Health/{name}": Handler(
                answering(self._door, f"Health.{name}", method), cardinality, _REQUEST, _RESPONSE
            )
            for name, (method, cardinality) in methods.items()
        }

    def _status(self) -> Any:
        return _RESPONSE.SERVING if self._door.ready() else _RESPONSE.NOT_SERVING

    async def _check(self, door: Door, stream: Stream[Any, Any]) -> None:
        request = await receive_one(stream, _REQUEST)
        if request.service in self._services:
            await answer(door, stream, _RESPONSE(status=self._status()))
        else:
            await stream.send_trailing_metadata(
                status=Status.NOT_FOUND, status_message="no such service"
            )

    async def _watch(self, door: Door, stream: Stream[Any, Any]) -> None:
        request = await receive_one(stream, _REQUEST)
        known = request.service in self._services
        event, over, told = asyncio.Event(), False, None

        def end() -> None:
            nonlocal over
            over = True
            event.set()

        self._watching.add(event)
        try:
            with door.lasting(end):
                while True:
                    status = self._status() if known else _RESPONSE.SERVICE_UNKNOWN
                    if status != told:
                        async with patience(door):
                            await stream.send_message(_RESPONSE(status=status))
                        told = status
                    if over:
                        raise stopping()
                    await event.wait()
                    event.clear()
        finally:
            self._watching.discard(event)
