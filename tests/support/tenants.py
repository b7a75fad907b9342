"""Two tenants on a server that is killed, behind a network that cuts, delays and stalls.

Users of both, a clerk who sees all, and a backend write and read: through the Python client with
its store, the TypeScript client in Node, and gRPC. Meanwhile records move from one tenant to the
other, rights change, the server is killed and forgets deletions, clients restart. What everybody is
told is looked at all the time (`tenants_check.py`); now and then all becomes quiet, and everybody
has to hold exactly what they may.

    python -m tests.support.tenants --seconds 600
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import rhtmx
from rhtmx import ConnectionClosed
from tests.support.flaky import Flaky
from tests.support.process import Started, running
from tests.support.sockets import PATIENCE
from tests.support.tenants_check import Checker, Entry
from tests.support.tenants_readers import (
    PARTS,
    Follower,
    PythonReader,
    Reader,
    Service,
    TypeScriptReader,
    Write,
)
from tests.support.tenants_server import BACKEND, CLERK

__all__ = ["Campaign", "campaign"]

USERS = {"ada": ["red"], "abe": ["red"], "bea": ["blue"], "ben": ["blue"], "tess": ["red"]}
ROUND = 6.0
"""Seconds until all becomes quiet."""

_RIGHTS: list[list[str]] = [["red"], ["blue"], ["red", "blue"], []]
_PROGRAM = Path(__file__).with_name("tenants.ts")


class _KilledError(Exception):
    """The server was killed before it answered."""


class ServerLife:
    """The server's process, again and again.

    Args:
        folder: where it keeps its store.
        fault: one that it has.
    """

    def __init__(self, folder: Path, fault: str) -> None:
        self.folder = folder
        self.fault = fault
        self.url = ""
        self.grpc = ""
        self.rights = {user: list(teams) for user, teams in USERS.items()}
        self.up = asyncio.Event()
        self._stack = contextlib.AsyncExitStack()
        self._turn = asyncio.Lock()
        self._process: Started | None = None

    async def start(self) -> None:
        """Start it, on the ports of its last life."""
        self.note()
        ports = [each.rpartition(":")[2].partition("/")[0] or "0" for each in (self.url, self.grpc)]
        self._process = await self._stack.enter_async_context(
            running(
                "tests.support.tenants_server", *ports, "rights.json", self.fault,
                folder=self.folder, at_once=True, stdin=PIPE,
            )
        )  # fmt: skip
        said = json.loads(await self._line())
        self.url, self.grpc = said["ready"], said["grpc"]
        self.up.set()

    def note(self) -> None:
        """Write down who has which rights, for its next life."""
        (self.folder / "rights.json").write_text(json.dumps(self.rights))

    async def kill(self) -> None:
        """End it at once."""
        self.up.clear()
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        await self._stack.aclose()

    async def _line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await self._process.stdout.readline()
        if not line:
            raise _KilledError
        return line.decode()

    async def tell(self, what: str, **more: Any) -> None:
        """Have it do something, in this life or in the next."""
        while True:
            await self.up.wait()
            try:
                async with self._turn:
                    assert self._process is not None
                    assert self._process.stdin is not None
                    said = json.dumps({"do": what, **more}).encode()
                    self._process.stdin.write(said + b"\n")
                    assert json.loads(await self._line()) == {"done": what}
                    return
            except (_KilledError, ConnectionError):
                assert not self.up.is_set(), "the server has ended by itself"


class Campaign:
    """See the head of the file.

    Args:
        seed: says what happens.
        folder: for stores.
        server: the server; it runs.
        checker: what is known.
    """

    def __init__(self, seed: int, folder: Path, server: ServerLife, checker: Checker) -> None:
        self.random = Random(seed)
        self.folder = folder
        self.server = server
        self.checker = checker
        self.happened: Counter[str] = Counter()
        self.readers: list[Reader] = []
        self._changing: dict[str, asyncio.Task[None]] = {}
        for user, teams in USERS.items():
            checker.settle(user, teams)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open everything, until the end of the block."""
        async with contextlib.AsyncExitStack() as stack:
            seeds = Random(self.random.random()), Random(self.random.random())
            sockets = Flaky(self.server.url, seeds[0], self.checker.look)
            calls = Flaky(self.server.grpc, seeds[1], lambda *_: None)
            self.proxies = [
                await stack.enter_async_context(each.running()) for each in (sockets, calls)
            ]
            self.auditor = await stack.enter_async_context(
                rhtmx.backend(self.server.grpc, token=BACKEND)
            )
            for reader in self._made(sockets, calls):
                await reader.open()
                self.readers.append(reader)
                stack.push_async_callback(reader.close)
            yield

    def _made(self, sockets: Flaky, calls: Flaky) -> list[Reader]:
        def python(user: str, number: int, granularity: str, form: str) -> Reader:
            store = self.folder / f"{user}-{number}.db"
            options = {"granularity": granularity, "format": form}
            return PythonReader(sockets.url(user), user, store, **options)

        program = shutil.copy(_PROGRAM, self.folder)
        return [
            python("ada", 1, "records", "json"),
            python("ada", 2, "fields", "proto"),
            python("abe", 1, "fields", "json"),
            python("bea", 1, "records", "proto"),
            python("ben", 1, "records", "json"),
            python(CLERK, 1, "records", "json"),
            Follower(sockets.url("ada"), "ada", self.folder / "ada-follows.db"),
            Follower(sockets.url("bea"), "bea", self.folder / "bea-follows.db"),
            TypeScriptReader(sockets.url("tess"), "tess", Path(program)),
            Service(calls.address),
        ]

    # What happens.

    async def run(self, seconds: float) -> None:
        """Rounds of trouble, each with its quiet end."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for proxy in self.proxies:
                proxy.whole = False
            now = time.monotonic()
            until, killed = min(end, now + ROUND), now + self.random.uniform(0, ROUND)
            while (now := time.monotonic()) < until:
                happening, *_ = self.random.choices(_HAPPENINGS, _WEIGHTS)
                if now > killed:
                    happening, killed = Campaign.kill, until
                self.happened[happening.__name__] += 1
                await happening(self)
                await asyncio.sleep(self.random.choice([0, 0, 0.01, 0.04]))
            await self.quiet()
        refused: set[int] = set()
        for reader in self.readers:
            refused |= reader.refused
        self.checker.end(refused)

    async def write(self) -> None:
        """Somebody writes."""
        writers = [each for each in self.readers if not isinstance(each, Follower)]
        reader = self.random.choice(writers)
        reader.write(Write.some(self.random, self.checker, reader.user))

    async def together(self) -> None:
        """Somebody writes several records, all or none."""
        writers = [each for each in self.readers if isinstance(each, PythonReader)]
        reader, count = self.random.choice(writers), self.random.randrange(2, 4)
        writes = [Write.some(self.random, self.checker, reader.user) for _ in range(count)]
        self.checker.together(each.data.get("note") for each in writes)
        reader.together(writes)

    async def switch(self) -> None:
        """Somebody goes offline, or online again."""
        self.random.choice(self.readers).switch(online=self.random.random() < 0.6)

    async def restart(self) -> None:
        """A client ends and starts anew, with its store."""
        able = [each for each in self.readers if isinstance(each, PythonReader | Follower)]
        reader = self.random.choice(able)
        await reader.close()
        await reader.open()

    async def rights(self) -> None:
        """Somebody gets other rights, while all else goes on."""
        user, teams = self.random.choice(list(USERS)), self.random.choice(_RIGHTS)
        how = self.random.choice(["authenticate", "disconnect"])
        running = self._changing.get(user)
        if running is None or running.done():
            if running is not None:
                running.result()
            change = self._change(user, teams, again=how == "authenticate")
            self._changing[user] = asyncio.create_task(change)

    async def _change(self, user: str, teams: list[str], *, again: bool) -> None:
        self.checker.allow(user, teams)
        self.server.rights[user] = teams
        self.server.note()
        await self.server.tell("rights", user=user, teams=teams)
        if again:
            mine = [
                asyncio.create_task(each.authenticate())
                for each in self.readers
                if each.user == user
            ]
            _, late = await asyncio.wait(mine, timeout=1)
            for task in late:
                task.cancel()
        await self.server.tell("settle", user=user)
        await self.proxies[0].drained(user)
        self.checker.settle(user, teams)

    async def compact(self) -> None:
        """The server forgets what is gone."""
        await self.server.tell("compact")

    async def kill(self) -> None:
        """The server is killed, and comes back."""
        await self.server.kill()
        await asyncio.sleep(self.random.choice([0, 0.3]))
        await self.server.start()

    async def audit(self) -> None:
        """Read the history, and judge what was told before."""
        told = self.checker.unjudged
        for entity in ("tasks", "docs"):
            since = self.checker.heads[entity]
            with contextlib.suppress(ConnectionClosed):
                async for each in self.auditor.history(entity, since=since):
                    data = None if each.action == "delete" else each.data
                    self.checker.learn([Entry(entity, each.entity_id, each.version, data)])
                continue
            return  # the rest next time
        self.checker.judge(told)

    # The end of a round.

    async def quiet(self) -> None:
        """Let everything arrive; everybody holds what they may, and nothing waits."""
        for proxy in self.proxies:
            proxy.heal()
        await asyncio.gather(*self._changing.values())
        await self.audit()
        for reader in self.readers:
            reader.switch(online=True)
        deadline = time.monotonic() + PATIENCE
        while wrong := [each for reader in self.readers for each in await self._wrong(reader)]:
            if time.monotonic() > deadline:
                raise AssertionError("\n".join(wrong))
            for reader in self.readers:
                reader.switch(online=True)
            await asyncio.sleep(0.1)
        await self.audit()

    async def _wrong(self, reader: Reader) -> list[str]:
        waiting, rows = await reader.state()
        whole = {entity: await self._all(entity) for entity in ("tasks", "docs")}
        wrong = [f"{waiting} writes of {reader.user} wait"] if waiting else []
        for name, held in rows.items():
            entity, where = PARTS[name]
            right = {
                entity_id: data
                for entity_id, data in whole[entity].items()
                if self._may(reader.user, data)
                and all(data.get(key) == value for key, value in (where or {}).items())
            }
            if held != right:
                wrong.append(f"{reader} of {reader.user} has of {name} {held}, not {right}")
        return wrong

    async def _all(self, entity: str) -> dict[str, Any]:
        found = await self.auditor.sync(entity)
        return {each.entity_id: each.data for each in found if each.action != "delete"}

    def _may(self, user: str, data: Any) -> bool:
        rights = self.server.rights.get(user)
        return rights is None or data.get("team") in rights


Happening = Callable[[Campaign], Awaitable[None]]

_HAPPENINGS: tuple[Happening, ...]
_HAPPENINGS, _WEIGHTS = zip(
    (Campaign.write, 90), (Campaign.together, 10), (Campaign.switch, 4), (Campaign.restart, 1),
    (Campaign.rights, 3), (Campaign.compact, 1), (Campaign.audit, 2), strict=True,
)  # fmt: skip


async def campaign(seed: int, seconds: float, folder: Path, fault: str = "") -> Campaign:
    """Run one.

    Args:
        seed: says what happens.
        seconds: how long.
        folder: an empty one.
        fault: of the server.

    Returns:
        What has happened.

    Raises:
        AssertionError: something is not as it has to be; with the seed.
    """
    checker = Checker()
    server = ServerLife(folder, fault)
    await server.start()
    work = Campaign(seed, folder, server, checker)
    try:
        async with work.running():
            await work.run(seconds)
    except AssertionError as error:
        raise type(error)(f"seed {seed}: {error}") from error
    finally:
        await server.kill()
    return work


def main() -> None:
    """Run a campaign."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--seconds", type=float, default=600)
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--fault", default="")
    asked = options.parse_args()
    seed = Random().randrange(10**6) if asked.seed is None else asked.seed
    sys.stdout.write(f"seed {seed}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as folder:
        work = asyncio.run(campaign(seed, asked.seconds, Path(folder), asked.fault))
    sys.stdout.write(f"{dict(work.happened)}\n")
    sys.stdout.write(f"{dict(sum((each.happened for each in work.proxies), Counter()))}\n")
    sys.stdout.write(f"{work.checker.counts()}\n")


if __name__ == "__main__":
    main()
