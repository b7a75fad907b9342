"""Facts about `rhtmx.mcp.tools`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from rhtmx.mcp.document import DeclaredMessage
from rhtmx.mcp.tools import ACTIONS, ToolDescription, tools_of
from tests.unit.rhtmx.mcp.declared import document

TOOLS = tools_of(document())
TASKS = TOOLS["tasks"]
READING = TOOLS["wetter_luft"]


def properties(tool: ToolDescription, argument: str) -> list[str]:
    return list(tool.keys(argument))


def takes(tool: ToolDescription, **arguments: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(tool.input_schema).is_valid(arguments))


def test_each_entity_and_each_form_has_a_tool_by_a_name_that_hosts_take() -> None:
    assert list(TOOLS) == ["tasks", "wetter_luft", "validate_signup"]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in TOOLS)


def test_names_that_would_be_the_same_get_a_number() -> None:
    tasks = document().entities["tasks"]
    names = ["a/b", "a.b", "x" * 70, "x" * 80, "validate_signup"]
    entities = {name: replace(tasks, name=name) for name in names}
    found = tools_of(replace(document(), entities=entities))
    assert list(found) == [
        "a_b",
        "a_b_2",
        "x" * 64,
        f"{'x' * 62}_2",
        "validate_signup",
        "validate_signup_2",
    ]


def test_only_what_is_named_is_offered() -> None:
    assert list(tools_of(document(), only=["signup"])) == ["validate_signup"]


@pytest.mark.parametrize("name", TOOLS)
def test_the_schemas_are_schemas_of_one_object_without_a_choice_at_the_top(name: str) -> None:
    for schema in (TOOLS[name].input_schema, TOOLS[name].output_schema):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        assert not {"anyOf", "oneOf", "allOf", "$ref"}.intersection(schema)
    assert TOOLS[name].input_schema["additionalProperties"] is False


def test_what_only_the_server_writes_is_in_nothing_that_writes() -> None:
    assert "owner" not in properties(TASKS, "record")
    assert "owner" not in properties(TASKS, "changes")
    assert "owner" in properties(TASKS, "where")


def test_what_is_written_once_is_not_in_an_edit() -> None:
    assert "team" in properties(TASKS, "record")
    assert "team" not in properties(TASKS, "changes")


def test_what_the_server_fills_in_is_not_required() -> None:
    assert TASKS.input_schema["properties"]["record"]["required"] == ["title", "team"]


def test_operations_are_offered_for_fields_that_are_merged_so() -> None:
    assert properties(TASKS, "increment") == ["votes", "cost"]
    assert properties(TASKS, "add") == properties(TASKS, "remove") == ["labels"]
    assert takes(TASKS, action="edit", increment={"votes": -1, "cost": "0.50"})
    assert not takes(TASKS, action="edit", increment={"votes": "1"})
    assert not takes(TASKS, action="edit", add={"labels": [1]})


def test_without_such_fields_there_are_no_operations() -> None:
    assert "increment" not in READING.input_schema["properties"]
    assert properties(READING, "changes") == ["votes"]


def test_records_are_looked_for_by_single_values_that_are_no_secrets() -> None:
    found = properties(TASKS, "where")
    assert "steps" not in found
    assert "labels" not in found
    assert "code" not in found
    assert takes(TASKS, action="list", where={"title": "x" * 50, "priority": "high", "done": None})


def test_a_tool_takes_what_is_right_and_nothing_else() -> None:
    record = {"title": "a", "team": "red", "steps": [{"text": "b", "steps": [{}]}]}
    assert takes(TASKS, action="create", record=record)
    assert not takes(TASKS, action="create", record={**record, "titel": "a"})
    assert not takes(TASKS, action="create", record={**record, "steps": [{"txt": "b"}]})
    assert not takes(TASKS, action="create", record={"team": "red"})
    assert not takes(TASKS, action="drop")
    assert not takes(TASKS, action="get", ident="7")
    assert takes(TOOLS["validate_signup"], email="ada@example.com", age=None)
    assert not takes(TOOLS["validate_signup"], email="ada")


def test_without_writing_nothing_that_writes_is_offered() -> None:
    (tool, *_) = tools_of(document(), read_only=True).values()
    assert tool.read_only
    assert list(tool.input_schema["properties"]) == [
        "action",
        "id",
        "where",
        "limit",
        "after",
        "before",
    ]
    assert tool.input_schema["properties"]["action"]["enum"] == ["list", "get", "history"]


def test_a_description_says_what_it_is_its_rules_and_who_may_do_what() -> None:
    assert TASKS.description.splitlines() == [
        "One thing to do.",
        f"Records of the entity 'tasks': {', '.join(ACTIONS)}.",
        "Rule (team, title): must differ (title_is_not_team).",
        "Who may: read: if 'team' is among one's 'teams'; delete: with the role 'admin'.",
    ]


def test_every_word_for_whoever_may_is_said() -> None:
    rules = [
        {"actions": ["read"], "who": "owner", "field": "owner"},
        {"actions": ["read"], "who": "equal", "field": "done", "value": True},
        {"actions": ["read"], "who": "anyone"},
        {"actions": ["create", "update"], "who": "signed_in"},
        {"actions": ["delete"], "who": "newer"},
    ]
    tasks = document().entities["tasks"]
    entity = DeclaredMessage(
        "tasks", tasks.schema, tasks.fields, {"entity": {"name": "tasks", "access": rules}}
    )
    (tool, *_) = tools_of(replace(document(), entities={"tasks": entity})).values()
    assert tool.description.splitlines()[-1] == (
        "Who may: read: if 'owner' is who asks; read: if 'done' is true; read: anyone; "
        "create, update: whoever is signed in; delete: newer."
    )


def test_the_tool_of_a_form_says_that_it_stores_nothing() -> None:
    tool = TOOLS["validate_signup"]
    assert tool.read_only
    assert tool.description.startswith("How somebody joins.\nSays whether the form 'signup' ")
    assert "It stores nothing." in tool.description
