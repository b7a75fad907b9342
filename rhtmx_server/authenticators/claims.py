"""What a token or a session says, as far as a `Grant` needs it.

Knows JSON objects. Must not know where they come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["Claims", "claim", "roles_of", "subject_of"]

Claims: TypeAlias = Mapping[str, Any]
"""JSON values by their names."""


def claim(claims: Claims, path: str) -> Any:
    """A claim by its name, or one within others; `None` if there is none.

    Example:
        >>> claim({"realm_access": {"roles": ["clerk"]}}, "realm_access.roles")
        ['clerk']
    """
    if path in claims:  # a name may have dots in it, as those that are addresses
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def subject_of(claims: Claims, path: str) -> str:
    """The subject, where a text or a whole number names it.

    Raises:
        RhtmxError: `UNAUTHENTICATED`, there is none.
    """
    subject = claim(claims, path)
    if type(subject) is int:
        return str(subject)
    if isinstance(subject, str) and subject:
        return subject
    raise RhtmxError(ErrorCode.UNAUTHENTICATED, f"no subject in '{path}': who is this?")


def roles_of(claims: Claims, path: str | None) -> frozenset[str]:
    """The roles: a list, or names with spaces between them; none if there are none.

    Example:
        >>> sorted(roles_of({"scope": "read write"}, "scope"))
        ['read', 'write']
    """
    roles = None if path is None else claim(claims, path)
    if isinstance(roles, str):
        roles = roles.split()
    if not isinstance(roles, list):
        return frozenset()
    return frozenset(role for role in roles if isinstance(role, str))
