"""Facts about `rhtmx_server.schema.asyncapi` and `rhtmx_server.schema.seen`."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from rhtmx_server.schema.asyncapi import asyncapi, protocol
from rhtmx_server.schema.seen import SeenSchema
from tests.support.asyncapi import specification
from tests.support.sample_schema import loaded


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(SeenSchema(loaded().schema).asyncapi)


def test_each_entity_and_each_form_has_a_channel_on_the_socket(document: Any) -> None:
    own = {name: each for name, each in document["channels"].items() if name != "socket"}
    assert {each["address"] for each in own.values()} == {"/api/ws"}
    assert {name: each["title"] for name, each in own.items()} == {
        "app.Task.entity": "tasks",
        "app.Reading.entity": "reading",
        "app.SignUp.form": "signup",
    }
    assert "push" in own["app.Task.entity"]["messages"]
    assert "validate_field" in own["app.SignUp.form"]["messages"]


def test_records_that_are_written_as_a_whole_have_no_messages_of_fields(document: Any) -> None:
    assert "push_fields" in document["channels"]["app.Task.entity"]["messages"]
    assert "push_fields" not in document["channels"]["app.Reading.entity"]["messages"]


@pytest.mark.parametrize(
    ("message", "frame", "right"),
    [
        ("push", {"entity": "reading", "data": {"degrees": 1}}, True),
        ("push", {"entity": "reading", "data": None}, True),
        ("push", {"entity": "reading", "data": {"degrees": 1000}}, False),
        ("push", {"entity": "tasks", "data": {"degrees": 1}}, False),
    ],
)
def test_data_is_a_record_of_the_entity(
    document: Any, message: str, frame: dict[str, Any], right: bool
) -> None:
    payload = document["components"]["messages"][f"app.Reading.entity.{message}"]["payload"]
    validator = jsonschema.Draft7Validator({**document, **payload})
    whole = {"type": message, "entity_id": "1", "action": "update", **frame}
    assert validator.is_valid(whole) is right


def test_what_is_within_a_message_is_known_too(document: Any) -> None:
    payload = document["components"]["messages"]["app.Reading.entity.change"]["payload"]
    validator = jsonschema.Draft7Validator({**document, **payload})
    change = {
        "entity": "reading",
        "entity_id": "1",
        "action": "create",
        "version": 1,
        "created_at": "2026-11-29T10:00:00Z",
        "data": {"degrees": 7},
    }
    assert validator.is_valid({"type": "change", "change": change})
    assert not validator.is_valid({"type": "change", "change": {**change, "entity": "tasks"}})
    assert not validator.is_valid(
        {"type": "change", "change": {**change, "data": {"degrees": "x"}}}
    )


def test_a_question_of_a_form_has_its_answer_in_the_same_channel(document: Any) -> None:
    reply = document["operations"]["app.SignUp.form.validate_field"]["reply"]
    channel = "#/channels/app.SignUp.form"
    assert reply == {
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/validation_result"}],
    }
    # An answer that does not say what it is about is the socket's.
    other = document["operations"]["app.Task.entity.blame"]["reply"]
    assert other["channel"] == {"$ref": "#/channels/socket"}


def test_the_document_of_the_protocol_stays_as_it_is() -> None:
    before = protocol()
    asyncapi(before, json.loads(loaded().schema.json_schema))
    assert before == protocol()


def test_without_a_schema_it_is_that_of_the_protocol() -> None:
    seen = SeenSchema(None)
    assert not seen.there
    assert json.loads(seen.asyncapi) == protocol()
    assert (seen.json_schema, seen.descriptors) == (b"", b"")


@pytest.mark.parametrize("schema", [None, loaded().schema], ids=["protocol", "application"])
def test_it_is_what_asyncapi_says_that_it_is(schema: Any) -> None:
    document = json.loads(SeenSchema(schema).asyncapi)
    validator = jsonschema.Draft7Validator(specification())
    assert [each.message for each in validator.iter_errors(document)] == []
    document["operations"]["push"]["action"] = "shout"
    assert not validator.is_valid(document)
