"""A reader of parts of an entity that is the core of the TypeScript client.

It runs in a program of its own, one for many readers: what happens goes in as a line, and
what it has to say comes back as one.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from rhtmx.core.granularity import Granularity
from rhtmx.core.where import Where, where_of
from rhtmx.wire import Format, Message, decode, encode
from rhtmx_server.access.grant import Grant
from tests.support.parts_readers import PARTS, Reader, WhereValues
from tests.support.parts_server import ENTITY, Server
from tests.support.programs import TYPESCRIPT, node

__all__ = ["Program", "TypeScriptReader"]

SOURCE = TYPESCRIPT / "tests" / "support" / "parts-reader.ts"


class Program:
    """The program of such readers; without Node the test is skipped.

    Args:
        source: the file that it is built from.
    """

    def __init__(self, source: Path = SOURCE) -> None:
        program = node("esbuild")
        self._folder = tempfile.TemporaryDirectory()
        built = Path(self._folder.name) / "reader.mjs"
        esbuild = TYPESCRIPT / "node_modules" / ".bin" / "esbuild"
        options = ("--bundle", "--platform=node", "--format=esm", "--target=es2022")
        places = (str(source), "--log-level=warning", f"--outfile={built}")
        subprocess.run([str(esbuild), *options, *places], check=True)
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([program, str(built)], stdin=pipe, stdout=pipe)
        atexit.register(self.close)

    def tell(self, **line: Any) -> Any:
        """What happens; returns what comes of it."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(line).encode() + b"\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        assert answer, "the program has ended"
        return json.loads(answer)

    def close(self) -> None:
        """End it."""
        self._process.communicate()
        self._folder.cleanup()
        atexit.unregister(self.close)


class TypeScriptReader(Reader):
    """The core of the TypeScript client, with a store; it writes, and reads several parts.

    What happens is told to the program as soon as something that comes of it is needed.
    """

    def __init__(
        self,
        program: Program,
        server: Server,
        name: str,
        grant: Grant,
        granularity: Granularity,
        where: WhereValues,
    ) -> None:
        super().__init__(server, name, grant, granularity, where)
        self.wheres: list[Where | None] = [self.where]
        self._program = program
        self._starts = 1
        self._steps: list[dict[str, Any]] = []
        self._do("live", fields=granularity is Granularity.FIELDS)
        self._do("open", where=_values(self.where))

    def begin(self) -> None:
        self._do("connect")

    def lost(self) -> None:
        self._do("lose")

    def say(self) -> None:
        if not self._steps:
            return
        answer = self._tell()
        if answer["ended"]:
            self.lose()
        elif self.connected:
            self.up += [decode(frame.encode(), Format.JSON) for frame in answer["frames"]]

    def receive(self, message: Message) -> None:
        self._do("hear", frame=encode(message, Format.JSON).decode())

    def write(self, random: Random, entity_id: str, data: dict[str, Any]) -> None:
        what, knows = random.randrange(6), random.random() < 0.3
        if what < 2:
            self._do("set", id=entity_id, data=data, knows=knows)
        elif what < 5:
            name = random.choice(sorted(data))
            self._do("patch", id=entity_id, data={name: data[name]}, knows=knows)
        else:
            self._do("delete", id=entity_id, knows=knows)

    def change(self, random: Random) -> None:
        """Restart, or open or close a part."""
        if random.random() < 0.3:
            if random.random() < 0.5:
                self._do("store")
            self.lose()
            self._starts += 1
            self._do("start")
            for where in self.wheres:
                self._do("open", where=_values(where))
        elif len(self.wheres) > 1 and random.random() < 0.5:
            where = self.wheres.pop(random.randrange(len(self.wheres)))
            self._do("shut", where=_values(where))
        else:
            where = where_of(random.choice(PARTS), ENTITY)
            if where not in self.wheres:
                self.wheres.append(where)
                self._do("open", where=_values(where))

    def compare(self) -> None:
        self._do("show")
        answer = self._tell()
        assert answer["state"] == "open", answer["problems"]
        assert answer["queue"] == 0, "a write waits for ever"
        assert answer["writes"] == 0, "a write is shown on top for ever"
        for where, part in zip(self.wheres, answer["parts"], strict=True):
            for held in part["shown"], part["held"]:
                if self.granularity is Granularity.FIELDS:
                    held = {entity_id: data for entity_id, data in held.items() if data}
                assert held == self.right(where), (
                    f"{self.name}, {self.granularity}: {self.grant}, {where}"
                )

    # Inside.

    def _do(self, what: str, **more: Any) -> None:
        self._steps.append({"do": what, **more})

    def _tell(self) -> Any:
        steps, self._steps = self._steps, []
        now, chance = self.server.now / 1000, self._starts / 10_000
        return self._program.tell(name=self.name, now=now, chance=chance, steps=steps)


def _values(where: Where | None) -> Any:
    return None if where is None else json.loads(where.text)
