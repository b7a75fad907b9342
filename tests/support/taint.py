"""Two tenants on one server, at every door: neither is ever told a word of the other's.

Each record carries a word of its tenant. The words of all that a tenant is told are looked
at: frames, answers, errors, bodies, and what the server logs. `python -m tests.support.taint
--changes 1000000` runs a campaign.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

import rhtmx
from rhtmx.messages import Hello, Position, Subscribe, SubscribeFields
from rhtmx.wire import encode_proto
from rhtmx_server import App, Config, FormValues, Grant, Invalid, Request
from rhtmx_server.access import claim, signed_in
from tests.support.plain_http import ask

__all__ = ["WORDS", "Workload", "build"]

WORDS = {"red": "tainted-by-red", "blue": "tainted-by-blue"}
"""What is in each record of a tenant, and in nothing else."""

_IDS = [str(number) for number in range(12)]
_AT_ONCE = 50


async def _tenant(request: Request) -> Grant:
    return Grant(f"user-of-{request.token}", claims={"team": request.token})


def build(*, hides: bool = True) -> App:
    """A server of both tenants; one that hides nothing has to be found out."""
    config = Config(
        port=0,
        grpc_port=0,
        messages_per_second=1_000_000,
        bytes_per_second=10**9,
        bad_messages=10**6,
    )
    app = App(store="memory://", config=config, authenticate=_tenant)
    tasks = app.entity(
        "tasks", partition=[["team"], ["team", "status"]], merge={"n": "server_wins"}
    )
    tasks.access(all=claim("team") if hides else signed_in)

    @tasks.check
    def even(who: Grant, before: Any, after: Any) -> None:
        if after and after.get("n") == 13:
            raise Invalid(f"before: {before}", field="n")

    form = app.form("task").access(validate=signed_in)

    @form.field("note")
    def note(value: str, form: FormValues, who: Grant) -> None:
        raise Invalid(f"{value}: not by {who.subject}")

    return app


class Tenant:
    """Somebody with a connection at each door, and all that it is told.

    Args:
        team: whose it is.
        app: the server.
    """

    def __init__(self, team: str, app: App) -> None:
        self.team = team
        self.app = app
        self.word = WORDS[team]
        (self.foreign,) = [word.encode() for each, word in WORDS.items() if each != team]
        self.told = 0
        self.own = 0
        self.sockets: list[ClientConnection] = []
        self._all: list[ClientConnection] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def open(self, stack: AsyncExitStack) -> None:
        """Connect everywhere."""
        for binary in (False, True):
            for fields in (False, True):
                protocol: Any = "rhtmx.v1.proto" if binary else "rhtmx.v1.json"
                socket = await stack.enter_async_context(
                    connect(self.app.url, subprotocols=[protocol], compression=None)
                )
                await self._greet(socket, binary=binary, fields=fields)
        for path in ("/api/sync/ws?entity=tasks", "/api/field-sync/ws?entity=tasks"):
            url = f"{self.app.url.replace('/api/ws', path)}&token={self.team}"
            socket = await stack.enter_async_context(connect(url, compression=None))
            self._listen(socket)
        self.backend = await stack.enter_async_context(
            rhtmx.backend(self.app.grpc_address, token=self.team)
        )
        self.tasks.append(asyncio.create_task(self._watch()))

    async def _greet(self, socket: ClientConnection, *, binary: bool, fields: bool) -> None:
        kind = SubscribeFields if fields else Subscribe
        name = f"{self.team}-{binary}-{fields}"
        if binary:
            await socket.send(encode_proto(Hello(client_id=name, token=self.team)))
            since = {"tasks": Position(epoch="", version=0)}
            await socket.send(encode_proto(kind(entities=["tasks"], since=since)))
        else:
            hello = {"type": "hello", "client_id": name, "token": self.team}
            kind_of = "subscribe_fields" if fields else "subscribe"
            await socket.send(json.dumps(hello))
            since_text = {"tasks": {"epoch": "", "version": 0}}
            said = {"type": kind_of, "entities": ["tasks"], "since": since_text}
            await socket.send(json.dumps(said))
            self.sockets.append(socket)
        self._listen(socket)

    def close(self) -> None:
        """Listen no more."""
        for task in self.tasks:
            task.cancel()
        for socket in self._all:
            socket.transport.abort()  # nobody reads it any more: it would wait for its goodbye

    async def settle(self) -> None:
        """Hear the rest; what a listener found is raised here."""
        for socket in self.sockets:
            await (await socket.ping())
        for task in self.tasks:
            if task.done():
                task.result()

    def _listen(self, socket: ClientConnection) -> None:
        self._all.append(socket)
        self.tasks.append(asyncio.create_task(self._hear(socket)))

    async def _hear(self, socket: ClientConnection) -> None:
        try:
            async for frame in socket:
                self.hear(frame)
        except ConnectionClosed:
            return

    async def _watch(self) -> None:
        async for change in self.backend.watch("tasks"):
            self.hear(repr(change))

    def hear(self, said: object) -> None:
        """Look at what it is told.

        Raises:
            AssertionError: it is the other one's.
        """
        data = said if isinstance(said, bytes) else str(said).encode()
        self.told += 1
        self.own += self.word.encode() in data
        assert self.foreign not in data, f"{self.team} was told {data[:2000]!r}"

    async def asks(self, question: Awaitable[Any]) -> None:
        """Ask through gRPC, and look at the answer or at the error."""
        try:
            self.hear(repr(await question))
        except rhtmx.RhtmxError as error:
            self.hear(f"{error!r} {error} {error.__dict__}")

    def data(self, random: Random) -> dict[str, Any]:
        """The data of a record of its own."""
        status = random.choice(["open", "done"])
        return {"team": self.team, "status": status, "note": self.word, "n": random.randrange(20)}


class Workload:
    """What both tenants, and the program of the server, do.

    Args:
        seed: says what.
        app: the server.
    """

    def __init__(self, seed: int, app: App) -> None:
        self.random = Random(seed)
        self.app = app
        self.tenants = [Tenant(team, app) for team in WORDS]
        self.bodies = 0

    async def run(self, changes: int) -> None:
        """Make so many changes, and everything beside them."""
        async with AsyncExitStack() as stack:
            for tenant in self.tenants:
                await tenant.open(stack)
                stack.callback(tenant.close)
            for start in range(0, changes, _AT_ONCE):
                for _ in range(min(_AT_ONCE, changes - start)):
                    await self.change()
                await self.look()
            for tenant in self.tenants:
                await tenant.settle()

    async def change(self) -> None:
        """Somebody writes."""
        random, tenant = self.random, self.random.choice(self.tenants)
        entity_id, data = random.choice(_IDS), tenant.data(random)
        what = random.randrange(10)
        if what < 3:  # the program of the server: moves, deletes, creates
            await self._as_the_program(entity_id, data)
        elif what < 9:
            await random.choice(tenant.sockets).send(json.dumps(self._message(entity_id, data)))
        else:
            await tenant.asks(tenant.backend.push("tasks", entity_id, data))

    async def _as_the_program(self, entity_id: str, data: dict[str, Any]) -> None:
        if self.random.random() < 0.2:
            await self.app.changes.delete("tasks", entity_id)
        else:
            await self.app.changes.push("tasks", entity_id, data)

    def _message(self, entity_id: str, data: dict[str, Any]) -> dict[str, Any]:
        random = self.random
        about = {"entity": "tasks", "entity_id": entity_id}
        what = random.randrange(8)
        if what < 3:
            base = random.choice([None, 0, 1, 50])
            return {"type": "push", **about, "action": "update", "data": data, "base_version": base}
        if what < 5:
            name = random.choice(sorted(data))
            update = {
                "field": name, "value": data[name], "action": "update",
                "timestamp": random.choice(["2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"]),
            }  # fmt: skip
            base = random.choice([None, 1])
            return {"type": "push_fields", **about, "fields": [update], "base_version": base}
        if what == 5:
            return {"type": "push", **about, "action": "delete", "data": None}
        if what == 6:
            asked = {"form_id": "task", "field": "note", "value": "x", "form_data": {}}
            return {"type": "validate_field", "request_id": "r", **asked}
        since = random.choice([0, 1, 10**6])
        return {"type": "sync", "entity": "tasks", "since": since, "request_id": "s"}

    async def look(self) -> None:
        """Both read everything that they may, by HTTP and gRPC."""
        for tenant in self.tenants:
            for path in (
                "/api/sync/tasks?since=0",
                "/api/field-sync/tasks?since=0",
                f"/api/field-sync/tasks/{self.random.choice(_IDS)}/latest",
                "/metrics",
                "/api/schema",
            ):
                answer = await ask(self.app.url, path, Authorization=f"Bearer {tenant.team}")
                self.bodies += answer.status == 200
                tenant.hear(answer.body)
            await tenant.asks(tenant.backend.get("tasks", self.random.choice(_IDS)))


def main() -> None:
    """Run a campaign."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--changes", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()

    async def campaign() -> None:
        async with build() as app:
            work = Workload(asked.seed, app)
            await work.run(asked.changes)
            told = {tenant.team: tenant.told for tenant in work.tenants}
            sys.stdout.write(f"{asked.changes} changes, told: {told}\n")

    asyncio.run(campaign())


if __name__ == "__main__":
    main()
