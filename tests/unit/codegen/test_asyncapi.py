from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from codegen.asyncapi import emit_asyncapi
from codegen.examples import example_frame
from codegen.model import Schema
from rhtmx import wire
from rhtmx.wire import Format


@pytest.fixture(scope="module")
def document(schema: Schema) -> Any:
    return json.loads(emit_asyncapi(schema))


def payload(document: Any, case: str) -> Any:
    """What takes the payloads of a message."""
    link = document["components"]["messages"][case]["payload"]
    return jsonschema.Draft7Validator({**document, **link})


def test_every_message_is_in_the_channel_of_the_socket(schema: Schema, document: Any) -> None:
    channel = document["channels"]["socket"]
    assert channel["address"] == "/api/ws"
    assert list(channel["messages"]) == [case.name for case in schema.cases]


def test_the_server_receives_what_clients_send(document: Any) -> None:
    actions = {name: each["action"] for name, each in document["operations"].items()}
    assert actions["push"] == "receive"
    assert actions["change"] == "send"
    assert (actions["receive_ping"], actions["send_ping"]) == ("receive", "send")


def test_a_question_has_its_answer(document: Any) -> None:
    reply = document["operations"]["blame"]["reply"]
    assert reply["messages"] == [{"$ref": "#/channels/socket/messages/blame_result"}]


def test_the_examples_of_all_messages_are_right(schema: Schema, document: Any) -> None:
    for case in schema.cases:
        errors = payload(document, case.name).iter_errors(example_frame(schema, case.name))
        assert [each.message for each in errors] == [], case.name


def test_what_is_not_right_is_refused(schema: Schema, document: Any) -> None:
    push = example_frame(schema, "push")
    takes = payload(document, "push")
    for wrong in ({"type": "pull"}, {"entity": None}, {"action": "move"}, {"seq": "1"}):
        assert not takes.is_valid({**push, **wrong})
    assert not takes.is_valid({key: value for key, value in push.items() if key != "entity_id"})


def test_what_the_wire_writes_is_right(schema: Schema, document: Any) -> None:
    for case in schema.cases:
        frame = json.dumps(example_frame(schema, case.name)).encode()
        written = wire.encode(wire.decode(frame, Format.JSON), Format.JSON)
        errors = payload(document, case.name).iter_errors(json.loads(written))
        assert [each.message for each in errors] == [], case.name


def test_all_references_lead_somewhere(document: Any) -> None:
    def links(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [link for each in part.values() for link in links(each)]
        return [link for each in part for link in links(each)] if isinstance(part, list) else []

    for link in links(document):
        found = document
        for step in link.removeprefix("#/").split("/"):
            found = found[step]
