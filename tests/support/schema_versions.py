"""Clients of three versions of a schema, offline, and servers of three: is anything lost?

`python -m tests.support.schema_versions --runs 1000 --seed 7`. In each run somebody reads under
one version of a server and goes offline, writes, updates the program perhaps, and comes back to a
server that has another version by then. Afterwards each write is in the record, or is kept as
rejected for a reason that the model has, too; no key and no word of an enum is missing; and what
old clients read and write whole keeps what they do not know.

`--control upcast` takes the up-casters away, `--control extra` has clients forget what they do not
know: either must be found.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import rhtmx
from rhtmx import Add, Increment
from rhtmx.schema.convert import Unreadable, from_json, to_json
from rhtmx.schema.declared import Schema
from rhtmx_server import App, Config, Edit
from tests.support.schema_model import (
    KEYS,
    ROOM,
    Record,
    Write,
    outcome,
    packages,
    rewritten,
    value_of,
)

__all__ = ["CONTROLS", "Findings", "campaign"]

CONTROLS = ("", "upcast", "extra")
"""What can be taken away; nothing, as a rule."""

_BATCH = 40
"""Runs that share their servers."""

_WORDS = {1: ("low", "high"), 2: ("low", "high", "on_fire"), 3: ("low", "high", "on_fire")}
_READINGS = 3
_NEWEST = 3


@dataclass(slots=True)
class Findings:
    """What came of some runs.

    Attributes:
        counts: how often what happened.
        faults: what was lost, each in words.
    """

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __iadd__(self, other: Findings) -> Findings:
        self.counts += other.counts
        self.faults += other.faults
        return self


def minutes_to_duration(edit: Edit) -> None:
    """What the program says of version 3: `minutes` is a duration."""
    value = edit.values.get("minutes")
    if isinstance(value, int):
        edit.values["minutes"] = f"{value * 60}s"
    if "minutes" in edit.operations:
        words = "minutes are a duration now, and cannot be counted"
        raise rhtmx.RhtmxError(rhtmx.ErrorCode.UPGRADE_REQUIRED, words)


def app_of(version: int, oldest: int, path: Path, control: str) -> App:
    """A server of a version, on a file.

    Args:
        version: of its schema.
        oldest: the oldest version that it takes.
        path: of its store.
        control: what it is to lack.
    """
    schema: Schema = packages()[version].schema
    lacks = control == "upcast"
    own = Schema(
        packages()[version].__name__,
        version=version,
        oldest=oldest,
        hash=schema.hash,
        entities=tuple(schema.entities.values()),
        renames=() if lacks else schema.renames,
        retired=() if lacks else schema.retired,
    )
    app = App(store=f"sqlite:///{path}", config=Config(port=0), schema=own)
    if version >= _NEWEST and not lacks:
        app.upcast("tasks", version=3)(minutes_to_duration)
    return app


class Run:
    """One client: what it does offline, and what has to come of it."""

    def __init__(self, name: str, version: int, folder: Path, chance: random.Random) -> None:
        self.name = name
        self.version = version
        self.program = chance.randint(version, _NEWEST)
        self.store = folder / f"{name}.db"
        self.made: list[Write] = []
        self.chance = chance
        self._tokens = 0

    @property
    def tasks(self) -> tuple[str, str]:
        """The ids of its tasks."""
        return f"{self.name}-a", f"{self.name}-b"

    @property
    def readings(self) -> list[str]:
        """The ids of its readings."""
        return [f"{self.name}-{number}" for number in range(_READINGS)]

    def text(self, *, long: bool = False) -> str:
        """A text that nobody else writes."""
        self._tokens += 1
        return f"{self.name}.{self._tokens}".ljust(ROOM + 5 if long else 0, "x")

    def values(self, version: int, *, wild: bool = True) -> Record:
        """Values of some fields of a task, by their names in the model."""
        chance = self.chance
        makers: dict[str, Callable[[], Any]] = {
            "name": lambda: self.text(long=wild and version < _NEWEST and chance.random() < 0.15),
            "place": self.text,
            "priority": lambda: chance.choice(_WORDS[version]),
            "minutes": lambda: chance.randint(1, 500),
            "note": self.text,
            "owner": self.text,
        }
        del makers["owner" if version == 1 else "note"]
        names = chance.sample(list(makers), chance.randint(1, 3))
        return {name: makers[name]() for name in names}

    def edit(self, version: int, entity_id: str) -> Write:
        """An edit of a task."""
        fields = self.values(version)
        if self.chance.random() < 0.3:
            fields["votes"] = Increment(self.chance.randint(1, 9))
        if self.chance.random() < 0.3:
            fields["labels"] = Add(self.text())
        if version < _NEWEST and self.chance.random() < 0.1:
            fields["minutes"] = Increment(1)
        return Write(version, "tasks", entity_id, fields)


def attributes(fields: Record, version: int, package: Any) -> dict[str, Any]:
    """Fields of the model as the dataclass of a version has them."""
    given: dict[str, Any] = {}
    for name, value in fields.items():
        key = KEYS[name][version - 1]
        attribute = "location" if name == "place" and version > 1 else key
        if name == "priority":
            value = package.Priority(value)
        elif name == "minutes" and version >= _NEWEST and isinstance(value, int):
            value = timedelta(minutes=value)
        given[attribute] = value
    return given


async def seed(app: App, runs: list[Run], version: int, chance: random.Random) -> None:
    """Write what the clients of all runs find, under one version; and what nobody knows yet."""
    package = packages()[version]
    async with rhtmx.connect(app.url) as client:
        tasks, readings = client.of(package.Task), client.of(package.Reading)
        for run in runs:
            for entity_id in run.tasks:
                fields = run.values(version, wild=False)
                if version == _NEWEST and app_version(app) < _NEWEST:
                    fields.pop("minutes", None)  # there it is a number
                await tasks.create(package.Task(**attributes(fields, version, package)), entity_id)
                future = {"of_the_future": run.text(), "priority": "in_the_future"}
                if chance.random() < 0.5:
                    await client.push_fields("tasks", entity_id, future)
            for entity_id in run.readings:
                fields = {"degrees": float(chance.randint(1, 90)), "priority": "high"}
                fields |= {"station": run.text()} if version < _NEWEST else {}
                fields |= {"humidity": 0.5} if version > 1 else {}
                record = to_json(package.Reading(**attributes(fields, version, package)))
                record |= {"of_the_future": [run.text()], "priority": "in_the_future"}
                pushed = await client.push("readings", entity_id, record)
                assert pushed.version
        del readings


def app_version(app: App) -> int:
    """The version of the schema that a server was started with."""
    schema = app._declared.schema
    assert schema is not None
    return schema.version


class Offline:
    """A client that writes without a connection; what it writes is noted.

    Args:
        client: it.
        run: of which run.
        version: of the program.
        control: what it is to lack.
    """

    def __init__(self, client: rhtmx.Client, run: Run, version: int, control: str) -> None:
        self._client = client
        self._run = run
        self._version = version
        self._control = control
        self._package = packages()[version]
        self._tasks = client.of(self._package.Task)
        self._readings = client.of(self._package.Reading)

    async def read(self) -> None:
        """Read what there is."""
        await self._tasks.synced()
        await self._readings.synced()

    def write(self, writes: int) -> None:
        """Write something, and note what."""
        chance = self._run.chance
        fresh = list(self._run.readings)
        for _ in range(writes):
            kinds: list[Callable[[], None]] = [self._edit, self._edit, self._create, self._both]
            if fresh:
                entity_id = fresh.pop()
                kinds += [lambda one=entity_id: self._rewrite(one)]  # type: ignore[misc]
                kinds += [lambda one=entity_id: self._edit_whole(one)]  # type: ignore[misc]
            chance.choice(kinds)()

    def edit_a_task(self) -> None:
        """Write something of a task."""
        self._edit()

    def _note(self, write: Write, writing: Any) -> None:
        self._run.made.append(write)
        # Who is refused is told, and what is told to nobody is a warning.
        task = asyncio.ensure_future(writing)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _given(self, write: Write) -> dict[str, Any]:
        return attributes(write.fields, self._version, self._package)

    def _edit(self) -> None:
        run = self._run
        write = run.edit(self._version, run.chance.choice(run.tasks))
        try:
            writing = self._tasks.edit(write.entity_id, **self._given(write))
        except rhtmx.Invalid:  # it can be told here already, and nothing is written
            return
        self._note(write, writing)

    def _create(self) -> None:
        run = self._run
        fields = run.values(self._version)
        record = self._package.Task(**attributes(fields, self._version, self._package))
        entity_id = f"{run.name}-new-{len(run.made)}"
        write = Write(self._version, "tasks", entity_id, fields, whole=to_json(record))
        self._note(write, self._tasks.create(record, entity_id))

    def _both(self) -> None:
        """Two tasks, in one transaction, written as JSON."""
        first, second = (self._run.edit(self._version, each) for each in self._run.tasks)
        with self._client.transaction() as both:
            for each in (first, second):
                both.patch("tasks", each.entity_id, raw(each))
        self._note(replace(first, also=(second,)), both.writing)

    def _rewrite(self, entity_id: str) -> None:
        """A reading that is read whole, changed, and written whole."""
        held = self._readings.get(entity_id)
        if held is None or not isinstance(held.data, self._package.Reading):
            return
        before = self._readings.raw.get(entity_id)
        changes = self._changes()
        row = replace(held.data, **attributes(changes, self._version, self._package))
        if self._control == "extra":
            row = replace(row, extra={})
        assert before is not None
        whole = rewritten(before.data, self._version, changes)
        write = Write(self._version, "readings", entity_id, changes, whole=whole)
        self._note(write, self._readings.raw.set(entity_id, to_json(row)))

    def _edit_whole(self, entity_id: str) -> None:
        """A field of a record that is written as a whole."""
        before = self._readings.raw.get(entity_id)
        if before is None:
            return
        changes = self._changes()
        said = {KEYS[name][self._version - 1]: value for name, value in changes.items()}
        whole = {**before.data, **said}
        write = Write(self._version, "readings", entity_id, changes, whole=whole)
        given = attributes(changes, self._version, self._package)
        self._note(write, self._readings.edit(entity_id, **given))

    def _changes(self) -> Record:
        chance = self._run.chance
        name = chance.choice(["degrees", "priority"] + ["station"] * (self._version < _NEWEST))
        if name == "degrees":
            return {name: float(chance.randint(100, 900))}
        return {name: self._run.text() if name == "station" else "low"}


def raw(write: Write) -> Record:
    """What a write says of fields, by the keys of its version."""
    version = write.version
    return {
        KEYS[name][version - 1]: value_of(name, value, version)
        for name, value in write.fields.items()
    }


async def go_offline(url: str, run: Run, control: str) -> None:
    """Read, go offline, write, and end."""
    schema = packages()[run.version].schema
    async with rhtmx.connect(url, store=run.store, schema=schema) as client:
        offline = Offline(client, run, run.version, control)
        await offline.read()
        client.offline()
        offline.write(run.chance.randint(2, 6))
        await client.saved()


async def come_back(
    url: str, run: Run, server: int, oldest: int, control: str, found: Findings
) -> None:
    """Start anew, perhaps as a later program; write once more; have all of it answered; judge."""
    schema = packages()[run.program].schema
    async with rhtmx.connect(url, store=run.store, schema=schema) as client:
        client.offline()
        kept = len(client.queue)
        if kept != len(run.made):
            found.faults.append(f"{run.name}: {len(run.made)} writes were made, {kept} are kept")
        offline = Offline(client, run, run.program, control)
        if run.chance.random() < 0.5:
            offline.edit_a_task()
        before = await read_all(url, run)
        client.online()
        async for queue in client.queues():
            if not queue:
                break
        refused = {rejected.id: rejected for rejected in client.rejected}
        judge(run, server, oldest, before, await read_all(url, run), list(refused.values()), found)


async def read_all(url: str, run: Run) -> dict[str, Record]:
    """The records of a run, as the server has them."""
    async with rhtmx.connect(url) as client:
        changes = [
            *(await client.sync("tasks")).changes,
            *(await client.sync("readings")).changes,
        ]
    return {
        f"{each.entity}/{each.entity_id}": each.data
        for each in changes
        if each.entity_id.startswith(f"{run.name}-")
    }


def judge(
    run: Run,
    server: int,
    oldest: int,
    records: dict[str, Record],
    after: dict[str, Record],
    rejected: list[rhtmx.RejectedWrite],
    found: Findings,
) -> None:
    """Compare what has come of all writes with what the model says."""
    refused: list[str] = []
    for write in run.made:
        told = decided(write, server, oldest, records)
        found.counts["writes"] += 1
        if isinstance(told, str):
            refused.append(told)
            found.counts[told] += 1
        else:
            records |= told
            found.counts["applied"] += 1
    about = f"client v{run.version} (then v{run.program}), server v{server}: {run.name}"
    codes = [each.error.code.name.lower() for each in rejected]
    if codes != refused:
        found.faults.append(f"{about}: rejected are {codes}, and {refused} expected")
    for each in rejected:
        if each.error.code is rhtmx.ErrorCode.INVALID and not each.error.violations:
            found.faults.append(f"{about}: nothing says which field was not valid")
    for name in records.keys() | after.keys():
        if records.get(name) != after.get(name):
            words = f"{about}: {name} is {after.get(name)}, and {records.get(name)} expected"
            found.faults.append(words)
    for name, record in after.items():
        keeps(about, name, record, found)


def decided(
    write: Write, server: int, oldest: int, records: dict[str, Record]
) -> str | dict[str, Record]:
    """What comes of a write, or of all of a transaction."""
    told: dict[str, Record] = {}
    refused: list[str] = []
    for each in (write, *write.also):
        one = outcome(each, server, oldest, {**records, **told})
        if isinstance(one, str):
            refused.append(one)
        else:
            told[f"{each.entity}/{each.entity_id}"] = one
    # Whether it can be up-cast is known before anything is decided.
    return max(refused) if refused else told


def keeps(about: str, name: str, record: Record, found: Findings) -> None:
    """Whoever reads a record whole, and writes it whole, keeps all of it."""
    for version, package in packages().items():
        cls = package.Task if name.startswith("tasks/") else package.Reading
        try:
            written = to_json(from_json(cls, record))
        except Unreadable:  # `minutes` of another type: it is said, and nothing is written
            found.counts["unreadable"] += 1
            continue
        found.counts["keys"] += len(record)
        lost = {key: value for key, value in record.items() if written.get(key) != value}
        if lost:
            found.faults.append(f"{about}: {name}: a client v{version} loses {lost}")


async def batch(
    version: int, server: int, names: list[str], chance: random.Random, control: str
) -> Findings:
    """Some runs of one pair of versions, on servers that they share."""
    found = Findings()
    first = chance.randint(1, server)
    seeder = first if control else chance.randint(1, _NEWEST)
    oldest = 2 if server == _NEWEST and chance.random() < 0.25 else 0
    with tempfile.TemporaryDirectory(prefix="schema_versions_", dir=_room()) as room:
        folder = Path(room)
        runs = [Run(name, version, folder, random.Random(chance.random())) for name in names]
        async with app_of(first, 0, folder / "server.db", control) as app:
            await seed(app, runs, seeder, chance)
            for run in runs:
                await go_offline(app.url, run, control)
        async with app_of(server, oldest, folder / "server.db", control) as app:
            for run in runs:
                await come_back(app.url, run, server, oldest, control, found)
    found.counts["runs"] += len(runs)
    return found


def _room() -> str | None:
    """Where files cost little, if there is such a place."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def pairs(runs: int) -> Iterator[tuple[int, int, list[str]]]:
    """Each version of a client with each of a server, so many runs of each, in batches."""
    for version in packages():
        for server in packages():
            for start in range(0, runs, _BATCH):
                numbers = range(start, min(start + _BATCH, runs))
                yield version, server, [f"r{number}" for number in numbers]


async def campaign(runs: int, seed: int, control: str = "") -> Findings:
    """Do so many runs of each pair.

    Args:
        runs: of each of the nine.
        seed: of all that is random.
        control: one of `CONTROLS`.
    """
    found = Findings()
    for version, server, names in pairs(runs):
        chance = random.Random(f"{seed} {version} {server} {names[0]}")
        found += await batch(version, server, names, chance, control)
    return found


def main() -> int:
    """Run the campaign, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="of each pair of versions")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--control", choices=CONTROLS, default="")
    given = parser.parse_args()
    found = asyncio.run(campaign(given.runs, given.seed, given.control))
    for fault in found.faults[:20]:
        print(f"LOST {fault}")  # noqa: T201
    told = ", ".join(f"{each} {name}" for name, each in sorted(found.counts.items()))
    print(f"seed {given.seed}: {told}; {len(found.faults)} faults")  # noqa: T201
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
