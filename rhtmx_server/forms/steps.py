"""What a field has to pass, one thing after the other.

Knows ready-made rules and validators. Must not know how validators are run, nor forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from rhtmx.values.form_value import Entry
from rhtmx_server.forms.rule_set import Ruleset
from rhtmx_server.forms.validators import Validator

__all__ = ["Step", "judge"]

Step: TypeAlias = Ruleset | Validator
"""One thing that a field has to pass: ready-made rules, or a validator."""


def judge(steps: Sequence[Step], entries: Sequence[Entry]) -> tuple[str | None, Sequence[Step]]:
    """Check the ready-made rules up to the first validator.

    Args:
        steps: what a field has to pass.
        entries: what it has.

    Returns:
        What is wrong with that, and the steps that are left to check.
    """
    for index, step in enumerate(steps):
        # From here on it may have to wait: what comes after it is not judged before it is its turn.
        if isinstance(step, Validator):
            return None, steps[index:]
        error = step(entries)
        if error is not None:
            return error, ()
    return None, ()
