"""The parts of a time: its year, its hour.

Knows how both languages take a time apart. Must not know syntax.
"""

from __future__ import annotations

from dataclasses import replace

from rhtmx_codegen.cel.build import call, constant, operation
from rhtmx_codegen.cel.pieces import Level
from rhtmx_codegen.cel.tree import Form, Node
from rhtmx_codegen.cel.types import INT

__all__ = ["ACCESSORS", "accessor"]

_SPAN = replace(INT, span=(-1, 10000))


def _date(helper: str, typescript: str, level: Level = Level.ATOM) -> Form:
    return replace(
        call(helper, 2),
        typescript=f"s.celDate({{0}}, {{1}}).{typescript}",
        typescript_level=level,
    )


def _clock(unit: int, most: int, typescript: str) -> Form:
    form = call("time_of_day", 4)
    return Form(
        f"_s.cel_time_of_day({{0}}, {{1}}, {unit}, {most})",
        f"s.celDate({{0}}, {{1}}).{typescript}",
        lambda time, minutes: form.apply(time, minutes, unit, most) if form.apply else None,
    )


ACCESSORS = {
    "getFullYear": _date("year", "getUTCFullYear()"),
    "getMonth": _date("month", "getUTCMonth()"),
    "getDate": _date("date", "getUTCDate()"),
    "getDayOfMonth": Form(
        "_s.cel_date({0}, {1}) - 1",
        "s.celDate({0}, {1}).getUTCDate() - 1",
        None,
        Level.SUM,
    ),
    "getDayOfWeek": _date("day_of_week", "getUTCDay()"),
    "getDayOfYear": call("day_of_year", 2),
    "getHours": _clock(3600 * 10**9, 24, "getUTCHours()"),
    "getMinutes": _clock(60 * 10**9, 60, "getUTCMinutes()"),
    "getSeconds": _clock(10**9, 60, "getUTCSeconds()"),
    "getMilliseconds": _clock(10**6, 1000, "getUTCMilliseconds()"),
}
"""What CEL calls them."""


def accessor(name: str, time: Node, zone: int) -> Node:
    """Return a part of a time.

    Args:
        name: of the accessor.
        time: the time.
        zone: how many minutes east of Greenwich.
    """
    return operation(ACCESSORS[name], _SPAN, time, constant(INT, zone))
