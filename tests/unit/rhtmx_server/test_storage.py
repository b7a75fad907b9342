"""Which store and which bus go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rhtmx_server.buses import MemoryBus
from rhtmx_server.storage import open_storage
from rhtmx_server.stores import MemoryStore

PLACE = "postgresql://app@db.example/app"


def test_a_store_alone_is_for_one_server() -> None:
    storage = open_storage(PLACE)
    assert (storage.shared, storage.bus) == (None, None)


def test_with_a_bus_the_store_is_one_for_several() -> None:
    storage = open_storage(PLACE, "memory://one")
    assert storage.shared is storage.store
    assert isinstance(storage.bus, MemoryBus)


def test_both_may_be_the_program_s_own() -> None:
    store, bus = open_storage(PLACE, "memory://one").store, MemoryBus("one")
    assert open_storage(store, bus).bus is bus


@pytest.mark.parametrize(
    ("store", "bus", "words"),
    [
        ("elsewhere", None, "store: 'elsewhere' is not the URL of a store"),
        ("sqlite:///app.db", "memory://one", "bus: servers that share a store need a bus"),
        (MemoryStore(), "memory://one", "bus: servers that share a store need a bus"),
        (PLACE, "kafka://one", "bus: 'kafka' names no bus"),
        (f"{PLACE}?pooler=true", None, "store: pooler=true: a server alone, and a copy, hold"),
        (f"{PLACE}?pooler=true", "notify:", "bus: notify: needs the database itself"),
    ],
)
def test_what_does_not_go_together_is_said(
    store: str | MemoryStore, bus: str | None, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        open_storage(store, bus)


@pytest.mark.parametrize(("store", "got"), [(None, "NoneType"), (Path("app.db"), "PosixPath")])
def test_what_is_no_store_is_said(store: Any, got: str) -> None:
    with pytest.raises(TypeError, match=f"'sqlite:///app.db', or a Store expected, got {got}"):
        open_storage(store)
