"""Which key a text stands for."""

from __future__ import annotations

import uuid

import pytest

from rhtmx_server.mirror.keys import parse_key

NAME = "0b0a8c84-4a5f-4a8e-9d0c-000000000001"


@pytest.mark.parametrize(
    ("kind", "text", "key"),
    [
        (int, "-7", -7),
        (int, "tea", None),
        (int, str(2**63), None),
        (str, "tea", "tea"),
        (uuid.UUID, NAME, uuid.UUID(NAME)),
        (uuid.UUID, NAME.replace("-", ""), uuid.UUID(NAME)),
        (uuid.UUID, "tea", None),
    ],
)
def test_a_text_is_a_key_or_no_row_can_have_it(kind: type, text: str, key: object) -> None:
    assert parse_key(kind, text) == key
