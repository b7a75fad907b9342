from __future__ import annotations

from google.protobuf import descriptor_pb2

import rhtmx.messages
from codegen.model import Schema
from codegen.python_tables import emit_tables
from rhtmx.messages import tables
from rhtmx.messages.descriptor import DESCRIPTOR_SET


def test_the_package_exports_every_class_but_those_of_grpc(schema: Schema) -> None:
    messages = {message.name for message in schema.messages}
    enums = {enum.name for enum in schema.enums}
    assert set(rhtmx.messages.__all__) == messages | enums | {"Direction", "ErrorTraits"}
    assert not hasattr(rhtmx.messages, "TrackersStub")


def test_every_case_has_its_class_and_name(schema: Schema) -> None:
    assert list(tables.CASES) == [case.name for case in schema.cases]
    assert {tables.NAMES[kind]: kind for kind in tables.NAMES} == tables.CASES


def test_directions_share_only_the_heartbeat_and_what_is_told_in_rooms() -> None:
    both = set(tables.CLIENT_MESSAGES) & set(tables.SERVER_MESSAGES)
    assert both == {rhtmx.messages.Ping, rhtmx.messages.Pong, rhtmx.messages.RoomMessage}
    every = set(tables.CLIENT_MESSAGES) | set(tables.SERVER_MESSAGES)
    assert every == set(tables.CASES.values())


def test_every_enum_value_but_zero_has_one_spelling(schema: Schema) -> None:
    for enum in schema.wire_enums:
        values = tables.ENUM_VALUES[enum.name]
        assert {text: int(value) for text, value in values.items()} == {
            value.spelling: value.number for value in enum.spelled
        }


def test_every_error_code_has_its_row(schema: Schema) -> None:
    for value in schema.enum("ErrorCode").spelled:
        row = tables.ERRORS[rhtmx.messages.ErrorCode(value.number)]
        assert value.error is not None
        assert row == (
            value.spelling,
            value.error.grpc_status,
            value.error.close_code,
            value.error.retryable,
        )


def test_every_close_code_says_whether_to_reconnect() -> None:
    for row in tables.ERRORS.values():
        assert row.close_code == 0 or (
            (row.close_code in tables.RECONNECT_CLOSE_CODES)
            != (row.close_code in tables.FINAL_CLOSE_CODES)
        )


def test_the_hash_is_that_of_the_schema(schema: Schema) -> None:
    assert schema.hash == tables.SCHEMA_HASH


def test_shapes_are_the_fields_of_the_messages(schema: Schema) -> None:
    assert list(tables.SHAPES) == [message.name for message in schema.wire_messages]
    for message in schema.wire_messages:
        assert list(tables.SHAPES[message.name]) == [field.name for field in message.fields]


def test_the_descriptor_has_every_message_and_nothing_that_parsing_does_not_need(
    schema: Schema,
) -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTOR_SET).file
    ours = [file for file in files if file.package == schema.package]
    assert {each.name for file in ours for each in file.message_type} == {
        message.name for message in schema.messages
    }
    assert [each.name for file in ours for each in file.service] == ["Trackers"]
    assert not any(file.HasField("source_code_info") for file in files)
    assert "google/protobuf/descriptor.proto" not in [file.name for file in files]
    assert len(DESCRIPTOR_SET) < len(schema.descriptor) * 0.6  # without comments


def test_what_is_asked_has_its_answer_and_what_is_told_of_rooms_is_ephemeral() -> None:
    names = {tables.NAMES[asked]: tables.NAMES[each] for asked, each in tables.ANSWERS.items()}
    assert names == {
        "authenticate": "authenticated",
        "blame": "blame_result",
        "history": "history_result",
        "room_join": "room_joined",
        "validate_field": "validation_result",
        "validate_form": "form_validation_result",
    }
    told = {tables.NAMES[kind] for kind in tables.EPHEMERAL}
    assert told == {"room_members", "room_message", "room_closed"}


def test_what_is_ephemeral_is_in_its_table(whispering: Schema) -> None:
    text = emit_tables(whispering)
    kinds = "Whisper", "RoomMembers", "RoomMessage", "RoomClosed"
    assert f"EPHEMERAL: frozenset[type[Message]] = frozenset(({', '.join(kinds)},))" in text
    assert f"Ephemeral: TypeAlias = ({' | '.join(kinds)})" in text
    assert "Never" not in text
