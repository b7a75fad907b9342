"""One validator: what it is asked and what it may answer.

Knows the kinds of functions that serve as validators. Must not know how they
are run, nor forms, messages or connections.

A validator returns nothing for a valid value, or `Valid` to add metadata, and
raises `Invalid` otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Any, TypeAlias

from rhtmx_server.access.grant import Grant
from rhtmx_server.forms.entries import TEXT, FieldKind, FormValues
from rhtmx_server.forms.rule_versions import rule_version
from rhtmx_server.functions import blocks, name_of, require_one_argument, takes

__all__ = ["Function", "Validator"]

Function: TypeAlias = Callable[..., Any]
"""A validator as its author writes it, plain or `async`."""

_LEAST_TIME = 0.001
"""Seconds. uvloop 0.23 rounds timers to milliseconds: a shorter one is over at once."""


@dataclass(frozen=True, slots=True)
class Validator:
    """One function, and how it wants to be run.

    Args:
        name: form, field and function, for the log.
        form: the form that it belongs to.
        call: the function, taking (value, values of the form, who asks).
        blocking: it must not run on the event loop.
        timeout: its time in seconds; `None` for the default.
        sees_form: it looks at the values of the form; otherwise it may be
            called without them.
        kind: what its field is registered for: decides what it is asked about.
        field: the field that it belongs to; empty for a check of the form.
        sees_who: it looks at who asks.
        reads: the entities by which it judges.
        version: another one when the function is another.
        attested: a receipt may say what it has found; else it is run each time.
    """

    name: str
    form: str
    call: Callable[[Any, FormValues, Grant], object]
    blocking: bool
    timeout: float | None = None
    sees_form: bool = True
    kind: FieldKind = TEXT
    field: str = ""
    sees_who: bool = False
    reads: tuple[str, ...] = ()
    version: bytes = b""
    attested: bool = True

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
        reads: Sequence[str] = (),
    ) -> Validator:
        """Take a function of one value, and of `form` and `who` if it has such parameters.

        Args:
            form: the form's name.
            field: the field's name.
            function: takes `(value)`, and `form` and `who` if it wants to know them.
            kind: what the field is registered for.
            blocking: `None`: yes for a plain function, no for an `async` one.
            timeout: its time in seconds; `None` for the default.
            reads: the entities by which it judges.

        Raises:
            TypeError: it takes anything else, is no function, or `async` and blocking; `reads`
                is no list of names.
            ValueError: the timeout is shorter than a millisecond.
        """
        name = f"{form}.{field} {name_of(function)}"
        require_one_argument(
            function, name, "(value), and form and who if it wants", {"form", "who"}
        )
        # Asked once, when it is registered: to collect a form for each question costs more than
        # most validators.
        sees_form = takes(function, "form")
        return cls(
            name,
            form,
            _of_value(function),
            blocks(name, function, blocking),
            _time(name, timeout),
            sees_form,
            kind,
            field,
            takes(function, "who"),
            _reads(name, reads),
            rule_version(function),
        )

    @classmethod
    def of_form(
        cls,
        form: str,
        function: Function,
        *,
        blocking: bool | None = None,
        timeout: float | None = None,
        reads: Sequence[str] = (),
        attested: bool = True,
    ) -> Validator:
        """Take a function of all values of a form: `(form)`, and `who`. Like `of_field`."""
        name = f"{form} {name_of(function)}"
        require_one_argument(function, name, "(form), and who if it wants", {"who"})
        return cls(
            name,
            form,
            _of_values(function),
            blocks(name, function, blocking),
            _time(name, timeout),
            sees_who=takes(function, "who"),
            reads=_reads(name, reads),
            version=rule_version(function),
            attested=attested,
        )


def _of_value(function: Function) -> Callable[[Any, FormValues, Grant], object]:
    sees = takes(function, "form"), takes(function, "who")
    if sees == (True, True):
        return lambda value, values, who: function(value, form=values, who=who)
    if sees == (True, False):
        return lambda value, values, who: function(value, form=values)
    if sees == (False, True):
        return lambda value, values, who: function(value, who=who)
    return lambda value, values, who: function(value)


def _of_values(function: Function) -> Callable[[Any, FormValues, Grant], object]:
    if takes(function, "who"):
        return lambda value, values, who: function(values, who=who)
    return lambda value, values, who: function(values)


def _time(name: str, seconds: float | None) -> float | None:
    if seconds is not None and not seconds >= _LEAST_TIME:
        raise ValueError(
            f"{name}: timeout: seconds from {_LEAST_TIME:g} on expected, got {seconds!r}"
        )
    return seconds


def _reads(name: str, entities: object) -> tuple[str, ...]:
    # A text is a sequence of letters, and nobody means those.
    if isinstance(entities, str) or not isinstance(entities, Sequence | Set):
        raise TypeError(f"{name}: reads: a list of entities expected, got {entities!r}")
    if not all(isinstance(each, str) and each for each in entities):
        raise TypeError(f"{name}: reads: names of entities expected, got {entities!r}")
    return tuple(sorted(set(entities)))
