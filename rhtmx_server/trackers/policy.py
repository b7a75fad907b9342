"""Which merge strategy an entity's fields follow, and which operations they take.

Knows the strategies' names. Must not know what they do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError, Violation, violation_details
from rhtmx.messages import FieldAction, FieldUpdate, MergeStrategy
from rhtmx.messages.tables import FIELD_ACTION_SPELLINGS, MERGE_STRATEGY_SPELLINGS
from rhtmx.values.operations import decimals
from rhtmx_server.conflict_log import RESERVED

__all__ = [
    "Counter",
    "Policy",
    "PolicyOf",
    "Strategy",
    "entity_policy",
    "parse_policy",
    "parse_strategy",
    "policies",
]

_STRATEGIES: Mapping[str, MergeStrategy] = {
    "last_write_wins": MergeStrategy.LAST_WRITE_WINS,
    "keep_both": MergeStrategy.KEEP_BOTH,
    "server_wins": MergeStrategy.SERVER_WINS,
    "client_wins": MergeStrategy.CLIENT_WINS,
    "counter": MergeStrategy.COUNTER,
    "set": MergeStrategy.SET,
}

_TAKES: Mapping[MergeStrategy, tuple[FieldAction, ...]] = {
    MergeStrategy.COUNTER: (FieldAction.INCREMENT,),
    MergeStrategy.SET: (FieldAction.ADD, FieldAction.REMOVE),
}
"""The operations on a field that is declared to be of one kind."""

_parse = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Counter:
    """A field that is counted, in the place of the word `"counter"` where it has decimals.

    Args:
        scale: how many. With some, the field is a decimal number in a string, like
            `"10.50"`, exact to 38 digits; without, it is an integer.

    Raises:
        ValueError: the scale is not between 0 and 18.

    Example:
        >>> Counter(scale=2)
        Counter(scale=2)
    """

    scale: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.scale <= _MOST_DECIMALS:
            raise ValueError(f"scale: 0 to {_MOST_DECIMALS} decimals expected, got {self.scale}")


_MOST_DECIMALS = 18


@dataclass(frozen=True, slots=True)
class Policy:
    """How one entity merges.

    Args:
        default: the strategy of every field that is not named.
        fields: the strategies of single fields, by name.
        scales: of counters with decimals, how many those have.
        forgets: whether nothing is kept of fields that are gone, as in a conflict log, where
            ever new ones come. To whoever asks for what is unchanged they were written.

    Example:
        >>> Policy(fields={"role": MergeStrategy.SERVER_WINS}).strategy("role").name
        'SERVER_WINS'
    """

    default: MergeStrategy = MergeStrategy.LAST_WRITE_WINS
    fields: Mapping[str, MergeStrategy] = field(default_factory=dict)
    scales: Mapping[str, int] = field(default_factory=dict)
    forgets: bool = False

    def __post_init__(self) -> None:
        # Copies that nobody can change, so that one decision is like the next.
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))
        object.__setattr__(self, "scales", MappingProxyType(dict(self.scales)))

    def strategy(self, name: str) -> MergeStrategy:
        """Return the strategy of the field `name`."""
        return self.fields.get(name, self.default)

    def check_operation(self, update: FieldUpdate) -> None:
        """Make sure that a field takes an operation, as it is declared.

        Raises:
            RhtmxError: `INVALID_DATA`, it takes others only, or other decimals.
        """
        name, action = update.field, update.action
        strategy = self.strategy(name)
        takes = _TAKES.get(strategy)
        if takes is not None and action not in takes:
            words = " and ".join(FIELD_ACTION_SPELLINGS[each] for each in takes)
            kind = MERGE_STRATEGY_SPELLINGS[strategy]
            raise _misfit(name, "operation", f"is declared as a {kind}: it takes {words}")
        if action is not FieldAction.INCREMENT or (
            name not in self.scales and not _is_text(update)
        ):
            return
        given = decimals(_parse(update.value or b"null"))
        scale = self.scales.get(name, 0)
        if not scale and (given or (given == 0 and strategy is MergeStrategy.COUNTER)):
            raise _misfit(
                name,
                _DECIMALS,
                "is not declared to have decimals, as Counter(scale=2) does: "
                "increment it by an integer",
            )
        if given != scale:
            example = f"{0:.{scale}f}"
            raise _misfit(
                name,
                _DECIMALS,
                f'is declared to have {scale} decimals: increment it by a string like "{example}"',
            )


def _is_text(update: FieldUpdate) -> bool:
    return update.value is not None and update.value.lstrip().startswith(b'"')


_DECIMALS = "operation.decimals"


def _misfit(name: str, rule: str, words: str) -> RhtmxError:
    message = f"'{name[:40]}' {words}"
    details = msgspec.json.encode(violation_details([Violation(name, rule, message)]))
    return RhtmxError(ErrorCode.INVALID_DATA, message, details=details)


PolicyOf: TypeAlias = Callable[[str], Policy | None]
"""The policy of an entity, by its name; `None` for one kept without fields."""

_UNDECLARED = Policy()
_LOG = Policy(forgets=True)


def policies(declared: Mapping[str, Policy | None]) -> PolicyOf:
    """How each entity merges: as was declared, now or later, or else by `last_write_wins`.

    Example:
        >>> policies({"logs": None})("logs"), policies({})("tasks").default.name
        (None, 'LAST_WRITE_WINS')
    """

    def policy_of(entity: str) -> Policy | None:
        found = declared.get(entity, _UNDECLARED)
        return _LOG if found is _UNDECLARED and entity.startswith(RESERVED) else found

    return policy_of


def parse_strategy(name: str | MergeStrategy) -> MergeStrategy:
    """Read a strategy as an application writes it.

    Raises:
        ValueError: there is no strategy of this name; lists those there are.

    Example:
        >>> parse_strategy("keep_both") is MergeStrategy.KEEP_BOTH
        True
    """
    if isinstance(name, MergeStrategy) and name in _STRATEGIES.values():
        return name
    if isinstance(name, str) and name in _STRATEGIES:
        return _STRATEGIES[name]
    raise ValueError(f"{name!r} is not a merge strategy; use one of {', '.join(_STRATEGIES)}")


Strategy: TypeAlias = str | MergeStrategy | Counter
"""A strategy as an application writes it."""


def parse_policy(
    merge: str | MergeStrategy | Mapping[str, Strategy] | Policy | None = None,
) -> Policy:
    """Read what an application says about an entity's merging.

    Args:
        merge: one strategy for all fields; or strategies by field, all others
            being merged by `last_write_wins`; or a whole `Policy`.

    Raises:
        ValueError: a strategy is not known; names the field.

    Example:
        >>> parse_policy({"role": "server_wins"}).strategy("name").name
        'LAST_WRITE_WINS'
    """
    if merge is None:
        return Policy()
    if isinstance(merge, Policy):
        return merge
    if not isinstance(merge, Mapping):
        return Policy(default=parse_strategy(merge))
    fields: dict[str, MergeStrategy] = {}
    scales: dict[str, int] = {}
    for name, strategy in merge.items():
        if isinstance(strategy, Counter):
            fields[name] = MergeStrategy.COUNTER
            scales |= {name: strategy.scale} if strategy.scale else {}
            continue
        try:
            fields[name] = parse_strategy(strategy)
        except ValueError as error:
            raise ValueError(f"field {name!r}: {error}") from None
    return Policy(fields=fields, scales=scales)


def entity_policy(
    entity: str,
    merge: str | MergeStrategy | Mapping[str, Strategy] | None,
    *,
    fields: bool,
) -> Policy | None:
    """How an entity is merged; `None` for one that is kept without fields.

    Raises:
        ValueError: a strategy is not known, or there is nothing to merge.
    """
    if fields:
        return parse_policy(merge)
    if merge is not None:
        raise ValueError(f"entity {entity!r}: without fields there is nothing to merge")
    return None
