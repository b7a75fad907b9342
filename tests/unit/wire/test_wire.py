from __future__ import annotations

import pytest

from rhtmx import wire
from rhtmx.messages import Ping
from rhtmx.wire import SUBPROTOCOLS, Format


def test_every_format_has_its_subprotocol() -> None:
    assert SUBPROTOCOLS == {"rhtmx.v1.json": Format.JSON, "rhtmx.v1.proto": Format.PROTO}
    assert all(SUBPROTOCOLS[each.subprotocol] is each for each in Format)


@pytest.mark.parametrize(
    ("wanted", "data"), [(Format.JSON, b'{"type":"ping"}'), (Format.PROTO, b"2\0")]
)
def test_decode_and_encode_follow_the_format(wanted: Format, data: bytes) -> None:
    assert wire.encode(Ping(), wanted) == data
    assert wire.decode(data, wanted) == Ping()


def test_everything_public_is_exported() -> None:
    assert all(hasattr(wire, name) for name in wire.__all__)
    assert wire.__all__ == sorted(wire.__all__, key=lambda name: (not name.isupper(), name))
