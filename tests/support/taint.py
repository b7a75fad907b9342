"""Two tenants on one server, at every door: neither is ever told a word of the other's.

Each record carries a word of its tenant, and one that only the program of the server writes
and nobody is ever told. The words of all that a tenant is told are looked
at: frames, answers, errors, bodies, and what the server logs. The doors are sockets in both
formats, at both granularities, for all of an entity and for a part; plain HTTP; each call of gRPC
that tells of records; and the two old endpoints, which are for guests only: a server beside it
asks for no token, and shows its guests what is red.

`python -m tests.support.taint --changes 1000000` runs a campaign.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import json
import logging
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

import rhtmx
from rhtmx.errors import Violation
from rhtmx.wire import decode_json, encode_proto
from rhtmx_server import App, Config, FormValues, Grant, Invalid, Request
from rhtmx_server.access import claim, equals, signed_in
from tests.support.generated import schema_package
from tests.support.plain_http import ask

__all__ = [
    "GUESTS",
    "MARKS",
    "UNTOLD",
    "WORDS",
    "Tenant",
    "Workload",
    "build",
    "build_old",
    "logged",
]

WORDS = {"red": "tainted-by-red", "blue": "tainted-by-blue"}
"""What is in each record of a tenant, and in nothing else."""

UNTOLD = "tainted-by-the-program"
"""What is in the field of a record that never leaves the server."""

GUESTS = "red"
"""Whose records guests see."""

MARKS = (
    '"type":"field_conflict"',
    '"code":"conflict"',
    '"code":"forbidden"',
    '"code":"invalid"',
    '"code":"server_only"',
    '"duplicate":true',
    '"left":true',
    '"type":"transaction_ack"',
    '"type":"transaction_complete"',
    '"valid":false',
    '"type":"history_result"',
    '"type":"blame_result"',
    '"stored":{"value":',
)
"""In frames of JSON: what has to be among what is told."""

_LOG = "$conflicts/tasks"
_IDS = [str(number) for number in range(12)]
_AT_ONCE = 50
_LATE = "2100-01-01T00:00:00Z"
_TIMES = ["2020-01-01T00:00:00Z", _LATE]
_GZIP = b"\x1f\x8b"
_OLD: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "/api/sync/ws": {
        "sync": ("entity", "since"),
        "push": ("entity", "entity_id", "action", "data"),
    },
    "/api/field-sync/ws": {
        "sync": ("entity", "since"),
        "push_fields": ("entity", "entity_id", "fields"),
    },
}
"""What may be said at the old endpoints."""


_HIDDEN = {"secret": Violation("secret", "server_only", "is not yours to write")}


async def _tenant(request: Request) -> Grant:
    return Grant(f"user-of-{request.token}", claims={"team": request.token})


_CONFIG = Config(
    port=0,
    grpc_port=0,
    messages_per_second=1_000_000,
    bytes_per_second=10**9,
    bad_messages=10**6,
)


_SCHEMA = """
message Task {
  option (rhtmx.v1.entity) = {
    name: "tasks"
    partition: {fields: "team"}
    partition: {fields: "team" fields: "status"}
    access: {WHO}
  };
  string team = 1;
  string status = 2;
  string note = 3;
  int64 n = 4 [(rhtmx.v1.field).merge = MERGE_SERVER_WINS];
  string secret = 5 [(rhtmx.v1.field) = {
    server_only: true message: {key: "server_only" value: "is not yours to write"}
  }];
}
"""
"""What is declared in Python, in the words of a schema."""


def _declared(who: str, **more: Any) -> App:
    schema = schema_package(_SCHEMA.replace("WHO", who)).schema
    return App(store="memory://", config=_CONFIG, schema=schema, **more)


def build_old(*, by_schema: bool = False) -> App:
    """A server for old clients: all of them are guests.

    Args:
        by_schema: a schema declares the entity.
    """
    if by_schema:
        return _declared(f'equal: {{field: "team" json: "\\"{GUESTS}\\""}}')
    app = App(store="memory://", config=_CONFIG)
    tasks = app.entity("tasks", partition=["team"]).access(all=equals("team", GUESTS))
    tasks.hide(_HIDDEN)
    return app


def build(*, hides: bool = True, keeps: bool = True, by_schema: bool = False) -> App:
    """A server of both tenants.

    Args:
        hides: one from the other; one that does not has to be found out.
        keeps: what is only its own; likewise.
        by_schema: a schema declares the entity.
    """
    if by_schema:
        app = _declared('tenant: {field: "team"}', authenticate=_tenant)
        tasks = app.entity("tasks")
    else:
        app = App(store="memory://", config=_CONFIG, authenticate=_tenant)
        tasks = app.entity(
            "tasks", partition=[["team"], ["team", "status"]], merge={"n": "server_wins"}
        )
        tasks.access(all=claim("team") if hides else signed_in)
        if keeps:
            tasks.hide(_HIDDEN)

    @tasks.prepare
    def louder(who: Grant | None, after: Any) -> Any:
        return {"note": f"{after.get('note', '')}!", "secret": UNTOLD}

    @tasks.check
    def even(who: Grant | None, before: Any, after: Any) -> None:
        if who is not None and after and after.get("n") == 7:
            told = before and {name: before[name] for name in before if name != "secret"}
            raise Invalid(f"before: {told}", field="n")

    form = app.form("task").access(validate=signed_in)

    @form.field("note")
    def note(value: str, form: FormValues, who: Grant) -> None:
        raise Invalid(f"{value}: not by {who.subject}")

    return app


class Peer:
    """One socket of a tenant.

    Args:
        socket: the socket.
        path: where it is connected to, without a query.
        binary: the format, where there is a choice.
    """

    def __init__(self, socket: ClientConnection, path: str, *, binary: bool) -> None:
        self.socket = socket
        self.path = path
        self.binary = binary
        self._numbered: list[dict[str, Any]] = []

    async def say(self, message: Mapping[str, Any]) -> None:
        """Send it as this endpoint takes it, and nothing that it does not take."""
        if self.path in _OLD:
            members = _OLD[self.path].get(message["type"])
            if members is None:
                return
            message = {name: message[name] for name in ("type", *members) if name in message}
        text = json.dumps(message)
        await self.socket.send(encode_proto(decode_json(text.encode())) if self.binary else text)

    async def write(self, random: Random, message: dict[str, Any]) -> None:
        """Send a write; some are numbered, and some of those are sent once more."""
        if self.path in _OLD or random.random() < 0.5:
            await self.say(message)
        elif self._numbered and random.random() < 0.3:
            await self.say(random.choice(self._numbered))
        else:
            seq = self._numbered[-1]["seq"] + 1 if self._numbered else 1
            self._numbered = [*self._numbered[-3:], {**message, "seq": seq}]
            await self.say(self._numbered[-1])


class Tenant:
    """Somebody with a connection at each door, and all that it is told.

    Args:
        team: whose it is.
        app: the server.
        counts: `told`, `own` and `marks` of the workload.
    """

    def __init__(self, team: str, app: App, counts: tuple[Counter[str], ...]) -> None:
        self.team = team
        self.app = app
        self.word = WORDS[team]
        (self.other,) = WORDS.keys() - {team}
        self.foreign = WORDS[self.other].encode()
        self.told, self.own, self.marks = counts
        self.peers: list[Peer] = []
        self.old: list[Peer] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._all: list[ClientConnection] = []

    async def open(self, stack: AsyncExitStack) -> None:
        """Connect everywhere."""
        for binary in (False, True):
            for fields in (False, True):
                for where in (None, {"team": [self.team, self.other], "status": "open"}):
                    await self._greet(stack, where, binary=binary, fields=fields)
        for path in _OLD:  # are told nothing, as nobody can show a token there
            await self._greet_old(stack, self.app, path)
        self.backend = await stack.enter_async_context(
            rhtmx.backend(self.app.grpc_address, token=self.team, client_id=f"{self.team}-grpc")
        )
        for name, watch in (
            ("Watch", self.backend.watch("tasks", since=0)),
            ("WatchFields", self.backend.watch_fields("tasks", since=0)),
            ("Watch a part", self.backend.watch("tasks", since=0, where={"team": self.other})),
            ("Watch conflicts", self.backend.watch(_LOG, since=0)),
        ):
            self.tasks.append(asyncio.create_task(self.hears(name, watch)))

    async def _greet(
        self, stack: AsyncExitStack, where: Any, *, binary: bool, fields: bool
    ) -> None:
        protocol: Any = "rhtmx.v1.proto" if binary else "rhtmx.v1.json"
        socket = await stack.enter_async_context(
            connect(self.app.url, subprotocols=[protocol], compression=None)
        )
        name = f"{protocol} {'fields' if fields else 'records'} {'part' if where else 'all'}"
        peer = Peer(socket, "/api/ws", binary=binary)
        self.peers.append(peer)
        self._listen(socket, name)
        client_id = f"{self.team} {name}".replace(" ", "-")
        await peer.say({"type": "hello", "client_id": client_id, "token": self.team})
        of_tasks = "subscribe_fields" if fields else "subscribe"
        for kind, entity in ((of_tasks, "tasks"), ("subscribe", _LOG)):
            since = {entity: {"epoch": "", "version": 0}}
            asked: dict[str, Any] = {"type": kind, "entities": [entity], "since": since}
            await peer.say(asked if where is None else {**asked, "where": {entity: where}})

    async def open_old(self, stack: AsyncExitStack, app: App) -> None:
        """Connect to a server as old clients do."""
        for path in _OLD:
            self.old.append(await self._greet_old(stack, app, path, "of guests"))

    async def _greet_old(
        self, stack: AsyncExitStack, app: App, path: str, whose: str = "without a token"
    ) -> Peer:
        url = app.url.replace("/api/ws", path)
        socket = await stack.enter_async_context(connect(url, compression=None))
        self._listen(socket, f"{path} {whose}")
        await socket.send(json.dumps({"type": "subscribe", "entities": ["tasks"]}))
        return Peer(socket, path, binary=False)

    def close(self) -> None:
        """Listen no more."""
        for task in self.tasks:
            task.cancel()
        for socket in self._all:
            socket.transport.abort()  # nobody reads it any more: it would wait for its goodbye

    async def settle(self) -> None:
        """Hear the rest; what a listener found is raised here."""
        for peer in [*self.peers, *self.old]:
            await (await peer.socket.ping())
        self.check()

    def check(self) -> None:
        """Raise what a listener found."""
        for task in self.tasks:
            if task.done():
                task.result()

    def _listen(self, socket: ClientConnection, name: str) -> None:
        self._all.append(socket)
        self.tasks.append(asyncio.create_task(self._hear(socket, name)))

    async def _hear(self, socket: ClientConnection, name: str) -> None:
        try:
            async for frame in socket:
                self.hear(name, frame)
        except ConnectionClosed:
            return

    async def hears(self, name: str, stream: AsyncIterator[Any]) -> None:
        """Look at all that comes; it may end with an error, which is looked at, too."""
        try:
            async for each in stream:
                self.hear(name, repr(each))
        except rhtmx.RhtmxError as error:
            self.hear(name, f"{error!r} {error} {error.__dict__}")

    async def asks(self, name: str, question: Awaitable[Any]) -> Any:
        """Ask through gRPC, and look at the answer or at the error."""
        try:
            answer = await question
        except rhtmx.RhtmxError as error:
            self.hear(name, f"{error!r} {error} {error.__dict__}")
            return None
        self.hear(name, repr(list(answer) if isinstance(answer, list) else answer))
        return answer

    def hear(self, name: str, said: object) -> None:
        """Look at what it is told.

        Raises:
            AssertionError: it is the other one's.
        """
        data = said if isinstance(said, bytes) else str(said).encode()
        if data.startswith(_GZIP):  # what is long, at the old endpoints
            data = gzip.decompress(data)
        self.told[name] += 1
        self.own[name] += self.word.encode() in data
        if isinstance(said, str):
            self.marks.update(mark for mark in MARKS if mark in said)
            # What is not understood tells nothing, and proves nothing.
            assert '"code":"bad_message"' not in said, f"{name}: {said[:2000]}"
        for word in (self.foreign, UNTOLD.encode()):
            assert word not in data, f"{self.team} was told by {name}: {data[:2000]!r}"

    def data(self, random: Random) -> dict[str, Any]:
        """The data of a record of its own."""
        status = random.choice(["open", "done"])
        data = {"team": self.team, "status": status, "note": self.word, "n": random.randrange(8)}
        # Of the guess of a client nothing is written.
        return {"secret": self.word, **data} if random.random() < 0.05 else data


class Workload:
    """What both tenants, and the program of the server, do.

    Args:
        seed: says what.
        app: the server.
        old: the one for old clients.

    Attributes:
        told: how often somebody was told something, by what told it.
        own: how often that was of their own.
        marks: which of `MARKS` were in it.
        kept: how many records had, at the end, what nobody was told.
    """

    def __init__(self, seed: int, app: App, old: App) -> None:
        self.random = Random(seed)
        self.app = app
        self.old = old
        self.told, self.own, self.marks = Counter[str](), Counter[str](), Counter[str]()
        counts = (self.told, self.own, self.marks)
        self.tenants = [Tenant(team, app, counts) for team in WORDS]
        self.head = 0
        self.kept = 0

    async def run(self, changes: int) -> None:
        """Make so many changes, and everything beside them."""
        async with AsyncExitStack() as stack:
            for tenant in self.tenants:
                await tenant.open(stack)
                stack.callback(tenant.close)
                if tenant.team == GUESTS:
                    await tenant.open_old(stack, self.old)
            for start in range(0, changes, _AT_ONCE):
                for _ in range(min(_AT_ONCE, changes - start)):
                    await self.change()
                await self.look()
            for tenant in self.tenants:
                await tenant.settle()
            await self._remember()

    async def _remember(self) -> None:
        """See that the program has what nobody was told."""
        for app in (self.app, self.old):
            found = [await app.changes.get("tasks", each) for each in _IDS]
            words = [None if each is None else each.data.get("secret") for each in found]
            self.kept += words.count(UNTOLD)

    async def change(self) -> None:
        """Somebody writes."""
        random, tenant = self.random, self.random.choice(self.tenants)
        entity_id, data = random.choice(_IDS), tenant.data(random)
        what = random.randrange(24)
        if what < 6:  # the program of the server: moves, deletes, creates
            await self._as_the_program(self.app, entity_id, data)
        elif what == 6:
            await self._as_the_program(self.old, entity_id, data)
        elif what == 7 and tenant.old:
            await self._at_a_socket(random.choice(tenant.old), entity_id, data)
        elif what < 20:
            await self._at_a_socket(random.choice(tenant.peers), entity_id, data)
        else:
            call = random.choice(_WRITES)
            await call(self, tenant, entity_id, data)

    async def _as_the_program(self, app: App, entity_id: str, data: dict[str, Any]) -> None:
        async with app.transaction() as some:
            for each in sorted({entity_id, self.random.choice([entity_id, *_IDS])}):
                what = self.random.random()
                if what < 0.2:
                    some.delete("tasks", each)
                elif what < 0.4:
                    some.patch("tasks", each, {"n": data["n"], "secret": UNTOLD})
                elif what < 0.5:
                    some.patch("tasks", each, {"secret": UNTOLD})
                else:
                    some.set("tasks", each, {**data, "secret": UNTOLD})
        if app is self.app:
            self.head = max(self.head, *(each.version or 0 for each in some.result.results))

    async def _at_a_socket(self, peer: Peer, entity_id: str, data: dict[str, Any]) -> None:
        random = self.random
        what = random.randrange(11)
        if what < 6:
            await peer.write(random, self._write(entity_id, data))
        elif what < 8:
            some = [self._write(each, data) for each in (entity_id, random.choice(_IDS))]
            for each in some:
                del each["type"]
            await peer.write(random, {"type": "transaction", "writes": some})
        elif what == 8:
            asked = {"form": "task", "field": "note", "value": "x"}
            await peer.say({"type": "validate_field", "request_id": "r", **asked})
        elif what == 9:
            kind = random.choice(["history", "blame"])
            await peer.say({"type": kind, "entity": "tasks", "entity_id": entity_id})
        else:
            since = random.choice([0, 1, 10**6])
            kind = random.choice(["sync", "sync_fields"])
            await peer.say({"type": kind, "entity": "tasks", "since": since, "request_id": "s"})

    def _write(self, entity_id: str, data: dict[str, Any]) -> dict[str, Any]:
        """A write as a message: of a record, of a field, or a delete."""
        random, what = self.random, self.random.randrange(6)
        if random.random() < 0.05:
            return self._answer(entity_id)
        write: dict[str, Any] = {"type": "push", "entity": "tasks", "entity_id": entity_id}
        base = random.choice([None, 0, 1, 50])
        if what < 3:
            write |= {"action": "update", "data": data}
        elif what < 5:
            name, base = random.choice(sorted(data)), random.choice([None, 1])
            update = {
                "field": name, "value": data[name], "action": "update",
                "timestamp": random.choice(_TIMES),
            }  # fmt: skip
            write |= {"type": "push_fields", "fields": [update]}
            if random.random() < 0.2:
                write["if_unchanged"] = True
        else:
            write["action"], base = "delete", None
        return write if base is None else {**write, "base_version": base}

    def _answer(self, entity_id: str) -> dict[str, Any]:
        """An answer to a conflict, which may be open, or another's."""
        number = self.random.randrange(1, 500)
        gone = {"field": f"${number}", "action": "delete", "timestamp": _LATE}
        return {
            "type": "push_fields", "entity": _LOG, "entity_id": entity_id, "fields": [gone],
            "base_version": number, "if_unchanged": True,
        }  # fmt: skip

    async def push(self, tenant: Tenant, entity_id: str, data: dict[str, Any]) -> None:
        """One write, by gRPC; a base version of long ago is a conflict."""
        base = self.random.choice([None, 1])
        push = tenant.backend.push("tasks", entity_id, data, base_version=base)
        await tenant.asks("Push", push)

    async def push_fields(self, tenant: Tenant, entity_id: str, data: dict[str, Any]) -> None:
        """A write of fields, by gRPC; one that is too old loses."""
        at = self.random.choice([None, datetime(2020, 1, 1, tzinfo=UTC)])
        base = self.random.choice([None, 1])
        patch = tenant.backend.push_fields(
            "tasks", entity_id, data, base_version=base, timestamp=at,
            if_unchanged=self.random.random() < 0.2,
        )  # fmt: skip
        await tenant.asks("PushFields", patch)

    async def transact(self, tenant: Tenant, entity_id: str, data: dict[str, Any]) -> None:
        """Some writes together, by gRPC."""

        async def transact() -> rhtmx.TransactionResult:
            at = self.random.choice([None, datetime(2020, 1, 1, tzinfo=UTC)])
            async with tenant.backend.transaction(timestamp=at) as some:
                some.patch("tasks", entity_id, data, base_version=self.random.choice([None, 1]))
                some.set("tasks", self.random.choice(_IDS), data)
            return some.result

        await tenant.asks("Transact", transact())

    async def push_many(self, tenant: Tenant, entity_id: str, data: dict[str, Any]) -> None:
        """Some writes at once, by gRPC."""
        other = self.random.choice(_IDS)
        many: list[rhtmx.Write | rhtmx.Delete] = [
            rhtmx.Write("tasks", entity_id, data),
            rhtmx.Write("tasks", other, data, base_version=1),
            rhtmx.Delete("tasks", self.random.choice(_IDS)),
        ]
        await tenant.hears("PushMany", tenant.backend.push_many(many))

    async def look(self) -> None:
        """Both read everything that they may, by HTTP and gRPC."""
        for tenant in self.tenants:
            entity_id = self.random.choice(_IDS)
            for path in (
                "/api/sync/tasks?since=0",
                "/api/field-sync/tasks?since=0",
                f"/api/field-sync/tasks/{entity_id}/latest",
                "/metrics",
                "/api/sync/tasks?since=no",
            ):
                answer = await ask(self.app.url, path, Authorization=f"Bearer {tenant.team}")
                tenant.hear(path.partition("?")[0].replace(entity_id, "*"), answer.body)
            backend, part = tenant.backend, {"team": [tenant.other, tenant.team]}
            await tenant.asks("GetRecord", backend.get("tasks", entity_id))
            await tenant.asks("GetFields", backend.get_fields("tasks", entity_id))
            await tenant.asks("ValidateField", backend.validate_field("task", "note", "x"))
            await tenant.hears("Sync", aiter(backend.sync("tasks")))
            await tenant.hears("SyncFields", aiter(backend.sync_fields("tasks", where=part)))
            since = max(0, self.head - _AT_ONCE)
            await tenant.hears("History", backend.history("tasks", since=since))
            await tenant.hears("History", backend.history("tasks", entity_id, since))
            await tenant.asks("RecordHistory", backend.record_history("tasks", entity_id))
            await tenant.asks("Blame", backend.blame("tasks", entity_id))
            tenant.check()


_WRITES: tuple[Callable[..., Awaitable[None]], ...] = (
    Workload.push,
    Workload.push_fields,
    Workload.transact,
    Workload.push_many,
)


class _Log(logging.Handler):
    """Looks for words of tenants in what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines = 0
        self.tainted: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1
        line = self.format(record)
        if any(word in line for word in (UNTOLD, *WORDS.values())):
            self.tainted.append(line)


@contextlib.contextmanager
def logged() -> Iterator[None]:
    """Look at all that the server logs meanwhile, at any level.

    Raises:
        AssertionError: it has a word of a record.
    """
    log, logger = _Log(), logging.getLogger("rhtmx_server")
    level = logger.level
    logger.addHandler(log)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(log)
        logger.setLevel(level)
    assert log.lines, "it looked at the log"
    assert not log.tainted, f"a log has what records have: {log.tainted[:3]}"


def main() -> None:
    """Run a campaign."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--changes", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--schema", action="store_true", help="a schema declares the entity")
    asked = options.parse_args()

    async def campaign() -> None:
        declared = {"by_schema": asked.schema}
        async with build(**declared) as app, build_old(**declared) as old:
            work = Workload(asked.seed, app, old)
            await work.run(asked.changes)
            sys.stdout.write(f"{asked.changes} changes, seed {asked.seed}, 0 words of others in\n")
            sys.stdout.write(f"among what was told {dict(work.marks)}\n")
            own = work.own
            for door, count in sorted(work.told.items()):
                sys.stdout.write(f"{count:10} by {door}, {own[door]} of them with their own\n")

    with logged():
        asyncio.run(campaign())


if __name__ == "__main__":
    main()
