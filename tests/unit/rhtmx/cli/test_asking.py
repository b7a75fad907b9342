"""Facts about `rhtmx.cli.asking`."""

from __future__ import annotations

import pytest

from rhtmx.cli.asking import validate
from rhtmx.cli.errors import REFUSED, CommandError
from rhtmx.cli.requests import Validate
from rhtmx.messages import FormFile, ValidateField
from rhtmx.values.form_value import File
from tests.unit.rhtmx.cli.screens import Screen, server
from tests.unit.rhtmx.peer import Peer


async def test_a_whole_form_is_judged_field_by_field(peer: Peer) -> None:
    screen = Screen()
    request = Validate("signup", {"email": "x", "age": "1"}, None)
    assert await validate(server(peer.url), request, screen.output) == 1
    assert screen.lines == ["✗ email  no", "✗ age    no"]
    screen = Screen()
    assert await validate(server(peer.url), Validate("signup", {}, None), screen.output) == 0


@pytest.mark.parametrize(("value", "status"), [("ok", 0), ("bad", 1)])
async def test_one_field_is_judged_with_the_others_beside_it(
    peer: Peer, value: str, status: int
) -> None:
    screen = Screen(json=True)
    request = Validate("signup", {"email": value, "age": "1"}, "email")
    assert await validate(server(peer.url), request, screen.output) == status
    assert screen.records[0]["valid"] is (status == 0)
    assert screen.records[0]["field"] == "email"
    (asked,) = [each for each in peer.heard if isinstance(each, ValidateField)]
    assert [(each.field, each.value) for each in asked.values] == [("age", "1")]


async def test_all_values_of_a_field_go_along(peer: Peer) -> None:
    screen = Screen()
    a = File("a.txt", 3, "text/plain")
    request = Validate("article", {"tags": ["red", "blue"], "document": [a]}, "tags")
    assert await validate(server(peer.url), request, screen.output) == 1
    (asked,) = [each for each in peer.heard if isinstance(each, ValidateField)]
    assert [(each.field, each.value) for each in asked.values] == [
        ("document", "a.txt"),
        ("tags", "red"),
        ("tags", "blue"),
    ]
    assert asked.values[0].file == FormFile("a.txt", 3, "text/plain")
    screen = Screen()
    form = Validate("article", {"tags": ["red", "blue"]}, None)
    assert await validate(server(peer.url), form, screen.output) == 1
    assert screen.lines == ["✗ tags  no", "✗ tags  no"]


async def test_a_form_that_is_not_there_is_refused_by_name(peer: Peer) -> None:
    request = Validate("unknown", {"email": "x"}, "email")
    with pytest.raises(CommandError) as raised:
        await validate(server(peer.url), request, Screen().output)
    assert (raised.value.message, raised.value.status) == ("unknown: no such form", REFUSED)
