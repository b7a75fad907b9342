from __future__ import annotations

import pytest

from codegen.model import Direction, Kind, Label, Schema


def test_a_message_comes_after_those_it_contains(schema: Schema) -> None:
    for messages in (schema.wire_messages, schema.ordered_messages):
        names = [message.name for message in messages]
        for message in messages:
            for field in message.fields:
                if field.kind is Kind.MESSAGE:
                    assert names.index(field.type_name) < names.index(message.name)


def test_wire_messages_are_those_inside_the_envelope(schema: Schema) -> None:
    names = {message.name for message in schema.wire_messages}
    assert {"Push", "ChangeLog", "Position"} <= names
    assert not {"Envelope", "WatchRequest"} & names


def test_ordered_messages_are_all_messages_once(schema: Schema) -> None:
    names = [message.name for message in schema.ordered_messages]
    assert sorted(names) == sorted({message.name for message in schema.messages})


def test_wire_enums_are_those_that_a_message_uses(schema: Schema) -> None:
    assert [enum.name for enum in schema.wire_enums] == [
        "ChangeAction",
        "ErrorCode",
        "FieldAction",
        "MergeStrategy",
        "Winner",
    ]


def test_an_unknown_name_is_a_key_error(schema: Schema) -> None:
    with pytest.raises(KeyError):
        schema.message("Nothing")
    with pytest.raises(KeyError):
        schema.enum("Nothing")


@pytest.mark.parametrize(
    ("message", "field", "mandatory"),
    [
        ("Push", "entity", True),
        ("Push", "action", True),
        ("Push", "data", False),
        ("Push", "seq", False),
        ("Subscribe", "entities", True),
        ("Subscribe", "since", False),
        ("ValidateField", "values", False),
        ("Change", "change", True),
        ("PushAck", "server_time", False),
        ("ChangeLog", "created_at", True),
    ],
)
def test_mandatory_fields_are_those_json_must_have(
    schema: Schema, message: str, field: str, mandatory: bool
) -> None:
    found = next(each for each in schema.message(message).fields if each.name == field)
    assert found.mandatory is mandatory


def test_directions_say_who_may_send(schema: Schema) -> None:
    by_name = {case.name: case for case in schema.cases}
    assert (by_name["push"].from_client, by_name["push"].from_server) == (True, False)
    assert (by_name["change"].from_client, by_name["change"].from_server) == (False, True)
    assert (by_name["ping"].from_client, by_name["ping"].from_server) == (True, True)
    assert by_name["push"].direction is Direction.CLIENT


def test_short_names_lose_the_prefix_of_their_enum(schema: Schema) -> None:
    enum = schema.enum("MergeStrategy")
    assert [enum.short_name(value) for value in enum.spelled] == [
        "LAST_WRITE_WINS",
        "KEEP_BOTH",
        "SERVER_WINS",
        "CLIENT_WINS",
        "COUNTER",
        "SET",
    ]


def test_the_zero_value_is_not_spelled(schema: Schema) -> None:
    assert all(value.number != 0 for enum in schema.enums for value in enum.spelled)


def test_labels_follow_the_options(schema: Schema) -> None:
    labels = {field.name: field.label for field in schema.message("FieldUpdate").fields}
    assert labels == {
        "field": Label.PLAIN,
        "value": Label.OPTIONAL,
        "action": Label.PLAIN,
        "timestamp": Label.REQUIRED,
    }
