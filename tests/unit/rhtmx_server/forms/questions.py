"""Questions about a form `signup`, a tracker that knows it, and validators that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FormFieldValue, ValidateField, ValidateForm, ValidationResult
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.forms.runner import ValidatorRunner
from rhtmx_server.threads import DaemonPool

ME, OTHER = "me", "other"


class NoMeter:
    """Takes no notice."""

    def validated(self, form: str, seconds: float) -> None: ...

    def abandoned(self, threads: int) -> None: ...


def track(form: Form, pool: DaemonPool, *, at_once: int = 64) -> FormTracker:
    runner = ValidatorRunner(pool, timeout=5, meter=NoMeter())
    return FormTracker(runner, {form.name: form}, at_once=at_once)


def question(
    field: str, value: str, *, instance: str | None = None, **values: str
) -> ValidateField:
    return ValidateField(
        request_id="r1",
        form="signup",
        field=field,
        value=value,
        form_instance=instance,
        values=[FormFieldValue(field=name, value=each) for name, each in values.items()],
    )


def whole(**values: str) -> ValidateForm:
    fields = [FormFieldValue(field=name, value=each) for name, each in values.items()]
    return ValidateForm(request_id="r2", form="signup", fields=fields)


async def ask(tracker: FormTracker, message: ValidateField, owner: str = ME) -> ValidationResult:
    return await tracker.validate_field(message, owner=owner)


def at_once(tracker: FormTracker, message: ValidateField) -> ValidationResult:
    result = tracker.try_validate_field(message, owner=ME)
    assert result is not None
    return result


async def is_superseded(awaitable: Awaitable[object]) -> bool:
    with pytest.raises(RhtmxError) as caught:
        await awaitable
    return caught.value.code is ErrorCode.SUPERSEDED


class Gate:
    """A validator that waits until the gate opens.

    Attributes:
        open: lets all of them pass.
        begun: the values that it was asked about.
        cancelled: the values that it gave up.
        gave_up: whether it gave up any.
    """

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.begun: asyncio.Queue[Any] = asyncio.Queue()
        self.cancelled: list[Any] = []
        self.gave_up = asyncio.Event()

    async def wait(self, value: Any) -> None:
        self.begun.put_nowait(value)
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled.append(value)
            self.gave_up.set()
            raise
