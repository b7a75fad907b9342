"""Whether a write is allowed: the rules of one entity, and its parts. Pure.

Knows rules, parts and the data of a record. Must not know how a write is decided,
stores or the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

from rhtmx.errors import Violation
from rhtmx_server.access.entity import (
    ACTIONS,
    Action,
    EntityCheck,
    EntityJudge,
    EntityJudgeLost,
    EntityNormalize,
    EntityPrepare,
)
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.parts import WHOLE, Part, Partitions, Values, reader_of
from rhtmx_server.access.rules import Rule
from rhtmx_server.model import NOWHERE, Scope

__all__ = ["Guard", "Right"]

_MOST_KEPT = 1_000
"""Grants of which is kept what they give the right to, and values of which the parts are."""

K = TypeVar("K")
V = TypeVar("V")


class Right:
    """What somebody has the right to, in a form that is quick to ask.

    Args:
        parts: the parts of the entity.

    Attributes:
        whole: they have the right to all of it.
        nothing: they have the right to none of it.

    Example:
        >>> Right([Part.of({"team": "red"})]).has({"team": '"red"'})
        True
    """

    __slots__ = ("_by_fields", "_parts", "nothing", "whole")

    def __init__(self, parts: Iterable[Part]) -> None:
        self._by_fields: dict[tuple[str, ...], set[tuple[str | None, ...]]] = {}
        self._parts = tuple(parts)
        for part in self._parts:
            values = tuple(spelt for _, spelt in part.items)
            self._by_fields.setdefault(part.fields, set()).add(values)
        self.whole = WHOLE.fields in self._by_fields
        self.nothing = not self._by_fields

    def has(self, values: Values) -> bool:
        """Whether a record with these values is in one of the parts."""
        if self.whole:
            return True
        # One look for each set of fields, however many parts there are.
        for fields, found in self._by_fields.items():
            if tuple(map(values.get, fields)) in found:
                return True
        return False

    def meets(self, keys: frozenset[str]) -> bool:
        """Whether it has one of the parts with these keys."""
        return self.whole or any(part.key in keys for part in self._parts)


class Guard:
    """Asked about each write of an entity that has access, functions of the program or parts.

    Args:
        partitions: by which fields the entity is divided; `None` for not at all.
        rules: who may do what; empty for everybody everything.
        checks: rules of the program, see `Entity.check`.
        prepares: functions of the program, see `Entity.prepare`.
        judge: the rules of the schema, see `Entity`.
        normalize: see `EntityNormalize`; `None` if all is kept as it is written.
        judge_is_ours: nothing but our own code judges, which need not be measured.
        judge_lost: those for a write that loses.
        scoped: a function says what somebody reads, and its answer comes with the write.
        hidden: see `Entity.hide`.

    Attributes:
        closed: it has access: who is not named, is nobody.
        divided: it has parts.
        open: it has neither: nothing depends on who writes, nor on where a record is.
        completes: what is kept may be otherwise than it was written.
        judged: the fields whose values say who may do what with a record.
    """

    def __init__(
        self,
        partitions: Partitions | None = None,
        rules: Mapping[Action, Rule] | None = None,
        checks: Iterable[EntityCheck] = (),
        prepares: Iterable[EntityPrepare] = (),
        *,
        judge: EntityJudge | None = None,
        judge_is_ours: bool = True,
        normalize: EntityNormalize | None = None,
        judge_lost: EntityJudgeLost | None = None,
        scoped: bool = False,
        hidden: Mapping[str, Violation] = MappingProxyType({}),
    ) -> None:
        self.hidden = hidden
        self.judge = judge
        self.judge_is_ours = judge_is_ours
        self.normalize = normalize
        self.judge_lost = judge_lost
        self.checks = tuple(checks)
        self.prepares = tuple(prepares)
        self.closed = bool(rules) or scoped
        self.divided = partitions is not None
        self.open = not (self.closed or self.divided)
        self.completes = normalize is not None or bool(self.prepares)
        self._partitions = partitions
        self._rules = dict(rules or {})
        self._scoped = scoped
        shapes = (shape for rule in self._rules.values() for shape in rule.shapes)
        read = self._rules.get("read")
        self._read_shapes = read.shapes if read is not None else frozenset()
        fields = {field for shape in shapes for field in shape}
        fields |= set(partitions.fields if partitions else ())
        #: The values of a record's data by which it is judged.
        self.values_of = reader_of(sorted(fields))
        self.judged = frozenset(fields)
        self._judged_by = len(fields)
        self._rights: dict[Grant, dict[Action, Right]] = {}
        self._last: tuple[Grant | None, dict[Action, Right]] = (None, {})
        self._keys: dict[tuple[str | None, ...], frozenset[str]] = {}

    @cached_property
    def unjudged(self) -> Guard:
        """The same one, but for what judges and completes a write."""
        return Guard(self._partitions, self._rules, scoped=self._scoped, hidden=self.hidden)

    def misfit(self, data: bytes | None, values: Values) -> str | None:
        """The first field of a partition with a value that no part can have, if there is one."""
        # Mostly each of the fields has a value: to count them takes half of the time.
        if self._partitions is None or len(values) == self._judged_by:
            return None
        if all(map(values.__contains__, self._partitions.fields)):
            return None
        return self._partitions.misfit(data)

    def parts(self, values: Values) -> frozenset[str]:
        """The keys of the parts that a record with these values is in."""
        partitions = self._partitions
        if partitions is None or not values:
            return NOWHERE
        divides = tuple(map(values.get, partitions.fields))
        keys = self._keys.get(divides)
        if keys is None:
            keys = frozenset(part.key for part in partitions.parts_with(values))
            _keep(self._keys, divides, keys)
        return keys

    def sees_all(self, who: Grant, reads: Scope) -> bool:
        """Whether somebody may read every record.

        Args:
            who: who.
            reads: the parts that the program's function gives them to read.

        Raises:
            RhtmxError: `FORBIDDEN`, by the rule.
        """
        if self._scoped or not self.closed:
            return not self.closed or reads is None
        return self._right(who, "read").whole

    def sees(self, who: Grant, reads: Scope, values: Values) -> bool:
        """Whether somebody may read a record with these values. Otherwise like `sees_all`."""
        if self._scoped:
            return reads is None or not reads.isdisjoint(self.parts(values))
        return not self.closed or self._right(who, "read").has(values)

    def saw(self, who: Grant, reads: Scope, parts: frozenset[str]) -> bool:
        """Whether somebody may read what was in these parts. Otherwise like `sees_all`."""
        if self._scoped:
            return reads is None or not reads.isdisjoint(parts)
        if not self.closed:
            return True
        return self._right(who, "read").meets(parts)

    def opens(self, before: frozenset[str], values: Values | None) -> bool:
        """Whether a write lets somebody see a record who could not see it before.

        Args:
            before: the parts that it was in; of a deleted one, when it was deleted.
            values: of the record after it; `None` if there is none.
        """
        if not self.closed or self._partitions is None or values is None:
            return False
        if self._scoped:
            return not self.parts(values) <= before
        return any(
            part.fields in self._read_shapes and part.key not in before
            for part in self._partitions.parts_with(values)
        )

    def may(self, action: Action, who: Grant, values: Values | None) -> bool:
        """Whether somebody may do something.

        Args:
            action: what.
            who: who.
            values: of the record, before or after it; `None`: with any record.

        Raises:
            RhtmxError: `FORBIDDEN`, by the rule.
        """
        if not self.closed:
            return True
        right = self._right(who, action)
        return not right.nothing if values is None else right.has(values)

    def _right(self, who: Grant, action: Action) -> Right:
        # Asked several times for each write: to hash a grant takes as long as all the rest.
        if self._last[0] is who:
            return self._last[1][action]
        rights = self._rights.get(who)
        if rights is None:
            rights = {
                each: Right(self._rules[each].parts(who) if each in self._rules else ())
                for each in ACTIONS
            }
            _keep(self._rights, who, rights)
        self._last = who, rights
        return rights[action]


def _keep(kept: dict[K, V], key: K, value: V) -> None:
    """Keep what was found out. Bounded by forgetting: to find it out again costs microseconds."""
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = value
