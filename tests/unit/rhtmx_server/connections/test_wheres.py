"""The shape of `where`: an object by entity, and an object of fields."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.connections.wheres import MAX_WHERE, check_where, check_wheres, wheres


def test_each_part_is_as_it_was_written() -> None:
    text = b'{"orders": { "customer" : 1.0 }, "tasks":{"team":["a","b"]}}'
    assert wheres(text) == {"orders": b'{ "customer" : 1.0 }', "tasks": b'{"team":["a","b"]}'}
    assert wheres(None) == {}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (b'["orders"]', "an object of fields"),
        (b'{"tasks":{}}', "not among the entities"),
        (b'{"orders":"customer"}', "an object of fields"),
        (b'{"orders":null}', "an object of fields"),
        (b'{"orders":[{}]}', "an object of fields"),
        (b'{"orders":{"a":"%s"}}' % (b"x" * MAX_WHERE), "at most"),
    ],
)
def test_what_is_no_part_of_an_entity_of_the_message_is_refused(where: bytes, words: str) -> None:
    with pytest.raises(RhtmxError, match=words) as caught:
        check_wheres("subscribe.where", where, ["orders"])
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_the_largest_part_is_taken() -> None:
    where = b'{"a":"%s"}' % (b"x" * (MAX_WHERE - 8))
    assert len(where) == MAX_WHERE
    check_where("sync.where", where)
    check_wheres("subscribe.where", b'{"orders":%s}' % where, ["orders"])
    with pytest.raises(RhtmxError, match="at most"):
        check_where("sync.where", where + b" ")
