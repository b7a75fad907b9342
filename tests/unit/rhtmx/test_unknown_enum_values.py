"""Facts about `rhtmx.unknown_enum_values`."""

from __future__ import annotations

from typing import assert_type

import pytest

from rhtmx.messages import ChangeAction, ErrorCode, Winner
from rhtmx.messages.tables import ERRORS, WINNER_SPELLINGS
from rhtmx.unknown_enum_values import is_known, spelled, unknown


@pytest.mark.parametrize("kind", [ChangeAction, ErrorCode, Winner])
def test_a_word_that_is_not_known_is_none_of_the_members_and_equal_to_none_but_unspecified(
    kind: type[ChangeAction | ErrorCode | Winner],
) -> None:
    word = unknown(kind, "of_tomorrow")
    assert type(word) is kind
    assert [member for member in kind if word == member] == [kind.UNSPECIFIED]
    assert all(word is not member for member in kind)
    assert (word.name, str(word), word.proto_name) == ("of_tomorrow", "of_tomorrow", None)
    assert not is_known(word)
    assert all(is_known(member) for member in kind)


def test_it_has_the_type_of_its_enum_and_a_match_over_all_members_has_it() -> None:
    code = unknown(ErrorCode, "of_tomorrow")
    assert_type(code, ErrorCode)
    match code:
        case ErrorCode.CONFLICT:
            raise AssertionError
        case ErrorCode.UNSPECIFIED:
            pass
        case _:
            raise AssertionError
    assert code not in ERRORS


def test_its_spelling_is_the_word() -> None:
    assert spelled(WINNER_SPELLINGS, Winner.CLIENT) == "client"
    assert spelled(WINNER_SPELLINGS, unknown(Winner, "both")) == "both"
