"""What becomes of commits once they are durable."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from rhtmx_server.model import Commit
from rhtmx_server.server import hand_out
from tests.unit.rhtmx_server.fakes import commit


class Taker:
    """Notes what it is given, and may fail."""

    def __init__(self, noted: list[str], name: str, *, fails: bool = False) -> None:
        self.noted, self.name, self.fails = noted, name, fails

    def __call__(self, commits: Sequence[Commit]) -> None:
        self.noted += [f"{self.name} {each.record.version}" for each in commits]
        if self.fails:
            raise ZeroDivisionError("the hub broke")


async def batches(*sizes: int) -> AsyncIterator[Sequence[Commit]]:
    version = 0
    for size in sizes:
        yield [commit(version := version + 1) for _ in range(size)]


async def test_commits_are_given_to_all_in_order_batch_by_batch() -> None:
    noted: list[str] = []
    await hand_out(batches(2, 1), Taker(noted, "hooks"), Taker(noted, "hub"))
    assert noted == ["hooks 1", "hooks 2", "hub 1", "hub 2", "hooks 3", "hub 3"]


@pytest.mark.parametrize("broken", ["hooks", "hub"])
async def test_one_that_fails_costs_neither_the_other_nor_what_comes_next(
    broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    noted: list[str] = []
    takers = [Taker(noted, name, fails=name == broken) for name in ("hooks", "hub")]
    await hand_out(batches(1, 1), *takers)
    assert noted == ["hooks 1", "hub 1", "hooks 2", "hub 2"]
    assert caplog.text.count("handing out 1 commits failed: ZeroDivisionError") == 2
