"""An application's schema: what its rules cost a write, and what it takes to generate it.

Writes are measured beside the same writes of an entity without a schema, on one server, in turn.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.support.figures import Scale, Table
from benchmarks.support.filled import TOGETHER
from benchmarks.support.processes import ROOT, WITHOUT_LIMITS, Server, rhtmx
from benchmarks.support.sockets import Client
from benchmarks.support.turns import cpu_of, in_turn

ROUNDS = 5

Say = Callable[[str, int], bytes]
"""The message of a write, by the entity and its number."""

PUSHES = "Ten rules: pushes per CPU second of the server"
CODEGEN = "Codegen in Python and TypeScript: wall time"

HEAD = """\
syntax = "proto3";
package bench.v1;
import "buf/validate/validate.proto";
import "google/protobuf/timestamp.proto";
import "rhtmx/v1/schema.proto";
"""

RULED = """
message Ruled {
  option (rhtmx.v1.entity) = {name: "ruled"};
  option (buf.validate.message).cel = {
    id: "in_order" message: "must not be before the start" expression: "this.start <= this.due"
  };
  string title = 1 [(buf.validate.field).string = {min_len: 1 max_len: 80}];
  string owner = 2 [(buf.validate.field).string.max_len = 40];
  int32 votes = 3 [(buf.validate.field).int32 = {gte: 0 lte: 1000000}];
  string email = 4 [(buf.validate.field).string.email = true];
  repeated string labels = 5 [(buf.validate.field).repeated = {max_items: 20 unique: true}];
  double weight = 6 [(buf.validate.field).double = {gte: 0 lte: 1}];
  int32 start = 7;
  int32 due = 8 [(buf.validate.field).int32.gte = 0];
}
"""
"""Ten rules: of two bounds, each counts."""

WITH_ENGINE = (
    RULED.replace("message Ruled", "message Engine")
    .replace('{name: "ruled"}', '{name: "engine" server_only_rules: "in_order"}')
    .replace("this.start <= this.due", "this.votes >= 0 && !this.title.matches(this.owner)")
)
"""The same ten, of which one cannot be compiled, and is left to protovalidate: at each write, as it
reads what each of them changes."""

APP = """\
import sys
sys.path.insert(0, {folder!r})
from bench_schema import schema
from rhtmx_server import App

app = App(schema=schema, undeclared=True)
"""


def _record(number: int) -> dict[str, object]:
    return {
        "title": "Write it down",
        "owner": "ada",
        "votes": number,
        "email": "ada@example.com",
        "labels": ["urgent", "home"],
        "weight": 0.5,
        "start": 1,
        "due": 2,
    }


def _whole(entity: str, number: int) -> bytes:
    push = {"type": "push", "entity": entity, "entity_id": str(number % 100), "action": "update"}
    return json.dumps({**push, "data": _record(number)}).encode()


def _field(entity: str, number: int) -> bytes:
    at = datetime.now(UTC).isoformat()  # later than all that was written before
    fields = [{"field": "votes", "value": number, "action": "update", "timestamp": at}]
    push = {"type": "push_fields", "entity": entity, "entity_id": str(number % 100)}
    return json.dumps({**push, "fields": fields}).encode()


def _fill(client: Client, pushes: list[bytes], kind: bytes) -> None:
    for start in range(0, len(pushes), TOGETHER):
        some = pushes[start : start + TOGETHER]
        client.send(*some)
        for answer in client.take(len(some)):
            if kind not in answer:
                raise RuntimeError(f"{kind!r} expected, got {answer!r}")


def generate(folder: Path, text: str) -> None:
    """Generate a package `bench_schema`, and its twin in TypeScript, from a schema."""
    (folder / "bench.proto").write_text(HEAD + text)
    command = [sys.executable, "-m", "rhtmx", "codegen", "bench.proto"]
    path = f"{ROOT}:{ROOT / 'clients' / 'python'}"
    subprocess.run(
        [*command, "--python", "bench_schema", "--ts", "schema"],
        cwd=folder,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": path},
        check=True,
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def _server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="rhtmx-schema-") as name:
        generate(Path(name), RULED + WITH_ENGINE)
        with rhtmx(*WITHOUT_LIMITS, app=APP.format(folder=name), quiet=True) as server:
            yield server


def _pushes(table: Table, rounds: int, pushes: int, turns: int) -> None:
    """A write that ten rules judge, and one of an entity that has no schema."""
    cases = {
        "whole records": (_whole, b'"push_ack"'),
        "one field of them": (_field, b'"field_push_ack"'),
    }
    names = {
        "ruled": "rhtmx",
        "engine": "rhtmx, one of them by protovalidate",
        "plain": "rhtmx, without a schema",
    }
    with _server() as server:
        client = Client(server.port)
        client.say(type="hello")
        client.until(b'"welcome"')
        for case, (say, kind) in cases.items():
            turn = partial(_turn, server, client, say, kind, pushes)
            for _ in range(rounds):
                spent = in_turn(turns, *(partial(turn, each) for each in names))
                for name, each in zip(names.values(), spent, strict=True):
                    table.add(f"{TOGETHER} under way, {case}", name, 1 / each)


def _turn(server: Server, client: Client, say: Say, kind: bytes, pushes: int, entity: str) -> float:
    """The CPU of one write, of so many."""
    messages = [say(entity, number) for number in range(pushes)]
    return cpu_of(server, lambda: _fill(client, messages, kind)) / pushes


def _codegen(table: Table, rounds: int, entities: int) -> None:
    """The whole command: buf, the compiler, both languages."""
    fields = "".join(
        f"  string f{n} = {n} [(buf.validate.field).string = {{min_len: 1 max_len: {n + 9}}}];\n"
        for n in range(1, 11)
    )
    text = "".join(
        f'message E{n} {{\n  option (rhtmx.v1.entity) = {{name: "e{n}"}};\n{fields}}}\n'
        for n in range(entities)
    )
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="rhtmx-schema-") as name:
            started = time.perf_counter()
            generate(Path(name), text)
            table.add(f"{entities} entities of 10 fields", "rhtmx", time.perf_counter() - started)


def run(scale: Scale) -> list[Table]:
    """Measure all, or the cases that are named: pushes, codegen."""
    pushes, codegen = Table(PUSHES, "1/s"), Table(CODEGEN, "s")
    rounds, turns = scale.rounds, scale.pick(21, 1)
    if not scale.only or "pushes" in scale.only:
        _pushes(pushes, rounds, scale.pick(1_000, 20), turns)
    if not scale.only or "codegen" in scale.only:
        _codegen(codegen, rounds, scale.pick(50, 2))
    return [table for table in (pushes, codegen) if list(table.rows())]
