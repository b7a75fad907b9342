"""The real Python client, on a line in memory.

Knows how a client is put together. Must not know the server.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

from rhtmx.api.client import Client
from rhtmx.core.address import checked_headers
from rhtmx.core.build_message import checked_token
from rhtmx.core.session import Session
from rhtmx.messages import SchemaVersion
from rhtmx.schema.declared import Schema
from rhtmx.wire import Format
from rhtmx_server.testing.network import MemoryEndpoint, Network

__all__ = ["ClientFactory", "MemoryClient"]

_HASTE = 0.02
"""The part of a second below which the first wait before a reconnection stays: tests are in a
hurry. The rule is the usual one, by a random number that is never large."""


class MemoryClient(Client):
    """A client as an application has it, and the network under it for a test to break.

    Args:
        name: what it is called in messages of a test: its subject, or its number.
        network: what is between it and the server.
        number: of the clients of this test: it makes ids and random numbers of its own.
        clock: the time, for field writes.
        token: bearer token.
        headers: of the handshake's request.
        form: how messages are written.
        schema: the application's; see `rhtmx.connect`.

    Attributes:
        name: what it is called in messages of a test.
        network: what is between it and the server: `network.down()`, `network.up()`,
            `network.drop()`. `offline()` and `online()` are what an application itself can call.
    """

    def __init__(
        self,
        name: str,
        network: Network,
        number: int,
        *,
        clock: Callable[[], datetime],
        token: str | None,
        headers: Mapping[str, str] | None = None,
        form: Literal["json", "proto"] = "json",
        schema: Schema | None = None,
    ) -> None:
        chance = random.Random(number)  # noqa: S311 (the same in each run, on purpose)
        checked = None if token is None else checked_token(token)
        client_id = f"client-{number}"
        session = Session(client_id, lambda: _HASTE * chance.random(), token=checked)
        session.local.identity.load(client_id)
        if schema is not None:
            said = SchemaVersion(version=schema.version, hash=schema.hash, oldest=schema.oldest)
            session.local.identity.built_with(said)
        endpoint = MemoryEndpoint(network, Format(form), checked_headers(headers or {}))
        super().__init__(session, endpoint, clock=clock)
        self.name = name
        self.network = network
        network.came_up = self._came_up

    def _came_up(self) -> None:
        self.online()


class ClientFactory(Protocol):
    """What the fixture `rhtmx_client` is: `AppUnderTest.client`."""

    async def __call__(
        self,
        subject: str | None = None,
        *,
        roles: Collection[str] = (),
        claims: Mapping[str, Any] | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        format: Literal["json", "proto"] = "json",  # noqa: A002 (as `rhtmx.connect` has it)
        schema: Schema | None = None,
    ) -> MemoryClient:
        """Connect a client; see `AppUnderTest.client`."""
        raise NotImplementedError
