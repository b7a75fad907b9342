"""What a store remembers of clients that number their mutations."""

from __future__ import annotations

from rhtmx_server.model import Client, Outcome
from rhtmx_server.ports import Store, Wanted
from tests.contract.builders import always, look, record, writing
from tests.contract.conftest import Reopen

WANTED = Wanted(clients=["c"], outcomes=[("c", 1), ("c", 2), ("c", 3), ("d", 1)])


def outcome(seq: int, client_id: str = "c", *, rejected: bool = False) -> Outcome:
    return Outcome(client_id, seq, b"digest-%d" % seq, b"reply-%d" % seq, rejected)


async def number(store: Store, *outcomes: Outcome) -> None:
    last = {one.client_id: one.seq for one in outcomes}
    clients = [Client(client_id, "ada", seq, 1000 + seq) for client_id, seq in last.items()]
    await store.commit(Wanted(), always(writing(clients=clients, outcomes=outcomes)))


async def test_a_client_and_its_outcomes_are_read_back(store: Store) -> None:
    await number(store, outcome(1), outcome(2, rejected=True))
    seen = await look(store, WANTED)
    assert seen.clients == {"c": Client("c", "ada", 2, 1002)}
    assert seen.outcomes == {("c", 1): outcome(1), ("c", 2): outcome(2, rejected=True)}
    assert await store.client("c") == Client("c", "ada", 2, 1002)


async def test_outcomes_are_found_without_asking_for_their_client(store: Store) -> None:
    await number(store, outcome(1), outcome(2))
    seen = await look(store, Wanted(outcomes=[("c", 2), ("c", 3)]))
    assert seen.outcomes == {("c", 2): outcome(2)}
    assert seen.clients == {}


async def test_a_client_moves_on(store: Store) -> None:
    await number(store, outcome(1))
    await number(store, outcome(2))
    assert await store.client("c") == Client("c", "ada", 2, 1002)


async def test_confirmed_outcomes_are_forgotten_and_no_others(store: Store) -> None:
    await number(store, outcome(1), outcome(2), outcome(3))
    await number(store, outcome(1, "d"))
    await store.confirm("c", 2)
    seen = await look(store, WANTED)
    assert seen.outcomes == {("c", 3): outcome(3), ("d", 1): outcome(1, "d")}
    assert await store.client("c") == Client("c", "ada", 3, 1003)


async def test_confirming_what_is_not_there_changes_nothing(store: Store) -> None:
    await number(store, outcome(1))
    await store.confirm("c", 0)
    await store.confirm("nobody", 10)
    assert (await look(store, WANTED)).outcomes == {("c", 1): outcome(1)}


async def test_outcomes_are_committed_with_the_write(store: Store, reopen: Reopen) -> None:
    batch = writing(record("1", 1), clients=[Client("c", "", 1, 5)], outcomes=[outcome(1)])
    await store.commit(Wanted(), always(batch))
    again = await reopen()
    assert await again.record("tasks", "1") == record("1", 1)
    assert (await look(again, WANTED)).outcomes == {("c", 1): outcome(1)}
