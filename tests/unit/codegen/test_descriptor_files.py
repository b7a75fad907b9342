from __future__ import annotations

from codegen.model import ErrorTraits, Kind, Label, Schema


def test_comments_and_places_come_along(schema: Schema) -> None:
    message = schema.message("Push")
    assert message.comment == "Writes a whole record, or deletes it."
    assert message.location.file == "proto/rhtmx/v1/entity.proto"
    assert message.fields[0].comment == "The entity, 1 to 255 bytes."
    assert message.fields[0].location.line == message.location.line + 2


def test_lines_of_one_comment_stay_lines(schema: Schema) -> None:
    assert schema.message("Subscribe").comment == (
        "Starts the live stream of whole records. Without `since` it starts with the\n"
        "next change; a client that sent `hello` gets a `sync_complete` that says\n"
        "where that is."
    )


def test_kinds_follow_types_and_options(schema: Schema) -> None:
    kinds = {field.name: field.kind for field in schema.message("ChangeLog").fields}
    assert kinds == {
        "entity": Kind.STRING,
        "entity_id": Kind.STRING,
        "action": Kind.ENUM,
        "data": Kind.JSON,
        "version": Kind.INT64,
        "client_id": Kind.STRING,
        "created_at": Kind.TIME,
        "left": Kind.BOOL,
        "transaction": Kind.STRING,
    }


def test_a_map_has_the_kind_of_its_values(schema: Schema) -> None:
    since = schema.message("Subscribe").fields[1]
    assert (since.label, since.kind, since.type_name) == (Label.MAP, Kind.MESSAGE, "Position")


def test_error_codes_carry_their_traits(schema: Schema) -> None:
    traits = {value.spelling: value.error for value in schema.enum("ErrorCode").spelled}
    assert traits["bad_message"] == ErrorTraits(grpc_status=3, close_code=4500, retryable=False)
    assert traits["timeout"] == ErrorTraits(grpc_status=4, close_code=0, retryable=True)


def test_streams_of_the_service_are_known(schema: Schema) -> None:
    methods = {method.name: method for method in schema.services[0].methods}
    assert (methods["Push"].request_stream, methods["Push"].response_stream) == (False, False)
    assert (methods["Sync"].request_stream, methods["Sync"].response_stream) == (False, True)
    assert (methods["Connect"].request, methods["Connect"].response) == ("Envelope", "Envelope")
