"""Which key a text stands for, and which text a key has."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx_server.mirror.keys import key_text, parse_key, spellings, spelt

NAME = "0b0a8c84-4a5f-4a8e-9d0c-000000000001"


@pytest.mark.parametrize(
    ("kinds", "text", "key"),
    [
        ([int], "-7", (-7,)),
        ([int], "tea", None),
        ([int], str(2**63), None),
        ([str], "tea, 100%", ("tea, 100%",)),
        ([uuid.UUID], NAME, (uuid.UUID(NAME),)),
        ([uuid.UUID], NAME.replace("-", ""), (uuid.UUID(NAME),)),
        ([uuid.UUID], "tea", None),
        ([int, str], "7,tea", (7, "tea")),
        ([int, str], "7,a%2Cb%25", (7, "a,b%")),
        ([int, str], "7,", (7, "")),
        ([int, str], "7", None),
        ([int, str], "7,a,b", None),
        ([int, str], "tea,7", None),
    ],
)
def test_a_text_is_a_key_or_no_row_can_have_it(
    kinds: Sequence[type], text: str, key: object
) -> None:
    assert parse_key(kinds, text) == key


@given(st.lists(st.text(alphabet="a,%2C5\N{SNOWMAN}"), min_size=1, max_size=3))
def test_each_key_has_a_text_of_its_own(parts: list[str]) -> None:
    assert parse_key([str] * len(parts), key_text(parts)) == tuple(parts)


def test_a_uuid_among_other_columns_is_found_as_either_database_spells_it() -> None:
    kinds = [str, uuid.UUID]
    kept = f"a-b,{NAME.replace('-', '')}"
    assert set(spellings(kinds, f"a-b,{NAME}")) == {f"a-b,{NAME}", kept}
    assert spelt(kinds, kept) == f"a-b,{NAME}"
