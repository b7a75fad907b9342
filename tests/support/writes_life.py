"""One life of a server and those who write to it together, from a seed, and that all is right.

Operations, plain values, whole records, and transactions over records and entities; sent again
and again, cut anywhere, while server and clients restart, and the server is restored from an older
copy. Each decision of the server is compared with an oracle as it is made; those who read look
after each message whether they see half of a transaction; in the end everybody holds what the
server has, and what was counted is what its authors were told.

`python -m tests.support.writes_life --seeds 10000` runs a campaign, and says which seeds fail;
`--first 7 --seeds 1 --show` prints all that passed in the life of one seed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from rhtmx.core.transactions import TransactionWrites
from rhtmx.values.field_operations import (
    Add,
    Append,
    DeleteKey,
    Increment,
    Max,
    Min,
    Remove,
    SetKey,
)
from rhtmx.values.transaction_writes import writes_of
from rhtmx_server.model import Key
from rhtmx_server.times import to_datetime
from tests.support.parts_typescript import Program
from tests.support.writes_clients import (
    ACCOUNTS,
    COUNTERS,
    PAIR,
    Act,
    Client,
    CoreClient,
    votes_of,
)
from tests.support.writes_raw import RawClient
from tests.support.writes_schema import VARIANTS
from tests.support.writes_server import ENTITIES, WritesServer, run
from tests.support.writes_typescript import SOURCE, TypeScriptClient

__all__ = ["Core", "Life", "live"]

STEPS = 60
ANY = ("1", "2")
"""Records to which anybody does anything."""

Core: TypeAlias = Callable[[WritesServer, str, Random], Client]
"""Makes one of those that are the core of a client."""

_ELEMENTS = ("red", "green", "blue", "grey")
_MEMORY = Path("/dev/shm")


class Life:
    """A server, those who write to it, and what happens to them.

    Args:
        seed: says what.
        folder: for the server's file, where it has one.
        fault: which one the server has.
        core: makes those that are the core of a client.
        by_schema: whether a schema declares the entities.
    """

    def __init__(
        self,
        seed: int,
        folder: Path | None,
        fault: str = "",
        core: Core = CoreClient,
        *,
        by_schema: bool = False,
    ) -> None:
        self.random = random = Random(seed)
        variant = seed % VARIANTS if by_schema else None
        self.server = WritesServer(random, folder, fault, variant)
        self.count = 0
        self.ours: dict[str, dict[Key, int]] = {}
        self.backup: Any = None
        self.restores = random.random() < 0.2
        self.clients: list[Client] = [
            core(self.server, "ada", random),
            random.choice([core, RawClient])(self.server, "bob", random),
            RawClient(self.server, "cyd", random),
            RawClient(self.server, "old", random, old=True),
            core(self.server, "eye", random),
        ]
        self.writers = self.clients[:-1]

    # What is written.

    def some_writes(self, old: bool) -> tuple[Act, bool]:
        """Some writes, and whether they belong together."""
        random = self.random
        self.count += 1
        if old:
            return self.values(), False
        kind = random.randrange(10)
        if kind < 2:
            return self.values(), False
        if kind < 5:
            return self.operations(random.choice([*COUNTERS, *self.any_two()])), False
        acts = [self.transfer(), self.pair(), self.operations(random.choice(COUNTERS))]
        acts += [self.values()] if random.random() < 0.3 else []
        acts += [self.doomed()] if random.random() < 0.2 else []
        chosen = random.sample(acts, random.randrange(1, len(acts) + 1))
        return _all_of(chosen), True

    def any_two(self) -> list[tuple[str, str]]:
        """Two of the records to which anybody does anything."""
        return [(self.random.choice(ENTITIES), each) for each in ANY]

    def values(self) -> Act:
        """A record as a whole, or fields of it; of what is counted only others."""
        random, n = self.random, self.count
        key, what = random.choice(self.any_two()), random.randrange(8)
        if what < 2:
            data = {"title": n, "votes": n, "labels": ["red"], "notes": {"mon": n}, "log": [n]}
            some = {each: value for each, value in data.items() if random.random() < 0.6}
            return lambda writes: writes.set(*key, some)
        if what < 3:
            return lambda writes: writes.delete(*key)
        if what < 6:
            pinned = random.choice([*ACCOUNTS, *COUNTERS, key])
            return lambda writes: writes.patch(*pinned, {"title": n})
        given: dict[str, Any] = random.choice(
            [{"votes": n}, {"labels": ["blue", "red"]}, {"notes": {"tue": n}}, {"log": [n]}]
        )
        if random.random() < 0.3:
            return lambda writes: writes.patch(*key, {}, delete=given)
        return lambda writes: writes.patch(*key, given)

    def operations(self, key: tuple[str, str]) -> Act:
        """Operations on some fields of a record."""
        random, n = self.random, self.count
        element, day = random.choice(_ELEMENTS), random.choice(["mon", "tue"])
        every: dict[str, Any] = {
            "votes": Increment(random.choice([1, 1, 5, -2])),
            "best": Max(random.randrange(100)),
            "least": Min(random.randrange(100)),
            "labels": random.choice([Add, Add, Remove])(element, random.choice(_ELEMENTS)),
            "log": Append(n),
            "notes": random.choice([SetKey({day: n}), DeleteKey(day, random.choice([day, "sun"]))]),
        }
        names = random.sample(sorted(every), random.randrange(1, 4))
        return lambda writes: writes.patch(*key, {name: every[name] for name in names})

    def transfer(self) -> Act:
        """Something goes from one account to another."""
        amount = self.random.randrange(1, 50)
        give, take = self.random.sample(ACCOUNTS, 2)

        def act(writes: TransactionWrites) -> None:
            writes.patch(*give, {"balance": Increment(-amount)})
            writes.patch(*take, {"balance": Increment(amount)})

        return act

    def pair(self) -> Act:
        """The pair gets another value, or goes."""
        n, goes = self.count, self.random.random() < 0.2
        more = {"m": n} if self.random.random() < 0.5 else {}

        def act(writes: TransactionWrites) -> None:
            for key in PAIR:
                if goes:
                    writes.delete(*key)
                else:
                    writes.set(*key, {"n": n, **more})

        return act

    def doomed(self) -> Act:
        """A write that may be refused, with all that belongs to it."""
        key, n = self.random.choice(self.any_two()), self.count
        if self.random.random() < 0.5:
            return lambda writes: writes.set(*key, {"title": n}, base_version=n)
        return lambda writes: writes.patch(*key, {"title": Increment(1), "log": Max(3)})

    # What happens.

    def step(self) -> None:
        """Something happens."""
        happening, *_ = self.random.choices(_HAPPENINGS, _WEIGHTS)
        happening(self, self.random.choice(self.clients))

    def own(self, client: Client) -> None:
        """Somebody writes."""
        client = self.random.choice(self.writers)
        act, together = self.some_writes(isinstance(client, RawClient) and client.old)
        client.act(act, together=together)

    def write(self, client: Client) -> None:
        """The program of the server writes."""
        act, together = self.some_writes(old=False)
        writes = TransactionWrites(lambda: to_datetime(self.server.now))
        act(writes)
        message = writes.message()
        for each in [message] if together else writes_of(message):
            each.request_id = f"{len(self.ours)}"
            self.ours[each.request_id] = votes_of(each)
            self.server.write(each)
        self.commit(client)

    def commit(self, client: Client) -> None:
        """What waits becomes durable; some hear of it, or nobody yet."""
        self.server.commit(self.random.choice([1, 3, 100]))
        told = self.random.randrange(4)
        if told < 2:
            self.server.hand_out()
        elif told < 3:
            self.server.answer()

    def move(self, client: Client) -> None:
        """Some of what is under way arrives."""
        client.notice()
        client.connect()
        client.send(self.random.randrange(1, 6))
        if client.door is not None:
            for _ in range(self.random.randrange(6)):
                client.door.steps.step()
        if self.random.random() < 0.7:
            self.server.turn()
        client.hear(self.random.randrange(10))

    def lose(self, client: Client) -> None:
        """A connection is lost, with all that is under way."""
        client.lose()

    def leave(self, client: Client) -> None:
        """Somebody goes offline, or online again."""
        client.offline = not client.offline
        if client.offline:
            client.lose()

    def slow(self, client: Client) -> None:
        """Somebody reads too slowly, or fast enough again."""
        if client.door is not None:
            client.door.outbox.behind = not client.door.outbox.behind

    def again(self, client: Client) -> None:
        """A client is killed, or ends, and starts again with its store."""
        client.restart(stores=self.random.random() < 0.5)

    def collect(self, client: Client) -> None:
        """Old deletions are forgotten."""
        self.server.collect(self.random.randrange(3))

    def restart(self, client: Client) -> None:
        """The server is killed, and starts; sometimes with a store of some time ago."""
        if self.backup is not None and self.random.random() < 0.5:
            self.server.restore(self.backup)
        elif self.restores:
            self.backup = self.server.backup()
        else:
            self.server.restart()
        for each in self.clients:
            each.notice()

    # The end.

    def quiet(self) -> None:
        """Let everything arrive."""
        for client in self.clients:
            client.offline, client.calm = False, True
        for _ in range(80):
            moved = sum(self._settle(client) for client in self.clients)
            self.server.commit(100)
            self.server.hand_out()
            done = all(client.quiet() for client in self.clients)
            if not moved and done and not self.server.waiting:
                return
        raise AssertionError("it does not come to rest")

    def _settle(self, client: Client) -> bool:
        client.notice()
        client.connect()
        assert client.door is not None
        client.door.outbox.behind = False
        client.keep()
        moved = client.send(1000)
        client.door.beat()
        steps = client.door.steps
        for _ in range(200):
            if not steps.running:
                break
            steps.step()
        self.server.turn()
        return client.hear(1000) | bool(steps.running) | moved

    def check(self) -> None:
        """All has arrived: it is what was meant, once, and everywhere."""
        for client in self.clients:
            client.compare()
        oracle, restored = self.server.oracle, self.server.restored
        for client in self.clients:
            done = oracle.done[client.name]
            assert len(done) == len(set(done)), f"{client.name}: twice: {done}"
            for each, intent in client.intents.items():
                assert intent.told, f"{client.name} was never told of {each}"
                if intent.life == restored:
                    assert (intent.told == "done") == (each in done), f"{each}: {intent}"
        if not restored:
            self.check_sums()

    def check_sums(self) -> None:
        """What was counted is what the authors meant, of all that was done."""
        for key in COUNTERS:
            entity, entity_id = key
            meant = sum(
                intent.votes.get(key, 0)
                for client in self.clients
                for intent in client.intents.values()
                if intent.told == "done"
            )
            ours = [self.ours.get(each, {}) for each in self.server.oracle.done[""]]
            meant += sum(each.get(key, 0) for each in ours)
            record = run(self.server.store.record(entity, entity_id))
            votes = json.loads(record.data).get("votes", 0) if record else 0
            assert votes == meant, f"{votes} in {key}, and not {meant}"


_HAPPENINGS, _WEIGHTS = zip(
    (Life.own, 12), (Life.write, 3), (Life.commit, 8), (Life.move, 24), (Life.lose, 2),
    (Life.leave, 1), (Life.slow, 1.5), (Life.again, 1.5), (Life.collect, 0.7),
    (Life.restart, 0.7), strict=True,
)  # fmt: skip


def _all_of(acts: list[Act]) -> Act:
    def act(writes: TransactionWrites) -> None:
        for each in acts:
            each(writes)

    return act


def live(
    seed: int,
    fault: str = "",
    core: Core = CoreClient,
    show: Callable[[str], object] | None = None,
    *,
    by_schema: bool = False,
) -> Life:
    """Live a life.

    Args:
        seed: says which one.
        fault: which one the server has.
        core: makes those that are the core of a client.
        show: is told what passed between each client and the server, whatever the end.
        by_schema: whether a schema declares the entities.

    Raises:
        AssertionError: something is not as it has to be.
    """
    if seed % 5:
        return _live(Life(seed, None, fault, core, by_schema=by_schema), show)
    place = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        return _live(Life(seed, Path(folder), fault, core, by_schema=by_schema), show)


def _live(life: Life, show: Callable[[str], object] | None) -> Life:
    try:
        for _ in range(STEPS):
            life.step()
        life.quiet()
        life.check()
    finally:
        life.server.close()
        if show is not None:
            for client in life.clients:
                for message in client.passed:
                    show(f"{client.name}: {message}\n")
    return life


def main() -> None:
    """Run a campaign."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--seeds", type=int, default=10_000)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--fault", default="")
    words = "the core is that of the TypeScript client"
    options.add_argument("--typescript", action="store_true", help=words)
    words = "the entities are declared by a schema, with every strategy and with rules"
    options.add_argument("--schema", action="store_true", help=words)
    options.add_argument("--show", action="store_true", help="print what passed")
    asked = options.parse_args()
    show = sys.stdout.write if asked.show else None
    core = partial(TypeScriptClient, Program(SOURCE)) if asked.typescript else CoreClient
    failed = 0
    for seed in range(asked.first, asked.first + asked.seeds):
        try:
            live(seed, asked.fault, core, show, by_schema=asked.schema)
        except Exception:
            failed += 1
            sys.stdout.write(f"seed {seed}: {traceback.format_exc(limit=-4)}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{asked.seeds} seeds, {failed} failed\n")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
