from __future__ import annotations

import pytest

from codegen.descriptor_options import OptionReader


@pytest.fixture(scope="module")
def reader(descriptors: bytes) -> OptionReader:
    return OptionReader(descriptors)


def test_options_are_read_where_they_are_written(reader: OptionReader) -> None:
    file = next(each for each in reader.files if each.name == "rhtmx/v1/entity.proto")
    push = next(each for each in file.message_type if each.name == "Push")
    assert [field.name for field in push.field if reader.get(field, "json")] == ["data"]
    action = file.enum_type[0]
    assert [reader.get(value, "spelling") for value in action.value] == [
        "",
        "create",
        "update",
        "delete",
    ]


def test_an_option_that_is_not_written_is_told_from_its_default(reader: OptionReader) -> None:
    file = next(each for each in reader.files if each.name == "rhtmx/v1/errors.proto")
    unspecified, bad_message = file.enum_type[0].value[:2]
    assert not reader.has(unspecified, "error")
    assert reader.has(bad_message, "error")
