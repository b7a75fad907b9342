"""Facts about `rhtmx.mcp.arguments`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.mcp.arguments import (
    CreateRecord,
    DeleteRecord,
    EditRecord,
    FillIn,
    GetRecord,
    ListRecords,
    PastOfRecord,
    request_of,
)
from rhtmx.mcp.tools import tools_of
from rhtmx.values.field_operations import Add, Increment, Remove
from tests.unit.rhtmx.mcp.declared import document

TOOLS = tools_of(document())
EVERY = "where, limit, after"


@pytest.mark.parametrize(
    ("given", "request_"),
    [
        ({"action": "list"}, ListRecords({}, 20, "")),
        (
            {"action": "list", "where": {"done": True, "due": None}, "limit": 500, "after": "7"},
            ListRecords({"done": True, "due": None}, 100, "7"),
        ),
        ({"action": "list", "limit": 3.0, "where": None}, ListRecords({}, 3, "")),
        ({"action": "get", "id": "7"}, GetRecord("7")),
        (
            {"action": "create", "record": {"title": "a", "due": None}},
            CreateRecord(None, {"title": "a"}),
        ),
        ({"action": "create", "id": "7", "record": {}}, CreateRecord("7", {})),
        ({"action": "delete", "id": "7"}, DeleteRecord("7", None)),
        ({"action": "delete", "id": "7", "version": 3}, DeleteRecord("7", 3)),
        ({"action": "history", "id": "7", "limit": 2, "before": 9}, PastOfRecord("7", 2, 9)),
        (
            {"action": "edit", "id": "7", "changes": {"title": "b", "due": None}, "version": 3},
            EditRecord("7", {"title": "b"}, ("due",), 3),
        ),
        (
            {
                "action": "edit",
                "id": "7",
                "increment": {"votes": 2.0, "cost": "0.50"},
                "add": {"labels": ["a"]},
            },
            EditRecord(
                "7",
                {"votes": Increment(2), "cost": Increment("0.50"), "labels": Add("a")},
                (),
                None,
            ),
        ),
        (
            {"action": "edit", "id": "7", "remove": {"labels": ["a", "b"]}},
            EditRecord("7", {"labels": Remove("a", "b")}, (), None),
        ),
        (
            {"action": "edit", "id": "7", "changes": {"url": "x:y"}},
            EditRecord("7", {"url": "x:y"}, ("ticket",), None),
        ),
        (
            {"action": "edit", "id": "7", "changes": {"url": "x:y", "ticket": "a"}},
            EditRecord("7", {"url": "x:y", "ticket": "a"}, (), None),
        ),
    ],
)
def test_arguments_say_what_is_to_be_done(given: dict[str, Any], request_: Any) -> None:
    assert request_of(TOOLS["tasks"], given) == request_


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "action: one of list, get, create, edit, delete, history expected"),
        ({"action": ["get"]}, 'history expected, got ["get"]'),
        ({"action": "get"}, "get: 'id' is missing"),
        ({"action": "get", "id": ""}, "id: a text that is not empty expected"),
        ({"action": "get", "id": 7}, "id: a text expected"),
        ({"action": "get", "id": "7", "limit": 1}, "get takes no 'limit': it takes id"),
        ({"action": "list", "id": "7"}, f"list takes no 'id': it takes {EVERY}"),
        ({"action": "list", "wher": {}}, "no argument 'wher': did you mean 'where'?"),
        ({"action": "list", "limit": 0}, "limit: a whole number from 1 on expected"),
        ({"action": "list", "limit": True}, "limit: a whole number from 1 on expected"),
        ({"action": "list", "limit": "5"}, "limit: a whole number from 1 on expected"),
        ({"action": "list", "where": {"title": {"a": 1}}}, "'title': a single value expected"),
        ({"action": "list", "where": {"labels": "a"}}, "'labels' cannot be used here, only title"),
        ({"action": "create", "record": []}, "record: an object expected, with values by field"),
        (
            {"action": "create", "record": {"titel": "a"}},
            "record: 'tasks' has no field 'titel': did you mean 'title'?",
        ),
        (
            {"action": "create", "record": {"owner": "eve"}},
            "record: 'owner' is written by the server only: leave it out",
        ),
        (
            {"action": "edit", "id": "7", "changes": {"team": "b"}},
            "changes: 'team' is written when the record is created, and never again",
        ),
        (
            {"action": "edit", "id": "7"},
            "edit: what is to be written is missing: give changes, increment, add, remove",
        ),
        ({"action": "edit", "id": "7", "changes": {}}, "what is to be written is missing"),
        (
            {"action": "edit", "id": "7", "changes": {"votes": 1}, "increment": {"votes": 1}},
            "increment: 'votes' is there twice",
        ),
        ({"action": "edit", "id": "7", "increment": {"votes": 1.5}}, "a whole number, or"),
        ({"action": "edit", "id": "7", "increment": {"votes": True}}, "a whole number, or"),
        ({"action": "edit", "id": "7", "add": {"labels": "a"}}, "a list of elements expected"),
        ({"action": "edit", "id": "7", "add": {"labels": []}}, "a list of elements expected"),
    ],
)
def test_what_a_tool_does_not_take_is_refused_in_words(given: dict[str, Any], words: str) -> None:
    with pytest.raises(RhtmxError) as raised:
        request_of(TOOLS["tasks"], given)
    assert raised.value.code is ErrorCode.BAD_MESSAGE
    assert words in raised.value.message


def test_what_is_not_offered_cannot_be_called() -> None:
    tool = tools_of(document(), read_only=True)["tasks"]
    for given in ({"action": "delete", "id": "7"}, {"action": "list", "changes": {}}):
        with pytest.raises(RhtmxError):
            request_of(tool, given)


def test_values_of_a_form_become_what_somebody_enters() -> None:
    given = {"email": " a ", "age": 36, "topics": ["a", None, "b"], "terms": True}
    assert request_of(TOOLS["validate_signup"], given) == FillIn(
        {"email": [" a "], "age": ["36"], "topics": ["a", "b"], "terms": ["true"]}
    )
    assert request_of(TOOLS["validate_signup"], {"email": None, "topics": []}) == FillIn({})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mail": "a"}, "the form 'signup' has no field 'mail': did you mean 'email'?"),
        ({"xyz": "a"}, "no field 'xyz': there is email, age, topics, terms"),
        ({"age": {"a": 1}}, "'age': a single value expected, or a list of those"),
    ],
)
def test_what_is_no_value_of_a_form_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(RhtmxError) as raised:
        request_of(TOOLS["validate_signup"], given)
    assert words in raised.value.message
