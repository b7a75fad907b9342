"""Facts about `rhtmx_server.model`."""

from __future__ import annotations

import gc

import pytest

from rhtmx.messages import ChangeAction, Push
from rhtmx_server.model import (
    ClientRow,
    Clock,
    Commit,
    Context,
    Decision,
    Granularity,
    Head,
    HistoryEntry,
    LostWrite,
    Mutation,
    Outcome,
    Record,
)

RECORD = Record("tasks", "1", 1, ChangeAction.CREATE, b"{}", None, 17, {"a": Clock(1, 17)})


@pytest.mark.parametrize(
    "noun",
    [
        RECORD,
        Commit(RECORD, Granularity.RECORDS, ["a"]),
        LostWrite("a", b"1", 17),
        Decision([], Commit(RECORD, Granularity.RECORDS)),
        Context("e", 1, 17, None),
        Mutation(Push(), print),
        ClientRow("c", "", 1, 17),
        Outcome("c", 1, b"", b""),
        HistoryEntry(RECORD, Granularity.RECORDS),
        Head(),
        Clock(1, 17),
    ],
    ids=lambda noun: type(noun).__name__,
)
def test_the_garbage_collector_does_not_walk_through_a_noun(noun: object) -> None:
    assert not gc.is_tracked(noun)


def test_two_records_without_clocks_do_not_share_them() -> None:
    first, second = (Record("t", "1", 1, ChangeAction.CREATE, b"{}", None, 17) for _ in range(2))
    assert first.clocks is not second.clocks


def test_a_tombstone_is_not_live() -> None:
    assert RECORD.live
    assert not Record("t", "1", 2, ChangeAction.DELETE, None, None, 17).live
