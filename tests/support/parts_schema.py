"""The entity of `parts_life` as a schema declares it, and who may do what by that, said once more.

Four schemas, so that each kind of access stands for each action. `who` of an `Access` is said
here in Python, by hand. Must not use the product's rules of access.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from rhtmx_server import App
from rhtmx_server.access.entity import Entity
from rhtmx_server.access.grant import Grant
from tests.support.generated import schema_package

__all__ = ["SECRET", "VARIANTS", "AccessWords", "declared_by_schema"]

State: TypeAlias = Mapping[str, Any]
Who: TypeAlias = Callable[[Grant, State], bool]

SECRET = "told-to-nobody"
"""What the program writes into the field that never leaves the server."""

_MESSAGE = """
message Task {
  option (rhtmx.v1.entity) = {
    name: "tasks"
    partition: {fields: "team"}
    partition: {fields: "team" fields: "status"}
    partition: {fields: "status"}
    partition: {fields: "owner"}
    partition: {fields: "owner" fields: "team"}
    partition: {fields: "owner" fields: "status"}
    partition: {fields: "owner" fields: "team" fields: "status"}
    ACCESS
  };
  int64 n = 1;
  optional string team = 2;
  string status = 3;
  string owner = 4;
  int64 x = 5;
  int64 y = 6;
  string secret = 7 [(rhtmx.v1.field).server_only = true];
}
"""

_OWNER = 'owner: "owner"'
_TEAMS = 'tenant: {field: "team" claim: "teams"}'
_TEAM = 'tenant: {field: "team"}'
_CLERK = 'role: "clerk"'
_OPEN = 'equal: {field: "status" json: "\\"open\\""}'
_WORDS: Mapping[str, Who] = {
    _OWNER: lambda who, data: data.get("owner") == who.subject,
    _TEAMS: lambda who, data: data.get("team") in who.claims["teams"],
    _TEAM: lambda who, data: data.get("team") == who.claims["team"],
    _CLERK: lambda who, data: "clerk" in who.roles,
    _OPEN: lambda who, data: data.get("status") == "open",
    "anyone: true": lambda who, data: True,
    "signed_in: true": lambda who, data: who.subject != "",
    "backend: true": lambda who, data: "backend" in who.roles,
}
_ALL = "read create update delete"
_SAID: tuple[tuple[tuple[str, str], ...], ...] = (
    ((_ALL, _TEAMS), (_ALL, _CLERK)),
    (
        ("read", _OWNER), ("read", _CLERK), ("read", _OPEN), ("create update", _OWNER),
        ("update", _TEAMS), ("delete", _CLERK),
    ),
    (
        ("read", "anyone: true"), ("create", "signed_in: true"), ("update", _TEAM),
        ("delete", "backend: true"), ("delete", _OPEN),
    ),
    (("read", _CLERK), ("read create", _TEAMS), ("delete", _OWNER)),
)  # fmt: skip
"""Who may do what, in each of the schemas."""

VARIANTS = len(_SAID)
"""How many schemas there are."""


@dataclass(frozen=True)
class AccessWords:
    """Who may do what by one of the schemas, in other words.

    Args:
        variant: which one.
    """

    variant: int

    def may(self, action: str, who: Grant, data: State) -> bool:
        """Whether somebody may do something with a record."""
        said = _SAID[self.variant]
        return any(_WORDS[each](who, data) for actions, each in said if action in actions.split())


@cache
def declared_by_schema(variant: int) -> Entity:
    """What a server makes of one of the schemas."""
    access = "\n".join(_access(actions, who) for actions, who in _SAID[variant])
    schema = schema_package(_MESSAGE.replace("ACCESS", access)).schema
    return App(store="memory://", schema=schema)._declared.entities["tasks"]


def _access(actions: str, who: str) -> str:
    # What names no action says all of them.
    names = () if actions == _ALL else actions.split()
    said = " ".join(f"actions: ACTION_{each.upper()}" for each in names)
    return f"access: {{{said} {who}}}"
