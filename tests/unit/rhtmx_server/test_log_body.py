"""What is written down of commits tells their live readers what the commits themselves would."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest

from rhtmx.errors import RhtmxError
from rhtmx.messages import ChangeAction
from rhtmx_server import App, Config
from rhtmx_server.access import anyone, claim
from rhtmx_server.encoding.render import Passage, live_messages, passage
from rhtmx_server.log_body import pack, pack_one, unpack, unpack_commits, unpack_one
from rhtmx_server.model import Commit, Granularity, HistoryEntry, Record
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.stores.memory import MemoryStore

RECORDS, FIELDS, BOTH = Granularity.RECORDS, Granularity.FIELDS, Granularity.BOTH


class Noting(MemoryStore):
    """Keeps what it is given to write down."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[HistoryEntry] = []

    async def commit(self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]) -> None:
        def note(snapshot: Snapshot) -> BatchWrites:
            writes = decide(snapshot)
            self.noted += writes.history
            return writes

        await super().commit(wanted, note)


async def written(seed: int) -> list[HistoryEntry]:
    """What a server writes down that is written to at random, of an entity that has parts."""
    chance, store = random.Random(seed), Noting()
    app = App(store=store, config=Config(port=0))
    app.entity("tasks", partition=["team"]).access(read=claim("teams", field="team"), write=anyone)
    async with app:
        for number in range(40):
            entity_id, team = chance.choice("123"), chance.choice(["red", "blue", None])
            fields: dict[str, object] = {"team": team, chance.choice("abc"): number}
            with contextlib.suppress(RhtmxError):
                match chance.randrange(5):
                    case 0:
                        await app.changes.push("tasks", entity_id, fields)
                    case 1:
                        await app.fields.push("tasks", entity_id, fields)
                    case 2:
                        await app.fields.push("tasks", entity_id, {chance.choice("abc"): [1.50]})
                    case 3:
                        async with app.transaction() as both:
                            both.set("tasks", entity_id, fields)
                            both.set("tasks", entity_id + "b", fields)
                    case _:
                        await app.changes.delete("tasks", entity_id)
    return store.noted


def commit_of(entry: HistoryEntry) -> Commit:
    assert entry.commit is not None
    return entry.commit


def told(commit: Commit) -> list[object]:
    """What all the readers there can be are told of a commit."""
    found: list[object] = [commit.before, commit.after, commit.transaction]
    ways = {passage(commit, frozenset([part])) for part in commit.before | commit.after}
    for way in sorted(ways | {Passage.STAYS}):
        for granularity in (RECORDS, FIELDS, BOTH):
            found.append(live_messages(commit, granularity, way))
    return found


@pytest.mark.parametrize("seed", range(12))
async def test_readers_of_what_was_written_down_are_told_the_same(seed: int) -> None:
    entries = await written(seed)
    assert {each.lost for each in entries} == {False}
    again = unpack_commits("tasks", pack(entries))
    assert again is not None
    assert [told(each) for each in again] == [told(commit_of(each)) for each in entries]
    assert any(commit_of(each).transaction for each in entries)
    assert any(commit_of(each).held for each in entries)


async def test_as_history_it_is_what_was_kept() -> None:
    entries = await written(1)
    plain = [
        HistoryEntry(
            Record("tasks", r.entity_id, r.version, r.action, r.data, r.client_id, r.time),
            each.granularity,
            previous=each.previous,
        )
        for each in entries
        for r in [each.record]
    ]
    assert unpack("tasks", pack(entries)) == plain


def test_a_lost_write_is_an_entry_as_well() -> None:
    record = Record("tasks", "1", 3, ChangeAction.UPDATE, b'{"a":1}', "ada", 7)
    entry = HistoryEntry(record, FIELDS, lost=True)
    assert unpack_one("tasks", pack_one(entry)) == entry


def test_a_copy_of_history_has_nothing_to_tell_live_readers() -> None:
    record = Record("tasks", "1", 3, ChangeAction.UPDATE, b'{"a":1}', "ada", 7)
    assert unpack_commits("tasks", pack([HistoryEntry(record, RECORDS, previous=2)])) is None
