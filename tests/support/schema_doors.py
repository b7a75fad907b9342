"""All doors of a server whose entities a schema declares, and that each decision is right.

A real server, with its sockets. Those who write at random, together and offline: typed collections
in Python in both formats and in TypeScript, bare sockets in both formats, gRPC, and the program of
the server. Each batch that the server decides is held against the oracle of `writes_life`, which
knows the schema in its own words; in the end each collection holds what the oracle has.

`python -m tests.support.schema_doors --rounds 1000` runs a campaign.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import shutil
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from unittest import mock

from websockets.asyncio.client import ClientConnection, connect

import rhtmx
from rhtmx.core import build_message
from rhtmx.messages import FieldPushAck, Push, PushAck, PushFields
from rhtmx.messages.tables import FIELD_ACTION_SPELLINGS
from rhtmx.schema.convert import from_json
from rhtmx.values.field_operations import (
    Add,
    Append,
    DeleteKey,
    FieldOperation,
    Increment,
    Max,
    Min,
    Remove,
    SetKey,
)
from rhtmx.wire import Format, decode, encode
from rhtmx_codegen.emit import emit_typescript
from rhtmx_server import App, Config
from rhtmx_server.conflict_log import RESERVED
from rhtmx_server.model import Mutation
from rhtmx_server.writing import committer
from rhtmx_server.writing.batch import Batch
from tests.docs.node import RUN
from tests.support.process import Started, running
from tests.support.schemas import schema_of
from tests.support.sockets import PATIENCE
from tests.support.writes_oracle import Oracle
from tests.support.writes_schema import VARIANTS, WordedRules, package, text_of
from tests.support.writes_server import ENTITIES, compare_answer

__all__ = ["Judged", "doors", "judged"]

_IDS = ("1", "2", "3")
_ELEMENTS = ("red", "green", "blue", "grey")
_PROGRAM = Path(__file__).with_name("schema_doors.ts")


class Judged:
    """What the server has decided, held against the oracle.

    Args:
        variant: the schema.

    Attributes:
        oracle: what is right.
        counts: how often what was decided, by door.
        wrong: what was not right, in words.
    """

    def __init__(self, variant: int) -> None:
        self.oracle = Oracle(WordedRules(variant))
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []

    def look(self, mutations: Sequence[Mutation], batch: Batch, now: int) -> None:
        """Look at a batch that was decided."""
        right = []
        # Those that it had no time for belong into another one.
        for mutation, reply in zip(mutations, batch.replies, strict=False):
            expected = self.oracle.take(mutation.message, mutation.client_id, now)
            right += expected.effects
            self.counts[f"{mutation.client_id or 'program'} {expected.code or 'done'}"] += 1
            self.counts["conflicts"] += sum(count for _, count in expected.fields)
            try:
                compare_answer(mutation, expected, reply)
            except AssertionError as error:
                self.wrong.append(str(error))
        made = [
            (
                each.record.entity,
                each.record.entity_id,
                each.record.version,
                None if each.record.data is None else json.loads(each.record.data),
            )
            for each in batch.commits
            if not each.record.entity.startswith(RESERVED)
        ]
        if made != right:
            self.wrong.append(f"{right} expected, got {made}")


@contextlib.contextmanager
def judged(variant: int) -> Iterator[Judged]:
    """Have each batch of the server of this process looked at."""
    found = Judged(variant)

    class Seen(Batch):
        def __init__(
            self, mutations: Any, deciders: Any, epoch: str, now: int, **more: Any
        ) -> None:
            super().__init__(mutations, deciders, epoch, now, **more)
            self._at = now

        def decide(self, snapshot: Any) -> Any:
            writes = super().decide(snapshot)
            found.look(self.mutations, self, self._at)
            return writes

    with mock.patch.object(committer, "Batch", Seen):
        yield found


class Act:
    """A write at random: of a record, of some of its fields, or its end.

    Args:
        chance: says what.
    """

    def __init__(self, chance: random.Random) -> None:
        self.entity = chance.choice(ENTITIES)
        self.entity_id = chance.choice(_IDS)
        self.kind = chance.choice(["edit"] * 7 + ["create", "create", "delete"])
        values = {
            "title": chance.randrange(100),
            "votes": chance.randrange(-1, 20),
            "labels": sorted(chance.sample(_ELEMENTS, chance.randrange(5))),
            "notes": {chance.choice(["mon", "tue"]): chance.randrange(9)},
            "log": [chance.randrange(9) for _ in range(chance.randrange(7))],
            "best": chance.randrange(100),
            "least": chance.randrange(100),
        }
        operations: dict[str, Any] = {
            "votes": Increment(chance.choice([1, 5, -2])),
            "best": Max(chance.randrange(100)),
            "least": Min(chance.randrange(100)),
            "labels": chance.choice([Add, Add, Remove])(chance.choice(_ELEMENTS)),
            "log": Append(chance.randrange(9)),
            "notes": chance.choice([SetKey({"mon": chance.randrange(9)}), DeleteKey("mon")]),
        }
        names = chance.sample(sorted(values), chance.randrange(1, 4))
        operates = self.kind == "edit" and chance.random() < 0.5
        given = operations if operates else values
        self.fields: dict[str, Any] = {name: given[name] for name in names if name in given}
        # What is in conflict is what was written long ago, and arrives late.
        self.at = datetime.now(UTC) - timedelta(seconds=chance.choice([0, 0, 60, 3600]))
        self.base = chance.choice([None, None, 1])
        if not self.fields:
            self.fields = {"title": 1}


class Writer(Protocol):
    """Somebody at a door."""

    async def write(self, act: Act) -> None:
        """Write; returns when it is said, not when it is answered."""

    async def settle(self) -> None:
        """Have everything answered."""


class Typed:
    """Typed collections of the Python client.

    Args:
        client: connected.
        variant: the schema.
        granularity: how it reads.
    """

    def __init__(self, client: rhtmx.Client, variant: int, granularity: Any) -> None:
        self.client = client
        made = package(variant)
        self.classes: dict[str, Any] = {"orders": made.Order, "lines": made.Line}
        self.typed: dict[str, Any] = {
            name: client.of(cls, granularity=granularity) for name, cls in self.classes.items()
        }
        self._whole = granularity == "records"
        self._tasks: set[asyncio.Future[Any]] = set()

    async def write(self, act: Act) -> None:
        collection = self.typed[act.entity]
        try:
            if act.kind == "delete":
                writing = collection.delete(act.entity_id)
            elif act.kind == "create":
                record = from_json(self.classes[act.entity], act.fields)
                writing = collection.create(record, act.entity_id)
            else:
                writing = collection.edit(act.entity_id, **act.fields)
        except rhtmx.RhtmxError:
            return  # it is judged here already, and nothing is written
        task = asyncio.ensure_future(writing)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._tasks.add(task)

    async def settle(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def rows(self) -> dict[str, dict[str, Any]]:
        """What it shows, by entity and id."""
        return {
            name: {row.id: row.data for row in collection.raw.all() if row.data or self._whole}
            for name, collection in self.typed.items()
        }


class Bare:
    """A bare socket, in a format. It numbers what it writes.

    Args:
        socket: greeted.
        form: the format.
    """

    def __init__(self, socket: ClientConnection, form: Format) -> None:
        self._socket = socket
        self._form = form
        self._seq = 0
        self._answered = 0

    async def say(self, message: Any) -> None:
        """Send a message."""
        data = encode(message, self._form)
        await self._socket.send(data.decode() if self._form is Format.JSON else data)

    async def write(self, act: Act) -> None:
        self._seq += 1
        await self.say(message_of(act, self._seq))

    async def settle(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while self._answered < self._seq:
                frame = await self._socket.recv()
                data = frame if isinstance(frame, bytes) else frame.encode()
                message = decode(data, self._form)
                is_answer = isinstance(message, PushAck | FieldPushAck | rhtmx.messages.Error)
                self._answered += is_answer


def message_of(act: Act, seq: int | None) -> Push | PushFields:
    """A write as a message."""
    if act.kind == "delete":
        return build_message.push_delete(act.entity, act.entity_id, None, seq)
    if act.kind == "create":
        return build_message.push(act.entity, act.entity_id, act.fields, None, seq)
    return build_message.push_fields(
        act.entity, act.entity_id, act.fields, (), act.base, act.at, seq
    )


class Grpc:
    """A backend."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._seq = 0

    async def write(self, act: Act) -> None:
        self._seq += 1
        with contextlib.suppress(rhtmx.RhtmxError):
            if act.kind == "delete":
                await self._backend.delete(act.entity, act.entity_id, seq=self._seq)
            elif act.kind == "create":
                await self._backend.push(act.entity, act.entity_id, act.fields, seq=self._seq)
            else:
                await self._backend.push_fields(
                    act.entity,
                    act.entity_id,
                    act.fields,
                    base_version=act.base,
                    timestamp=act.at,
                    seq=self._seq,
                )

    async def settle(self) -> None:
        """Each was awaited."""


class Program:
    """The program of the server."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def write(self, act: Act) -> None:
        with contextlib.suppress(rhtmx.RhtmxError):
            if act.kind == "delete":
                await self._app.changes.delete(act.entity, act.entity_id)
            elif act.kind == "create":
                await self._app.changes.push(act.entity, act.entity_id, act.fields)
            else:
                await self._app.fields.push(
                    act.entity, act.entity_id, act.fields, timestamp=act.at, base_version=act.base
                )

    async def settle(self) -> None:
        """Each was awaited."""


class TypeScript:
    """Typed collections of the TypeScript client, in Node."""

    def __init__(self, node: Started) -> None:
        self._node = node
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._count = 0
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        assert self._node.stdout is not None
        while line := await self._node.stdout.readline():
            said = json.loads(line)
            self._asked.pop(said["n"]).set_result(said)

    def _say(self, **step: Any) -> asyncio.Future[Any]:
        assert self._node.stdin is not None
        self._count += 1
        answer = asyncio.get_running_loop().create_future()
        self._asked[self._count] = answer
        self._node.stdin.write(json.dumps({"n": self._count, **step}).encode() + b"\n")
        return answer

    async def write(self, act: Act) -> None:
        fields = [_spelt(name, value) for name, value in act.fields.items()]
        self._say(do=act.kind, entity=act.entity, id=act.entity_id, fields=fields)

    async def switch(self, word: str) -> None:
        """Go `online` or `offline`."""
        await self._say(do=word)

    async def settle(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*self._asked.values())

    async def rows(self) -> dict[str, dict[str, Any]]:
        """What it shows."""
        said: dict[str, dict[str, Any]] = (await self._say(do="rows"))["rows"]
        return said

    async def close(self) -> None:
        """End it."""
        assert self._node.stdin is not None
        self._node.stdin.close()
        await self._listening


def _spelt(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, FieldOperation):
        return {"field": name, "action": "update", "value": value}
    action = FIELD_ACTION_SPELLINGS[value.action]
    return {"field": name, "action": action, "value": value.operand}


async def doors(seed: int, rounds: int, acts: int, *, node: bool = True) -> Judged:
    """Write at all doors, and look at all that is decided.

    Args:
        seed: says what is written, and by which schema; not in which order it arrives.
        rounds: in each, everybody writes; some do it offline.
        acts: of each in a round.
        node: whether the TypeScript client takes part.

    Raises:
        AssertionError: somebody does not hold what the server has.
    """
    chance, variant = random.Random(seed), seed % VARIANTS
    with judged(variant) as found:
        config = Config(port=0, grpc_port=0, messages_per_second=10**6, bytes_per_second=10**9)
        app = App(store="memory://", config=config, schema=package(variant).schema)
        async with app, contextlib.AsyncExitStack() as stack:
            typed = [
                Typed(await stack.enter_async_context(each), variant, granularity)
                for each, granularity in (
                    (rhtmx.connect(app.url, client_id="json"), "records"),
                    (rhtmx.connect(app.url, client_id="proto", format="proto"), "fields"),
                )
            ]
            writers: list[Writer] = [*typed, Program(app)]
            for form in Format:
                writers.append(await stack.enter_async_context(_bare(app.url, form)))
            backend = rhtmx.backend(app.grpc_address, client_id="till")
            writers.append(Grpc(await stack.enter_async_context(backend)))
            program = await stack.enter_async_context(_node(app.url, variant)) if node else None
            writers += [program] if program else []
            for _ in range(rounds):
                await _round(chance, writers, typed, program, acts)
            await _compare(app, found, typed, program)
    return found


@contextlib.asynccontextmanager
async def _bare(url: str, form: Format) -> AsyncIterator[Bare]:
    protocol: Any = f"rhtmx.v1.{form.value}"
    async with connect(url, subprotocols=[protocol], compression=None) as socket:
        bare = Bare(socket, form)
        await bare.say(rhtmx.messages.Hello(client_id=f"bare-{form.value}"))
        yield bare


@contextlib.asynccontextmanager
async def _node(url: str, variant: int) -> AsyncIterator[TypeScript]:
    with tempfile.TemporaryDirectory(prefix="schema_doors_") as name:
        folder = Path(name)
        (folder / "schema").mkdir()
        for file, content in emit_typescript(schema_of(text_of(variant))).items():
            text = content.replace('.js";', '.ts";')
            (folder / "schema" / file).write_text(text, encoding="utf-8")
        program = shutil.copy(_PROGRAM, folder)
        environ = {"URL": url, "GRANULARITY": "records" if variant % 2 else "fields"}
        async with running("node", RUN, program, environ=environ, stdin=PIPE) as process:
            found = TypeScript(process)
            try:
                yield found
            finally:
                await found.close()


async def _round(
    chance: random.Random,
    writers: Sequence[Writer],
    typed: Sequence[Typed],
    program: TypeScript | None,
    acts: int,
) -> None:
    away = [each for each in typed if chance.random() < 0.4]
    node_away = program is not None and chance.random() < 0.4
    for each in away:
        each.client.offline()
    if program is not None and node_away:
        await program.switch("offline")
    made = [[Act(chance) for _ in range(acts)] for _ in writers]
    await asyncio.gather(*map(_writes, writers, made))
    others = [each for each in writers if each not in away and each is not program]
    await asyncio.gather(*(each.settle() for each in others))
    for each in away:
        each.client.online()
    if program is not None and node_away:
        await program.switch("online")
    await asyncio.gather(*(each.settle() for each in writers))


async def _writes(writer: Writer, acts: Sequence[Act]) -> None:
    for act in acts:
        await writer.write(act)


async def _compare(
    app: App, seen: Judged, typed: Sequence[Typed], program: TypeScript | None
) -> None:
    """Everybody holds what the oracle has."""
    right: dict[str, dict[str, Any]] = {each: seen.oracle.states(each) for each in ENTITIES}
    full = {name: _filled(records) for name, records in right.items()}
    for each in typed:
        await _until(lambda each=each: _now(each.rows()), right, full)  # type: ignore[misc]
    if program is not None:
        await _until(program.rows, right, full)
    async with rhtmx.backend(app.grpc_address) as backend:
        for name, records in right.items():
            found = [each for each in await backend.sync(name) if each.data is not None]
            read = {each.entity_id: each.data for each in found}
            assert read == records, f"{name}: {read}, and not {records}"


async def _now(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return rows


def _filled(records: Mapping[str, Any]) -> dict[str, Any]:
    return {entity_id: data for entity_id, data in records.items() if data}


async def _until(
    shown: Callable[[], Awaitable[dict[str, dict[str, Any]]]], *right: dict[str, dict[str, Any]]
) -> None:
    """What was written last may still be on its way."""
    rows = await shown()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while rows not in right:
                await asyncio.sleep(0.01)
                rows = await shown()
    assert rows in right, f"shown is {rows}, and not {right[0]}"


def main() -> int:
    """Run a campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="of each seed")
    parser.add_argument("--seeds", type=int, default=VARIANTS)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--acts", type=int, default=6)
    given = parser.parse_args()
    wrong, counts = 0, Counter[str]()
    for seed in range(given.first, given.first + given.seeds):
        found = asyncio.run(doors(seed, given.rounds, given.acts))
        wrong += len(found.wrong)
        counts += found.counts
        for words in found.wrong[:5]:
            sys.stdout.write(f"seed {seed}: {words[:1000]}\n")
    sys.stdout.write(f"{dict(sorted(counts.items()))}\n{wrong} decisions were wrong\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
