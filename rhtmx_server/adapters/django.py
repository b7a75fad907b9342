"""Forms in Django: a form class whose rules are those of a form of rhtmx.

Knows how a form of Django is filled, cleaned and shown. Must not know rules, nor how they are run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import new_class
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.forms.entries import FieldKind
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.posted import RECEIPT
from rhtmx_server.forms.verdict import FormVerdict

__all__ = ["DjangoForm", "rhtmx_form"]


class _Files(forms.FileInput):  # type: ignore[misc]  # Django says nothing of its types
    allow_multiple_selected = True


class _Judged(forms.Field):  # type: ignore[misc]  # likewise
    """A field whose value, and what is wrong with it, is what the rules have found."""

    found: Any = None
    wrong: Sequence[str] = ()

    def clean(self, value: Any) -> Any:
        super().clean(value)
        # Here, and not once all fields are clean: `clean_NAME` of a form is called with this value,
        # and not at all where it is wrong.
        if self.wrong:
            raise ValidationError([*self.wrong])
        return self.found


class _Text(_Judged, forms.CharField):  # type: ignore[misc]  # likewise
    pass


class DjangoForm(forms.Form):  # type: ignore[misc]  # likewise
    """A form of Django that is judged by a form of rhtmx; made by `rhtmx_form`.

    Takes what a form of Django takes, and `who`. `is_valid` runs the rules, and waits for them in
    its thread; in an `async` view call `await form.avalidate()` before it.

    Args:
        who: who has sent it, as `authenticate` of the app says it; `None`: the app itself asks.

    Attributes:
        judged_by: the form of rhtmx.
        verdict: what that has said; `None` before it was asked.
    """

    judged_by: ClassVar[Form]

    def __init__(self, *args: Any, who: Grant | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.who = who
        self.verdict: FormVerdict | None = None
        # With a page's script it is filled in before the form is posted.
        self.fields[RECEIPT] = forms.CharField(required=False, widget=forms.HiddenInput)

    def add_prefix(self, field_name: str) -> str:
        """The name of a control; the receipt has the one that clients know."""
        name: str = field_name if field_name == RECEIPT else super().add_prefix(field_name)
        return name

    async def avalidate(self) -> bool:
        """Judge it, in an `async` view; whether it is valid.

        Raises:
            PermissionDenied: they may not use the form.
            RhtmxError: it could not be judged.
        """
        if self.is_bound:
            try:
                self.verdict = await self.judged_by.validate(self._posted(), who=self.who)
            except RhtmxError as error:
                raise _denied(error) from None
            self.full_clean()
        valid: bool = self.is_valid()
        return valid

    def full_clean(self) -> None:
        """Run the rules of the form, and then what Django has to say.

        Raises:
            PermissionDenied: they may not use the form.
            RhtmxError: it could not be judged.
        """
        left_out = self.empty_permitted and not self.has_changed()
        if self.is_bound and self.verdict is None and not left_out:
            try:
                self.verdict = self.judged_by.validate_sync(self._posted(), who=self.who)
            except RhtmxError as error:
                raise _denied(error) from None
        if self.verdict is not None:
            wrong = self.verdict.field_errors
            for name, field in self.fields.items():
                if isinstance(field, _Judged):
                    field.found = self.verdict.cleaned.get(name)
                    field.wrong = wrong.get(name, ())
        super().full_clean()

    def clean(self) -> dict[str, Any]:
        """Say what is wrong with the form as a whole, and with fields that are not of the rules."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        cleaned.pop(RECEIPT, None)
        assert self.verdict is not None  # `full_clean` has asked for it
        for each in self.verdict.errors:
            name = each.field if each.field in self.fields else None
            # What a field has refused already need not be said twice.
            if name is None or not self.has_error(name):
                self.add_error(name, each.error)
        return cleaned

    def _posted(self) -> dict[str, list[Any]]:
        """What was sent for this form, by the names that its rules know."""
        start = super().add_prefix("") if self.prefix else ""
        posted: dict[str, list[Any]] = {}
        for source in (self.data, self.files):
            for key in source:
                if key == RECEIPT or key.startswith(start):
                    posted.setdefault(key.removeprefix(start), []).extend(_all(source, key))
        return posted


def rhtmx_form(form: Form) -> type[DjangoForm]:
    """Make a form class of Django of a form of rhtmx: to be called once its rules are registered.

    A field is a text, a file, or several of them. To show one by another control, declare it in a
    class of your own, with `required=False`: what is required is said by the rules.

    Args:
        form: its rules judge what is posted.

    Example:
        >>> from django import forms
        >>> from rhtmx_server import App
        >>> signup = App(store="memory://").form("signup")
        >>> _ = signup.field("age", type=int, ge=18)
        >>> class SignUp(rhtmx_form(signup)):
        ...     age = forms.IntegerField(required=False)
    """
    fields: dict[str, Any] = {name: _field(kind) for name, kind in form.kinds.items()}
    fields["judged_by"] = form
    return new_class("RhtmxForm", (DjangoForm,), exec_body=lambda body: body.update(fields))


def _field(kind: FieldKind) -> forms.Field:
    if kind.file:
        if kind.many:
            return forms.Field(required=False, widget=_Files)
        # A file of no bytes is a file: rules say what is too small.
        return forms.FileField(required=False, allow_empty_file=True)
    if kind.many:
        return _Judged(required=False, widget=forms.MultipleHiddenInput)
    return _Text(required=False, strip=False)


def _all(source: Mapping[str, Any], key: str) -> Iterable[Any]:
    if hasattr(source, "getlist"):
        found: Iterable[Any] = source.getlist(key)
        return found
    value = source[key]
    return value if isinstance(value, list | tuple) else [value]


def _denied(error: RhtmxError) -> Exception:
    if error.code is ErrorCode.NOT_SUPPORTED:
        return RhtmxError(error.code, f"await form.avalidate() in an async view: {error.message}")
    return PermissionDenied(error.message) if error.code is ErrorCode.FORBIDDEN else error
