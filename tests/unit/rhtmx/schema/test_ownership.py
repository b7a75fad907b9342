"""Facts about `rhtmx.schema.ownership`: a client says of a field what the server would say."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx import schema as _s
from rhtmx.errors import Violation
from rhtmx.schema.ownership import NOT_YOURS, not_yours


@pytest.mark.parametrize(
    ("traits", "code"),
    [
        ({"read_only": True, "server_only": True}, "server_only"),
        ({"read_only": True, "immutable": True}, "read_only"),
        ({"immutable": True}, "immutable"),
    ],
)
def test_the_strictest_reason_is_said(traits: dict[str, Any], code: str) -> None:
    field = _s.field("owner", _s.STRING, **traits)
    assert not_yours(field) == Violation("owner", code, NOT_YOURS[code])


def test_the_application_has_words_of_its_own() -> None:
    field = _s.field("owner", _s.STRING, immutable=True, words={"immutable": "stays"})
    assert not_yours(field) == Violation("owner", "immutable", "stays")


def test_of_a_field_that_anybody_may_write_nothing_is_said() -> None:
    assert not_yours(_s.field("title", _s.STRING)) is None
