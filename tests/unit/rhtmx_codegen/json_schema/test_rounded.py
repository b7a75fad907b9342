"""Facts about `rhtmx_codegen.json_schema.rounded`."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterator

import pytest

from rhtmx_codegen.json_schema import rounded

Says = Callable[[float], dict[str, float]]


def narrow(value: float) -> float:
    try:
        (found,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return math.copysign(math.inf, value)
    return float(found)


def near(value: float) -> Iterator[float]:
    """A number, and those of 64 bits around where rounding to it begins and ends."""
    (bits,) = struct.unpack("<i", struct.pack("<f", value))
    for other in (bits - 1, bits, bits + 1):
        (neighbour,) = struct.unpack("<f", struct.pack("<i", max(-(2**31), min(other, 2**31 - 1))))
        if math.isfinite(neighbour):
            middle = (neighbour + value) / 2
            yield from (
                neighbour,
                middle,
                math.nextafter(middle, math.inf),
                math.nextafter(middle, -math.inf),
            )
    yield from (0.0, 5e-324, -5e-324)


def holds(said: dict[str, float], value: float) -> bool:
    return (
        value >= said.get("minimum", -math.inf)
        and value <= said.get("maximum", math.inf)
        and value > said.get("exclusiveMinimum", -math.inf)
        and value < said.get("exclusiveMaximum", math.inf)
    )


def bounds() -> list[float]:
    chosen = random.Random(3)
    known = [0.0, -0.0, 1.0, -1.0, 0.1, 1e-45, -1e-45, 3.4028234663852886e38, 16777216.0, 1e-38]
    return [narrow(each) for each in known + [chosen.uniform(-1000, 1000) for _ in range(200)]]


@pytest.mark.parametrize(
    ("say", "wanted"),
    [
        (rounded.at_least, lambda value, bound: value >= bound),
        (rounded.more_than, lambda value, bound: value > bound),
        (rounded.at_most, lambda value, bound: value <= bound),
        (rounded.less_than, lambda value, bound: value < bound),
        (rounded.equal, lambda value, bound: value == bound),
    ],
)
def test_a_bound_holds_for_just_what_is_rounded_to_it(
    say: Says, wanted: Callable[[float, float], bool]
) -> None:
    for bound in bounds():
        for value in near(bound):
            if math.isfinite(narrow(value)):
                assert holds(say(bound), value) == wanted(narrow(value), bound), (bound, value)
