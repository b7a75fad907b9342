"""Facts about `rhtmx_server.access.access`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.access import Access
from rhtmx_server.access.entity import Entity
from rhtmx_server.access.grant import GUEST, Grant
from rhtmx_server.access.parts import Part, Partitions
from rhtmx_server.access.rules import Rule, anyone, backend, claim, nobody, owner, role

ADA, CLERK = Grant("ada", claims={"team": "red"}), Grant("bob", roles={"clerk"})


def entity(name: str, *partitions: list[str], **rules: Rule) -> Entity:
    made = Entity(name)
    if partitions:
        made.divide(Partitions(partitions))
    return made.access(**rules) if rules else made


def now(waiting: Coroutine[Any, Any, Any]) -> Any:
    """The result of what never waits."""
    try:
        waiting.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


def access(*entities: Entity, **scopes: Any) -> Access:
    return Access({each.name: each for each in entities}, scopes)


@pytest.mark.parametrize(
    ("rule", "who", "scope"),
    [
        (anyone, GUEST, None),
        (role("clerk"), CLERK, None),
        (owner("customer"), ADA, {'{"customer":"ada"}'}),
        (owner("customer") | role("clerk"), CLERK, None),
        (owner("customer") | role("clerk"), GUEST, set()),
        (owner("customer") & role("clerk"), ADA, set()),
    ],
)
def test_a_rule_says_what_somebody_reads(rule: Rule, who: Grant, scope: set[str] | None) -> None:
    orders = access(entity("orders", ["customer"], read=rule))
    assert now(orders.readable("orders", who)) == scope


@pytest.mark.parametrize("rule", [role("clerk"), nobody, backend, nobody & owner("customer")])
def test_who_could_never_read_a_part_of_it_is_told_so(rule: Rule) -> None:
    orders = access(entity("orders", ["customer"], read=rule))
    with pytest.raises(RhtmxError, match="'orders': you may not read it") as caught:
        now(orders.readable("orders", ADA))
    assert caught.value.code is ErrorCode.FORBIDDEN


def test_where_only_writes_are_named_nobody_reads() -> None:
    with pytest.raises(RhtmxError, match="you may not read it"):
        now(access(entity("orders", write=anyone)).readable("orders", CLERK))


def test_everybody_reads_what_nothing_is_said_of() -> None:
    both = access(entity("orders", read=nobody), entity("tasks"))
    for name in ("tasks", "never declared"):
        assert now(both.readable(name, GUEST)) is None
    assert now(Access().readable("orders", GUEST)) is None


def test_whole_is_what_everybody_reads_all_of_whoever_they_are() -> None:
    async def ask(who: Grant) -> Any:
        return []

    some = access(
        entity("open", ["team"]), entity("ruled", read=anyone), entity("asked", ["team"]), asked=ask
    )
    assert [some.whole(each) for each in ("open", "unheard of", "ruled", "asked")] == [
        True,
        True,
        False,
        False,
    ]


def test_the_program_itself_reads_everything() -> None:
    orders = access(entity("orders", ["customer"], read=nobody))
    assert now(orders.readable("orders", None)) is None
    assert now(orders.readable("orders", None, b'{"customer":"7"}')) == {'{"customer":"7"}'}


def test_a_where_takes_from_what_somebody_may_read() -> None:
    tasks = access(
        entity("tasks", ["team"], ["team", "status"], read=claim("team") | role("clerk"))
    )
    blue, done = b'{"team":"blue"}', b'{"team":"red","status":["done"]}'
    assert now(tasks.readable("tasks", ADA, blue)) == set()
    assert now(tasks.readable("tasks", CLERK, blue)) == {'{"team":"blue"}'}
    assert now(tasks.readable("tasks", ADA, done)) == {'{"status":"done","team":"red"}'}
    assert now(tasks.readable("tasks", ADA, b'{"status":"done"}')) == {
        '{"status":"done","team":"red"}'
    }


@pytest.mark.parametrize("name", ["orders", "never declared"])
def test_a_where_of_what_is_not_divided_is_not_supported(name: str) -> None:
    with pytest.raises(RhtmxError) as caught:
        now(access(entity("orders")).readable(name, GUEST, b'{"customer":"7"}'))
    assert caught.value.code is ErrorCode.NOT_SUPPORTED
    assert f"app.entity({name!r}, partition=['customer'])" in caught.value.message


def test_an_entity_without_access_can_be_read_in_parts() -> None:
    orders = access(entity("orders", ["customer"]))
    assert now(orders.readable("orders", GUEST, b'{"customer":["7"]}')) == {'{"customer":"7"}'}


def test_a_function_of_the_program_says_what_somebody_reads() -> None:
    async def ask(who: Grant) -> frozenset[Part]:
        return frozenset({Part.of({"team": who.claims["team"]})})

    tasks = access(entity("tasks", ["team"], write=anyone), tasks=ask)
    assert now(tasks.readable("tasks", ADA)) == {'{"team":"red"}'}
    assert now(tasks.readable("tasks", ADA, b'{"team":"blue"}')) == set()
    assert (tasks.waits("tasks"), tasks.waits("orders"), tasks.asks_the_program) == (
        True,
        False,
        True,
    )


def test_a_function_of_an_entity_that_is_not_declared_is_refused() -> None:
    async def ask(who: Grant) -> Any: ...

    with pytest.raises(ValueError, match=r"declare app.entity\('taks'"):
        access(entity("tasks"), taks=ask)


def test_the_parts_of_a_record_are_those_of_its_partitions() -> None:
    both = access(entity("tasks", ["team"], ["owner"]), entity("orders"))
    assert both.parts_of("tasks", b'{"team":1}') == {'{"team":1}'}
    assert both.parts_of("tasks", None) == both.parts_of("orders", b'{"team":1}') == frozenset()
    assert both.declared("tasks") == '"owner";"team"'
    assert both.declared("orders") == both.declared("never declared") == ""


def test_what_nothing_is_said_of_is_named_where_others_have_access() -> None:
    assert access(entity("a"), entity("b")).open == ()
    assert access(entity("a", read=anyone), entity("b"), entity("c", ["x"])).open == ("b", "c")


def test_only_what_is_asked_about_has_a_guard() -> None:
    checked = entity("checked")
    checked.check(lambda who, before, after: None)
    all_of_them = access(entity("a", ["x"]), entity("b", read=anyone), checked, entity("plain"))
    assert set(all_of_them.guards) == {"a", "b", "checked"}


@pytest.mark.parametrize("subject", ["ada", "bob"])
async def test_the_program_is_asked_anew_where_what_it_says_changed_while_it_answered(
    subject: str,
) -> None:
    lets = [asyncio.Event(), asyncio.Event()]
    asked: list[int] = []

    async def ask(who: Grant) -> frozenset[Part]:
        number = len(asked)
        asked.append(number)
        await lets[number].wait()
        return frozenset({Part.of({"team": number})})

    docs = access(entity("docs", ["team"]), docs=ask)
    reading = asyncio.create_task(docs.readable("docs", ADA))
    await asyncio.sleep(0)
    docs.changed(subject)
    for let in lets:
        let.set()
    same = subject == ADA.subject
    assert set(await reading or ()) == {'{"team":1}' if same else '{"team":0}'}
    assert (len(asked), docs.changes) == (2 if same else 1, 1)
    assert docs._questions == {}, "nothing is left of it"
