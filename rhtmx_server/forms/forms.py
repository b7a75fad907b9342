"""Live forms: answers whether a value, or a whole form, is valid.

Knows the registered forms and the validations under way. Must not know how a
question arrived or how the answer leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Hashable,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    FieldError,
    FormFieldValue,
    FormValidationResult,
    ValidateField,
    ValidateForm,
    ValidationResult,
)
from rhtmx.values.form_value import Entry
from rhtmx.values.results import FormError
from rhtmx_server.access.grant import GUEST, Grant
from rhtmx_server.forms.attestor import NOTHING, Attestation, Attestor
from rhtmx_server.forms.entries import FormValues, asked
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.gate import Gate
from rhtmx_server.forms.posted import posted, receipt_in
from rhtmx_server.forms.reads import reads_of
from rhtmx_server.forms.runner import ValidatorRunner, ValidatorVerdict
from rhtmx_server.forms.sections import Section
from rhtmx_server.forms.steps import Step, judge
from rhtmx_server.forms.validators import Validator
from rhtmx_server.forms.verdict import FormVerdict

__all__ = ["FormTracker", "VerdictNote", "unnoted"]

T = TypeVar("T")

_Job: TypeAlias = Callable[[], Coroutine[Any, Any, ValidatorVerdict]]
"""What has to be waited for: a field's validators, or a check of the form."""

_NAME_SHOWN = 64


VerdictNote: TypeAlias = Callable[[Mapping[Section, ValidatorVerdict]], None]
"""Is told what each section of a form has said."""


def unnoted(verdicts: Mapping[Section, ValidatorVerdict]) -> None:
    """Nobody wants to know."""


@dataclass(slots=True, eq=False)
class _Run(Generic[T]):
    """One validation under way."""

    task: asyncio.Task[T]
    superseded: bool = False

    async def outcome(self) -> T:
        try:
            answer = await self.task
        except asyncio.CancelledError:
            if not self.superseded:
                raise
        if self.superseded:
            raise RhtmxError(ErrorCode.SUPERSEDED, "a newer question for the same field took over")
        return answer


class _Asker(NamedTuple):
    """Whose share of threads and of what is under way a question uses, and who asks."""

    share: Hashable
    who: Grant


class FormTracker:
    """Answers questions about the registered forms.

    Args:
        runner: runs their validators.
        forms: the forms by name; may grow while the server runs.
        at_once: how many validators of one share may be under way at a time.
        loop: where it runs; the one that runs now, if left out.
        attestor: takes and gives receipts; without it there are none.
    """

    def __init__(
        self,
        runner: ValidatorRunner,
        forms: Mapping[str, Form],
        *,
        at_once: int = 64,
        loop: asyncio.AbstractEventLoop | None = None,
        attestor: Attestor | None = None,
    ) -> None:
        self._runner = runner
        self._forms = forms
        self._loop = loop
        self._attestor = attestor
        self._gate = Gate(at_once)
        self._runs: dict[Hashable, dict[Hashable, _Run[Any]]] = {}

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Where it runs."""
        return self._loop or asyncio.get_running_loop()

    def try_validate_field(
        self, message: ValidateField, *, owner: Hashable, who: Grant = GUEST
    ) -> ValidationResult | None:
        """Judge one value at once, if its ready-made rules are enough for that.

        They are if the field has no validator, or if a rule that is checked
        before the first validator fails. Supersedes as `validate_field` does.

        Returns:
            The answer, or `None`: call `validate_field`.

        Raises:
            RhtmxError: `UNKNOWN_FORM`, also for a field that the form does not have;
                `FORBIDDEN`, whoever asks may not.
        """
        # Nothing is superseded before it is known that the answer is at hand: the caller asks
        # again.
        _, error, rest = self._judge(message, who)
        if rest:
            return None
        self._supersede(owner, _key(message))
        return _field_result(message, ValidatorVerdict(error))

    def validate_field(
        self,
        message: ValidateField,
        *,
        owner: Hashable,
        share: Hashable | None = None,
        who: Grant = GUEST,
    ) -> Awaitable[ValidationResult]:
        """Judge one value. Takes the place of an older question for the same field.

        The question counts from the call on, not from the first `await`: of two
        that are called one after the other, the first is superseded.

        Args:
            message: the question.
            owner: who asks: the connection.
            share: whose share of threads and of what is under way it uses, if
                not the owner's own: many calls of one peer are one share.
            who: with what rights.

        Raises:
            RhtmxError: `UNKNOWN_FORM` or `FORBIDDEN`, from the call. When awaited: `SUPERSEDED`
                by a newer question for the same field of the same form
                instance; `TIMEOUT` or `INTERNAL` of a validator.
            asyncio.CancelledError: when awaited: the owner was forgotten.
        """
        own, error, rest = self._judge(message, who)
        self._supersede(owner, _key(message))
        asker = _Asker(owner if share is None else share, who)
        work = self._answer(message, own, ValidatorVerdict(error), rest, asker)
        return self._start(owner, _key(message), work)

    async def validate_form(
        self,
        message: ValidateForm,
        *,
        owner: Hashable,
        share: Hashable | None = None,
        who: Grant = GUEST,
        note: VerdictNote = unnoted,
    ) -> FormValidationResult:
        """Judge a whole form: all its registered fields, and its checks.

        Fields that the client left out are judged as empty. Everything that
        waits runs at the same time, as far as its share goes; the errors come in
        the order in which the fields were registered, those of the checks last.

        Args:
            message: the question.
            owner: who asks: the connection.
            share: as for `validate_field`.
            who: with what rights.
            note: is told what each of its sections has said.

        Raises:
            RhtmxError: `UNKNOWN_FORM`; `FORBIDDEN`; `TIMEOUT` or `INTERNAL` of a validator.
            asyncio.CancelledError: the owner was forgotten.
        """
        form = self._form(message.form, who)
        form.names.require(message.fields, page=message.form_instance is not None)
        values = form.values(message.fields)
        asker = _Asker(owner if share is None else share, who)
        known = NOTHING
        if message.with_receipt:
            known = await self._look(form, values, who, None)
        fields = len(form.fields)
        verdicts = await self._judge_all(form, values, owner, asker, known)
        checks = enumerate(verdicts[fields:])
        note({**{each.field: each for each in verdicts[:fields]}, **dict(checks)})
        result = _form_result(message, verdicts)
        if message.with_receipt and result.valid:
            result.receipt = self._receipt(known)
        return result

    async def judge_sections(
        self,
        name: str,
        sent: Iterable[FormFieldValue],
        sections: Iterable[Section],
        *,
        share: Hashable,
        who: Grant,
    ) -> Mapping[Section, ValidatorVerdict]:
        """Judge some sections of a form, each by itself; nothing is superseded.

        Args:
            name: the form's.
            sent: its values.
            sections: which of those that it has.
            share: whose share of threads and of what is under way it uses.
            who: with what rights.

        Returns:
            What they say. One that has failed or taken too long is left out, and costs the others
            nothing.

        Raises:
            RhtmxError: `UNKNOWN_FORM`; `FORBIDDEN`.
        """
        form = self._form(name, who)
        values, asker = form.values(sent), _Asker(share, who)
        found, jobs = dict[Section, ValidatorVerdict](), dict[Section, _Job]()
        for each in sections:
            if isinstance(each, int):
                jobs[each] = partial(self._runner.run, form.checks[each], "", values, *asker)
                continue
            error, rest = judge(form.fields[each], values.entries[each])
            if rest:
                jobs[each] = partial(self._finish, each, rest, values, asker)
            else:
                found[each] = ValidatorVerdict(error, field=each)
        verdicts = await self._gather([partial(_or_none, job) for job in jobs.values()], share)
        said = zip(jobs, verdicts, strict=True)
        return {**found, **{each: verdict for each, verdict in said if verdict is not None}}

    def reads(self, name: str, section: Section | None = None) -> Collection[str]:
        """The entities by which a section of a form is judged.

        Args:
            name: the form's; one that does not exist reads nothing.
            section: `None` for all of it.
        """
        form = self._forms.get(name)
        return () if form is None else reads_of(form, section)

    async def verdict(
        self, form: Form, values: Mapping[str, Any], who: Grant | None, receipt: str | None
    ) -> FormVerdict:
        """Judge a whole form for the app itself; see `Form.validate`."""
        if who is not None:
            self._require(form, who)
        sent = posted(values)
        form.names.require(sent, page=True)
        judged = form.values(sent)
        # Each call is a peer of its own: all users of a handler are not one of them.
        owner, asker = object(), who or GUEST
        known = await self._look(form, judged, asker, receipt or receipt_in(values))
        found = await self._judge_all(form, judged, owner, _Asker(owner, asker), known)
        errors = _errors(found)
        cleaned = form.cleaned(judged, {each.field for each in errors})
        attested = None if errors else self._receipt(known)
        return FormVerdict(not errors, errors, judged, cleaned, attested)

    async def _look(
        self, form: Form, values: FormValues, who: Grant, given: str | None
    ) -> Attestation:
        if self._attestor is None:
            return NOTHING
        return await self._attestor.look(form, values, who, given)

    def _receipt(self, known: Attestation) -> str | None:
        return None if self._attestor is None else self._attestor.receipt(known)

    async def _judge_all(
        self,
        form: Form,
        values: FormValues,
        owner: Hashable,
        asker: _Asker,
        known: Attestation = NOTHING,
    ) -> Sequence[ValidatorVerdict]:
        """What all fields and checks of a form say, in their order."""
        skipped = known.skipped
        verdicts, jobs = list[ValidatorVerdict](), dict[int, _Job]()
        for field, steps in form.fields.items():
            left = [each for each in steps if each not in skipped] if skipped else steps
            error, rest = judge(left, values.entries[field])
            if rest:
                jobs[len(verdicts)] = partial(self._finish, field, rest, values, asker)
            verdicts.append(ValidatorVerdict(error, field=field))
        for check in form.checks:
            if check in skipped:
                continue
            jobs[len(verdicts)] = partial(self._runner.run, check, "", values, *asker)
            verdicts.append(ValidatorVerdict())
        if jobs:
            found = await self._start(
                owner, object(), self._gather(list(jobs.values()), asker.share)
            )
            for index, verdict in zip(jobs, found, strict=True):
                verdicts[index] = verdict
        return verdicts

    def forget(self, owner: Hashable) -> None:
        """Cancel what is under way for an owner that is gone."""
        for run in list(self._runs.pop(owner, {}).values()):
            run.task.cancel()

    def _form(self, name: str, who: Grant) -> Form:
        form = self._forms.get(name)
        if form is None:
            raise RhtmxError(
                ErrorCode.UNKNOWN_FORM, f"no form {name[:_NAME_SHOWN]!r} is registered here"
            )
        self._require(form, who)
        return form

    def _require(self, form: Form, who: Grant) -> None:
        """Make sure that somebody may use a form."""
        if form.access_rule is not None and not form.access_rule.parts(who):
            raise RhtmxError(
                ErrorCode.FORBIDDEN, f"form {form.name[:_NAME_SHOWN]!r}: you may not use it"
            )

    def _judge(
        self, message: ValidateField, who: Grant
    ) -> tuple[list[Entry], str | None, Sequence[Step]]:
        """What the field has, what is wrong with it at once, and what is left to check."""
        form = self._form(message.form, who)
        page = message.form_instance is not None
        form.names.require(message.values, page=page, field=message.field)
        own = form.normalized(message.field, asked(message))
        return own, *judge(form.fields.get(message.field, ()), own)

    async def _answer(
        self,
        message: ValidateField,
        own: list[Entry],
        verdict: ValidatorVerdict,
        rest: Sequence[Step],
        asker: _Asker,
    ) -> ValidationResult:
        if not rest:
            return _field_result(message, verdict)
        values = FormValues({message.field: own})
        if any(isinstance(step, Validator) and step.sees_form for step in rest):
            # Collected only for those who look: to collect them takes 1.3 µs of 18.
            values = self._form(message.form, asker.who).values(
                message.values, {message.field: own}
            )
        await self._gate.enter(asker.share)
        try:
            verdict = await self._finish(message.field, rest, values, asker)
        finally:
            self._gate.leave(asker.share)
        return _field_result(message, verdict)

    async def _finish(
        self, field: str, rest: Sequence[Step], values: FormValues, asker: _Asker
    ) -> ValidatorVerdict:
        """Check the steps that are left for a field, in order, up to the first failure."""
        error = metadata = None
        entries = values.entries[field]
        for step in rest:
            if isinstance(step, Validator):
                value = step.kind.value(entries)
                verdict = await self._runner.run(step, value, values, *asker)
                if verdict.error is not None:
                    return ValidatorVerdict(verdict.error, verdict.metadata, field)
                metadata = metadata if verdict.metadata is None else verdict.metadata
            elif (error := step(entries)) is not None:
                break
        return ValidatorVerdict(error, None if error is not None else metadata, field)

    async def _gather(
        self, jobs: Iterable[Callable[[], Coroutine[Any, Any, T]]], share: Hashable
    ) -> list[T]:
        """Run all that waits at the same time; one that raises ends the others.

        A task is made when there is room for it, not to wait for room.
        """
        tasks: list[asyncio.Task[T]] = []
        try:
            async with asyncio.TaskGroup() as group:
                for job in jobs:
                    # Room first, then the task: a form with hundreds of validators is not hundreds
                    # of tasks.
                    await self._gate.enter(share)
                    tasks.append(group.create_task(job()))
                    tasks[-1].add_done_callback(lambda _: self._gate.leave(share))
        except BaseExceptionGroup as failures:
            # The others were cancelled because of this one: they say nothing new.
            raise failures.exceptions[0] from None
        return [task.result() for task in tasks]

    def _start(self, owner: Hashable, key: Hashable, work: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Start work that may be superseded, or cancelled with its owner."""
        run = _Run(asyncio.get_running_loop().create_task(work))
        self._runs.setdefault(owner, {})[key] = run
        run.task.add_done_callback(lambda _: self._end(owner, key, run))
        return run.outcome()

    def _end(self, owner: Hashable, key: Hashable, run: _Run[Any]) -> None:
        runs = self._runs.get(owner, {})
        # A newer run may stand here by now: it is not this one's to remove.
        if runs.get(key) is run:
            del runs[key]
            if not runs:
                del self._runs[owner]

    def _supersede(self, owner: Hashable, key: Hashable) -> None:
        run = self._runs.get(owner, {}).get(key)
        if run is not None:
            # Said before the cancel: that is how `outcome` tells it from a connection that is gone.
            run.superseded = True
            run.task.cancel()


async def _or_none(job: _Job) -> ValidatorVerdict | None:
    """What a section says, unless it fails or takes too long; the log has it then."""
    try:
        return await job()
    except RhtmxError:
        return None


def _key(message: ValidateField) -> Hashable:
    """Questions with the same key supersede one another."""
    return (message.form, message.form_instance, message.field)


def _field_result(message: ValidateField, verdict: ValidatorVerdict) -> ValidationResult:
    return ValidationResult(
        request_id=message.request_id,
        form=message.form,
        field=message.field,
        valid=verdict.error is None,
        error=verdict.error,
        metadata=verdict.metadata,
    )


def _errors(verdicts: Iterable[ValidatorVerdict]) -> tuple[FormError, ...]:
    return tuple(
        FormError(verdict.field, verdict.error) for verdict in verdicts if verdict.error is not None
    )


def _form_result(
    message: ValidateForm, verdicts: Iterable[ValidatorVerdict]
) -> FormValidationResult:
    errors = [FieldError(each.field, each.error) for each in _errors(verdicts)]
    return FormValidationResult(
        request_id=message.request_id, form=message.form, valid=not errors, errors=errors
    )
