"""What is special to the memory store; tests/contract has what all stores do."""

from __future__ import annotations

from itertools import count

from rhtmx_server.stores import MemoryStore


async def test_each_store_has_its_own_epoch() -> None:
    assert MemoryStore().epoch != MemoryStore().epoch


async def test_a_renewed_epoch_is_the_one_that_is_read() -> None:
    numbers = count()
    store = MemoryStore(new_epoch=lambda: f"epoch-{next(numbers)}")
    assert store.epoch == "epoch-0"
    assert await store.renew_epoch() == "epoch-1"
    assert store.epoch == "epoch-1"
