"""The vectors of CEL: Python says what protovalidate has said."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from rhtmx import schema as _s
from rhtmx.schema.cel import CelError
from tests.support import cel_judges
from tests.vectors import cel_cases

VECTORS = json.loads(cel_cases.VECTORS.read_text())


def revived(value: Any) -> Any:
    """A rule value from JSON."""
    if isinstance(value, list):
        return [revived(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "$" not in value:
        return {key: revived(each) for key, each in value.items()}
    found = value["v"]
    if value["$"] == "m":
        return {revived(key): revived(each) for key, each in found}
    kinds: dict[str, Any] = {"n": int, "t": int, "d": float, "y": base64.b64decode}
    return kinds[value["$"]](found)


RECORDS = [revived(each) for each in VECTORS["records"]]


def verdict(function: Any, record: Any) -> str:
    """What a rule says of a record."""
    try:
        answer = function(record, cel_judges.NOW)
    except CelError:
        return "error"
    return f"={answer}" if isinstance(answer, str) else str(answer).lower()


def test_the_vectors_are_up_to_date(tmp_path: Path) -> None:
    rows = cel_cases.compiled(cel_judges.schema_of(tmp_path))
    kept = [{key: each for key, each in row.items() if key != "said"} for row in VECTORS["rules"]]
    assert rows == kept
    assert cel_cases.typescript_module(rows) == cel_cases.MODULE.read_text()


@pytest.mark.parametrize("row", VECTORS["rules"], ids=lambda row: row["rule"])
def test_python_says_what_protovalidate_has_said(row: Any) -> None:
    function = eval(f"lambda this, now: {row['python']}", {"_s": _s, **row["patterns"]})
    assert [verdict(function, each) for each in RECORDS] == row["said"]


@pytest.mark.parametrize("row", VECTORS["rules"], ids=lambda row: row["rule"])
def test_only_what_may_err_errs(row: Any) -> None:
    assert row["errs"] or "error" not in row["said"]
