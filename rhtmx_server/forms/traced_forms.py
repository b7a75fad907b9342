"""Live forms, traced.

Knows when a question begins and ends. Must not know how it is answered, nor what traces it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Hashable
from typing import TypeVar

from rhtmx.messages import FormValidationResult, ValidateField, ValidateForm, ValidationResult
from rhtmx_server.access.grant import GUEST, Grant
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.spans import Span
from rhtmx_server.tracing import Tracing, error_type

__all__ = ["TracedForms"]

R = TypeVar("R", ValidationResult, FormValidationResult)


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
    ) -> FormValidationResult:
        """See `FormTracker`."""
        span = self._tracing.validation(message, owner)
        with span.current():
            asked = self._forms.validate_form(message, owner=owner, share=share, who=who)
            return await _answered(span, asked)

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


def _done(span: Span, result: ValidationResult | FormValidationResult) -> None:
    span.note("rhtmx.valid", result.valid)
    span.end()
