"""One form: which rules its fields have, and which it has as a whole.

Knows how rules are registered, and judges what needs no waiting. Must not know
how validators are run, nor requests or connections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias, TypeVar, Unpack, overload

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FormFieldValue
from rhtmx_server.names import nearest
from rhtmx_server.trackers.rules import Check
from rhtmx_server.trackers.ruleset import Rules, check_all
from rhtmx_server.trackers.validators import Function, Validator, Values

__all__ = ["NO_FIELDS", "Extra", "Form", "Step", "judge"]

F = TypeVar("F", bound=Function)

Step: TypeAlias = Check | Validator
"""One thing that a field has to pass: a ready-made rule, or a validator."""

Extra: TypeAlias = Literal["forbid", "ignore"]
"""What becomes of names that a form does not have: an error, or nothing."""

NO_FIELDS = frozenset(
    {
        "authenticity_token",
        "cf-turnstile-response",
        "csrf_token",
        "csrfmiddlewaretoken",
        "csrftoken",
        "g-recaptcha-response",
        "h-captcha-response",
    }
)
"""Names that frameworks and captchas put into a form beside its fields. As are all that
begin with `_` (`_method`, `__RequestVerificationToken`), they are never an error."""

_MAX_NAME = 255  # bytes; no message may name anything longer
_NAME_SHOWN = 64
_COMPARED = 100  # names, of one form: to find the one that is meant may take milliseconds


class Form:
    """The rules of one form. Made by `App.form`.

    Args:
        name: as clients name it.
        extra: what becomes of names that it does not have.

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

    def __init__(self, name: str, extra: Extra = "forbid") -> None:
        _check_name("a form", name)
        self.name = name
        self.extra = extra
        self._fields: dict[str, tuple[Step, ...]] = {}
        self._checks: list[Validator] = []
        self._alike: dict[str, str | None] = {}

    @property
    def extra(self) -> Extra:
        """What becomes of names that this form does not have, but for `NO_FIELDS`."""
        return self._extra

    @extra.setter
    def extra(self, extra: Extra) -> None:
        """Change that.

        Raises:
            ValueError: it is neither of the two words.
        """
        if extra not in ("forbid", "ignore"):
            raise ValueError(f"form {self.name!r}: extra: 'forbid' or 'ignore', not {extra!r}")
        self._extra = extra

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
        _check_name(f"form {self.name!r}: a field", name)
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

    def require(
        self, sent: Sequence[FormFieldValue], *, page: bool, field: str | None = None
    ) -> None:
        """Make sure that this form has fields of the names that were sent.

        Args:
            sent: what the client sent.
            page: it is all that a page has in its form: hidden controls and buttons,
                too. A name is an error there only if it is like a field of which
                nothing was sent.
            field: the one that is asked about, if it is one.

        Raises:
            RhtmxError: `UNKNOWN_FORM`, one is no field of this form; the message says
                which it may be.
        """
        fields = self._fields
        others = [each.field for each in sent if each.field not in fields]
        if field is not None and field not in fields:
            others.append(field)
        if not others:
            return
        missing = fields.keys() - {each.field for each in sent}
        for name in others:
            if not self._ignores(name) and (not page or self._nearest(name) in missing):
                raise self._unknown(name)

    def _ignores(self, name: str) -> bool:
        return self._extra == "ignore" or name.startswith("_") or name in NO_FIELDS

    def _unknown(self, name: str) -> RhtmxError:
        near = self._nearest(name)
        advice = "register it, or make the form with extra='ignore'"
        if near is not None:
            advice = f"did you mean {near!r}?"
        return RhtmxError(
            ErrorCode.UNKNOWN_FORM,
            f"form {self.name!r} has no field {name[:_NAME_SHOWN]!r}: {advice}",
        )

    def _nearest(self, name: str) -> str | None:
        name = name[:_NAME_SHOWN]
        if name not in self._alike and len(self._alike) < _COMPARED:
            self._alike[name] = nearest(name, self._fields)
        return self._alike.get(name)


def _check_name(what: str, name: object) -> None:
    """Refuse what no client could name.

    Raises:
        TypeError: it is no string, but a function, say: `@form.field` wants its name first.
        ValueError: it has no length that a name may have.
    """
    if not isinstance(name, str):
        raise TypeError(f"{what} needs a name, a string: got {name!r}")
    if not 1 <= len(name.encode()) <= _MAX_NAME:
        raise ValueError(f"{what} needs a name of 1 to {_MAX_NAME} bytes: got {name[:40]!r}")


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
