"""Facts about `rhtmx_server.access.conflict_logs`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.access.access import Access, AskScope
from rhtmx_server.access.conflict_logs import log_entities, log_scope
from rhtmx_server.access.entity import Entity
from rhtmx_server.access.grant import GUEST, Grant
from rhtmx_server.access.parts import WHOLE, Part, Partitions
from rhtmx_server.access.rules import Rule, anyone, claim, equals, nobody, owner, role
from tests.unit.rhtmx_server.delivery.reading_world import run

ADA = Grant("ada", claims={"team": "red"})
CLERK = Grant("bob", roles={"clerk"})
TEAM, MINE = claim("team"), owner("owner")
RED = '{"team":"red"}'


def entity(partition: Sequence[Sequence[str]] = (), **rules: Rule) -> Entity:
    made = Entity("tasks")
    if partition:
        made.divide(Partitions(partition))
    if rules:
        made.access(**rules)
    return made


def log(of: Entity, *, scoped: bool = False) -> Entity | None:
    scopes = ["tasks"] if scoped else []
    return log_entities({"tasks": of}, scopes, ()).get("$conflicts/tasks")


def shapes(of: Entity, *, scoped: bool = False) -> Sequence[tuple[str, ...]]:
    found = log(of, scoped=scoped)
    assert found is not None
    return () if found.partitions is None else found.partitions.declared


def test_of_what_is_open_and_whole_nothing_is_said() -> None:
    assert log(entity()) is None
    checked = entity()
    checked.check(lambda who, before, after: None)
    assert log(checked) is None


def test_of_what_has_no_log_nothing_is_said() -> None:
    assert log_entities({"tasks": entity(all=anyone)}, (), {"tasks"}) == {}


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (entity([["team"]]), [("team",)]),
        (entity([["team"], ["team", "status"]]), [("status", "team"), ("team",)]),
        (entity(all=role("clerk")), []),
        (entity([["team"]], all=TEAM), [("team",)]),
        (entity([["team"]], read=TEAM, write=MINE), [("owner",), ("owner", "team"), ("team",)]),
        (entity([["team"]], read=TEAM), [("team",)]),
        (entity(read=anyone, write=MINE), [("owner",)]),
    ],
)
def test_it_is_divided_by_all_that_somebody_reads_or_updates_by(
    of: Entity, expected: Sequence[tuple[str, ...]]
) -> None:
    assert shapes(of) == tuple(expected)


@pytest.mark.parametrize(
    ("read", "update", "who", "expected"),
    [
        (TEAM, TEAM, ADA, {'{"team":"red"}'}),
        (TEAM | role("clerk"), TEAM, CLERK, set()),
        (TEAM, MINE, ADA, {'{"owner":"ada","team":"red"}'}),
        (TEAM, MINE | role("clerk"), Grant("x", roles={"clerk"}, claims={"team": "red"}), {RED}),
        (anyone, equals("status", "open"), GUEST, {'{"status":"open"}'}),
        (role("clerk"), role("clerk"), CLERK, None),
        (TEAM, nobody, ADA, "forbidden"),
        (role("clerk"), anyone, ADA, "forbidden"),
    ],
)
def test_it_takes_both_rights(read: Rule, update: Rule, who: Grant, expected: object) -> None:
    of = entity([["team"]], read=read, update=update)
    logs = log_entities({"tasks": of}, (), ())
    access = Access({"tasks": of, **logs})
    if expected == "forbidden":
        with pytest.raises(RhtmxError, match="you may not read it"):
            run(access.readable("$conflicts/tasks", who))
        return
    scope = run(access.readable("$conflicts/tasks", who))
    assert scope == expected


def test_a_function_gives_what_may_also_be_updated() -> None:
    async def projects(who: Grant) -> frozenset[Part]:
        return frozenset({Part.of({"team": "red"}), Part.of({"team": "blue"})})

    async def everything(who: Grant) -> frozenset[Part]:
        return frozenset({WHOLE})

    for ask, update, expected in [
        (projects, TEAM, {'{"team":"red"}'}),
        (projects, anyone, {'{"team":"red"}', '{"team":"blue"}'}),
        (everything, TEAM, {'{"team":"red"}'}),
        (everything, anyone, {"{}"}),
        (everything, None, set()),
    ]:
        found = asyncio.run(_of(log_scope(ask, update)))
        assert {part.key for part in found} == expected


async def _of(ask: AskScope) -> frozenset[Part]:
    return await ask(ADA)


def test_where_a_function_says_who_reads_it_is_divided_by_what_it_can_say() -> None:
    of = entity([["team"], ["owner"]], update=equals("status", "open"))
    assert shapes(of, scoped=True) == (
        ("owner",), ("owner", "status"), ("status",), ("status", "team"), ("team",)
    )  # fmt: skip


def test_a_field_that_is_called_like_a_conflict_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"'\$5'.*conflicts=False"):
        log(entity([["$5"]]))


def test_nothing_is_warned_of_that_follows_from_what_was_said() -> None:
    of, free = entity([["team"]], all=TEAM), Entity("free")
    free.divide(Partitions([["team"]]))
    entities = {"tasks": of, "free": free}
    access = Access({**entities, **log_entities(entities, (), ())})
    assert access.open == ("free",)
    assert set(access.entities) == {*entities, "$conflicts/tasks", "$conflicts/free"}
