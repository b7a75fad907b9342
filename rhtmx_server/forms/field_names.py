"""Which names a form takes from clients.

Knows the names of its fields, and those that pages have beside them. Must not know
rules, values or connections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FormFieldValue
from rhtmx_server.names import nearest

__all__ = ["NO_FIELDS", "Extra", "FieldNames", "check_form_name"]

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

_NEARLY = 0.8
"""From here on a name is taken for a misspelling: `emial`, `tags[]`; not `color_other`."""

_MAX_NAME = 255  # bytes; no message may name anything longer
_NAME_SHOWN = 64
_COMPARED = 100  # names, of one form: to find the one that is meant may take milliseconds


class FieldNames:
    """The names of one form.

    Args:
        form: its name.
        fields: those that are registered, by name; may grow.
        extra: what becomes of other names.
    """

    def __init__(self, form: str, fields: Mapping[str, object], extra: Extra) -> None:
        self._form = form
        self._fields = fields
        self.extra = extra
        self._alike: dict[str, str | None] = {}

    @property
    def extra(self) -> Extra:
        """What becomes of names that the form does not have, but for `NO_FIELDS`."""
        return self._extra

    @extra.setter
    def extra(self, extra: Extra) -> None:
        """Change that.

        Raises:
            ValueError: it is neither of the two words.
        """
        if extra not in ("forbid", "ignore"):
            raise ValueError(f"form {self._form!r}: extra: 'forbid' or 'ignore', not {extra!r}")
        self._extra = extra

    def require(
        self, sent: Sequence[FormFieldValue], *, page: bool, field: str | None = None
    ) -> None:
        """Make sure that the form has fields of the names that were sent.

        Args:
            sent: what the client sent.
            page: it is all that a page has in its form: hidden controls and buttons,
                too. A name is an error there only if it is nearly that of a field of
                which nothing was sent; a box that is not ticked sends nothing.
            field: the one that is asked about, if it is one.

        Raises:
            RhtmxError: `UNKNOWN_FORM`, one is no field of the form; the message says
                which it may be.
        """
        fields = self._fields
        others = [each.field for each in sent if each.field not in fields]
        if field is not None and field not in fields:
            others.append(field)
        if not others:
            return
        # A name that is nearly that of a field which was sent as well is a control of its own.
        missing = fields.keys() - {each.field for each in sent}
        for name in others:
            if self._ignores(name):
                continue
            near = self._nearest(name)
            if not page or (near in missing and nearest(name, [near], _NEARLY)):
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
            f"form {self._form!r} has no field {name[:_NAME_SHOWN]!r}: {advice}",
        )

    def _nearest(self, name: str) -> str | None:
        name = name[:_NAME_SHOWN]
        # Kept, and not without bound: to compare takes time, and names come from outside.
        if name not in self._alike and len(self._alike) < _COMPARED:
            self._alike[name] = nearest(name, self._fields)
        return self._alike.get(name)


def check_form_name(what: str, name: object) -> None:
    """Refuse a name of a form or a field that no client could say.

    Args:
        what: is named, for the error.
        name: the name.

    Raises:
        TypeError: it is no string, but a function, say: `@form.field` wants its name first.
        ValueError: it has no length that a name may have.
    """
    if not isinstance(name, str):
        raise TypeError(f"{what} needs a name, a string: got {name!r}")
    if not 1 <= len(name.encode()) <= _MAX_NAME:
        raise ValueError(f"{what} needs a name of 1 to {_MAX_NAME} bytes: got {name[:40]!r}")
