"""Nobody is told a word of what they may not see, at any door."""

from __future__ import annotations

import pytest

from tests.support.taint import MARKS, Workload, build, build_old, logged

DOORS = 31
WITHOUT_RECORDS = {
    "/metrics",
    "Blame",
    "ValidateField",
    "/api/sync/ws without a token",
    "/api/field-sync/ws without a token",
}


@pytest.mark.parametrize("by_schema", [False, True])
async def test_no_tenant_is_told_a_word_of_the_others(*, by_schema: bool) -> None:
    with logged():
        async with build(by_schema=by_schema) as app, build_old(by_schema=by_schema) as old:
            work = Workload(7, app, old)
            await work.run(2_000)
    assert len(work.told) == DOORS
    silent = {door for door in work.told if not work.own[door]}
    assert silent == WITHOUT_RECORDS, "each door told them of their own"
    assert work.marks.keys() == set(MARKS)
    assert work.kept > 5, "the program has what nobody was told"


async def test_a_server_that_hides_nothing_is_found_out() -> None:
    async with build(hides=False) as app, build_old() as old:
        with pytest.raises(AssertionError, match="was told"):
            await Workload(7, app, old).run(100)


async def test_a_server_that_tells_what_is_its_own_is_found_out() -> None:
    async with build(keeps=False) as app, build_old() as old:
        with pytest.raises(AssertionError, match="was told"):
            await Workload(7, app, old).run(100)
