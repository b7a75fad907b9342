"""Those who read and write on a server of two tenants, in Python, in TypeScript, over gRPC.

Knows the clients' public calls. Must not know when what happens, nor what is right.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Protocol, TypedDict

import rhtmx
from rhtmx import ConnectionClosed, RhtmxError
from tests.docs.node import RUN
from tests.support.process import Started, running
from tests.support.tenants_check import Checker, Fate, words_of
from tests.support.tenants_server import BACKEND, TEAMS

__all__ = ["PARTS", "Follower", "PythonReader", "Reader", "Service", "TypeScriptReader", "Write"]

PARTS: Mapping[str, tuple[str, Mapping[str, str] | None]] = {
    "tasks": ("tasks", None),
    "part": ("tasks", {"team": "red", "status": "open"}),
    "docs": ("docs", None),
}
"""What a reader reads, by name: of which entity, and which part of it."""

_IDS = [str(number) for number in range(8)]
_STATUS = ("open", "done")


class _Numbered(TypedDict):
    seq: int
    timeout: float


Rows = dict[str, dict[str, Any]]
"""Records by id, by the name of what is read."""


class Write(NamedTuple):
    """What is written.

    Args:
        what: `set`, `patch` or `delete`.
        entity: the collection.
        entity_id: the record.
        data: the record, or the fields.
        fate: what becomes of it; deletes have none.
    """

    what: str
    entity: str
    entity_id: str
    data: dict[str, Any]
    fate: Fate | None

    @classmethod
    def some(cls, random: Random, checker: Checker, author: str) -> Write:
        """Any write."""
        entity, entity_id = random.choice(["tasks", "docs"]), random.choice(_IDS)
        team, status = random.choice(TEAMS), random.choice(_STATUS)
        what = random.choices(["set", "note", "move", "team", "delete"], [9, 5, 3, 1, 2])[0]
        if what == "delete":
            return cls(what, entity, entity_id, {}, None)
        if what == "team":
            return cls("patch", entity, entity_id, {"team": team}, None)
        fate = Fate(author, entity, entity_id, may_lose=what != "set")
        word = checker.writes(fate)
        data = {"team": team, "status": status, "note": word}
        if what == "set":
            return cls("set", entity, entity_id, data, fate)
        fields = {"note": word} if what == "note" else {"team": team, "note": word}
        return cls("patch", entity, entity_id, fields, fate)

    def answered(self, version: int | None, applied: int | None = None) -> None:
        """It was accepted."""
        if self.fate is not None and (applied is None or applied == len(self.data)):
            self.fate.version, self.fate.may_lose = version, False

    def rejected(self, why: str) -> None:
        """It was not."""
        if self.fate is not None:
            self.fate.rejected = why


class Reader(Protocol):
    """Somebody who reads, and perhaps writes."""

    user: str

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    def write(self, write: Write) -> None: ...
    def switch(self, *, online: bool) -> None: ...
    async def authenticate(self) -> None: ...
    async def state(self) -> tuple[int, Rows]:
        """How many writes wait, and what is shown."""

    @property
    def refused(self) -> frozenset[int]:
        """The words of writes that it holds as rejected."""


class PythonReader:
    """The Python client, with a store.

    Args:
        url: where it connects to.
        user: who it is.
        store: its file.
        options: how records are read, and the format.
    """

    def __init__(self, url: str, user: str, store: Path, **options: Any) -> None:
        self.user = user
        self._url = url
        self._store = store
        self._granularity = options["granularity"]
        self._format = options["format"]
        self._waiting: set[asyncio.Task[None]] = set()
        self._fates: list[Fate] = []

    async def _token(self) -> str:
        return self.user

    async def open(self) -> None:
        """Start, with what the store has."""
        self._client = rhtmx.connect(
            self._url, format=self._format, store=self._store, token=self._token
        )
        await self._client.__aenter__()
        self._collections = {
            name: self._client.collection(entity, granularity=self._granularity, where=where)
            for name, (entity, where) in PARTS.items()
        }
        for each in self._collections.values():
            await each.__aenter__()

    async def close(self) -> None:
        """End; what was written is in the store."""
        await self._client.close()
        await asyncio.gather(*self._waiting)
        for fate in self._fates:
            fate.stored = True

    def write(self, write: Write) -> None:
        """Write, and note the answer when it comes."""
        collection = self._collections[write.entity]
        if write.what == "set":
            writing: Any = collection.set(write.entity_id, write.data)
        elif write.what == "delete":
            writing = collection.delete(write.entity_id)
        else:
            writing = collection.patch(write.entity_id, write.data)
        self._note(writing, [write])

    def together(self, writes: Sequence[Write]) -> None:
        """Write several, all or none, and note the answer when it comes."""
        with self._client.transaction() as all_of_it:
            for write in writes:
                about = write.entity, write.entity_id
                if write.what == "set":
                    all_of_it.set(*about, write.data)
                elif write.what == "delete":
                    all_of_it.delete(*about)
                else:
                    all_of_it.patch(*about, write.data)
        self._note(all_of_it.writing, writes)

    def _note(self, writing: Awaitable[Any], writes: Sequence[Write]) -> None:
        self._fates += [write.fate for write in writes if write.fate is not None]
        task = asyncio.create_task(self._hear(writing, writes))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _hear(self, writing: Awaitable[Any], writes: Sequence[Write]) -> None:
        try:
            result = await writing
        except ConnectionClosed:
            return  # another life of this client is told
        except RhtmxError as error:
            for write in writes:
                write.rejected(str(error))
        else:
            results = getattr(result, "results", [result])
            for write, each in zip(writes, results, strict=True):
                write.answered(each.version, getattr(each, "applied", None))

    def switch(self, *, online: bool) -> None:
        """Go offline or online."""
        self._client.online() if online else self._client.offline()

    async def authenticate(self) -> None:
        """Show the token again."""
        with contextlib.suppress(RhtmxError):
            await self._client.authenticate(self.user)

    async def state(self) -> tuple[int, Rows]:
        """How many writes wait, and what is shown."""
        waiting = len(self._client.queue) + len(self._waiting)
        if not waiting:
            for fate in self._fates:
                fate.stored = True
        rows = {
            name: {row.id: row.data for row in each.all()}
            for name, each in self._collections.items()
        }
        return waiting, rows

    @property
    def refused(self) -> frozenset[int]:
        """The words of writes that it holds as rejected."""
        return words_of([(each.data, each.writes) for each in self._client.rejected])


class Follower:
    """Reads the stream of changes of `docs`, whatever happens, and goes on after a restart.

    Args:
        url: where it connects to.
        user: who it is.
        store: its file.
    """

    refused: frozenset[int] = frozenset()

    def __init__(self, url: str, user: str, store: Path) -> None:
        self.user = user
        self.changes = 0
        self.resets = 0
        self._url = url
        self._store = store
        self._rows: dict[str, Any] = {}
        self._position: Any = 0
        self._last = 0

    async def _token(self) -> str:
        return self.user

    async def open(self) -> None:
        """Go on from where it was: what came beyond that may come again."""
        self._last = self._position.version if self._position else 0
        self._client = rhtmx.connect(self._url, store=self._store, token=self._token)
        await self._client.__aenter__()
        self._stream = self._client.changes("docs", since=self._position, on_reset=self._void)
        self.changes = 0
        self._reading = asyncio.create_task(self._read())

    def _void(self, reset: Any) -> None:
        self.resets += 1
        self._rows.clear()
        self._last = 0

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for change in self._stream:
                after = f"{self._last}, {self.changes} since it began at {self._position}"
                assert change.version > self._last, f"{change} after version {after}"
                self._last = change.version
                self.changes += 1
                if change.action == "delete":
                    self._rows.pop(change.entity_id, None)
                else:
                    self._rows[change.entity_id] = change.data
                if self._stream.position is not None:
                    self._position = self._stream.position

    async def close(self) -> None:
        """End."""
        await self._client.close()
        await self._reading

    def write(self, write: Write) -> None:
        """It writes nothing."""
        raise NotImplementedError

    def switch(self, *, online: bool) -> None:
        """Go offline or online."""
        self._client.online() if online else self._client.offline()

    async def authenticate(self) -> None:
        """Show the token again."""
        with contextlib.suppress(RhtmxError):
            await self._client.authenticate(self.user)

    async def state(self) -> tuple[int, Rows]:
        """What it was told, taken together."""
        if self._reading.done():
            self._reading.result()
        return 0, {"docs": dict(self._rows)}


class TypeScriptReader:
    """The TypeScript client, in Node, in memory.

    Args:
        url: where it connects to.
        user: who it is.
        program: the copy of `tenants.ts`.
    """

    refused: frozenset[int] = frozenset()

    def __init__(self, url: str, user: str, program: Path) -> None:
        self.user = user
        self._url = url
        self._program = program
        self._asked: dict[int, Callable[[dict[str, Any]], None]] = {}
        self._count = 0
        self._fates: list[Fate] = []

    async def open(self) -> None:
        """Start the program."""
        self._stack = contextlib.AsyncExitStack()
        environ = {"URL": self._url, "NAME": self.user}
        self._node: Started = await self._stack.enter_async_context(
            running("node", RUN, self._program, environ=environ, stdin=PIPE)
        )
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        assert self._node.stdout is not None
        while line := await self._node.stdout.readline():
            said = json.loads(line)
            self._asked.pop(said["n"])(said)

    async def close(self) -> None:
        """End it."""
        assert self._node.stdin is not None
        self._node.stdin.close()
        await self._listening
        await self._stack.aclose()

    def _say(self, then: Callable[[dict[str, Any]], None] | None, **step: Any) -> None:
        assert self._node.stdin is not None
        self._count += 1
        if then is not None:
            self._asked[self._count] = then
        self._node.stdin.write(json.dumps({"n": self._count, **step}).encode() + b"\n")

    async def _ask(self, **step: Any) -> dict[str, Any]:
        answer: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._say(answer.put_nowait, **step)
        return await answer.get()

    def write(self, write: Write) -> None:
        """Write, and note the answer when it comes."""

        def hear(said: dict[str, Any]) -> None:
            if "code" in said:
                write.rejected(said["code"])
            else:
                write.answered(said["told"]["version"], said["told"].get("applied"))

        if write.fate is not None:
            self._fates.append(write.fate)
        about = {"entity": write.entity, "id": write.entity_id, "data": write.data}
        self._say(hear, do=write.what, **about)

    def switch(self, *, online: bool) -> None:
        """Go offline or online."""
        self._say(None, do="online" if online else "offline")

    async def authenticate(self) -> None:
        """Show the token again."""
        await self._ask(do="authenticate")

    async def state(self) -> tuple[int, Rows]:
        """How many writes wait, and what is shown."""
        state = (await self._ask(do="state"))["state"]
        waiting: int = state["queue"] + len(self._asked)
        if not waiting:
            for fate in self._fates:
                fate.stored = True
        return waiting, state["rows"]


class Service:
    """A backend over gRPC: numbers its writes, sends each until it is answered, and watches.

    Args:
        address: where it connects to.
    """

    user = BACKEND
    refused: frozenset[int] = frozenset()

    def __init__(self, address: str) -> None:
        self._backend = rhtmx.backend(address, token=BACKEND, client_id=BACKEND)
        self._queue: asyncio.Queue[Write] = asyncio.Queue()
        self._unanswered = 0
        self._rows: dict[str, Any] = {}
        self._last = 0

    async def open(self) -> None:
        """Connect."""
        await self._backend.__aenter__()
        self._tasks = [asyncio.create_task(each()) for each in (self._watch, self._write)]

    async def close(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._backend.close()

    def _void(self, reset: Any) -> None:
        self._rows.clear()
        self._last = 0

    async def _watch(self) -> None:
        async for change in self._backend.watch("tasks", since=0, on_reset=self._void):
            assert change.version > self._last, f"{change} after version {self._last}"
            self._last = change.version
            if change.action == "delete":
                self._rows.pop(change.entity_id, None)
            else:
                self._rows[change.entity_id] = change.data

    async def _write(self) -> None:
        seq = 0
        while True:
            write = await self._queue.get()
            seq += 1
            at = datetime.now(UTC)
            while not await self._sent(write, seq, at):  # noqa: ASYNC110 (nothing announces it)
                await asyncio.sleep(0.05)
            self._unanswered -= 1

    async def _sent(self, write: Write, seq: int, at: datetime) -> bool:
        """Send it, the same each time; returns whether it was answered."""
        about, told = (write.entity, write.entity_id), _Numbered(seq=seq, timeout=3.0)
        try:
            if write.what == "set":
                result: Any = await self._backend.push(*about, write.data, **told)
            elif write.what == "delete":
                result = await self._backend.delete(*about, **told)
            else:
                result = await self._backend.push_fields(*about, write.data, timestamp=at, **told)
        except (ConnectionClosed, TimeoutError):
            return False
        except RhtmxError as error:
            write.rejected(str(error))
        else:
            write.answered(result.version, getattr(result, "applied", None))
        return True

    def write(self, write: Write) -> None:
        """Write when the last one is answered."""
        self._unanswered += 1
        self._queue.put_nowait(write)

    def switch(self, *, online: bool) -> None:
        """It is always online."""

    async def authenticate(self) -> None:
        """Its rights do not change."""

    async def state(self) -> tuple[int, Rows]:
        """How many writes wait, and what it has seen."""
        for task in self._tasks:
            if task.done():
                task.result()
        return self._unanswered, {"tasks": dict(self._rows)}
