"""Facts about `rhtmx_server.access.where`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.parts import WHOLE, Part, Partitions
from rhtmx_server.access.rules import MOST_PARTS
from rhtmx_server.access.where import common_parts, parse_where, partitions_with

TEAMS = Partitions([["team"], ["team", "status"]])


def parsed(where: Any, partitions: Partitions | None = TEAMS) -> set[str]:
    return {part.key for part in parse_where("tasks", json.dumps(where).encode(), partitions)}


def refused(where: bytes, partitions: Partitions | None = TEAMS) -> RhtmxError:
    with pytest.raises(RhtmxError) as caught:
        parse_where("tasks", where, partitions)
    return caught.value


def parts(*values: dict[str, Any]) -> frozenset[Part]:
    return frozenset(map(Part.of, values))


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        ({}, {"{}"}),
        ({"team": "red"}, {'{"team":"red"}'}),
        ({"team": ["red"]}, {'{"team":"red"}'}),
        ({"team": 1.0}, {'{"team":1}'}),
        ({"team": [1, 1.0, "1"]}, {'{"team":1}', '{"team":"1"}'}),
        ({"team": [True, False]}, {'{"team":true}', '{"team":false}'}),
        ({"team": []}, set()),
        ({"team": "red", "status": []}, set()),
        (
            {"team": ["a", "b"], "status": "open"},
            {'{"status":"open","team":"a"}', '{"status":"open","team":"b"}'},
        ),
    ],
)
def test_a_where_asks_for_parts(where: Any, keys: set[str]) -> None:
    assert parsed(where) == keys


def test_no_where_asks_for_all_of_it() -> None:
    assert parse_where("tasks", None, None) == parse_where("tasks", None, TEAMS) == {WHOLE}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (b"[]", "an object of fields and values"),
        (b"7", "an object of fields and values"),
        (b"", "an object of fields and values"),
        (b"{", "an object of fields and values"),
        (b'{"team": null}', "'team': a text, a number or a boolean"),
        (b'{"team": {"in": ["a"]}}', "'team': a text, a number or a boolean"),
        (b'{"team": [["a"]]}', "'team': a text, a number or a boolean"),
        (b'{"team": ["a", null]}', "'team': a text, a number or a boolean"),
        (b'{"team": "%s"}' % (b"x" * 254), "'team': a text, a number or a boolean"),
        (b'{"team": 1e99999999999}', "'team': a text, a number or a boolean"),
        (b'{"title": "x"}', "'title' is none of the fields that divide it: 'status', 'team'"),
    ],
)
def test_what_is_no_where_is_refused_in_words(where: bytes, words: str) -> None:
    error = refused(where)
    assert error.code is ErrorCode.BAD_MESSAGE
    assert "where of 'tasks'" in error.message
    assert words in error.message


def test_of_an_entity_without_parts_the_partition_to_declare_is_named() -> None:
    error = refused(b'{"team": "red", "open": true}', None)
    assert error.code is ErrorCode.NOT_SUPPORTED
    assert "app.entity('tasks', partition=['open', 'team'])" in error.message
    assert "or its `partition` in the schema" in error.message  # where app.entity may not say it


def test_too_many_values_are_refused() -> None:
    many = [str(n) for n in range(40)]
    assert len(parsed({"team": many[:25], "status": many})) == MOST_PARTS
    error = refused(json.dumps({"team": many, "status": many}).encode())
    assert (error.code, "ask for fewer values" in error.message) == (ErrorCode.BAD_MESSAGE, True)


RED, BLUE = {"team": "red"}, {"team": "blue"}


@pytest.mark.parametrize(
    ("right", "wanted", "common"),
    [
        ([{}], [{}], None),
        ([{}], [RED], {'{"team":"red"}'}),
        ([RED], [{}], {'{"team":"red"}'}),
        ([RED, BLUE], [RED], {'{"team":"red"}'}),
        ([RED], [BLUE], set()),
        ([], [RED], set()),
        ([RED], [], set()),
        ([{"status": "open"}], [RED], {'{"status":"open","team":"red"}'}),
        ([{"status": "open"}, RED], [RED], {'{"status":"open","team":"red"}', '{"team":"red"}'}),
        ([{**RED, "status": "open"}], [{**RED, "status": "done"}], set()),
    ],
)
def test_a_reader_gets_what_it_may_of_what_it_asks_for(
    right: list[dict[str, Any]], wanted: list[dict[str, Any]], common: set[str] | None
) -> None:
    assert common_parts("tasks", parts(*right), parts(*wanted), TEAMS) == common


def test_a_part_by_which_the_entity_is_not_divided_names_the_partition_to_declare() -> None:
    with pytest.raises(RhtmxError) as caught:
        common_parts("tasks", parts({}), parts({"status": "open"}), TEAMS)
    assert caught.value.code is ErrorCode.NOT_SUPPORTED
    wanted = "app.entity('tasks', partition=[['team'], ['status', 'team'], ['status']])"
    assert wanted in caught.value.message


def test_a_thousand_parts_meet_a_thousand_others_without_looking_at_each_pair() -> None:
    looked = 0

    class Counted(Part):
        def within(self, other: Part) -> Part | None:
            nonlocal looked
            looked += 1
            return super().within(other)

    mine = frozenset(Counted(Part.of({"team": str(n)}).items) for n in range(1000))
    theirs = parts(*({"team": str(n)} for n in range(500, 1500)))
    found = common_parts("tasks", mine, theirs, TEAMS)
    assert found is not None
    assert (len(found), looked) == (500, 500)


def test_too_many_common_parts_are_refused() -> None:
    many = [str(n) for n in range(40)]
    right = parts(*({"team": each} for each in many))
    wanted = parts(*({"status": each} for each in many))
    with pytest.raises(RhtmxError, match="ask for fewer values"):
        common_parts("tasks", right, wanted, TEAMS)


def test_the_declaration_that_is_missing_is_python() -> None:
    assert partitions_with("a", ["x"], None) == "app.entity('a', partition=['x'])"
