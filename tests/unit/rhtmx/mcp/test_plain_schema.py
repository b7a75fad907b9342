"""Facts about `rhtmx.mcp.plain_schema`."""

from __future__ import annotations

import json
from typing import Any

from rhtmx.mcp.plain_schema import plain, reachable
from tests.unit.rhtmx.mcp.declared import document


def field(key: str) -> Any:
    return plain(document().entities["tasks"].fields[key].schema)


def test_what_only_programs_read_is_said_in_words() -> None:
    whole = plain(document().entities["tasks"].schema)
    assert "x-rhtmx" not in json.dumps(whole)
    assert "readOnly" not in json.dumps(whole)
    said = {key: each.get("description") for key, each in whole["properties"].items()}
    assert said["title"] == "In a few words."
    assert said["due"] == "Due. The last day. A time with its zone, such as 2026-11-29T15:00:00Z."
    assert said["team"] == "Written when the record is created, and never again."
    assert said["owner"] == "If it is left out: who writes, as the server says."
    assert said["code"] == "A secret: it can be written, and is never shown here."
    assert said["cost"] == 'A decimal number as text, with 2 decimals, such as "0.00".'
    assert said["url"] == (
        "One of the fields of 'source': to set it takes the others away. Rule: string.uri."
    )
    assert whole["description"].endswith("Rule (team, title): must differ (title_is_not_team).")


def test_of_an_enum_only_its_words_are_offered() -> None:
    assert field("priority") == {"enum": ["unspecified", "high", None]}
    assert field("closed") == {"enum": ["unspecified", "high", None]}


def test_a_message_has_no_keys_but_its_own_also_inside() -> None:
    steps = {"properties": {"steps": field("steps")}}
    assert field("steps")["items"] == {"$ref": "#/$defs/TaskStep"}
    (name, step) = next(iter(reachable(steps, document()).items()))
    assert (name, step["additionalProperties"]) == ("TaskStep", False)
    assert list(step["properties"]) == ["text", "steps", "pin"]


def test_any_object_stays_any_object() -> None:
    assert plain({"type": "object", "x-rhtmx": {"kind": "struct"}}) == {"type": "object"}
    assert plain({}) == {}


def test_what_nothing_leads_to_is_not_there() -> None:
    assert reachable({"properties": {"title": field("title")}}, document()) == {}
