"""A server of two tenants as a process of its own: it can be killed, and told what happens.

    python -m tests.support.tenants_server PORT GRPC_PORT RIGHTS.json FAULT

What comes in are lines of JSON, each answered with one when it is done: `rights` gives a user
other ones, `settle` returns when all connections of that user go by them, `compact` forgets
what is deleted. The fault is for tests that have to fail.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from rhtmx_server import App, Config, Grant, Request
from rhtmx_server.access import backend, claim, role, signed_in
from rhtmx_server.stores.sqlite import retention
from rhtmx_server.stores.sqlite.store import SqliteStore

__all__ = ["BACKEND", "CLERK", "TEAMS"]

BACKEND = "billing"
CLERK = "kim"
TEAMS = ("red", "blue")

_TURNS = 10
"""Turns of the loop after which whoever was being asked about has been let in."""


_SHORT = 300_000
"""Microseconds for which what is gone is remembered."""


class _Store(SqliteStore):
    """A store that forgets what is gone without its clients: those write with numbers."""

    async def forget(self, before: int) -> None:
        """Forget deletions and departures."""
        await self._repeat(retention.forget_tombstones, before)
        await self._repeat(retention.forget_departures, before)


class Server:
    """The server, and what is known of its users.

    Args:
        port: of sockets.
        grpc_port: of gRPC.
        rights: who has which.
        fault: one that it has.
    """

    def __init__(self, port: int, grpc_port: int, rights: dict[str, list[str]], fault: str) -> None:
        self.rights = rights
        self.fault = fault
        self.store = _Store(Path("tenants.db"))
        config = Config(
            port=port,
            grpc_port=grpc_port,
            deflate=False,  # so that a proxy can look
            heartbeat=2.0,
            stall_timeout=2.0,
            outbox=16_384,
        )
        self.app = App(store=self.store, config=config, authenticate=self.who)
        divided = [["team"], ["team", "status"], ["status"]]
        tasks = self.app.entity("tasks", partition=divided)
        tasks.access(all=claim("teams", field="team") | role("clerk") | backend)
        docs = self.app.entity("docs", partition=["team"])
        docs.access(write=signed_in)
        self.app.scope("docs")(self.scope)

    async def who(self, request: Request) -> Grant:
        """A token is the name of its user."""
        user = request.token
        if user == BACKEND:
            return Grant(user, roles={"backend"})
        if user == CLERK:
            return Grant(user, roles={"clerk"})
        return Grant(user, claims={"teams": self._teams(user)})

    async def scope(self, who: Grant) -> Any:
        """What somebody reads of `docs`: found out anew, whatever the claims were."""
        if who.subject in (BACKEND, CLERK):
            return True
        return {"team": self._teams(who.subject)}

    def _teams(self, user: str) -> list[str]:
        return list(TEAMS) if self.fault == f"{user} sees all" else self.rights[user]

    async def run(self) -> None:
        """Until it is killed."""
        await self.app.start()
        said = {"ready": self.app.url, "grpc": self.app.grpc_address}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            asked = json.loads(line)
            await _DO[asked["do"]](self, asked)
            sys.stdout.write(json.dumps({"done": asked["do"]}) + "\n")
            sys.stdout.flush()

    async def change(self, asked: dict[str, Any]) -> None:
        """Give a user other rights, and tell the readers of `docs`."""
        user = asked["user"]
        self.rights[user] = asked["teams"]
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        await self.app.rescope(user)

    async def settle(self, asked: dict[str, Any]) -> None:
        """Send those away who have not shown their token since, and wait until all is sent."""
        user = asked["user"]
        server = self.app._life.server
        assert server is not None
        mine = [each for each in server.connections() if each.session.subject == user]
        now = self._teams(user)
        grants = [each.session.grant for each in mine]
        late = any(each is None or list(each.claims["teams"]) != now for each in grants)
        # Who is just being looked up may have been found with what they could do before.
        if late or any(not each.session.subject for each in server.connections()):
            self.app.disconnect(user)
        # Nothing announces it.
        while any(each.waiting for each in mine if each in server.connections()):  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    async def compact(self, asked: dict[str, Any]) -> None:
        """Forget what was deleted and what has left: whoever has not read so far reads anew."""
        server = self.app._life.server
        assert server is not None
        await self.store.forget(int(time.time() * 1e6) - _SHORT)
        server.services.hub.raise_floors(await self.store.heads())


_DO = {"rights": Server.change, "settle": Server.settle, "compact": Server.compact}


def main() -> None:
    """Run a server."""
    port, grpc_port, rights, fault = sys.argv[1:]
    known = json.loads(Path(rights).read_text())
    asyncio.run(Server(int(port), int(grpc_port), known, fault).run())


if __name__ == "__main__":
    main()
