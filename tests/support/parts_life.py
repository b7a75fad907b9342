"""One life of a server and its readers, from a seed: what happens, and that all is right after.

`python -m tests.support.parts_life --seeds 100000` runs a campaign, and says which seeds
fail; `--first 7 --seeds 1 --show` prints all that passed in the life of one seed.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from rhtmx.core.granularity import Granularity
from rhtmx.messages import ChangeAction, FieldAction, FieldUpdate, Push, PushFields
from rhtmx_server.access.grant import Grant
from rhtmx_server.times import to_datetime
from tests.support.parts_readers import PARTS, CoreReader, LiteralReader, Reader
from tests.support.parts_schema import SECRET, VARIANTS
from tests.support.parts_server import ENTITY, Server
from tests.support.parts_typescript import Program, TypeScriptReader

__all__ = ["Life", "live"]

IDS = ("1", "2", "3", "4")
TEAMS: tuple[Any, ...] = ("red", "blue", 1, "1", 1.0, None)
STATUS = ("open", "done")
STEPS = 40
_RECORDS, _FIELDS = Granularity.RECORDS, Granularity.FIELDS


class Life:
    """A server, three readers, and what happens to them.

    Args:
        seed: says what.
        fault: which one the server has.
        core: makes the readers that are the core of a client.
        by_schema: whether a schema declares the entity.
    """

    def __init__(
        self,
        seed: int,
        fault: str = "",
        core: Callable[..., Reader] = CoreReader,
        *,
        by_schema: bool = False,
    ) -> None:
        self.make_core = core
        self.random = Random(seed)
        self.more = Random(-seed)
        self.by_schema = by_schema
        self.server = Server(self.random, fault, seed % VARIANTS if by_schema else None)
        self.count = 0
        self.backup = self.server.store.backup() if self.random.random() < 0.15 else None
        self.readers = [self._core("ada"), self._literal("bob"), self._either("eve")]

    def _core(self, name: str) -> Reader:
        granularity = self.random.choice([_RECORDS, _FIELDS])
        return self.make_core(self.server, name, self.grant(name), granularity, self._part())

    def _literal(self, name: str) -> Reader:
        if self.random.random() < 0.4:
            level = self.more.choice([_RECORDS, _FIELDS])
            return LiteralReader(self.server, name, self.grant(name), level, None, old=True)
        granularity = self.random.choice([_RECORDS, _FIELDS])
        return LiteralReader(self.server, name, self.grant(name), granularity, self._part())

    def _either(self, name: str) -> Reader:
        return self.random.choice([self._core, self._literal])(name)

    def _part(self) -> Any:
        return self.random.choice(PARTS)

    def grant(self, name: str) -> Grant:
        """Some rights."""
        teams = self.random.sample(["red", "blue", 1, "1"], self.random.randrange(3))
        roles = {"clerk"} if self.random.random() < 0.15 else set[str]()
        claims: dict[str, Any] = {"teams": teams}
        if self.by_schema:
            claims["team"] = self.more.choice(["red", "blue", "1"])
            roles |= {"backend"} if self.more.random() < 0.2 else set()
        return Grant(name, roles=roles, claims=claims)

    def data(self) -> dict[str, Any]:
        """The data of some record."""
        self.count += 1
        team, status = self.random.choice(TEAMS), self.random.choice(STATUS)
        # Fields that come and go, some of them in one team only.
        names = ("x", "y", f"of {team!r}")
        some = {name: self.count for name in names if self.more.random() < 0.4}
        own = {"owner": self.more.choice(["ada", "bob", "eve"])} if self.by_schema else {}
        return {"n": self.count, "team": team, "status": status, **some, **own}

    # What happens.

    def step(self) -> None:
        """Something happens."""
        happening, *_ = self.random.choices(_HAPPENINGS, _WEIGHTS)
        happening(self, self.random.choice(self.readers))

    def write(self, reader: Reader) -> None:
        """The program of the server writes, and what waits becomes durable."""
        entity_id, data = self.random.choice(IDS), self.data()
        if self.by_schema and self.more.random() < 0.3:
            data["secret"] = SECRET
        what = self.random.randrange(8)
        if what < 4:
            text = json.dumps(data).encode()
            self.server.write(Push(ENTITY, entity_id, ChangeAction.UPDATE, data=text))
        elif what < 7:
            name = self.random.choice(sorted(data))
            at = to_datetime(self.server.now)
            text = json.dumps(data[name]).encode()
            update = FieldUpdate(field=name, value=text, action=FieldAction.UPDATE, timestamp=at)
            self.server.write(PushFields(ENTITY, entity_id, fields=[update]))
        else:
            self.server.write(Push(ENTITY, entity_id, ChangeAction.DELETE))
        self.server.commit()
        if self.random.random() < 0.7:
            self.server.hand_out()

    def own(self, reader: Reader) -> None:
        """A reader writes."""
        reader.write(self.random, self.random.choice(IDS), self.data())

    def other(self, reader: Reader) -> None:
        """A reader restarts, or reads other parts."""
        reader.change(self.random)

    def commit(self, reader: Reader) -> None:
        """What waits becomes durable, and known."""
        self.server.commit()
        self.server.hand_out()

    def move(self, reader: Reader) -> None:
        """Some of what is under way arrives."""
        reader.notice()
        reader.connect()
        reader.send(self.random.randrange(1, 5))
        if reader.door is not None:
            for _ in range(self.random.randrange(6)):
                reader.door.steps.step()
        if self.random.random() < 0.7:
            self.server.turn()
        reader.hear(self.random.randrange(8))

    def lose(self, reader: Reader) -> None:
        """A connection is lost."""
        reader.lose()

    def slow(self, reader: Reader) -> None:
        """A reader reads too slowly, or fast enough again."""
        if reader.door is not None:
            reader.door.outbox.behind = not reader.door.outbox.behind

    def claims(self, reader: Reader) -> None:
        """The rights of a user change."""
        grant = self.grant(reader.name)
        if reader.unsure and grant.has_role("clerk"):
            return  # see `Reader.unsure`
        reader.claims(grant)

    def beat(self, reader: Reader) -> None:
        """It is time for a heartbeat."""
        if reader.connected and reader.door is not None:
            reader.door.beat()

    def collect(self, reader: Reader) -> None:
        """Old deletions and departures are forgotten."""
        self.server.collect(self.random.randrange(3))

    def restart(self, reader: Reader) -> None:
        """The server starts anew; sometimes with a store of some time ago."""
        if self.backup is not None and self.random.random() < 0.5:
            self.server.restore(self.backup)
        else:
            self.server.restart()
            if self.backup is not None:
                self.backup = self.server.store.backup()
        for each in self.readers:
            each.notice()

    # The end.

    def quiet(self) -> None:
        """Let everything arrive."""
        for _ in range(60):
            self.server.commit()
            self.server.hand_out()
            moved = False
            for reader in self.readers:
                reader.notice()
                reader.connect()
                assert reader.door is not None
                reader.door.outbox.behind = False
                moved |= reader.send(1000)
                reader.door.beat()
                steps = reader.door.steps
                for _ in range(200):
                    if not steps.running:
                        break
                    steps.step()
                self.server.turn()
                moved |= reader.hear(1000) | bool(steps.running)
            if not moved and not self.server.waiting:
                return
        raise AssertionError("it does not come to rest")


_HAPPENINGS, _WEIGHTS = zip(
    (Life.write, 10), (Life.own, 5), (Life.other, 1), (Life.commit, 4), (Life.move, 14),
    (Life.lose, 2), (Life.slow, 1), (Life.claims, 1.5), (Life.beat, 1), (Life.collect, 1),
    (Life.restart, 0.5), strict=True,
)  # fmt: skip


def live(
    seed: int,
    fault: str = "",
    core: Callable[..., Reader] = CoreReader,
    show: Callable[[str], object] | None = None,
    *,
    by_schema: bool = False,
) -> None:
    """Live a life.

    Args:
        seed: says which one.
        fault: which one the server has.
        core: makes the readers that are the core of a client.
        show: is told what passed between each reader and the server, whatever the end.
        by_schema: whether a schema declares the entity.

    Raises:
        AssertionError: somebody was told what they may not see, or does not hold in the end
            what they may.
    """
    life = Life(seed, fault, core, by_schema=by_schema)
    try:
        for _ in range(STEPS):
            life.step()
        life.quiet()
        assert not life.server.leaks, life.server.leaks
        for reader in life.readers:
            reader.compare()
    finally:
        life.server.close()
        if show is not None:
            for reader in life.readers:
                for message in reader.passed:
                    show(f"{reader.name}: {message}\n")


def main() -> None:
    """Run a campaign."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--seeds", type=int, default=100_000)
    options.add_argument("--first", type=int, default=0)
    words = "the core is that of the TypeScript client"
    options.add_argument("--typescript", action="store_true", help=words)
    words = "the entity is declared by a schema, with every kind of access"
    options.add_argument("--schema", action="store_true", help=words)
    options.add_argument("--show", action="store_true", help="print what passed")
    asked = options.parse_args()
    show = sys.stdout.write if asked.show else None
    core = partial(TypeScriptReader, Program()) if asked.typescript else CoreReader
    failed = 0
    for seed in range(asked.first, asked.first + asked.seeds):
        try:
            live(seed, core=core, show=show, by_schema=asked.schema)
        except Exception:
            failed += 1
            sys.stdout.write(f"seed {seed}: {traceback.format_exc(limit=-2)}" + "\n")
    sys.stdout.write(f"{asked.seeds} seeds, {failed} failed\n")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
