"""Live forms, traced.

Knows when a question begins and ends. Must not know how it is answered, nor what traces it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Hashable, Iterable, Mapping
from typing import Any, TypeVar

from rhtmx.messages import (
    FormFieldValue,
    FormValidationResult,
    ValidateField,
    ValidateForm,
    ValidationResult,
)
from rhtmx_server.access.grant import GUEST, Grant
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.forms import FormTracker, VerdictNote, unnoted
from rhtmx_server.forms.runner import ValidatorVerdict
from rhtmx_server.forms.sections import Section
from rhtmx_server.forms.verdict import FormVerdict
from rhtmx_server.spans import Span
from rhtmx_server.tracing import Tracing, error_type

__all__ = ["TracedForms"]

R = TypeVar("R", ValidationResult, FormValidationResult, FormVerdict)


class TracedForms:
    """Answers questions as `FormTracker` does.

    Args:
        forms: answers them.
        tracing: where to tell of it.
    """

    def __init__(self, forms: FormTracker, tracing: Tracing) -> None:
        self._forms = forms
        self._tracing = tracing

    def try_validate_field(
        self, message: ValidateField, *, owner: Hashable, who: Grant = GUEST
    ) -> ValidationResult | None:
        """See `FormTracker`."""
        result = self._forms.try_validate_field(message, owner=owner, who=who)
        if result is not None:  # else it is asked once more, and takes its time
            _done(self._tracing.validation(message, owner), result)
        return result

    def validate_field(
        self,
        message: ValidateField,
        *,
        owner: Hashable,
        share: Hashable | None = None,
        who: Grant = GUEST,
    ) -> Awaitable[ValidationResult]:
        """See `FormTracker`."""
        span = self._tracing.validation(message, owner)
        # The validators run in a task that is made here: what they trace is part of this.
        with span.current():
            asked = self._forms.validate_field(message, owner=owner, share=share, who=who)
        return _answered(span, asked)

    async def validate_form(
        self,
        message: ValidateForm,
        *,
        owner: Hashable,
        share: Hashable | None = None,
        who: Grant = GUEST,
        note: VerdictNote = unnoted,
    ) -> FormValidationResult:
        """See `FormTracker`."""
        span = self._tracing.validation(message, owner)
        with span.current():
            asked = self._forms.validate_form(message, owner=owner, share=share, who=who, note=note)
            return await _answered(span, asked)

    async def verdict(
        self, form: Form, values: Mapping[str, Any], who: Grant | None, receipt: str | None
    ) -> FormVerdict:
        """See `FormTracker`."""
        span = self._tracing.validation(ValidateForm(form=form.name), None)
        with span.current():
            return await _answered(span, self._forms.verdict(form, values, who, receipt))

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """See `FormTracker`."""
        return self._forms.loop

    def reads(self, name: str, section: Section | None = None) -> Collection[str]:
        """See `FormTracker`."""
        return self._forms.reads(name, section)

    async def judge_sections(
        self,
        name: str,
        sent: Iterable[FormFieldValue],
        sections: Iterable[Section],
        *,
        share: Hashable,
        who: Grant,
    ) -> Mapping[Section, ValidatorVerdict]:
        """See `FormTracker`; nobody has asked, so nothing is traced."""
        return await self._forms.judge_sections(name, sent, sections, share=share, who=who)

    def forget(self, owner: Hashable) -> None:
        """See `FormTracker`."""
        self._forms.forget(owner)


async def _answered(span: Span, asked: Awaitable[R]) -> R:
    try:
        result = await asked
    except BaseException as error:
        span.end(error_type(error))
        raise
    _done(span, result)
    return result


def _done(span: Span, result: ValidationResult | FormValidationResult | FormVerdict) -> None:
    span.note("rhtmx.valid", result.valid)
    span.end()
