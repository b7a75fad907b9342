"""Facts about `rhtmx_server.schema.merging`."""

from __future__ import annotations

from typing import Any

from rhtmx import schema as _s
from rhtmx.schema import codecs
from rhtmx.schema.declared import Entity
from rhtmx_server.schema.merging import merge_of
from rhtmx_server.trackers.policy import Counter


def entity(*fields: _s.Field, merge: str = "") -> Any:
    table = _s.message("Task", *fields)
    shape = {each.name: codecs.VALUE for each in fields}
    return Entity("tasks", object, table, shape, merge=merge)


TITLE = _s.field("title", _s.STRING)
VOTES = _s.field("votes", _s.INT32, merge="counter")
COST = _s.field("cost", _s.STRING, key="price", merge="counter", scale=2)


def test_the_last_write_wins_where_nothing_is_said() -> None:
    assert merge_of(entity(TITLE)) == "last_write_wins"
    assert merge_of(entity(TITLE, merge="keep_both")) == "keep_both"


def test_a_field_has_a_strategy_of_its_own_by_its_key() -> None:
    assert merge_of(entity(TITLE, VOTES, COST)) == {"votes": "counter", "price": Counter(2)}


def test_the_others_follow_that_of_the_entity() -> None:
    assert merge_of(entity(TITLE, VOTES, merge="server_wins")) == {
        "title": "server_wins",
        "votes": "counter",
    }
