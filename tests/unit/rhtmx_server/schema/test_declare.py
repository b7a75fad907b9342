"""Facts about `rhtmx_server.schema.declare`; what a server does then is in `tests/e2e`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx_server import App
from tests.support.generated import schema_package

TASK = "message Task { option (rhtmx.v1.entity) = {}; string title = 1; }"


def test_a_module_in_the_place_of_its_schema_is_told_from_it() -> None:
    package: Any = schema_package(TASK)
    with pytest.raises(TypeError, match=r"`from app_schema import schema` gives it, got <module"):
        App(store="memory://", schema=package)
