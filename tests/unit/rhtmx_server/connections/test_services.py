"""Services: which entities may be used."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.connections.services import Grant
from tests.unit.rhtmx_server.connecting import Side


async def test_without_a_list_any_entity_may_be_used() -> None:
    Side().services.known("whatever")


async def test_with_a_list_only_those_on_it() -> None:
    services = Side(entities=frozenset({"tasks"})).services
    services.known("tasks")
    with pytest.raises(RhtmxError) as caught:
        services.known("taks")
    assert caught.value.code is ErrorCode.UNKNOWN_ENTITY
    assert "'taks'" in caught.value.message


async def test_an_empty_list_is_a_list() -> None:
    with pytest.raises(RhtmxError):
        Side(entities=frozenset()).services.known("tasks")


async def test_a_long_name_is_cut_short_in_the_error() -> None:
    with pytest.raises(RhtmxError) as caught:
        Side(entities=frozenset()).services.known("x" * 255)
    assert len(caught.value.message) < 100


def test_a_grant_lasts_unless_it_says_otherwise() -> None:
    assert Grant("user-1").expires is None
