from __future__ import annotations

from codegen.kinds import Location


def test_a_place_is_written_as_editors_read_it() -> None:
    assert str(Location("proto/rhtmx/v1/entity.proto", 12)) == "proto/rhtmx/v1/entity.proto:12"
