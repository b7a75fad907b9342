"""What compiled rules call, by the vectors that TypeScript runs, too, and what only Python has."""

import base64
import json
import math
from pathlib import Path
from typing import Any

import pytest

from rhtmx.schema.cel import (
    CelError,
    cel_all_of,
    cel_any_of,
    cel_date,
    cel_day_of_week,
    cel_divide,
    cel_equal,
    cel_exists,
    cel_field,
    cel_in,
    cel_is_set,
    cel_month,
    cel_time_of_day,
    cel_year,
    formats,
    logic,
    numbers,
    texts,
    times,
)

CASES = json.loads((Path(__file__).parents[4] / "vectors" / "cel_helpers.json").read_text())
HELPERS = {
    name: getattr(module, name)
    for module in (formats, logic, numbers, texts, times)
    for name in module.__all__
}


def revived(value: Any) -> Any:
    """A rule value from JSON."""
    if isinstance(value, list):
        return [revived(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = value["v"]
    if value["$"] == "m":
        return {key: revived(each) for key, each in found}
    kinds: dict[str, Any] = {"n": int, "t": int, "d": float, "y": base64.b64decode}
    return kinds[value["$"]](found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['name']}{case['arguments']}")
def test_a_helper_gives_what_the_vectors_say(case: Any) -> None:
    helper = HELPERS[f"cel_{case['name']}"]
    arguments = [revived(each) for each in case["arguments"]]
    if case["gives"] == "error":
        with pytest.raises(CelError):
            helper(*arguments)
        return
    given, wanted = helper(*arguments), revived(case["gives"])
    assert type(given) is type(wanted)
    assert given == wanted or math.isnan(given)


def err() -> bool:
    """A side that errs."""
    raise CelError("no")


def test_a_side_that_decides_absorbs_errors_from_either_side() -> None:
    assert cel_any_of(err, lambda: True)
    assert cel_any_of(lambda: True, err)
    assert not cel_all_of(err, lambda: False)
    assert not cel_all_of(lambda: False, err)
    with pytest.raises(CelError):
        cel_any_of(err, lambda: False)
    with pytest.raises(CelError):
        cel_all_of(lambda: True, err)


def test_other_exceptions_are_not_absorbed() -> None:
    with pytest.raises(ZeroDivisionError):
        cel_exists([0, 1], lambda each: 1 // each > 0)


def test_dividing_a_double_by_zero_is_ieee_754() -> None:
    assert cel_divide(1.0, 0.0) == math.inf
    assert cel_divide(1.0, -0.0) == -math.inf
    assert cel_divide(-1.0, 0.0) == -math.inf
    assert math.isnan(cel_divide(0.0, 0.0))
    assert math.isnan(cel_divide(math.nan, 0.0))


def test_nan_is_in_no_list_not_even_in_its_own() -> None:
    nan = math.nan
    assert not cel_in(nan, [nan])
    assert not cel_equal([nan], [nan])


def test_minus_zero_is_set() -> None:
    assert cel_is_set(-0.0)
    assert not cel_is_set(0.0)
    assert cel_is_set(math.nan)


def test_a_field_of_what_is_absent_is_its_zero() -> None:
    assert cel_field(None, "a", 0) == 0
    assert cel_field({"a": None}, "a", 7) == 7
    assert cel_field({"a": 0}, "a", 7) == 0


def test_times_have_their_parts_in_a_zone() -> None:
    last = 253402300800 * 10**9 - 1
    assert (cel_year(last), cel_month(last), cel_date(last)) == (9999, 11, 31)
    assert cel_year(last, 1) == 10000
    first = -62135596800 * 10**9
    assert (cel_year(first), cel_month(first), cel_date(first)) == (1, 0, 1)
    assert (cel_year(first, -1), cel_month(first, -1), cel_date(first, -1)) == (0, 11, 31)
    assert cel_day_of_week(0) == 4
    assert cel_day_of_week(-1) == 3
    assert cel_time_of_day(-1, 0, 3600 * 10**9, 24) == 23
    assert cel_time_of_day(0, 330, 60 * 10**9, 60) == 30
