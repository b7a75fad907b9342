"""Answers without a connection: they end with the rights of whoever asked."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.connections.visits import AGAIN, Visit, Visits
from rhtmx_server.delivery.cursor import Reading
from tests.unit.rhtmx_server.delivery.reading_world import run

EVE = Grant("eve")
RED, BLUE = (Reading("docs", None, frozenset({part}), part) for part in ("red", "blue"))


class World:
    """A clock, and what the program says somebody reads."""

    def __init__(self, *, waits: bool = True) -> None:
        self.time = 0.0
        self.reads: Reading | Exception = RED
        self.asked = 0
        self.visits = Visits(lambda: self.time, lambda entity: waits, self.still)

    async def still(self, entity: str, grant: Grant, where: bytes | None) -> Reading:
        self.asked += 1
        if isinstance(self.reads, Exception):
            raise self.reads
        return self.reads

    def enter(self, until: float | None = None, grant: Grant = EVE) -> tuple[Visit, list[str]]:
        visit, cut = self.visits.enter(grant, until), list[str]()
        visit.reading = RED
        visit.cut = lambda: cut.append("cut")
        return visit, cut


def ended(visit: Visit) -> ErrorCode | None:
    try:
        run(visit.require())
    except RhtmxError as error:
        return error.code
    return None


def test_it_goes_on_as_long_as_nothing_changes() -> None:
    world = World()
    visit, cut = world.enter()
    for world.time in (0.0, AGAIN, 2 * AGAIN):
        assert ended(visit) is None
    assert (world.asked, cut) == (2, [])


def test_it_ends_at_the_next_page_where_something_else_is_read_now() -> None:
    world = World()
    visit, _ = world.enter()
    world.reads, world.time = BLUE, AGAIN
    assert ended(visit) is ErrorCode.FORBIDDEN
    world.reads = RED
    assert ended(visit) is ErrorCode.FORBIDDEN, "it stays ended"


def test_it_ends_at_the_next_page_where_its_token_has_expired() -> None:
    world = World()
    visit, _ = world.enter(until=5.0)
    world.time = 5.0
    assert ended(visit) is ErrorCode.UNAUTHENTICATED


@pytest.mark.parametrize("found", [BLUE, RuntimeError(), RhtmxError(ErrorCode.TIMEOUT, "late")])
def test_it_is_cut_off_when_its_rights_change(found: Reading | Exception) -> None:
    world = World()
    visit, cut = world.enter()
    other, other_cut = world.enter(grant=Grant("ada"))
    world.reads = found
    run(world.visits.rescope("eve"))
    assert (cut, other_cut) == (["cut"], [])
    assert (visit.error is not None, other.error) == (True, None)
    run(world.visits.rescope("eve"))
    assert cut == ["cut"], "once"


def test_rights_that_stay_end_nothing() -> None:
    world = World()
    visit, cut = world.enter()
    run(world.visits.rescope("eve"))
    assert (visit.error, cut, world.asked) == (None, [], 1)


def test_by_rules_a_grant_gives_the_same_for_ever() -> None:
    world = World(waits=False)
    visit, cut = world.enter()
    world.time, world.reads = AGAIN, BLUE
    run(world.visits.rescope("eve"))
    assert (ended(visit), cut, world.asked) == (None, [], 0)


def test_before_it_reads_there_is_nothing_to_ask() -> None:
    world = World()
    visit, cut = world.enter()
    visit.reading, world.reads = None, BLUE
    run(world.visits.rescope("eve"))
    assert (visit.error, cut) == (None, [])


def test_who_is_disconnected_is_answered_nothing_more() -> None:
    world = World()
    visit, cut = world.enter()
    other, other_cut = world.enter(grant=Grant("ada"))
    world.visits.disconnect("eve")
    assert (cut, other_cut) == (["cut"], [])
    assert ended(visit) is ErrorCode.UNAUTHENTICATED
    assert ended(other) is None


def test_one_that_has_left_is_never_cut_off() -> None:
    world = World()
    visit, cut = world.enter()
    visit.leave()
    visit.leave()
    assert not world.visits.present
    world.visits.disconnect("eve")
    visit.end(RhtmxError(ErrorCode.FORBIDDEN, "late"))
    assert cut == []
