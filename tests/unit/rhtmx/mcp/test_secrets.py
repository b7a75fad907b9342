"""Facts about `rhtmx.mcp.secrets`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx.mcp.secrets import without_secrets
from tests.unit.rhtmx.mcp.declared import document


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"title": "a", "code": "s"}, {"title": "a"}),
        (
            {"steps": [{"text": "a", "pin": "s", "steps": [{"pin": "s"}]}]},
            {"steps": [{"text": "a", "steps": [{}]}]},
        ),
        ({"unknown": {"code": "s"}}, {"unknown": {"code": "s"}}),
        ({"steps": "of before"}, {"steps": "of before"}),
        ("of before", "of before"),
        (None, None),
    ],
)
def test_secrets_are_taken_out_wherever_they_are(data: Any, shown: Any) -> None:
    assert without_secrets(data, document().entities["tasks"].schema, document()) == shown


def test_values_of_a_map_are_looked_at_too() -> None:
    schema = {"additionalProperties": {"anyOf": [{"$ref": "#/$defs/TaskStep"}, {"type": "null"}]}}
    data = {"a": {"pin": "s", "text": "b"}, "c": None}
    assert without_secrets(data, schema, document()) == {"a": {"text": "b"}, "c": None}
