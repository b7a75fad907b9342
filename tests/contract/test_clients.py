"""What a store remembers of clients that number their mutations."""

from __future__ import annotations

import pytest

from rhtmx_server.model import ClientRow, Outcome
from rhtmx_server.ports import BatchNeeds, BatchWrites, Store
from tests.contract.builders import always, look, record, writing
from tests.contract.conftest import Reopen

WANTED = BatchNeeds(clients=["c"], outcomes=[("c", 1), ("c", 2), ("c", 3), ("d", 1)])


def outcome(seq: int, client_id: str = "c", *, rejected: bool = False) -> Outcome:
    return Outcome(client_id, seq, b"digest-%d" % seq, b"reply-%d" % seq, rejected)


async def number(store: Store, *outcomes: Outcome) -> None:
    last = {one.client_id: one.seq for one in outcomes}
    clients = [ClientRow(client_id, "ada", seq, 1000 + seq) for client_id, seq in last.items()]
    await store.commit(BatchNeeds(), always(writing(clients=clients, outcomes=outcomes)))


async def confirm(store: Store, **upto: int) -> None:
    await store.commit(BatchNeeds(), always(BatchWrites(confirmed=upto)))


async def test_a_client_and_its_outcomes_are_read_back(store: Store) -> None:
    await number(store, outcome(1), outcome(2, rejected=True))
    seen = await look(store, WANTED)
    assert seen.clients == {"c": ClientRow("c", "ada", 2, 1002)}
    assert seen.outcomes == {("c", 1): outcome(1), ("c", 2): outcome(2, rejected=True)}
    assert await store.client("c") == ClientRow("c", "ada", 2, 1002)


async def test_outcomes_are_found_without_asking_for_their_client(store: Store) -> None:
    await number(store, outcome(1), outcome(2))
    seen = await look(store, BatchNeeds(outcomes=[("c", 2), ("c", 3)]))
    assert seen.outcomes == {("c", 2): outcome(2)}
    assert seen.clients == {}


async def test_a_client_moves_on(store: Store) -> None:
    await number(store, outcome(1))
    await number(store, outcome(2))
    assert await store.client("c") == ClientRow("c", "ada", 2, 1002)


async def test_confirmed_outcomes_are_forgotten_and_no_others(store: Store) -> None:
    await number(store, outcome(1), outcome(2), outcome(3))
    await number(store, outcome(1, "d"))
    await confirm(store, c=2)
    seen = await look(store, WANTED)
    assert seen.outcomes == {("c", 3): outcome(3), ("d", 1): outcome(1, "d")}
    assert await store.client("c") == ClientRow("c", "ada", 3, 1003)


async def test_confirming_what_is_not_there_changes_nothing(store: Store) -> None:
    await number(store, outcome(1))
    await confirm(store, c=0, nobody=10)
    assert (await look(store, WANTED)).outcomes == {("c", 1): outcome(1)}


async def test_many_clients_confirm_in_one_transaction(store: Store) -> None:
    for name in ("c", "d", "e"):
        await number(store, outcome(1, name), outcome(2, name))
    await confirm(store, c=1, e=2)
    wanted = BatchNeeds(outcomes=[(name, seq) for name in ("c", "d", "e") for seq in (1, 2)])
    assert set((await look(store, wanted)).outcomes) == {("c", 2), ("d", 1), ("d", 2)}


async def test_an_answer_may_be_kept_and_others_confirmed_in_one_transaction(store: Store) -> None:
    await number(store, outcome(1), outcome(2))
    batch = writing(clients=[ClientRow("c", "ada", 3, 1003)], outcomes=[outcome(3)])
    batch.confirmed = {"c": 2}
    await store.commit(BatchNeeds(), always(batch))
    assert set((await look(store, WANTED)).outcomes) == {("c", 3)}


async def test_what_gives_the_right_to_an_id_is_kept_with_it(store: Store, reopen: Reopen) -> None:
    clients = [
        ClientRow("c", "", 1, 5, b"\0hash\xff"),
        ClientRow("d", "", 1, 5),
        ClientRow("e", "", 1, 5, b""),
    ]
    await store.commit(BatchNeeds(), always(writing(clients=clients)))
    again = await reopen()
    for each in clients:
        assert await again.client(each.client_id) == each
    assert (await look(again, BatchNeeds(clients=["c"]))).clients == {"c": clients[0]}


async def test_an_id_is_bound_later(store: Store) -> None:
    for client in (ClientRow("c", "", 1, 5), ClientRow("c", "", 2, 6, b"hash")):
        await store.commit(BatchNeeds(), always(writing(clients=[client])))
        assert await store.client("c") == client


async def test_the_clients_are_counted_as_they_come_and_go(store: Store, reopen: Reopen) -> None:
    async def known(of: Store) -> int:
        return (await look(of, BatchNeeds(clients=["c", "new"]))).known

    assert await known(store) == 0
    for name, seq in (("c", 1), ("d", 1), ("c", 2)):
        await number(store, outcome(seq, name))
    assert await known(store) == 2
    with pytest.raises(ZeroDivisionError):
        await store.commit(BatchNeeds(), lambda _: writing(clients=[ClientRow("e", "", 1 // 0, 5)]))
    again = await reopen()
    assert await known(again) == 2
    await again.collect(history_before=0, tombstones_before=1002)
    assert await known(again) == 1
    assert (
        await look(again, BatchNeeds(clients=["c"]))
    ).known == 0  # it was seen: nobody need count


async def test_outcomes_are_committed_with_the_write(store: Store, reopen: Reopen) -> None:
    batch = writing(record("1", 1), clients=[ClientRow("c", "", 1, 5)], outcomes=[outcome(1)])
    await store.commit(BatchNeeds(), always(batch))
    again = await reopen()
    assert await again.record("tasks", "1") == record("1", 1)
    assert (await look(again, WANTED)).outcomes == {("c", 1): outcome(1)}
