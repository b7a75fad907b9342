"""What parts of an entity cost: fan-out, catch-up, rules on writes, changed rights.

Each is measured beside the same without parts or rules, on one server, in turn.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.support.figures import Scale, Table
from benchmarks.support.processes import Server, rhtmx
from benchmarks.support.sockets import Client, crowd

ROUNDS = 5

APP = """\
from rhtmx_server import App, Grant
from rhtmx_server.access import anyone, claim, role, signed_in

async def who(request):
    name, _, teams = request.token.partition(":")
    return Grant(name, roles={"writer"}, claims={"teams": teams.split(",") if teams else []})

app = App(authenticate=who)
app.entity("parts", partition=["team"])
for number in range(500):
    app.entity(f"whole-{number}")
app.entity("ruled", partition=["team"]).access(
    read=claim("teams", field="team") | role("writer"),
    create=claim("teams", field="team") | role("writer"),
    update=claim("teams", field="team") | role("writer"),
)
app.entity("mine", partition=["team"]).access(
    read=claim("teams", field="team"), write=role("writer")
)
app.entity("small", partition=["team"])
app.entity("large", partition=["team"])
"""

RATE = ("--messages-per-second", "1000000", "--bytes-per-second", "1000000000")
TOGETHER = 200


@contextmanager
def _server() -> Iterator[Server]:
    with rhtmx(*RATE, app=APP, quiet=True) as server:
        yield server


def _greeted(port: int, token: str) -> Client:
    client = Client(port)
    client.say(type="hello", token=token)
    client.until(b'"welcome"')
    return client


def _push(entity: str, entity_id: int, team: str, number: int = 0) -> bytes:
    push = {"type": "push", "entity": entity, "entity_id": str(entity_id), "action": "update"}
    return json.dumps({**push, "data": {"team": team, "n": number}}).encode()


def _fill(client: Client, pushes: list[bytes]) -> None:
    for start in range(0, len(pushes), TOGETHER):
        some = pushes[start : start + TOGETHER]
        client.send(*some)
        client.take(len(some))


def _fan_out(table: Table, scopes: int, each: int, ticks: int) -> None:
    """The CPU of a delivery: to so many in each of so many scopes, and entities."""
    case = f"{scopes * each:,} subscribers, {each} of them for each change"
    for name in ("rhtmx", "rhtmx, an entity for each scope"):
        with _server() as server:
            writer = _greeted(server.port, "writer:")
            readers = crowd(scopes * each, server.port, "/api/ws?token=:")
            for number, reader in enumerate(readers):
                scope = number % scopes
                reader.say(type="hello", client_id=f"reader-{number}")
                reader.until(b'"welcome"')
                if name == "rhtmx":
                    where = {"parts": {"team": f"t{scope}"}}
                    reader.say(type="subscribe", entities=["parts"], where=where)
                else:
                    reader.say(type="subscribe", entities=[f"whole-{scope}"])
                reader.until(b"sync_complete")
            cpu = server.cpu()
            for tick in range(ticks):
                scope = tick % scopes
                entity = "parts" if name == "rhtmx" else f"whole-{scope}"
                writer.send(_push(entity, scope, f"t{scope}", tick))
                for reader in readers[scope::scopes]:
                    reader.take(1)
                writer.take(1)
            table.add(case, name, (server.cpu() - cpu) / (ticks * each) * 1e6)


def _load(client: Client, entity: str, team: str) -> float:
    began = time.perf_counter()
    client.say(type="sync", entity=entity, since=0, where={"team": team})
    client.until(b"sync_complete")
    return time.perf_counter() - began


def _catch_up(table: Table, records: int, times: int) -> None:
    """The CPU of reading 20 records of a part."""
    with _server() as server:
        client = _greeted(server.port, "writer:")
        _fill(client, [_push("small", number, "a") for number in range(20)])
        every = records // 20
        for start in range(0, records, 20_000):
            numbers = range(start, min(start + 20_000, records))
            teams = ("a" if number % every == 0 else f"t{number % 999}" for number in numbers)
            pushes = [_push("large", n, team) for n, team in zip(numbers, teams, strict=True)]
            _fill(client, pushes)
        for entity, name in (("large", "rhtmx"), ("small", "rhtmx, an entity of 20")):
            _load(client, entity, "a")
            cpu = server.cpu()
            for _ in range(times):
                _load(client, entity, "a")
            used = (server.cpu() - cpu) / times * 1e6
            table.add(f"20 records of a part, {records:,} in all", name, used)


def _pushes(table: Table, pushes: int) -> None:
    """Pushes for each second of CPU, with three rules and without."""
    with _server() as server:
        client = _greeted(server.port, "writer:a,b")
        for entity, name in (("ruled", "rhtmx"), ("parts", "rhtmx, without rules")):
            messages = [_push(entity, number % 100, "a", number) for number in range(pushes)]
            cpu = server.cpu()
            _fill(client, messages)
            table.add(f"{TOGETHER} under way", name, pushes / (server.cpu() - cpu))


def _rescope(table: Table, visible: int) -> None:
    """The CPU until somebody has all of what they may read now."""
    with _server() as server:
        writer = _greeted(server.port, "writer:")
        for offset, team in enumerate("ab"):
            numbers = range(offset * visible, (offset + 1) * visible)
            _fill(writer, [_push("mine", number, team) for number in numbers])
        cpu = server.cpu()
        reader = _greeted(server.port, "ada:a")
        since = {"mine": {"epoch": "", "version": 0}}
        reader.say(type="subscribe", entities=["mine"], since=since)
        reader.until(b"sync_complete")
        first = server.cpu() - cpu
        cpu = server.cpu()
        reader.say(type="authenticate", token="ada:b")
        reader.until(b"sync_complete")
        case = f"{visible:,} records"
        table.add(case, "rhtmx", (server.cpu() - cpu) * 1e3)
        table.add(case, "rhtmx, its first load", first * 1e3)


def run(scale: Scale) -> list[Table]:
    """Measure all of it, or the cases that are named: fan_out, catch_up, pushes, rescope."""
    fan = Table("Parts: CPU of a delivery", "µs")
    catch = Table("Parts: CPU of a catch-up", "µs")
    push = Table("Rules: pushes per CPU second of the server", "1/s")
    rescope = Table("Parts: CPU of changed rights", "ms")
    cases: dict[str, Callable[[], None]] = {
        "fan_out": lambda: _fan_out(fan, *scale.pick((500, 10, 5_000), (2, 2, 4))),
        "catch_up": lambda: _catch_up(catch, *scale.pick((1_000_000, 200), (40, 2))),
        "pushes": lambda: _pushes(push, scale.pick(20_000, 20)),
        "rescope": lambda: _rescope(rescope, scale.pick(1_000, 5)),
    }
    for _ in range(scale.rounds):
        for name, measure in cases.items():
            if not scale.only or name in scale.only:
                measure()
    return [table for table in (fan, catch, push, rescope) if list(table.rows())]
