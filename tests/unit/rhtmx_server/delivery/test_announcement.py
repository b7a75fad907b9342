"""What one node says of a batch, and what another makes of it."""

from __future__ import annotations

import msgspec
import pytest

from rhtmx_server.delivery.announcement import pack, rows_of, unpack
from rhtmx_server.log_body import unpack_commits
from tests.unit.rhtmx_server.fakes import commit

PLENTY = 1 << 20


def test_a_batch_is_a_row_for_each_entity_from_where_it_begins_to_where_it_ends() -> None:
    commits = [commit(5), commit(9, "carts"), commit(6)]
    rows = {each.entity: each for each in rows_of(commits)}
    assert [(each.base, each.upto) for each in rows.values()] == [(4, 6), (8, 9)]
    assert rows["tasks"].commits == [commits[0], commits[2]]
    assert rows["carts"].commits == [commits[1]]


def test_what_is_said_is_what_was_committed() -> None:
    commits = [commit(5), commit(6), commit(1, "carts")]
    said = unpack(pack("e", rows_of(commits), PLENTY))
    assert said is not None
    assert said.epoch == "e"
    assert [(each.entity, each.base, each.upto) for each in said.batch] == [
        ("tasks", 4, 6),
        ("carts", 0, 1),
    ]
    tasks = unpack_commits("tasks", said.batch[0].body or b"")
    assert tasks is not None
    assert [each.record.data for each in tasks] == [each.record.data for each in commits[:2]]


def test_too_large_a_batch_is_said_without_its_commits() -> None:
    rows = rows_of([commit(5), commit(1, "carts")])
    said = unpack(pack("e", rows, 60))
    assert said is not None
    assert [(each.entity, each.base, each.upto, each.body) for each in said.batch] == [
        ("tasks", 4, 5, None),
        ("carts", 0, 1, None),
    ]


@pytest.mark.parametrize(
    "message",
    [b"", b"\x00", b"garbage", msgspec.msgpack.encode((2, "e", [])), msgspec.msgpack.encode((1,))],
    ids=["empty", "a number", "garbage", "of a later format", "too short"],
)
def test_what_is_not_to_be_understood_is_nothing(message: bytes) -> None:
    assert unpack(message) is None
