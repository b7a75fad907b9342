"""One form: which rules its fields have, and which it has as a whole.

Knows how rules are registered, and judges what needs no waiting. Must not know
how validators are run, nor requests or connections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias, TypeVar, Unpack, overload

from rhtmx.messages import FormFieldValue
from rhtmx_server.trackers.rules import Check
from rhtmx_server.trackers.ruleset import Rules, check_all
from rhtmx_server.trackers.validators import Function, Validator, Values

__all__ = ["Form", "Step", "judge"]

F = TypeVar("F", bound=Function)

Step: TypeAlias = Check | Validator
"""One thing that a field has to pass: a ready-made rule, or a validator."""


class Form:
    """The rules of one form. Made by `App.form`.

    Args:
        name: as clients name it.

    Example:
        >>> signup = Form("signup")
        >>> _ = signup.field("age", required=True, ge=18)
        >>> @signup.field("email", required=True, email=True)
        ... async def email_is_free(value, form):
        ...     if value in {"ada@example.com"}:
        ...         raise Invalid("already registered")
        >>> @signup.check
        ... def passwords_agree(form):
        ...     if form["password"] != form["password2"]:
        ...         raise Invalid("passwords differ", field="password2")
    """

    def __init__(self, name: str) -> None:
        if not name:
            raise ValueError("a form needs a name")
        self.name = name
        self._fields: dict[str, tuple[Step, ...]] = {}
        self._checks: list[Validator] = []

    @property
    def fields(self) -> Mapping[str, Sequence[Step]]:
        """What each registered field has to pass, in order."""
        return MappingProxyType(self._fields)

    @property
    def checks(self) -> Sequence[Validator]:
        """What the form as a whole has to pass."""
        return tuple(self._checks)

    def field(
        self,
        name: str,
        *,
        blocking: bool | None = None,
        timeout: float | None = None,
        **rules: Unpack[Rules],
    ) -> Callable[[F], F]:
        """Register rules for a field, and a validator if used as a decorator.

        A field may be registered several times. What it has to pass is checked
        in the order of registration; the first failure is the field's error.

        A validator takes the value, and, if it has a parameter `form`, the
        values of the form: every registered field is in there, one that was
        not sent as an empty string. Unlike the ready-made rules, it is asked
        about empty values, too. It returns nothing or `Valid(metadata)`, of
        which the last counts, or raises `Invalid`.

        Args:
            name: the field's name.
            blocking: whether the decorated function must stay off the event
                loop. By default a plain function does and an `async` one not.
            timeout: its time in seconds; by default that of the server.
            rules: ready-made rules, see `Rules`.

        Raises:
            TypeError: there is no such rule, or the validator takes other arguments.
            ValueError: a rule makes no sense, with the reason.
        """
        if not name:
            raise ValueError(f"form {self.name!r}: a field needs a name")
        try:
            self._add(name, *([check_all(rules)] if rules else []))
        except (TypeError, ValueError) as reason:
            raise type(reason)(f"{self.name}.{name}: {reason}") from None

        def register(function: F) -> F:
            validator = Validator.of_field(
                self.name, name, function, blocking=blocking, timeout=timeout
            )
            self._add(name, validator)
            return function

        return register

    def _add(self, name: str, *steps: Step) -> None:
        self._fields[name] = self._fields.get(name, ()) + steps

    @overload
    def check(self, function: F, /) -> F: ...

    @overload
    def check(
        self, /, *, blocking: bool | None = None, timeout: float | None = None
    ) -> Callable[[F], F]: ...

    def check(
        self,
        function: F | None = None,
        /,
        *,
        blocking: bool | None = None,
        timeout: float | None = None,
    ) -> F | Callable[[F], F]:
        """Register a rule for the form as a whole. A decorator.

        The function takes the values of the form and raises `Invalid`, with
        `field` if one field is at fault. It is asked whether or not the fields
        are valid by themselves.

        Args:
            function: the rule, if used without parentheses.
            blocking: as for `field`.
            timeout: as for `field`.

        Raises:
            TypeError: the function takes other arguments.
        """

        def register(function: F) -> F:
            self._checks.append(
                Validator.of_form(self.name, function, blocking=blocking, timeout=timeout)
            )
            return function

        return register if function is None else register(function)

    def values(self, sent: Iterable[FormFieldValue]) -> Values:
        """Collect the values of the whole form, for rules across fields.

        Args:
            sent: what the client sent. Of a name sent twice the last one
                counts, as in `Object.fromEntries(new FormData(form))`.
        """
        values = dict.fromkeys(self._fields, "")
        values.update((each.field, each.value) for each in sent)
        return MappingProxyType(values)


def judge(steps: Sequence[Step], value: str) -> tuple[str | None, Sequence[Step]]:
    """Check the ready-made rules up to the first validator.

    Args:
        steps: what the value has to pass.
        value: the value.

    Returns:
        What is wrong with it, and the steps that are left to check.
    """
    for index, step in enumerate(steps):
        if isinstance(step, Validator):
            return None, steps[index:]
        error = step(value)
        if error is not None:
            return error, ()
    return None, ()
