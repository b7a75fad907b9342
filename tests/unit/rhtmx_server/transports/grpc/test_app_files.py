"""Facts about `rhtmx_server.transports.grpc.app_files`."""

from __future__ import annotations

import pytest

from rhtmx_server.schema.seen import SeenSchema
from rhtmx_server.transports.grpc.app_files import AppFiles, extension_numbers
from tests.support.sample_schema import loaded


def test_the_messages_of_the_application_and_its_options_are_there() -> None:
    files = AppFiles(SeenSchema(loaded().schema))
    assert files.there
    assert files.pool.FindMessageTypeByName("sample.v1.Task").name == "Task"
    numbers = extension_numbers(files.pool, "google.protobuf.FieldOptions")
    assert {1159, 1160, 50221} <= set(numbers)
    with pytest.raises(KeyError):
        extension_numbers(files.pool, "no.Such")


def test_what_never_leaves_the_server_is_not_there() -> None:
    files = AppFiles(SeenSchema(loaded().schema))
    fields = files.pool.FindMessageTypeByName("sample.v1.Task").fields_by_name
    assert "title" in fields
    assert "internal_note" not in fields


def test_without_a_schema_there_is_nothing() -> None:
    assert not AppFiles(SeenSchema(None)).there
