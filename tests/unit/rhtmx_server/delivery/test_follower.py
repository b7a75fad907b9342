"""What a node of a cluster hands out, whatever the bus does to what the others say."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

import pytest

from rhtmx_server.delivery.follower import HOLD, Follower
from rhtmx_server.model import CommittedBatch, LogRow


class Readers:
    """Where the logs have been handed out, and what of them."""

    def __init__(self) -> None:
        self.positions: defaultdict[str, int] = defaultdict(int)
        self.batches: list[CommittedBatch] = []
        self.follower = Follower(lambda entity: self.positions[entity], self._take)

    def _take(self, batch: CommittedBatch) -> None:
        for row in batch:
            assert row.base == self.positions[row.entity]
            self.positions[row.entity] = row.upto
        self.batches.append(batch)


def row(entity: str, base: int, upto: int, body: bytes | None = b"") -> LogRow:
    return LogRow(entity, base, upto, body)


@pytest.fixture
def readers() -> Readers:
    return Readers()


def test_what_goes_on_where_the_log_is_is_handed_out_at_once(readers: Readers) -> None:
    readers.follower.take([row("tasks", 0, 2)], 0.0)
    assert readers.batches == [[row("tasks", 0, 2)]]
    assert readers.follower.wait(0.0) is None


def test_what_was_handed_out_is_dropped(readers: Readers) -> None:
    for _ in range(2):
        readers.follower.take([row("tasks", 0, 2)], 0.0)
    assert readers.batches == [[row("tasks", 0, 2)]]
    assert not readers.follower.held


def test_what_leaves_a_gap_waits_for_what_comes_before_it(readers: Readers) -> None:
    readers.follower.take([row("tasks", 1, 2)], 0.0)
    assert readers.batches == []
    readers.follower.take([row("tasks", 0, 1)], 0.01)
    assert readers.batches == [[row("tasks", 0, 1)], [row("tasks", 1, 2)]]
    assert not readers.follower.held


def test_a_gap_that_stays_is_due_to_be_read_from_where_the_log_is(readers: Readers) -> None:
    readers.follower.take([row("tasks", 3, 4)], 10.0)
    assert readers.follower.due(10.0) == {}
    assert readers.follower.wait(10.0) == pytest.approx(HOLD)
    assert readers.follower.due(10.0 + HOLD) == {"tasks": 0}
    readers.follower.take([row("tasks", 0, 3)], 11.0, stored=True)
    assert readers.follower.due(12.0) == {}


def test_a_batch_of_several_entities_is_handed_out_when_it_is_its_turn_in_all(
    readers: Readers,
) -> None:
    both = [row("tasks", 0, 1), row("carts", 1, 2)]
    readers.follower.take(both, 0.0)
    assert readers.batches == []
    readers.follower.take([row("carts", 0, 1)], 0.0)
    assert readers.batches == [[row("carts", 0, 1)], both]


def test_of_a_batch_that_was_handed_out_in_part_the_rest_is(readers: Readers) -> None:
    readers.positions["tasks"] = 1
    readers.follower.take([row("tasks", 0, 1), row("carts", 0, 1)], 0.0)
    assert readers.batches == [[row("carts", 0, 1)]]


def test_a_hint_without_a_body_is_due_at_once(readers: Readers) -> None:
    readers.follower.take([row("tasks", 0, 1, None)], 5.0)
    assert readers.follower.due(5.0) == {"tasks": 0}
    readers.follower.take([row("tasks", 0, 1)], 5.0, stored=True)
    assert readers.batches == [[row("tasks", 0, 1)]]
    assert not readers.follower.held


def test_what_the_store_has_no_body_of_is_handed_out_without(readers: Readers) -> None:
    readers.follower.take([row("tasks", 0, 9, None)], 0.0, stored=True)
    assert readers.batches == [[row("tasks", 0, 9, None)]]


def test_what_cannot_be_read_yet_is_asked_for_again_later(readers: Readers) -> None:
    readers.follower.take([row("tasks", 3, 4)], 0.0)
    readers.follower.were_read({"tasks": 0}, 1.0)
    assert readers.follower.due(1.0) == {}
    assert readers.follower.due(1.0 + HOLD) == {"tasks": 0}


def test_of_more_than_it_may_hold_only_what_is_missing_is_noted(readers: Readers) -> None:
    for version in range(1, 1500):
        readers.follower.take([row("tasks", version, version + 1)], 0.0)
    readers.follower.take([row("carts", 1, 2)], 0.0)
    assert readers.follower.held == 1000
    assert readers.follower.wait(0.0) == 0.0
    assert readers.follower.due(0.0) == {"tasks": 0, "carts": 0}


def test_of_an_epoch_that_is_over_nothing_is_held(readers: Readers) -> None:
    readers.follower.take([row("tasks", 3, 4)], 0.0)
    readers.follower.forget()
    assert readers.follower.due(9.0) == {}
    readers.follower.take([row("tasks", 0, 3)], 9.0)
    assert readers.batches == [[row("tasks", 0, 3)]]


class Log:
    """What was committed, in the order of the commits."""

    def __init__(self, chance: random.Random) -> None:
        self.batches: list[CommittedBatch] = []
        heads: defaultdict[str, int] = defaultdict(int)
        for _ in range(chance.randint(1, 40)):
            batch = []
            for entity in chance.sample("abc", chance.choice([1, 1, 1, 2, 3])):
                upto = heads[entity] + chance.randint(1, 3)
                batch.append(row(entity, heads[entity], upto))
                heads[entity] = upto
            self.batches.append(batch)

    def after(self, positions: Mapping[str, int], upto: int) -> Sequence[CommittedBatch]:
        """As the store reads it, of what was committed so far."""
        found = (
            [each for each in batch if each.base >= positions.get(each.entity, each.upto)]
            for batch in self.batches[:upto]
        )
        return [batch for batch in found if batch]


@pytest.mark.parametrize("seed", range(300))
def test_whatever_the_bus_does_each_commit_is_handed_out_once_in_order_and_whole(
    seed: int,
) -> None:
    chance, readers = random.Random(seed), Readers()
    log, now, under_way = Log(chance), 0.0, list[CommittedBatch]()
    for committed, batch in enumerate(log.batches, 1):
        is_own = chance.random() < 0.3
        if is_own:
            readers.follower.take(batch, now)
        for _ in range(0 if is_own else chance.choice([0, 1, 1, 1, 2])):  # lost, once, twice
            lacks_body = chance.random() < 0.1
            said = [row(e.entity, e.base, e.upto, None) for e in batch] if lacks_body else batch
            under_way.append(said)
        chance.shuffle(under_way)
        for _ in range(chance.randint(0, 2)):
            if under_way:
                readers.follower.take(under_way.pop(), now)
        now += chance.choice([0.0, HOLD / 2, HOLD])
        if due := readers.follower.due(now):
            # Of all that is read: a batch that is due may have written elsewhere, too.
            for each in log.after(
                {entity: readers.positions[entity] for entity in "abc"}, committed
            ):
                readers.follower.take(each, now, stored=True)
            readers.follower.were_read(due, now)
    # A look at where the logs end finds what nobody has said anything of.
    due = {entity: readers.positions[entity] for entity in "abc"}
    for each in log.after(due, len(log.batches)):
        readers.follower.take(each, now, stored=True)
    assert sorted(map(_key, readers.batches)) == sorted(map(_key, log.batches))


def _key(batch: CommittedBatch) -> list[tuple[str, int, int]]:
    return sorted((each.entity, each.base, each.upto) for each in batch)
