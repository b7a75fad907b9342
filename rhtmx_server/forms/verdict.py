"""What a program is told of a whole form.

Knows errors and values. Must not know rules, nor how they were run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rhtmx.values.results import FormError
from rhtmx_server.forms.entries import FormValues

__all__ = ["FormVerdict"]


@dataclass(frozen=True, slots=True)
class FormVerdict:
    """Whether a form is valid, and what it has. False in a condition if it is not.

    Attributes:
        valid: whether all of it is.
        errors: everything that is wrong, in the order in which the fields were registered;
            what is wrong with the form as a whole has an empty `field`.
        values: what was judged, as validators see it.
        cleaned: what each registered field has, as a value of Python, where nothing is wrong
            with it: a number for `type=int`, a list for `many`, what its schema says; a text
            otherwise. `None` is a number, a file, or a value of a schema that was left out.
        receipt: attests what the program's own validators have found; `None` if there is
            nothing to attest.

    Example:
        >>> ticket = app.form("ticket")
        >>> _ = ticket.field("age", type=int, ge=18)
        >>> verdict = await ticket.validate({"age": "36"})
        >>> verdict.valid, verdict.cleaned
        (True, {'age': 36})
    """

    valid: bool
    errors: tuple[FormError, ...]
    values: FormValues
    cleaned: Mapping[str, Any]
    receipt: str | None = None

    def __bool__(self) -> bool:
        return self.valid

    @property
    def field_errors(self) -> dict[str, list[str]]:
        """What is wrong with each field, by its name."""
        found: dict[str, list[str]] = {}
        for each in self.errors:
            if each.field:
                found.setdefault(each.field, []).append(each.error)
        return found

    @property
    def form_errors(self) -> list[str]:
        """What is wrong with the form as a whole."""
        return [each.error for each in self.errors if not each.field]
