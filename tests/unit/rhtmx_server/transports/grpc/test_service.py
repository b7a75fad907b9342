"""Facts about `rhtmx_server.transports.grpc.service`."""

from __future__ import annotations

from rhtmx.messages.rhtmx.v1 import TrackersBase
from rhtmx_server.transports.grpc.service import METHODS, NAME, Trackers
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.transports.grpc.peers import door


def test_every_method_of_the_schema_is_answered_and_no_other() -> None:
    generated = TrackersBase().__mapping__()
    assert {f"/{NAME}/{name}" for name in METHODS} == set(generated)
    ours = Trackers(door(Side())).__mapping__()
    for path, handler in generated.items():
        assert ours[path][1:] == handler[1:]
        assert ours[path].func is not handler.func
