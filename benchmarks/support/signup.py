"""The form of the validation benchmark: the same rules for ours and for the HTTP endpoint."""

from __future__ import annotations

import asyncio
import time

from rhtmx_server.forms.rule_set import Rules

RULES = Rules(required=True, min_length=3, max_length=40, pattern="[a-z0-9 ]+")
TAKEN = "taken!"
"""What a value begins with that no rule and no validator accepts."""

BLOCKED = 0.2

APP = """\
from benchmarks.support import signup
from rhtmx_server import App, Invalid

app = App(undeclared=True)
form = app.form("signup")
form.field("rule", **signup.RULES)

@form.field("async")
async def is_free(value):
    if not await signup.is_free(value):
        raise Invalid("is taken")

@form.field("thread")
def is_known(value):
    if not signup.is_known(value):
        raise Invalid("is not known")

@form.field("slow")
def is_slow(value):
    signup.block()
"""


async def is_free(value: str) -> bool:
    """Wait one turn of the loop, as for an answer that is there at once."""
    await asyncio.sleep(0)
    return not value.startswith(TAKEN)


def is_known(value: str) -> bool:
    """A function that might block, and does not."""
    return not value.startswith(TAKEN)


def block() -> None:
    """A function that blocks."""
    time.sleep(BLOCKED)
