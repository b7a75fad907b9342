"""Facts about `rhtmx_server.access.entity`."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from rhtmx.errors import Violation
from rhtmx_server.access.access import Access
from rhtmx_server.access.entity import Entity, check_entity_name, parse_partition
from rhtmx_server.access.rules import Rule, anyone, backend, claim, equals, nobody, owner, role


def rules(**given: Rule) -> dict[str, str]:
    return {name: repr(rule) for name, rule in Entity("e").access(**given).rules.items()}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"all": anyone}, dict.fromkeys(("read", "create", "update", "delete"), "anyone")),
        (
            {"read": anyone, "write": backend},
            {"read": "anyone", "create": "backend", "update": "backend", "delete": "backend"},
        ),
        (
            {"all": anyone, "write": backend, "delete": nobody},
            {"read": "anyone", "create": "backend", "update": "backend", "delete": "nobody"},
        ),
        ({"read": anyone}, {"read": "anyone"}),
        ({"update": anyone}, {"update": "anyone"}),
    ],
)
def test_what_is_said_most_exactly_counts(given: Any, expected: dict[str, str]) -> None:
    assert rules(**given) == expected


def test_what_is_no_rule_is_refused_by_its_name() -> None:
    call: Any = Entity("orders").access
    with pytest.raises(TypeError, match=r"'orders': access\(write=…\): a rule such as role"):
        call(write="clerk")
    with pytest.raises(ValueError, match=r"say who: access\(all=nobody\)"):
        call()


def test_access_is_given_once() -> None:
    entity = Entity("orders").access(all=anyone)
    with pytest.raises(ValueError, match="say all of it in one call"):
        entity.access(read=nobody)


@pytest.mark.parametrize(
    "change",
    [
        lambda entity: entity.access(all=anyone),
        lambda entity: entity.check(lambda who, before, after: None),
        lambda entity: entity.prepare(lambda who, after: None),
        lambda entity: entity.divide(parse_partition("orders", ["a"], ())),
    ],
)
def test_nothing_is_changed_while_the_app_runs(change: Any) -> None:
    with pytest.raises(RuntimeError, match="the app is running"):
        change(Entity("orders", lambda: True))


@pytest.mark.parametrize(
    ("partition", "declared"),
    [
        (["team"], (("team",),)),
        (("team", "status"), (("status", "team"),)),
        ([["team"]], (("team",),)),
        ([["team"], ("team", "status")], (("team",), ("status", "team"))),
    ],
)
def test_a_partition_is_a_list_of_fields_or_several_of_them(partition: Any, declared: Any) -> None:
    assert parse_partition("tasks", partition, ()).declared == declared


@pytest.mark.parametrize(
    ("partition", "kind", "words"),
    [
        ("team", TypeError, "a list of fields expected, such as"),
        ({"team"}, TypeError, "a list of fields expected"),
        (["team", ["status"]], TypeError, "a list of lists expected"),
        ([["team"], 7], TypeError, "a list of lists expected"),
        ([[7]], TypeError, "7 is no name of a field"),
        ([], ValueError, "1 to 16 lists of fields"),
        ([[str(n)] for n in range(17)], ValueError, "1 to 16 lists of fields"),
        ([[]], ValueError, "different names"),
        (["team", "team"], ValueError, "entity 'tasks': partition .*different names"),
        ([["a", "b"], ["b", "a"]], ValueError, "there twice"),
        ([""], ValueError, "no record can have the field ''"),
        (["x" * 256], ValueError, "no record can have the field"),
        (["__proto__"], ValueError, "no record can have the field '__proto__'"),
    ],
)
def test_a_partition_that_cannot_be_is_refused(partition: Any, kind: Any, words: str) -> None:
    with pytest.raises(kind, match=words):
        parse_partition("tasks", partition, ("__proto__",))


def declared(partition: Any = None, *, scoped: bool = False, **given: Rule) -> Access:
    entity = Entity("tasks")
    if partition is not None:
        entity.divide(parse_partition("tasks", partition, ()))
    if given:
        entity.access(**given)

    async def ask(who: object) -> Any: ...

    return Access({"tasks": entity}, {"tasks": ask} if scoped else {})


@pytest.mark.parametrize(
    ("partition", "rule", "missing"),
    [
        (None, owner("customer"), "partition=['customer']"),
        (["team"], owner("customer"), "partition=[['team'], ['customer']]"),
        (["team", "status"], claim("team"), "partition=[['status', 'team'], ['team']]"),
        (["team"], claim("team") & equals("open", True), "['team'], ['open', 'team']"),
        (["team"], role("x") | equals("open", True), "['team'], ['open']"),
    ],
)
def test_a_read_by_fields_that_divide_nothing_names_what_to_declare(
    partition: Any, rule: Rule, missing: str
) -> None:
    with pytest.raises(ValueError, match="no partition has just these fields") as caught:
        declared(partition, read=rule)
    assert missing in str(caught.value)


def test_writes_may_look_at_any_field() -> None:
    declared(read=anyone, write=owner("customer"))
    declared(["team"], read=claim("team"), update=owner("customer") & equals("open", True))


def test_what_a_function_says_is_said_by_it_alone() -> None:
    declared(["team"], scoped=True, all=anyone)
    with pytest.raises(ValueError, match="both say who reads what"):
        declared(["team"], scoped=True, read=anyone)
    with pytest.raises(ValueError, match=r"declare app.entity\('tasks', partition=\[…\]\)"):
        declared(scoped=True)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (lambda who, after: None, r"takes \(who, before, after\), not"),
        ("check", "a function that takes"),
        (type("Check", (), {}), "is a class"),
    ],
)
def test_a_check_that_cannot_be_called_is_refused(check: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Entity("tasks").check(check)


def test_a_check_that_would_wait_is_refused() -> None:
    async def check(who: object, before: object, after: object) -> None: ...

    call: Any = Entity("tasks").check
    with pytest.raises(TypeError, match="is async: a check runs in the transaction"):
        call(check)


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda who, before, after: None, r"takes \(who, after\), not"),
        ("prepare", "a function that takes"),
        (type("Prepare", (), {}), "is a class"),
    ],
)
def test_what_cannot_fill_in_is_refused(prepare: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Entity("tasks").prepare(prepare)


def test_what_would_wait_to_fill_in_is_refused() -> None:
    async def prepare(who: object, after: object) -> None: ...

    class Stamp:
        async def __call__(self, who: object, after: object) -> None: ...

    call: Any = Entity("tasks").prepare
    for each in (prepare, Stamp(), functools.partial(prepare)):
        with pytest.raises(TypeError, match="is async: a prepare runs in the transaction"):
            call(each)


def test_an_entity_that_only_fills_in_is_asked_and_open_to_all() -> None:
    entity = Entity("tasks")
    function = entity.prepare(lambda who, after: None)
    access = Access({"tasks": entity})
    assert access.guards["tasks"].prepares == (function,)
    assert not access.guards["tasks"].closed


@pytest.mark.parametrize("name", ["$", "$tasks", "$conflicts/tasks"])
def test_names_of_the_server_are_not_given_away(name: str) -> None:
    with pytest.raises(ValueError, match="names that begin with"):
        check_entity_name(name, ())


@pytest.mark.parametrize("said", ["divided", "ruled"])
def test_nobody_reads_by_what_never_leaves_the_server(said: str) -> None:
    entity = Entity("orders")
    entity.hide({"note": Violation("note", "server_only", "")})
    if said == "divided":
        entity.divide(parse_partition("orders", ["note"], ()))
    else:
        entity.access(all=anyone, update=equals("note", "x"))
    with pytest.raises(ValueError, match="by 'note', which is server_only"):
        Access({"orders": entity})
