"""Facts about `rhtmx.core.choice`."""

from __future__ import annotations

import pytest

from rhtmx.core.choice import choice
from rhtmx.core.granularity import Granularity
from rhtmx.errors import ErrorCode, RhtmxError


def test_each_word_stands_for_its_member() -> None:
    assert [choice(Granularity, each.value, "granularity") for each in Granularity] == [
        *Granularity
    ]


@pytest.mark.parametrize(("word", "shown"), [("field", "'field'"), (3, "3"), (None, "null")])
def test_any_other_is_refused_with_those_that_there_are(word: object, shown: str) -> None:
    with pytest.raises(RhtmxError) as caught:
        choice(Granularity, word, "granularity")
    assert str(caught.value) == f"granularity: 'records' or 'fields' expected, got {shown}"
    assert caught.value.code is ErrorCode.BAD_MESSAGE
