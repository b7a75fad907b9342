"""Facts about `rhtmx_server.schema.unkept`."""

from __future__ import annotations

import pytest

from rhtmx_server import App
from tests.support.generated import schema_package


def refused(message: str) -> str:
    with pytest.raises(ValueError, match="this version") as caught:
        App(store="memory://", schema=schema_package(message).schema)
    return str(caught.value)


def test_an_address_that_nobody_would_judge_is_refused() -> None:
    said = refused(
        "message SignUp { option (rhtmx.v1.form) = {};"
        " string email = 1 [(rhtmx.v1.field).deliverable = true]; }"
    )
    assert said.startswith("form 'sign_up': field email is deliverable")


def test_rules_that_nobody_would_judge_are_refused() -> None:
    said = refused(
        'message Task { option (rhtmx.v1.entity) = {server_only_rules: "odd"};'
        ' option (buf.validate.message).cel = {id: "odd" expression: "this.a.odd()"};'
        " string a = 1; }"
    )
    assert said.startswith("entity 'task': nobody judges the server_only_rules odd")
