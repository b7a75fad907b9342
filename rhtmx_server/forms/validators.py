"""One validator: what it is asked and what it may answer.

Knows the kinds of functions that serve as validators. Must not know how they
are run, nor forms, messages or connections.

A validator returns nothing for a valid value, or `Valid` to add metadata, and
raises `Invalid` otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from rhtmx_server.forms.entries import TEXT, FieldKind, FormValues
from rhtmx_server.functions import blocks, name_of, require_one_argument, takes

__all__ = ["Function", "Invalid", "Valid", "Validator"]

Function: TypeAlias = Callable[..., Any]
"""A validator as its author writes it, plain or `async`."""

_LEAST_TIME = 0.001
"""Seconds. uvloop 0.23 rounds timers to milliseconds: a shorter one is over at once."""


class Invalid(Exception):  # noqa: N818 (a verdict on a value, not an error)
    """The value is not valid. Raised by a validator.

    Args:
        message: why, in words for the user.
        metadata: what else helps: any value that JSON can hold.
        field: which field is at fault. For a form's check only; empty for the
            form as a whole.

    Example:
        >>> raise Invalid("already registered", metadata={"hint": "sign in instead?"})
        Traceback (most recent call last):
        ...
        rhtmx_server.forms.validators.Invalid: already registered
    """

    def __init__(self, message: str, metadata: object = None, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.metadata = metadata
        self.field = field


@dataclass(frozen=True, slots=True)
class Valid:
    """The value is valid, and there is more to say. Returned by a validator.

    Args:
        metadata: any value that JSON can hold: a suggestion, a strength, a price.

    Example:
        >>> def strength(value: str) -> Valid:
        ...     return Valid({"strength": len(set(value))})
        >>> strength("secret").metadata
        {'strength': 5}
    """

    metadata: object = None


@dataclass(frozen=True, slots=True)
class Validator:
    """One function, and how it wants to be run.

    Args:
        name: form, field and function, for the log.
        form: the form that it belongs to.
        call: the function, taking (value, values of the form).
        blocking: it must not run on the event loop.
        timeout: its time in seconds; `None` for the default.
        sees_form: it looks at the values of the form; otherwise it may be
            called without them.
        kind: what its field is registered for: decides what it is asked about.
    """

    name: str
    form: str
    call: Callable[[Any, FormValues], object]
    blocking: bool
    timeout: float | None = None
    sees_form: bool = True
    kind: FieldKind = TEXT

    @classmethod
    def of_field(
        cls,
        form: str,
        field: str,
        function: Function,
        *,
        kind: FieldKind = TEXT,
        blocking: bool | None = None,
        timeout: float | None = None,
    ) -> Validator:
        """Take a function of one value, and of the form if it has such a parameter.

        Args:
            form: the form's name.
            field: the field's name.
            function: takes `(value)` or `(value, form)`.
            kind: what the field is registered for.
            blocking: `None`: yes for a plain function, no for an `async` one.
            timeout: its time in seconds; `None` for the default.

        Raises:
            TypeError: it takes anything else, is no function, or `async` and blocking.
            ValueError: the timeout is shorter than a millisecond.
        """
        name = f"{form}.{field} {name_of(function)}"
        require_one_argument(function, name, "(value) or (value, form)", {"form"})
        # Asked once, when it is registered: to collect a form for each question costs more than
        # most validators.
        sees_form = takes(function, "form")
        return cls(
            name,
            form,
            _with_form(function) if sees_form else _with_value(function),
            blocks(name, function, blocking),
            _time(name, timeout),
            sees_form,
            kind,
        )

    @classmethod
    def of_form(
        cls,
        form: str,
        function: Function,
        *,
        blocking: bool | None = None,
        timeout: float | None = None,
    ) -> Validator:
        """Take a function of all values of a form: `(form)`. Otherwise like `of_field`."""
        name = f"{form} {name_of(function)}"
        require_one_argument(function, name, "(form)")
        return cls(
            name,
            form,
            lambda _value, values: function(values),
            blocks(name, function, blocking),
            _time(name, timeout),
        )


def _with_value(function: Function) -> Callable[[Any, FormValues], object]:
    return lambda value, _values: function(value)


def _with_form(function: Function) -> Callable[[Any, FormValues], object]:
    return lambda value, values: function(value, form=values)


def _time(name: str, seconds: float | None) -> float | None:
    if seconds is not None and not seconds >= _LEAST_TIME:
        raise ValueError(
            f"{name}: timeout: seconds from {_LEAST_TIME:g} on expected, got {seconds!r}"
        )
    return seconds
