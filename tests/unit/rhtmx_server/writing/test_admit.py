"""Facts about `rhtmx_server.writing.admit`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.writing.admit import admit_declared, anything


def test_what_is_declared_is_always_admitted_and_others_while_there_is_room() -> None:
    admit = admit_declared(frozenset({"tasks"}), 3, lambda: 2)
    admit("tasks", 7)
    admit("more", 0)
    with pytest.raises(RhtmxError, match="one more entity than the 3") as caught:
        admit("more", 1)
    assert caught.value.code is ErrorCode.UNKNOWN_ENTITY
    anything("more", 1000)


def test_a_conflict_log_is_admitted_where_its_entity_was() -> None:
    admit = admit_declared(frozenset(), 1, lambda: 1)
    admit("$conflicts/tasks", 0)
    with pytest.raises(RhtmxError):
        admit("tasks", 0)
