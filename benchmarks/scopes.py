"""What parts of entities and rules cost, and what they cost those who use neither.

Each is measured beside the same without parts or rules, on one server; those that use
neither beside the commit before there were any. The two take short turns, so that what
else the machine does falls on both.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from benchmarks.support.earlier import BEFORE_PARTS, compare
from benchmarks.support.figures import Scale, Table
from benchmarks.support.filled import TOGETHER
from benchmarks.support.processes import WITHOUT_LIMITS, Server, rhtmx
from benchmarks.support.sockets import Client, crowd
from benchmarks.support.turns import cpu_of, in_turn

ROUNDS = 5

FAN_OUT = "Parts: CPU of a delivery, with its share of the push"
CATCH_UP = "Parts: CPU of a catch-up"
PUSHES = "Rules: pushes per CPU second of the server"
RESCOPE = "Parts: CPU until all is there that may be read"
UNUSED = "Neither parts nor rules: per CPU second of the server"

UNSCOPED = "rhtmx, an entity for each scope"

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


@contextmanager
def _server() -> Iterator[Server]:
    with rhtmx(*WITHOUT_LIMITS, app=APP, quiet=True) as server:
        yield server


def _greeted(port: int, token: str = "") -> Client:
    client = Client(port)
    client.say(type="hello", token=token)
    client.until(b'"welcome"')
    return client


def _push(entity: str, entity_id: int, team: str, number: int = 0) -> bytes:
    push = {"type": "push", "entity": entity, "entity_id": str(entity_id), "action": "update"}
    return json.dumps({**push, "data": {"team": team, "n": number}}).encode()


def _fill(client: Client, pushes: Sequence[bytes]) -> None:
    for start in range(0, len(pushes), TOGETHER):
        some = pushes[start : start + TOGETHER]
        client.send(*some)
        client.take(len(some))


class _Readers:
    """Readers of a scope each, who also read an entity that is whole, and as small.

    Args:
        server: where they read.
        scopes: how many there are.
        each: readers of each.
    """

    def __init__(self, server: Server, scopes: int, each: int) -> None:
        self._scopes, self._each = scopes, each
        self._writer = _greeted(server.port, "writer:")
        self._readers: list[Client] = []
        self._pushes = 0
        while len(self._readers) < scopes * each:  # a server waits for `hello`, but not for long
            some = crowd(min(100, scopes * each - len(self._readers)), server.port)
            for reader in some:
                self._greet(reader, len(self._readers) % scopes)
                self._readers.append(reader)

    @staticmethod
    def _greet(reader: Client, scope: int) -> None:
        reader.say(type="hello", token=":")
        for entity, where in (("parts", {"parts": {"team": f"t{scope}"}}), (f"whole-{scope}", {})):
            reader.say(type="subscribe", entities=[entity], where=where)
            reader.until(b'"sync_complete"')

    def read(self, entity: Callable[[int], str], changes: int) -> None:
        """Push so many changes together, each for another scope, to all who read them."""
        scopes = [(self._pushes + each) * 37 % self._scopes for each in range(changes)]
        self._pushes += changes
        self._writer.send(
            *(_push(entity(scope), scope, f"t{scope}", self._pushes) for scope in scopes)
        )
        for scope in scopes:
            for reader in self._readers[scope :: self._scopes]:
                reader.take(1)
        self._writer.take(changes)


def _fan_out(table: Table, rounds: int, scopes: int, each: int, turns: int) -> None:
    """A delivery to so many in each of so many scopes, and of so many entities."""
    with _server() as server:
        readers = _Readers(server, scopes, each)
        changes = min(50, scopes)
        for together in (1, changes):

            def turn(entity: Callable[[int], str], size: int = together) -> float:
                def work() -> None:
                    for _ in range(changes // size):
                        readers.read(entity, size)

                return cpu_of(server, work) / changes / each * 1e6

            case = f"{scopes * each:,} subscribers, {each} for each change, {together:2} a tick"
            for _ in range(rounds):
                ours, other = in_turn(
                    turns, lambda: turn(lambda _: "parts"), lambda: turn("whole-{}".format)
                )
                table.add(case, "rhtmx", ours)
                table.add(case, UNSCOPED, other)


def _catch_up(table: Table, rounds: int, records: int, turns: int) -> None:
    """20 records of a part, of so many records and of no other."""
    with _server() as server:
        client = _greeted(server.port, "writer:")
        _fill(client, [_push("small", number, "a") for number in range(20)])
        every = records // 20
        for start in range(0, records, 20_000):
            numbers = range(start, min(start + 20_000, records))
            teams = ("a" if number % every == 0 else f"t{number % 999}" for number in numbers)
            pushes = [_push("large", n, team) for n, team in zip(numbers, teams, strict=True)]
            _fill(client, pushes)

        def load(entity: str) -> float:
            def work() -> None:
                client.say(type="sync", entity=entity, since=0, where={"team": "a"})
                client.until(b'"sync_complete"')

            return cpu_of(server, work) * 1e6

        for _ in range(rounds):
            large, small = in_turn(turns, lambda: load("large"), lambda: load("small"))
            case = f"20 records of a part, {records:,} in all"
            table.add(case, "rhtmx", large)
            table.add(case, "rhtmx, an entity of 20", small)


def _pushes(table: Table, rounds: int, pushes: int, turns: int) -> None:
    """A push that three rules judge, and one that none does."""
    names = {
        "ruled": "rhtmx",
        "parts": "rhtmx, as many parts, without rules",
        "whole-0": "rhtmx, without parts and rules",
    }
    with _server() as server:
        client = _greeted(server.port, "writer:a,b")

        def turn(entity: str) -> float:
            messages = [_push(entity, number % 100, "a", number) for number in range(pushes)]
            return cpu_of(server, lambda: _fill(client, messages)) / pushes

        for _ in range(rounds):
            spent = in_turn(turns, *(partial(turn, each) for each in names))
            for name, each in zip(names.values(), spent, strict=True):
                table.add(f"{TOGETHER} under way, three rules", name, 1 / each)


class _Rescoped:
    """Somebody who may read one of two parts, the other one after each turn.

    Args:
        server: where.
        visible: records in each part.
    """

    def __init__(self, server: Server, visible: int) -> None:
        self._server, self._visible = server, visible
        self._teams = itertools.cycle("ba")
        writer = _greeted(server.port, "writer:")
        for offset, team in enumerate("ab"):
            numbers = range(offset * visible, (offset + 1) * visible)
            _fill(writer, [_push("mine", number, team) for number in numbers])
        self._reader = _greeted(server.port, "ada:a")
        self._subscribe(self._reader)

    def again(self) -> float:
        """The CPU until the reader has all that it may read after its rights have changed."""

        def work() -> None:
            self._reader.say(type="authenticate", token=f"ada:{next(self._teams)}")
            self._load(self._reader)

        return cpu_of(self._server, work)

    def first(self) -> float:
        """The CPU until another one has all of it, who came with these rights."""
        client = _greeted(self._server.port, "ada:a")
        spent = cpu_of(self._server, lambda: self._subscribe(client))
        client.close()
        return spent

    def _subscribe(self, client: Client) -> None:
        since = {"mine": {"epoch": "", "version": 0}}
        client.say(type="subscribe", entities=["mine"], since=since)
        self._load(client)

    def _load(self, client: Client) -> None:
        messages: list[bytes] = []
        while not any(b'"sync_complete"' in each for each in messages[self._visible :]):
            messages += client.some()


def _rescope(table: Table, rounds: int, visible: int, turns: int) -> None:
    """All records of a part, after rights have changed and for the first time."""
    with _server() as server:
        somebody = _Rescoped(server, visible)
        for _ in range(rounds):
            again, first = in_turn(turns, somebody.again, somebody.first)
            table.add(f"{visible:,} records", "rhtmx", again * 1e3)
            table.add(f"{visible:,} records", "rhtmx, a first load", first * 1e3)


def run(scale: Scale) -> list[Table]:
    """Measure all, or the cases that are named: fan_out, catch_up, pushes, rescope, unused."""
    fan, catch, pushes = Table(FAN_OUT, "µs"), Table(CATCH_UP, "µs"), Table(PUSHES, "1/s")
    rescope, unused = Table(RESCOPE, "ms"), Table(UNUSED, "1/s")
    rounds, turns = scale.rounds, scale.pick(21, 1)
    cases: dict[str, Callable[[], None]] = {
        "fan_out": lambda: _fan_out(fan, rounds, *scale.pick((500, 10), (2, 2)), turns),
        "catch_up": lambda: _catch_up(catch, rounds, scale.pick(1_000_000, 40), 5 * turns),
        "pushes": lambda: _pushes(pushes, rounds, scale.pick(1_000, 20), turns),
        "rescope": lambda: _rescope(rescope, rounds, scale.pick(1_000, 5), turns),
        "unused": lambda: compare(unused, BEFORE_PARTS, rounds, scale.pick(500, 2), turns),
    }
    for name, measure in cases.items():
        if not scale.only or name in scale.only:
            measure()
    return [table for table in (fan, catch, pushes, rescope, unused) if list(table.rows())]
