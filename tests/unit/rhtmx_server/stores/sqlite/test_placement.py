from __future__ import annotations

from rhtmx_server.stores.sqlite.placement import NOTHING_LEARNT, PROBE_EVERY, SLOW, Placement

QUICK = SLOW / 10


def after(placement: Placement, *costs: float) -> Placement:
    for cost in costs:
        placement = placement.after(cost)
    return placement


def test_commits_start_on_the_loop() -> None:
    assert not NOTHING_LEARNT.in_worker


def test_a_quick_disk_keeps_them_there() -> None:
    assert not after(NOTHING_LEARNT, *[QUICK] * 1000).in_worker


def test_one_slow_commit_among_quick_ones_changes_nothing() -> None:
    assert not after(NOTHING_LEARNT, *[QUICK] * 10, SLOW * 5).in_worker


def test_a_slow_disk_moves_them_to_the_worker() -> None:
    assert after(NOTHING_LEARNT, *[SLOW * 2] * 10).in_worker


def test_a_very_slow_commit_moves_the_next_one() -> None:
    assert after(NOTHING_LEARNT, SLOW * 20).in_worker


def test_a_short_time_in_the_worker_proves_a_quick_disk() -> None:
    back = after(NOTHING_LEARNT, SLOW * 20, QUICK)
    assert not back.in_worker
    assert back.cost == QUICK


def test_a_long_time_in_the_worker_proves_nothing_until_one_is_tried_on_the_loop() -> None:
    slow = after(NOTHING_LEARNT, SLOW * 20)
    waiting = after(slow, *[SLOW * 20] * (PROBE_EVERY - 1))
    assert waiting.in_worker
    assert not waiting.after(SLOW * 20).in_worker


def test_a_probe_that_is_slow_sends_them_back_to_the_worker() -> None:
    probing = after(NOTHING_LEARNT, SLOW * 20, *[SLOW * 20] * PROBE_EVERY)
    assert probing.after(SLOW * 2).in_worker


def test_a_probe_that_is_quick_ends_it() -> None:
    probing = after(NOTHING_LEARNT, SLOW * 20, *[SLOW * 20] * PROBE_EVERY)
    assert not after(probing, QUICK, QUICK).in_worker
