"""Forms that were asked about with `live`, asked about again on each new connection.

Knows what was asked last, and what was told. Must not know how a question travels, nor who listens.

A server remembers a form for as long as its connection lasts. On another one this client asks
again, with the values that were asked about last: about all of the form if that was asked last, so
that its checks are judged again, too, else about each field. Where the answer is another one than
what was told, it is told as the server would have told it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.events import State
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    FieldError,
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


@dataclass(slots=True, eq=False)
class _Form:
    """What was asked of a form last, and what was told of it.

    Attributes:
        values: what was asked about, by field.
        told: the last verdict on each field; `""` is the form as a whole.
        whole: all of it was asked about, and nothing was edited since: its checks count.
        answers: how many questions about it were answered.
    """

    values: dict[str, list[FormFieldValue]] = field(default_factory=dict)
    told: dict[str, _Verdict] = field(default_factory=dict)
    whole: bool = False
    answers: int = 0


@dataclass(slots=True, eq=False)
class _Question:
    """A question that is under way.

    Attributes:
        key: of which form.
        field: about which field; `None` for all of it.
        closed: the form was closed since it was asked.
    """

    key: _Key
    field: str | None
    closed: bool = False


class LiveQuestions:
    """The forms of one client that are to stay judged.

    Args:
        runtime: the client's.
    """

    def __init__(self, runtime: ClientRuntime) -> None:
        self._runtime = runtime
        self._forms: dict[_Key, _Form] = {}
        self._asking: set[_Question] = set()
        self._following: asyncio.Task[None] | None = None

    @contextmanager
    def asking(self, message: ValidateField | ValidateForm) -> Iterator[_Question]:
        """A question is under way: what this would ask has other values, or takes its place."""
        question = _Question(_key(message), getattr(message, "field", None))
        # One about all of a form that is not `live` concerns no other: nothing of it is remembered.
        if isinstance(message, ValidateField) or message.live:
            self._asking.add(question)
        try:
            yield question
        finally:
            self._asking.discard(question)

    def field_answered(self, message: ValidateField, answer: ValidationResult) -> None:
        """A question about a field was answered; remember it, if the server does."""
        if not message.live:
            return
        form = self._remember(message) if answer.live else self._forms.get(_key(message))
        if form is None:
            return
        form.whole = False
        form.answers += 1
        form.told.pop("", None)
        others = [each for each in message.values if each.field != message.field]
        own = [each for each in message.values if each.field == message.field]
        if message.values:  # without others they stay as they were
            form.values = _by_field(others)
        form.values[message.field] = own or [
            FormFieldValue(field=message.field, value=message.value)
        ]
        if answer.live:
            form.told[message.field] = _Verdict(answer.error, answer.metadata)

    def form_answered(self, message: ValidateForm, answer: FormValidationResult) -> None:
        """A question about a whole form was answered; likewise."""
        if answer.live:
            form = self._remember(message)
            form.whole = True
            form.answers += 1
            form.values = _by_field(message.fields)
            errors = _first_by_field(answer.errors)
            form.told = {name: _Verdict(errors.get(name)) for name in (*form.values, *errors)}

    def close(self, form: str, instance: str | None) -> None:
        """Nobody wants to hear of a form any more, nor what is being asked about it."""
        key = _Key(form, instance)
        self._forms.pop(key, None)
        for each in self._asking:
            each.closed = each.closed or each.key == key

    def _remember(self, message: ValidateField | ValidateForm) -> _Form:
        if self._following is None:
            self._runtime.router.listen(ValidationResult, self._heard)
            self._following = asyncio.get_running_loop().create_task(self._follow())
        return self._forms.setdefault(_key(message), _Form())

    def _heard(self, news: ValidationResult) -> None:
        form = self._forms.get(_Key(news.form, news.form_instance))
        if form is not None and (form.whole or news.field in form.told):
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
        if form is None or self._is_asked(key, None):  # whose answer says all of it
            return
        if form.whole and not self._is_edited(key) and await self._ask_about_all(key, form):
            return
        for name in filter(None, [*form.told]):
            # By now it may be closed, or have other fields: all of it was asked about meanwhile.
            is_told = self._forms.get(key) is form and name in form.told
            if is_told and not self._is_asked(key, name):
                await self._ask_about(key, form, name)

    async def _ask_about_all(self, key: _Key, form: _Form) -> bool:
        """Ask about the whole form; returns whether nothing of it need be asked any more."""
        told, answers = dict(form.told), form.answers
        question = ValidateForm(
            form=key.form, fields=_listed(form.values), form_instance=key.instance, live=True
        )
        try:
            answer = (await self._runtime.ask(question)).message
        except ConnectionClosed:
            return True
        except RhtmxError:
            return False  # one field of it may have failed: the others live on
        assert isinstance(answer, FormValidationResult)
        if self._forms.get(key) is not form or form.answers != answers or self._is_edited(key):
            return True  # it was closed or edited meanwhile: this is of no interest any more
        errors = _first_by_field(answer.errors)
        for name in dict.fromkeys((*told, *errors)):
            before, error = told.get(name), errors.get(name)
            is_known = error == (None if before is None else before.error)
            if not is_known and form.told.get(name) is before:
                self._tell(key, name, error)
        return True

    def _is_edited(self, key: _Key) -> bool:
        """Whether a question about it is under way, which has newer values."""
        return any(each.key == key for each in self._asking)

    def _is_asked(self, key: _Key, field: str | None) -> bool:
        return any((each.key, each.field) == (key, field) for each in self._asking)

    def _tell(self, key: _Key, name: str, error: str | None) -> None:
        news = ValidationResult(form=key.form, field=name, valid=error is None, error=error)
        news.live, news.form_instance = True, key.instance
        self._runtime.router.tell(news)

    async def _ask_about(self, key: _Key, form: _Form, name: str) -> None:
        values, before = form.values, form.told[name]
        own = values.get(name) or [FormFieldValue(field=name)]
        question = ValidateField(
            form=key.form,
            field=name,
            value=own[0].value,
            form_instance=key.instance,
            values=_listed(values),
            live=True,
        )
        try:
            answer = (await self._runtime.ask(question)).message
        except ConnectionClosed:
            return
        except RhtmxError as error:
            if error.code is not ErrorCode.SUPERSEDED and not error.retryable:
                form.told.pop(name, None)  # the server will not look at it any more
            return
        assert isinstance(answer, ValidationResult)
        # It was asked about anew meanwhile, or closed, or was told by the server already.
        if self._forms.get(key) is not form or form.told.get(name) is not before:
            return
        if before.error != answer.error or before.metadata != answer.metadata:
            answer.request_id, answer.form_instance = "", key.instance
            self._runtime.router.tell(answer)


def _key(message: ValidateField | ValidateForm) -> _Key:
    return _Key(message.form, message.form_instance)


def _by_field(values: list[FormFieldValue]) -> dict[str, list[FormFieldValue]]:
    found: dict[str, list[FormFieldValue]] = {}
    for each in values:
        found.setdefault(each.field, []).append(each)
    return found


def _listed(values: dict[str, list[FormFieldValue]]) -> list[FormFieldValue]:
    return [each for entries in values.values() for each in entries]


def _first_by_field(errors: Iterable[FieldError]) -> dict[str, str]:
    """Of several errors of one field the first counts."""
    found: dict[str, str] = {}
    for each in errors:
        found.setdefault(each.field, each.error)
    return found
