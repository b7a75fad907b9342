"""What the form `signup` is asked that its schema cannot say.

Knows which usernames are taken, and when somebody else has to agree. Must not know where the
members are kept, nor the rules that stand in `demo.proto`: a page judges those itself.

What the form asks for is private but for the username: the page pushes that one
alone into the shared entity `members`, and only if nobody has it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from rhtmx_server import App, Invalid

__all__ = ["add_validators"]

_MINOR = range(13, 18)
"""Years in which somebody else has to agree. Who is younger cannot sign up: the schema says so."""


def add_validators(app: App, taken: Callable[[str], Awaitable[bool]]) -> None:
    """Give the form the validators of its fields that are `async` in the schema.

    Args:
        app: whose form it is, with the schema.
        taken: whether a username belongs to somebody.
    """
    signup = app.form("signup")

    @signup.field("username")
    async def username_is_free(value: str) -> None:
        if await taken(value):
            raise Invalid(f"“{value}” is taken", metadata={"taken": value})

    @signup.field("guardian")
    async def guardian_agrees(value: str, form: Mapping[str, str]) -> None:
        if not value.strip() and _is_minor(form["age"].strip()):
            raise Invalid(f"is needed if you are younger than {_MINOR.stop}")
        if value.strip() and value.strip() == form["email"].strip():
            raise Invalid("is your own address: somebody else has to agree")


def _is_minor(age: str) -> bool:
    return re.fullmatch("[0-9]{1,3}", age) is not None and int(age) in _MINOR
