"""Facts about `rhtmx_server.schema.rights`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx import schema as _s
from rhtmx.schema import codecs
from rhtmx.schema.declared import Access, Entity
from rhtmx_server.schema.rights import partitions_of, rules_of


def entity(*access: Access, partition: tuple[tuple[str, ...], ...] = ()) -> Any:
    table = _s.message(
        "Task", _s.field("team", _s.STRING), _s.field("owner", _s.STRING, key="belongs_to")
    )
    shape = {"team": codecs.TEXT, "owner": codecs.TEXT}
    return Entity("tasks", object, table, shape, access=access, partition=partition)


def test_an_entity_of_which_nothing_is_said_belongs_to_everybody() -> None:
    assert rules_of(entity()) == {}
    assert partitions_of(entity()) is None


@pytest.mark.parametrize(
    ("access", "words"),
    [
        (Access((), "owner", "owner"), "owner('belongs_to')"),
        (Access((), "tenant", "team", "teams"), "claim('teams', field='team')"),
        (Access((), "tenant", "team", ""), "claim('team', field='team')"),
        (Access((), "equal", "team", "red"), "equals('team', 'red')"),
        (Access((), "role", value="clerk"), "role('clerk')"),
        (Access((), "anyone"), "anyone"),
        (Access((), "signed_in"), "signed_in"),
        (Access((), "backend"), "backend"),
    ],
)
def test_what_a_schema_says_is_a_rule_about_the_keys_of_records(access: Access, words: str) -> None:
    rules = rules_of(entity(access))
    assert {each.words for each in rules.values()} == {words}
    assert set(rules) == {"read", "create", "update", "delete"}


def test_one_of_several_is_enough_and_what_is_named_nowhere_nobody_may() -> None:
    rules = rules_of(
        entity(Access(("read", "update"), "owner", "owner"), Access(("read",), "role", value="a"))
    )
    assert {action: rule.words for action, rule in rules.items()} == {
        "read": "owner('belongs_to') | role('a')",
        "create": "nobody",
        "update": "owner('belongs_to')",
        "delete": "nobody",
    }


def test_an_entity_is_divided_by_keys() -> None:
    assert partitions_of(entity(partition=(("team",), ("team", "owner")))) == [
        ["team"],
        ["team", "belongs_to"],
    ]
