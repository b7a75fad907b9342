"""Rules of access: which parts of an entity somebody may see or write.

Knows grants and parts. Must not know records, stores, the wire or the loop.

A rule answers with parts, so the same rule says what a reader is sent (the records
that the store keeps by these parts) and whether a write is allowed (the record is in
one of them). Rules are joined with `|` (either is enough) and `&` (both are needed).

Example:
    >>> from rhtmx_server.access.grant import Grant
    >>> rule = owner("customer") | role("clerk")
    >>> sorted(part.key for part in rule.parts(Grant("ada")))
    ['{"customer":"ada"}']
    >>> sorted(part.key for part in rule.parts(Grant("bob", roles={"clerk"})))
    ['{}']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import BACKEND, Grant
from rhtmx_server.access.parts import WHOLE, Part, agreeing

__all__ = [
    "MOST_PARTS",
    "Rule",
    "anyone",
    "backend",
    "claim",
    "common",
    "equals",
    "nobody",
    "owner",
    "role",
    "signed_in",
]

MOST_PARTS = 1_000
"""Parts of one entity that somebody may have the right to. More than that is a role."""

NOTHING: frozenset[Part] = frozenset()
EVERYTHING = frozenset({WHOLE})


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do something, and with which records.

    Args:
        parts: the parts of an entity that a grant gives the right to; the whole is
            one of them, none is nothing. May raise `RhtmxError`.
        shapes: for each way in which it may allow something, the fields that it
            compares then.
        words: the rule as it is written in Python, for errors and logs.
    """

    parts: Callable[[Grant], frozenset[Part]]
    shapes: frozenset[tuple[str, ...]]
    words: str

    def __or__(self, other: Rule) -> Rule:
        """Either is enough."""
        return Rule(
            lambda who: _either(self, other, who),
            self.shapes | other.shapes,
            f"{self.words} | {other.words}",
        )

    def __and__(self, other: Rule) -> Rule:
        """Both are needed."""

        def parts(who: Grant) -> frozenset[Part]:
            return common(self.parts(who), other.parts(who))

        shapes = frozenset(
            tuple(sorted({*one, *another})) for one in self.shapes for another in other.shapes
        )
        return Rule(parts, shapes, f"{_bracket(self.words)} & {_bracket(other.words)}")

    def __repr__(self) -> str:
        """As it is written in Python."""
        return self.words


def owner(field: str) -> Rule:
    """The subject, of records whose field names it.

    Args:
        field: holds the subject as a text.

    Example:
        >>> owner("customer")
        owner('customer')
    """

    def parts(who: Grant) -> frozenset[Part]:
        # One that is too long for a value is nobody's: no record can name it.
        return _parts([{field: who.subject}] if who.subject and _is_value(who.subject) else [])

    return Rule(parts, frozenset({(field,)}), f"owner({field!r})")


def claim(name: str, *, field: str | None = None) -> Rule:
    """Whoever has a claim, of records whose field has its value, or one of its values.

    Args:
        name: of the claim: a text, a number, a boolean, or a list of them.
        field: of the records; by default it has the claim's name.

    Example:
        >>> claim("teams", field="team")
        claim('teams', field='team')
    """
    field = name if field is None else field

    def parts(who: Grant) -> frozenset[Part]:
        value = who.claims.get(name)
        values = value if isinstance(value, list | tuple | set | frozenset) else [value]
        return _parts({field: each} for each in values if _is_value(each))

    return Rule(parts, frozenset({(field,)}), f"claim({name!r}, field={field!r})")


def equals(field: str, value: str | float | bool) -> Rule:
    """Anyone, of records whose field has this value, such as what is published.

    Raises:
        ValueError: the value is no text, number or boolean.

    Example:
        >>> equals("status", "published")
        equals('status', 'published')
    """
    part = Part.of({field: value})
    return Rule(
        lambda who: frozenset({part}), frozenset({(field,)}), f"equals({field!r}, {value!r})"
    )


def role(name: str) -> Rule:
    """Whoever has a role, of all records.

    Example:
        >>> role("clerk")
        role('clerk')
    """
    return _all_if(lambda who: who.has_role(name), f"role({name!r})")


def _all_if(allowed: Callable[[Grant], bool], words: str) -> Rule:
    return Rule(lambda who: EVERYTHING if allowed(who) else NOTHING, frozenset({()}), words)


anyone = _all_if(lambda who: True, "anyone")
"""Everybody, also those who have no token."""

signed_in = _all_if(lambda who: bool(who.subject), "signed_in")
"""Everybody who has said who they are."""

backend = _all_if(lambda who: who.has_role(BACKEND), "backend")
"""Services of the application itself: those whose grant has the role `backend`."""

nobody = Rule(lambda who: NOTHING, frozenset(), "nobody")
"""Nobody but the program of the server itself."""


def _parts(values: Iterable[dict[str, Any]]) -> frozenset[Part]:
    found = frozenset(map(Part.of, values))
    if len(found) > MOST_PARTS:
        raise _too_many(len(found))
    return found


def _is_value(value: object) -> bool:
    """Whether a claim's value can be that of a field; what cannot is a right to nothing."""
    try:
        Part.of({"": value})
    except (ValueError, TypeError):
        return False
    return True


def _either(one: Rule, other: Rule, who: Grant) -> frozenset[Part]:
    """What either rule gives. Whoever may see all of it is not asked for more."""
    try:
        mine = one.parts(who)
    except RhtmxError:
        if WHOLE in other.parts(who):
            return EVERYTHING
        raise
    return mine if WHOLE in mine else _fewest(mine | other.parts(who))


def common(mine: frozenset[Part], theirs: frozenset[Part]) -> frozenset[Part]:
    """What is in both of two rights.

    Raises:
        RhtmxError: `FORBIDDEN`, it is too many parts.
    """
    both = set[Part]()
    for one, another in agreeing(mine, theirs):
        part = one.within(another)
        if part is not None:
            both.add(part)
        if len(both) > MOST_PARTS:
            raise _too_many(len(both))
    return _fewest(both)


def _fewest(parts: Iterable[Part]) -> frozenset[Part]:
    """The whole holds all others."""
    found = frozenset(parts)
    if WHOLE in found:
        return EVERYTHING
    if len(found) > MOST_PARTS:
        raise _too_many(len(found))
    return found


def _too_many(number: int) -> RhtmxError:
    return RhtmxError(
        ErrorCode.FORBIDDEN,
        f"a right to {number} parts of one entity, and {MOST_PARTS} is the most: give a role that "
        "sees all of it, or partition it by something coarser",
    )


def _bracket(words: str) -> str:
    return f"({words})" if " | " in words else words
