"""Which merge strategy an entity's fields follow.

Knows the strategies' names. Must not know what they do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from rhtmx.messages import MergeStrategy

__all__ = ["Policy", "PolicyOf", "entity_policy", "parse_policy", "parse_strategy", "policies"]

_STRATEGIES: Mapping[str, MergeStrategy] = {
    "last_write_wins": MergeStrategy.LAST_WRITE_WINS,
    "keep_both": MergeStrategy.KEEP_BOTH,
    "server_wins": MergeStrategy.SERVER_WINS,
    "client_wins": MergeStrategy.CLIENT_WINS,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """How one entity merges.

    Args:
        default: the strategy of every field that is not named.
        fields: the strategies of single fields, by name.

    Example:
        >>> Policy(fields={"role": MergeStrategy.SERVER_WINS}).strategy("role").name
        'SERVER_WINS'
    """

    default: MergeStrategy = MergeStrategy.LAST_WRITE_WINS
    fields: Mapping[str, MergeStrategy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A copy that nobody can change, so that one decision is like the next.
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))

    def strategy(self, name: str) -> MergeStrategy:
        """Return the strategy of the field `name`."""
        return self.fields.get(name, self.default)


PolicyOf: TypeAlias = Callable[[str], Policy | None]
"""The policy of an entity, by its name; `None` for one kept without fields."""

_UNDECLARED = Policy()


def policies(declared: Mapping[str, Policy | None]) -> PolicyOf:
    """How each entity merges: as was declared, now or later, or else by `last_write_wins`.

    Example:
        >>> policies({"logs": None})("logs"), policies({})("tasks").default.name
        (None, 'LAST_WRITE_WINS')
    """
    return lambda entity: declared.get(entity, _UNDECLARED)


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


def parse_policy(
    merge: str | MergeStrategy | Mapping[str, str | MergeStrategy] | Policy | None = None,
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
    fields = {}
    for name, strategy in merge.items():
        try:
            fields[name] = parse_strategy(strategy)
        except ValueError as error:
            raise ValueError(f"field {name!r}: {error}") from None
    return Policy(fields=fields)


def entity_policy(
    entity: str,
    merge: str | MergeStrategy | Mapping[str, str | MergeStrategy] | None,
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
