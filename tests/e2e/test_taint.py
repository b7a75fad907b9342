"""Nobody is told a word of what they may not see, at any door."""

from __future__ import annotations

import logging

import pytest

from tests.support.taint import WORDS, Workload, build


async def test_no_tenant_is_told_a_word_of_the_others(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "rhtmx_server")
    async with build() as app:
        work = Workload(7, app)
        await work.run(2_000)
    for tenant in work.tenants:
        assert tenant.own > 500, "it was told of its own"
    assert work.bodies > 50
    assert not any(word in caplog.text for word in WORDS.values()), "nothing is logged of records"


async def test_a_server_that_hides_nothing_is_found_out() -> None:
    async with build(hides=False) as app:
        with pytest.raises(AssertionError, match="was told"):
            await Workload(7, app).run(100)
