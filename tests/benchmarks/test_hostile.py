"""The benchmark of hostile peers: what it says is what was there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from benchmarks.support.beside import Question, Waits
from benchmarks.support.damage import GROWN, KEPT, LONGEST, P99, SLOWED, WORST, Found, Tables
from benchmarks.support.hostile.patterns import ANY_SERVER, OURS, words

MIB = 2**20


class Itself:
    """A client that answers its own questions, or refuses them, through a pair of sockets."""

    kinds = ("some",)

    def __init__(self, *, refusals: int = 0, silent: bool = False) -> None:
        near, self._far = socket.socketpair()
        self.sockets: Any = (SimpleNamespace(socket=near),)
        self.asked: list[int] = []
        self._refusals = refusals
        self._silent = silent

    def __enter__(self) -> Itself:
        return self

    def __exit__(self, *failure: object) -> None:
        self._far.close()
        self.sockets[0].socket.close()

    def ask(self, kind: str, number: int) -> None:
        self.asked.append(number)
        if not self._silent:
            self._far.send(bytes([number]))

    def arrived(self, client: Any) -> Iterator[tuple[Question, bool]]:
        for number in client.socket.recv(100):
            good = self._refusals == 0
            self._refusals -= not good
            yield ("some", number), good


def test_every_question_has_one_wait() -> None:
    with Itself() as client:
        waits = Waits(client).during(0.1, patience=60)
    assert len(waits["some"]) == len(client.asked) == 5


def test_a_question_that_is_refused_is_asked_again_and_waits_since_it_was_due() -> None:
    with Itself(refusals=3) as client:
        waits = Waits(client).during(0.02, patience=60)
    assert client.asked == [1, 1, 1, 1]
    assert waits["some"][0] >= 3 * 0.02


def test_what_never_comes_counts_as_late_as_one_was_patient() -> None:
    with Itself(silent=True) as client:
        waits = Waits(client).during(0.02, patience=0.1)
    assert waits["some"][0] >= 0.1


def test_it_says_when_the_time_is_up_and_goes_on_waiting() -> None:
    seen: list[int] = []
    with Itself(silent=True) as client:
        Waits(client).during(0.1, 0.1, lambda: seen.append(len(client.asked)))
    assert seen == [5]


def test_the_worst_of_each_is_told_whichever_pattern_it_was() -> None:
    alone, beside = {"push": [0.002], "read": [0.002]}, {"push": [0.004], "read": [0.004]}
    fine = Found(alone, beside, before=10 * MIB, peak=12 * MIB, after=10 * MIB)
    slow = replace(fine, beside={"push": [0.001], "read": [0.9]})
    large = replace(fine, peak=50 * MIB, after=15 * MIB)
    tables = Tables()
    for case in (fine, slow, large):
        tables.add("a pattern", "rhtmx", case)
    tables.worst([fine, slow, large])
    table = next(table for table in tables.all() if table.title == WORST)
    assert {row.case: row.spread.median for row in table.rows()} == {
        P99: 900.0, SLOWED: 450.0, LONGEST: 900.0, GROWN: 40.0, KEPT: 5.0,
    }  # fmt: skip


def test_each_pattern_says_what_it_does() -> None:
    assert set(ANY_SERVER) <= set(OURS)
    told = [words(name) for name in OURS]
    assert all(told)
    assert len(set(told)) == len(told)
