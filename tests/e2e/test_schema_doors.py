"""What a schema says of merging and of rules holds at every door, for whoever writes how.

A campaign: `python -m tests.support.schema_doors --rounds 1000`.
"""

from __future__ import annotations

import pytest

from tests.docs.node import require_node
from tests.support import schema_doors
from tests.support.schema_doors import doors
from tests.support.writes_schema import VARIANTS, WordedRules

WRITERS = ("json", "proto", "node", "bare-json", "bare-proto", "till", "program")


@pytest.mark.parametrize("variant", range(VARIANTS))
async def test_each_decision_is_right_and_everybody_ends_with_it(variant: int) -> None:
    require_node()
    found = await doors(variant, rounds=6, acts=5)
    assert not found.wrong, found.wrong[0]
    assert all(found.counts[f"{each} done"] > 5 for each in WRITERS), found.counts
    assert found.counts["conflicts"] > 30
    assert sum(count for told, count in found.counts.items() if told.endswith("invalid")) > 5


async def test_a_server_that_merges_otherwise_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(variant: int) -> WordedRules:
        return WordedRules((variant + 1) % VARIANTS)

    monkeypatch.setattr(schema_doors, "WordedRules", other)
    monkeypatch.setattr(schema_doors, "_compare", _nothing)
    found = await doors(0, rounds=6, acts=5, node=False)
    assert len(found.wrong) > 3


async def _nothing(*_: object) -> None:
    """It would wait for ever for what is not right."""
