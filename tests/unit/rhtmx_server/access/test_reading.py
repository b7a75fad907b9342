"""Reading where nobody restricts it, and what a record's parts say of it."""

from __future__ import annotations

import asyncio

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.reading import Everything, finished, visible
from tests.support.divided import SimpleAccess, part


def test_everything_is_the_whole_and_never_waits() -> None:
    access = Everything()
    assert finished(access.readable("tasks", None, None)) is None
    assert (access.waits("tasks"), access.declared("tasks")) == (False, "")
    assert access.parts_of("tasks", b"{}") == frozenset()


def test_a_part_of_what_is_not_divided_is_refused_in_words() -> None:
    with pytest.raises(RhtmxError, match="'tasks' is not divided") as caught:
        finished(Everything().readable("tasks", None, b'{"team":"a"}'))
    assert caught.value.code is ErrorCode.NOT_SUPPORTED


def test_a_record_is_seen_by_one_of_its_parts_or_by_who_reads_everything() -> None:
    access, data = SimpleAccess(), b'{"team":"a","owner":"ann"}'
    assert visible(access, "tasks", None, data)
    assert visible(access, "tasks", frozenset({part(team="a"), part(team="b")}), data)
    assert not visible(access, "tasks", frozenset({part(team="b")}), data)
    assert not visible(access, "tasks", frozenset(), data)


def test_what_waits_though_it_must_not_is_an_error_and_is_ended() -> None:
    async def waits() -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="has to wait"):
        finished(waits())
