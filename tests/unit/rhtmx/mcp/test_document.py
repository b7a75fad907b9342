"""Facts about `rhtmx.mcp.document`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.mcp.document import read_document
from tests.unit.rhtmx.mcp.declared import document


def test_it_has_the_entities_and_forms_by_their_names() -> None:
    read = document()
    assert list(read.entities) == ["tasks", "wetter/luft"]
    assert list(read.forms) == ["signup"]
    assert (read.version, len(read.hash)) == (1, 16)
    tasks = read.entities["tasks"]
    assert tasks.partitions == (("team",), ("team", "done"))
    assert [read.entities[name].whole for name in read.entities] == [False, True]


def test_a_field_says_who_writes_it_and_how_it_is_merged() -> None:
    fields = document().entities["tasks"].fields
    assert [key for key, each in fields.items() if each.read_only] == ["owner"]
    assert [key for key, each in fields.items() if each.immutable] == ["team"]
    assert [key for key, each in fields.items() if each.secret] == ["code"]
    assert [key for key, each in fields.items() if each.filled_in] == ["owner", "kind"]
    assert [key for key, each in fields.items() if each.oneof == "source"] == ["url", "ticket"]
    assert (fields["votes"].merge, fields["labels"].merge) == ("counter", "set")
    assert (fields["location"].name, fields["title"].name) == ("place", "title")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"x-rhtmx": {}}',
        b'{"x-rhtmx": {"version": 1, "hash": "", "entities": {"a": {}}, "forms": {}}, "$defs": {}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_such_document_is_told_so(text: bytes) -> None:
    with pytest.raises(RhtmxError) as raised:
        read_document(text)
    assert raised.value.code is ErrorCode.BAD_MESSAGE
    assert "is not the schema of an rhtmx server" in raised.value.message
