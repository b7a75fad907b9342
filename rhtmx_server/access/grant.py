"""Who speaks: what an application answers when it is asked about a token.

Knows no tokens, doors or rules: it is what all of them share.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

__all__ = ["BACKEND", "GUEST", "Grant"]

BACKEND = "backend"
"""The role of a service of the application itself, as opposed to one of its users."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Who speaks, and until when.

    Args:
        subject: on whose behalf; the empty one is a guest.
        expires: when it ends; microseconds since 1970, `None` for never.
        roles: the roles that the subject has, in the words of the application.
        claims: what else is known of the subject, such as `{"team": "red"}`:
            JSON values, by which rules of access decide.

    Example:
        >>> Grant("ada", roles={"clerk"}, claims={"team": "red"}).has_role("clerk")
        True
    """

    subject: str
    expires: int | None = None
    roles: Collection[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        # A copy that nobody can change: rights that are in force do not change unseen.
        object.__setattr__(self, "roles", frozenset(self.roles))
        object.__setattr__(self, "claims", MappingProxyType(dict(self.claims)))

    def __eq__(self, other: object) -> bool:
        """Whether it gives the same rights: to Python 1, 1.0 and `True` are one value."""
        if self is other:
            return True
        if not isinstance(other, Grant):
            return NotImplemented
        mine = (self.subject, self.expires, self.roles, self.claims)
        theirs = (other.subject, other.expires, other.roles, other.claims)
        return mine == theirs and _spelt(self.claims) == _spelt(other.claims)

    def has_role(self, role: str) -> bool:
        """Whether the subject has a role."""
        return role in self.roles


def _spelt(claims: Mapping[str, Any]) -> str:
    return repr(sorted(claims.items(), key=lambda claim: claim[0]))


GUEST = Grant("")
"""Somebody who has not said who they are."""
