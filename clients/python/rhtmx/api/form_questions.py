"""Questions of an application about forms: asked, and answered in its words.

Knows messages and their answers. Must not know connections.
"""

from __future__ import annotations

from collections.abc import Mapping

from rhtmx.api.live_questions import LiveQuestions
from rhtmx.core import build_message
from rhtmx.messages import (
    CloseForm,
    FormValidationResult,
    ValidateField,
    ValidateForm,
    ValidationResult,
)
from rhtmx.runtime.client_runtime import ClientRuntime
from rhtmx.values.form_value import FormValue
from rhtmx.values.results import FormValidation, Validation

__all__ = ["FormQuestions"]


class FormQuestions:
    """What a client asks about forms.

    Args:
        runtime: the client's.
    """

    def __init__(self, runtime: ClientRuntime) -> None:
        self._runtime = runtime
        self._watched = LiveQuestions(runtime)

    async def ask_field(
        self,
        form: str,
        field: str,
        value: FormValue,
        values: Mapping[str, FormValue] | None,
        form_instance: str | None,
        live: bool,
    ) -> Validation:
        """See `Client.validate_field`."""
        message = build_message.validate_field(
            form, field, value, values or {}, form_instance, live=live
        )
        with self._watched.asking(message) as question:
            answer = await self._runtime.ask(message)
        assert isinstance(answer.message, ValidationResult)
        if not self._closed_again(question.closed, message, answer.message):
            self._watched.field_answered(message, answer.message)
        return Validation.of(answer.message)

    async def ask_form(
        self,
        form: str,
        fields: Mapping[str, FormValue],
        form_instance: str | None,
        receipt: bool,
        live: bool,
    ) -> FormValidation:
        """See `Client.validate_form`."""
        message = build_message.validate_form(
            form, fields, form_instance, with_receipt=receipt, live=live
        )
        with self._watched.asking(message) as question:
            answer = await self._runtime.ask(message)
        assert isinstance(answer.message, FormValidationResult)
        if not self._closed_again(question.closed, message, answer.message):
            self._watched.form_answered(message, answer.message)
        return FormValidation.of(answer.message)

    def close(self, form: str, form_instance: str | None) -> None:
        """See `Client.close_form`."""
        self._watched.close(form, form_instance)
        self._runtime.tell(CloseForm(form=form, form_instance=form_instance))

    def _closed_again(
        self,
        closed: bool,
        message: ValidateField | ValidateForm,
        answer: ValidationResult | FormValidationResult,
    ) -> bool:
        """Whether a form was closed while it was asked about; the server is told so once more.

        It may have been asked on a later connection than it was told that.
        """
        if closed and answer.live:
            self._runtime.tell(CloseForm(form=message.form, form_instance=message.form_instance))
        return closed
