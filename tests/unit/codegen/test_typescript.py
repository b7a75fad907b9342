from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import pytest

from codegen.model import Field, Kind, Label, Message, Schema
from codegen.typescript import emit
from codegen.typescript_layout import LINE_LENGTH


def change(schema: Schema, message: str, field: str, edit: Callable[[Field], Field]) -> Schema:
    """The schema with one field replaced."""

    def edited(each: Message) -> Message:
        if each.name != message:
            return each
        fields = tuple(edit(one) if one.name == field else one for one in each.fields)
        return dataclasses.replace(each, fields=fields)

    return dataclasses.replace(schema, messages=tuple(edited(each) for each in schema.messages))


def test_the_same_schema_gives_the_same_text(schema: Schema) -> None:
    assert emit(schema) == emit(schema)


def test_every_file_says_that_it_is_generated(schema: Schema) -> None:
    for text in emit(schema).values():
        assert "Generated from proto/" in text.split("*/")[0]


def test_every_line_fits_and_ends_cleanly(schema: Schema) -> None:
    for path, text in emit(schema).items():
        assert text.endswith("\n"), path
        assert not text.endswith("\n\n"), path
        for line in text.splitlines():
            assert len(line) <= LINE_LENGTH, f"{path}: {line}"
            assert line == line.rstrip(), f"{path}: {line!r}"


def test_messages_import_nothing_but_each_other(schema: Schema) -> None:
    for path, text in emit(schema).items():
        if "/messages/" in path:
            sources = set(re.findall(r'^(?:import|\}) .*from "(.+)";$', text, re.MULTILINE))
            assert sources <= {"./types.ts"}, path


def test_messages_of_the_grpc_door_alone_are_left_out(schema: Schema) -> None:
    for text in emit(schema).values():
        assert "WatchRequest" not in text


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        (Kind.BYTES, Label.PLAIN),
        (Kind.UNSUPPORTED, Label.OPTIONAL),
        (Kind.INT64, Label.REPEATED),
        (Kind.STRING, Label.MAP),
    ],
)
def test_what_the_codec_cannot_carry_is_refused_with_its_place(
    schema: Schema, kind: Kind, label: Label
) -> None:
    broken = change(
        schema,
        "Push",
        "entity_id",
        lambda field: dataclasses.replace(field, kind=kind, label=label),
    )
    with pytest.raises(
        ValueError, match=r"^proto/rhtmx/v1/entity\.proto:\d+: the TypeScript codec"
    ):
        emit(broken)


def test_a_case_of_the_envelope_inside_a_message_is_refused_with_its_place(schema: Schema) -> None:
    broken = change(
        schema, "Welcome", "limits", lambda field: dataclasses.replace(field, type_name="Ping")
    )
    with pytest.raises(ValueError, match=r"session\.proto:\d+: Ping is a case of the envelope"):
        emit(broken)
