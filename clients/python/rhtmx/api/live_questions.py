"""Forms that were asked about with `live`, asked about again on each new connection.

Knows what was asked last, and what was told. Must not know how a question travels, nor who listens.

A server remembers a form for as long as its connection lasts. After another one this client asks
about each field again, with the values that were asked about last; where the answer is another one
than what was told, it is told as the server would have told it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.events import State
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    FormFieldValue,
    FormValidationResult,
    ValidateField,
    ValidateForm,
    ValidationResult,
)
from rhtmx.runtime.client_runtime import ClientRuntime

__all__ = ["LiveQuestions"]


class _Key(NamedTuple):
    form: str
    instance: str | None


class _Verdict(NamedTuple):
    error: str | None
    metadata: bytes | None = None


@dataclass(slots=True)
class _Form:
    """What was asked of a form last, by field, and what its fields were told."""

    values: dict[str, list[FormFieldValue]] = field(default_factory=dict)
    told: dict[str, _Verdict] = field(default_factory=dict)


class LiveQuestions:
    """The forms of one client that are to stay judged.

    Args:
        runtime: the client's.
    """

    def __init__(self, runtime: ClientRuntime) -> None:
        self._runtime = runtime
        self._forms: dict[_Key, _Form] = {}
        self._asking = Counter[tuple[_Key, str]]()
        self._following: asyncio.Task[None] | None = None

    @contextmanager
    def asking(self, message: ValidateField) -> Iterator[None]:
        """A question about a field is under way: another one would take its place."""
        place = _Key(message.form, message.form_instance), message.field
        self._asking[place] += 1
        try:
            yield
        finally:
            self._asking[place] -= 1
            if not self._asking[place]:
                del self._asking[place]

    def field_answered(self, message: ValidateField, answer: ValidationResult) -> None:
        """A question about a field was answered; remember it, if the server does."""
        if answer.live:
            form = self._remember(message)
            others = [each for each in message.values if each.field != message.field]
            own = [each for each in message.values if each.field == message.field]
            if message.values:  # without others they stay as they were
                form.values = _by_field(others)
            form.values[message.field] = own or [
                FormFieldValue(field=message.field, value=message.value)
            ]
            form.told[message.field] = _Verdict(answer.error, answer.metadata)

    def form_answered(self, message: ValidateForm, answer: FormValidationResult) -> None:
        """A question about a whole form was answered; likewise."""
        if answer.live:
            form = self._remember(message)
            form.values = _by_field(message.fields)
            # Of several errors of one field the first counts.
            errors = {each.field: each.error for each in reversed(answer.errors)}
            form.told = {name: _Verdict(errors.get(name)) for name in form.values}

    def close(self, form: str, instance: str | None) -> None:
        """Nobody wants to hear of a form any more."""
        self._forms.pop(_Key(form, instance), None)

    def _remember(self, message: ValidateField | ValidateForm) -> _Form:
        if self._following is None:
            self._runtime.router.listen(ValidationResult, self._heard)
            self._following = asyncio.get_running_loop().create_task(self._follow())
        return self._forms.setdefault(_Key(message.form, message.form_instance), _Form())

    def _heard(self, news: ValidationResult) -> None:
        form = self._forms.get(_Key(news.form, news.form_instance))
        if form is not None and news.field in form.told:
            form.told[news.field] = _Verdict(news.error, news.metadata)

    async def _follow(self) -> None:
        was_open = True
        async for state in self._runtime.states():
            is_open = state is State.OPEN
            if is_open and not was_open:
                for key in [*self._forms]:
                    await self._ask_again(key)
            was_open = is_open

    async def _ask_again(self, key: _Key) -> None:
        form = self._forms.get(key)
        for name in [] if form is None else [*form.told]:
            if self._forms.get(key) is form and form is not None and not self._asking[key, name]:
                await self._ask_about(key, form, name)

    async def _ask_about(self, key: _Key, form: _Form, name: str) -> None:
        values, before = form.values, form.told[name]
        own = values.get(name) or [FormFieldValue(field=name)]
        question = ValidateField(
            form=key.form,
            field=name,
            value=own[0].value,
            form_instance=key.instance,
            values=[each for entries in values.values() for each in entries],
            live=True,
        )
        try:
            answer = (await self._runtime.ask(question)).message
        except ConnectionClosed:
            return
        except RhtmxError as error:
            if error.code is not ErrorCode.SUPERSEDED:
                form.told.pop(name, None)  # the server does not look at it any more
            return
        assert isinstance(answer, ValidationResult)
        # It was asked about anew meanwhile, or closed, or was told by the server already.
        if self._forms.get(key) is not form or form.told.get(name) is not before:
            return
        if before.error != answer.error or before.metadata != answer.metadata:
            answer.request_id, answer.form_instance = "", key.instance
            self._runtime.router.tell(answer)


def _by_field(values: list[FormFieldValue]) -> dict[str, list[FormFieldValue]]:
    found: dict[str, list[FormFieldValue]] = {}
    for each in values:
        found.setdefault(each.field, []).append(each)
    return found
