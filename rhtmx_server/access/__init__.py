"""Who speaks, and what they may see and do. Pure but for the functions of the app.

The rules from which an application puts its access together:

Example:
    >>> from rhtmx_server.access import owner, role
    >>> owner("customer") | role("clerk")
    owner('customer') | role('clerk')
"""

from rhtmx_server.access.rules import (
    Rule,
    anyone,
    backend,
    claim,
    equals,
    nobody,
    owner,
    role,
    signed_in,
)

__all__ = [
    "Rule",
    "anyone",
    "backend",
    "claim",
    "equals",
    "nobody",
    "owner",
    "role",
    "signed_in",
]
