"""The two entities of `writes_life` as a schema declares them, and what that says, said once more.

Four schemas, so that each field is merged by each strategy, said of the field or of its entity; and
rules of values: of single ones, of lists, of a record as a whole. `WordedRules` is the oracle's
view of them, written by hand. Must not use the product's judge, nor what reads its strategies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any

from rhtmx_server import App
from rhtmx_server.access.guard import Guard
from rhtmx_server.trackers.policy import Policy
from tests.support.generated import schema_package
from tests.support.writes_oracle import Rules

__all__ = ["VARIANTS", "WordedRules", "declared_by_schema", "package", "text_of"]

_STRATEGIES = ("last_write_wins", "keep_both", "server_wins", "client_wins")
_FIELDS = ("title", "notes", "log", "best")

VARIANTS = len(_STRATEGIES)
"""How many schemas there are."""

_MESSAGE = """
message {cls} {{
  option (rhtmx.v1.entity) = {{name: "{name}"{usual}}};
  option (buf.validate.message).cel = {{
    id: "apart" message: "are too far apart"
    expression: "!has(this.best) || !has(this.least) || this.best - this.least <= 80"
  }};
  int64 title = 1{title};
  int64 votes = 2 [(rhtmx.v1.field).merge = MERGE_COUNTER, (buf.validate.field).int64.gte = 0];
  repeated string labels = 3 [(rhtmx.v1.field).merge = MERGE_SET,
    (buf.validate.field).repeated.max_items = 3];
  map<string, int64> notes = 4{notes};
  repeated int64 log = 5 [(buf.validate.field).repeated.max_items = 5{log}];
  optional int64 best = 6 [(buf.validate.field).int64.lte = 90{best}];
  optional int64 least = 7;
  int64 balance = 8 [(rhtmx.v1.field).merge = MERGE_COUNTER];
  int64 n = 9;
  int64 m = 10;
}}
"""


def _strategy(field: str, variant: int) -> str:
    return _STRATEGIES[(_FIELDS.index(field) + variant) % len(_STRATEGIES)]


def _usual(variant: int) -> str:
    """Of every field of `lines` that says nothing."""
    return _STRATEGIES[(variant + 1) % len(_STRATEGIES)]


def _said(strategy: str) -> str:
    return f"(rhtmx.v1.field).merge = MERGE_{strategy.upper()}"


def text_of(variant: int) -> str:
    """One of the schemas."""
    said = {name: _said(_strategy(name, variant)) for name in _FIELDS}
    own = {name: f" [{said[name]}]" for name in ("title", "notes")}
    own |= {name: f", {said[name]}" for name in ("log", "best")}
    orders = _MESSAGE.format(cls="Order", name="orders", usual="", **own)
    usual = f" merge: MERGE_{_usual(variant).upper()}"
    # Two of its fields say so themselves, the others as the entity does.
    lines = {name: own[name] if name in ("notes", "best") else "" for name in own}
    return orders + _MESSAGE.format(cls="Line", name="lines", usual=usual, **lines)


def package(variant: int) -> ModuleType:
    """What is generated of one of the schemas."""
    return schema_package(text_of(variant))


@cache
def declared_by_schema(variant: int) -> tuple[Mapping[str, Policy | None], Mapping[str, Guard]]:
    """What a server makes of one of the schemas: how each entity merges, and who judges."""
    app = App(store="memory://", schema=package(variant).schema)
    declared = app._declared
    guards = {
        name: Guard(each.partitions, each.rules, judge=each.judge, judge_lost=each.judge_lost)
        for name, each in declared.entities.items()
    }
    return declared.policies, guards


class WordedRules(Rules):
    """What one of the schemas says, in other words.

    Args:
        variant: which one.
    """

    def __init__(self, variant: int) -> None:
        self._variant = variant

    def kind(self, entity: str, field: str) -> str | None:
        if field in ("votes", "balance"):
            return "counter"
        if field == "labels":
            return "set"
        if entity == "orders":
            return _strategy(field, self._variant) if field in _FIELDS else None
        if field in ("notes", "best"):
            return _strategy(field, self._variant)
        return _usual(self._variant)

    def broken(
        self, entity: str, after: Mapping[str, Any], changed: Collection[str] | None
    ) -> Iterator[str]:
        judged = after.keys() if changed is None else after.keys() & changed
        for field in sorted(judged):
            if not _fits(field, after[field]):
                yield field
        pair = {"best", "least"}
        if (changed is None or pair & set(changed)) and pair <= after.keys():
            best, least = after["best"], after["least"]
            if isinstance(best, int) and isinstance(least, int) and best - least > 80:
                yield "apart"

    def broken_alone(self, entity: str, values: Mapping[str, Any]) -> Iterator[str]:
        for field, value in values.items():
            if not _fits(field, value):
                yield field


def _fits(field: str, value: Any) -> bool:
    if field == "labels":
        return isinstance(value, list) and len(value) <= 3
    if field == "log":
        return isinstance(value, list) and len(value) <= 5
    if field == "notes":
        return isinstance(value, dict)
    if not isinstance(value, int):
        return False
    return value >= 0 if field == "votes" else field != "best" or value <= 90
