"""The form `signup`: who may become a member, and under which name.

Knows its rules. Must not know where the members are kept.

What the form asks for is private but for the username: the page pushes that one
alone into the shared entity `members`, and only if nobody has it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from rhtmx_server import App, Invalid

__all__ = ["declare_signup"]

_LEAST_AGE = 13
_FULL_AGE = 18
"""Years from which on nobody else has to agree."""

_USERNAME = re.compile(r"[a-z][a-z0-9_-]{2,19}")


def declare_signup(app: App, taken: Callable[[str], Awaitable[bool]]) -> None:
    """Declare the form.

    Args:
        app: whose form it is.
        taken: whether a username belongs to somebody.
    """
    signup = app.form("signup")
    signup.field("username", required=True)
    signup.field("email", required=True, email=True)
    signup.field("age", required=True, type=int, ge=_LEAST_AGE, le=120)
    signup.field("guardian", email=True)

    @signup.field("username")
    async def username_is_free(value: str) -> None:
        if _USERNAME.fullmatch(value) is None:
            raise Invalid(
                f"“{value}” cannot be a username: use 3 to 20 of a-z, 0-9, _ and -, a letter first"
            )
        if await taken(value):
            raise Invalid(f"“{value}” is taken", metadata={"taken": value})

    @signup.field("guardian")
    async def guardian_agrees(value: str, form: Mapping[str, str]) -> None:
        if not value.strip() and _is_minor(form["age"].strip()):
            raise Invalid(f"is needed if you are younger than {_FULL_AGE}")
        if value.strip() and value.strip() == form["email"].strip():
            raise Invalid("is your own address: somebody else has to agree")


def _is_minor(age: str) -> bool:
    """Whether somebody else has to agree; an age that will not do has an error of its own."""
    return re.fullmatch("[0-9]{1,3}", age) is not None and _LEAST_AGE <= int(age) < _FULL_AGE
