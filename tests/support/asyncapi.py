"""What AsyncAPI 3.0 says of its documents, as npm has it among the client's own tools."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.programs import TYPESCRIPT

__all__ = ["specification"]

_SPECS = TYPESCRIPT / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"


def specification() -> Any:
    """The JSON Schema of such documents; the test is skipped where it is not there."""
    if not _SPECS.is_file():
        pytest.skip("@asyncapi/specs is not there: npm ci in clients/typescript")
    return json.loads(_SPECS.read_text(encoding="utf-8"))
