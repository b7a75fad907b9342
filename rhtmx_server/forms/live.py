"""Live forms: says unasked when the verdict on a field of an open form is another one now.

Knows tasks and the timer. Must not know how a question arrived, how rules are run, nor which form
is due when: `forms` and `open_forms` do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping
from functools import partial
from typing import NamedTuple, Protocol, TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    CloseForm,
    FormFieldValue,
    FormValidationResult,
    ValidateField,
    ValidateForm,
    ValidationResult,
)
from rhtmx_server.access.grant import Grant
from rhtmx_server.failures import report
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.forms.open_forms import OpenForm, OpenForms
from rhtmx_server.forms.runner import ValidatorVerdict
from rhtmx_server.forms.sections import Section
from rhtmx_server.forms.traced_forms import TracedForms

__all__ = ["LiveForms", "LiveReader"]

_AT_ONCE = 64
"""Forms that are judged again at a time: of thousands that wait for one commit, each in turn."""

_ENDS = (ErrorCode.FORBIDDEN, ErrorCode.UNKNOWN_FORM)
"""After these a form is not looked at any more: whoever has it open may not use it, or cannot."""


class _HasGrant(Protocol):
    @property
    def grant(self) -> Grant:
        """Who speaks."""


class LiveReader(Hashable, Protocol):
    """Whoever has a form open: a connection."""

    share: Hashable | None

    @property
    def session(self) -> _HasGrant:
        """Its conversation."""

    def send(self, message: ValidationResult) -> None:
        """Send a message at the end of the tick."""

    def request(self) -> None:
        """Count one more request that waits for its answer."""


class _Values(NamedTuple):
    """What a client has entered into a form, and where to say what is wrong with it."""

    reader: LiveReader
    form: str
    instance: str | None
    fields: list[FormFieldValue]


_Open: TypeAlias = OpenForm[_Values, ValidatorVerdict]


class _Asked(NamedTuple):
    """A question about a form that is open, and its number."""

    form: _Open
    number: int


_Look: TypeAlias = asyncio.Task[Mapping[Section, ValidatorVerdict]]


class LiveForms:
    """Answers questions about forms that are to stay judged, and says when that changes.

    Args:
        forms: judges them.
        now: seconds, of a clock that does not jump.
        most_bytes: of values that are remembered, of one connection.

    Attributes:
        readers: the entities of which `moved` wants to know now: empty where no form is open.
    """

    def __init__(
        self,
        forms: FormTracker | TracedForms,
        now: Callable[[], float],
        *,
        most_bytes: int = 64 * 1024,
    ) -> None:
        self._forms = forms
        self._now = now
        self._open: OpenForms[_Values, ValidatorVerdict] = OpenForms(most_bytes)
        self.readers: Collection[str] = self._open.readers
        self._tasks: dict[_Open, _Look] = {}
        self._timer: asyncio.TimerHandle | None = None

    def validate_field(
        self, reader: LiveReader, message: ValidateField
    ) -> ValidationResult | Awaitable[ValidationResult]:
        """Judge one value, and go on doing so.

        Raises:
            RhtmxError: as `FormTracker.validate_field`; `TOO_MANY_REQUESTS`.
        """
        who = reader.session.grant
        result = self._forms.try_validate_field(message, owner=reader, who=who)
        if result is None:
            reader.request()
        reads = self._forms.reads(message.form, message.field)
        values = _values(reader, message, self._with_others(reader, message))
        asked = self._ask(values, reads, message.field)
        if result is not None:
            return self._answered(asked, result, watched=bool(reads))
        answer = self._forms.validate_field(message, owner=reader, share=reader.share, who=who)
        return self._answer_field(asked, answer, watched=bool(reads))

    def validate_form(
        self, reader: LiveReader, message: ValidateForm
    ) -> Awaitable[FormValidationResult]:
        """Judge a whole form, and go on doing so: its checks as long as nothing is edited.

        Raises:
            RhtmxError: when awaited, as `FormTracker.validate_form`.
        """
        # Here and not when it is awaited: of two questions the second has the newer values.
        reads = self._forms.reads(message.form)
        asked = self._ask(_values(reader, message, message.fields), reads)
        return self._answer_form(asked, reader, message)

    def close(self, reader: LiveReader, message: CloseForm) -> None:
        """A client has closed a form: it is told nothing more of it."""
        self._cancel(self._open.get(reader, _key(message.form, message.form_instance)))
        self._open.close(reader, _key(message.form, message.form_instance))

    def forget(self, owner: Hashable) -> None:
        """Cancel what is under way for an owner that is gone, and forget its forms."""
        for form in [each for each in self._tasks if each.owner is owner]:
            self._cancel(form)
        self._open.forget(owner)
        self._forms.forget(owner)

    def moved(self, entities: Iterable[str]) -> None:
        """Take note that records of entities have changed, of whatever server."""
        if self._open.moved({*entities}, self._now()):
            self._go_on()

    # Inside.

    def _with_others(self, reader: LiveReader, message: ValidateField) -> list[FormFieldValue]:
        """All that the form has; without others in the question they are what they were."""
        others, own = message.values, _own(message)
        before = self._open.get(reader, _key(message.form, message.form_instance))
        if not others and before is not None:
            others = [each for each in before.values.fields if each.field != message.field]
        return [*others, *own]

    def _ask(
        self, values: _Values, reads: Collection[str], only: str | None = None
    ) -> _Asked | None:
        size = sum(map(_size, values.fields))
        key = _key(values.form, values.instance)
        before = self._open.get(values.reader, key)
        if before is not None:  # what the checks have said was about other values
            for each in [each for each in before.told if isinstance(each, int)]:
                del before.told[each]
        form = self._open.ask(values.reader, key, values, size, reads, only)
        return None if form is None else _Asked(form, form.question)

    async def _answer_form(
        self, asked: _Asked | None, reader: LiveReader, message: ValidateForm
    ) -> FormValidationResult:
        found: dict[Section, ValidatorVerdict] = {}
        try:
            result = await self._forms.validate_form(
                message,
                owner=reader,
                share=reader.share,
                who=reader.session.grant,
                note=found.update,
            )
        finally:
            told = None
            # Otherwise something was edited meanwhile, and a client passes over this answer.
            if asked is not None and found and asked.form.question == asked.number:
                asked.form.told.clear()
                told = found
            self._settle(asked, told)
        if asked is not None and not asked.form.is_gone:
            result.live = True
        return result

    async def _answer_field(
        self, asked: _Asked | None, answer: Awaitable[ValidationResult], *, watched: bool
    ) -> ValidationResult:
        try:
            result = await answer
        except BaseException:
            self._settle(asked, {})
            raise
        return self._answered(asked, result, watched=watched)

    def _answered(
        self, asked: _Asked | None, result: ValidationResult, *, watched: bool
    ) -> ValidationResult:
        told: dict[Section, ValidatorVerdict] = {}
        if watched and asked is not None and not asked.form.is_gone:
            told[result.field] = ValidatorVerdict(result.error, result.metadata, result.field)
            result.live = True
        self._settle(asked, told)
        return result

    def _settle(
        self, asked: _Asked | None, told: Mapping[Section, ValidatorVerdict] | None
    ) -> None:
        if asked is not None:
            self._open.answered(*asked, told, self._now())
            self._go_on()

    def _go_on(self) -> None:
        """Judge what is due, as far as there is room, and come again for the rest."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._now()
        while len(self._tasks) < _AT_ONCE and (form := self._open.take(now)) is not None:
            task = asyncio.get_running_loop().create_task(self._judge(form))
            self._tasks[form] = task
            task.add_done_callback(partial(self._judged, form, form.question))
        deadline = self._open.deadline
        if deadline is not None and len(self._tasks) < _AT_ONCE:
            delay = max(0.001, deadline - now)
            self._timer = asyncio.get_running_loop().call_later(delay, self._go_on)

    async def _judge(self, form: _Open) -> Mapping[Section, ValidatorVerdict]:
        values = form.values
        return await self._forms.judge_sections(
            values.form,
            values.fields,
            self._watched(form),
            # All that nobody has asked about is one share: whoever asks waits for one of these at
            # most, and not for one of each client that has a form open.
            share=self,
            who=values.reader.session.grant,
        )

    def _watched(self, form: _Open) -> Collection[Section]:
        return [each for each in form.told if self._forms.reads(form.values.form, each)]

    def _judged(self, form: _Open, question: int, task: _Look) -> None:
        """A form was judged again; here and not in the task, which may end before it begins."""
        del self._tasks[form]
        found: Mapping[Section, ValidatorVerdict] = {}
        failed = False
        if not task.cancelled():
            failure = task.exception()
            if failure is None:
                found = task.result()
                failed = len(found) < len(self._watched(form))
            elif not isinstance(failure, RhtmxError):
                report(failure, "judging an open form again failed")
            elif failure.code in _ENDS and form.question == question and not form.is_gone:
                self._open.close(form.owner, form.key)
        before = dict(form.told)
        changed = self._open.judged(form, question, found, self._now(), failed=failed)
        names = [each.field for at in changed for each in (before[at], changed[at])]
        for name in dict.fromkeys(names):
            now = _said(name, form.told)
            if now != _said(name, before):
                self._tell(form.values, name, now)
        self._go_on()

    def _tell(self, values: _Values, name: str, verdict: ValidatorVerdict) -> None:
        values.reader.send(
            ValidationResult(
                form=values.form,
                field=name,
                valid=verdict.error is None,
                error=verdict.error,
                metadata=verdict.metadata,
                live=True,
                form_instance=values.instance,
            )
        )

    def _cancel(self, form: _Open | None) -> None:
        task = self._tasks.get(form) if form is not None else None
        if task is not None:
            task.cancel()


def _said(name: str, told: Mapping[Section, ValidatorVerdict]) -> ValidatorVerdict:
    """What a client shows of a field, or of the form as a whole: what it was told first."""
    own = told.get(name, ValidatorVerdict(field=name))
    if own.error is not None:
        return own
    about = (each for at, each in told.items() if isinstance(at, int) and each.field == name)
    return next((each for each in about if each.error is not None), own)


def _key(form: str, instance: str | None) -> Hashable:
    return (form, instance)


def _values(
    reader: LiveReader, message: ValidateField | ValidateForm, fields: list[FormFieldValue]
) -> _Values:
    return _Values(reader, message.form, message.form_instance, fields)


def _own(message: ValidateField) -> list[FormFieldValue]:
    """The value that is asked about, where it does not stand among the others."""
    if any(each.field == message.field for each in message.values):
        return []
    return [FormFieldValue(field=message.field, value=message.value)]


def _size(value: FormFieldValue) -> int:
    """About how many bytes a value takes in memory."""
    text = value.value
    return 256 + len(value.field) + len(text) * (1 if text.isascii() else 4)
