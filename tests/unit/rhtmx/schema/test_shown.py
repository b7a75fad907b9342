"""Facts about `rhtmx.schema.shown`."""

from __future__ import annotations

import json
import subprocess

import pytest

from rhtmx.schema.shown import shown_number

NUMBERS = [
    0.0, -0.0, 1.0, -1.5, 0.1, 1e-6, 1e-7, 1.5e-7, 123456789012345680000.0, 1e20, 1e21, 1.5e300,
    5e-324, 1e16, 1.7976931348623157e308, 0.30000000000000004, 4.35, 100.0,
]  # fmt: skip


def test_numbers_are_written_as_javascript_writes_them() -> None:
    program = f"console.log(JSON.stringify({json.dumps(NUMBERS)}.map(String)))"
    told = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True)
    assert [shown_number(each) for each in NUMBERS] == json.loads(told.stdout)


@pytest.mark.parametrize(
    ("number", "text"),
    [(float("nan"), "NaN"), (float("inf"), "Infinity"), (float("-inf"), "-Infinity")],
)
def test_and_so_is_what_is_no_number(number: float, text: str) -> None:
    assert shown_number(number) == text
