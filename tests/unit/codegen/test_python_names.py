from __future__ import annotations

import pytest

from codegen.model import Schema
from codegen.python_names import NOTICE, constant, enum_member, module, snake


@pytest.mark.parametrize(
    ("name", "spelled"),
    [("Push", "push"), ("ChangeLog", "change_log"), ("FormFieldValue", "form_field_value")],
)
def test_class_names_become_function_names(name: str, spelled: str) -> None:
    assert snake(name) == spelled
    assert constant(name) == spelled.upper()


def test_enum_members_are_spelled_as_betterproto2_names_them(schema: Schema) -> None:
    enum = schema.enum("ErrorCode")
    assert enum_member(enum, enum.values[1]) == "ErrorCode.BAD_MESSAGE"


def test_every_generated_module_says_that_it_is_generated() -> None:
    assert NOTICE in module("What it is.", [], [])
