"""Facts about `rhtmx_server.forms.traced_forms`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.traced_forms import TracedForms
from rhtmx_server.threads import DaemonPool
from rhtmx_server.verdicts import Invalid
from tests.unit.rhtmx_server.forms.questions import ME, question, track, whole
from tests.unit.rhtmx_server.spans_taken import Tracer


@pytest.fixture
def signup() -> Form:
    return Form("signup")


@pytest.fixture
def tracer() -> Tracer:
    return Tracer()


@pytest.fixture
def forms(signup: Form, tracer: Tracer) -> Iterator[TracedForms]:
    pool = DaemonPool(2)
    yield TracedForms(track(signup, pool), tracer.tracing)
    pool.shutdown(wait=False, cancel_futures=True)


def test_what_is_answered_at_once_is_one_span(
    forms: TracedForms, signup: Form, tracer: Tracer
) -> None:
    signup.field("age", ge=18)
    result = forms.try_validate_field(question("age", "17"), owner=ME)
    assert result is not None
    assert (tracer.only.attributes["rhtmx.valid"], tracer.only.ended) == (False, [None])


async def test_what_takes_its_time_is_one_span_too_and_validators_run_inside(
    forms: TracedForms, signup: Form, tracer: Tracer
) -> None:
    entered: list[int] = []

    @signup.field("email")
    async def is_free(value: str) -> None:
        entered.append(tracer.only.entered)

    assert forms.try_validate_field(question("email", "x"), owner=ME) is None
    assert tracer.spans == []
    result = await forms.validate_field(question("email", "x"), owner=ME)
    assert result.valid
    assert entered == [1]
    assert (tracer.only.attributes["rhtmx.valid"], tracer.only.ended) == (True, [None])


async def test_a_whole_form_is_one_span(forms: TracedForms, signup: Form, tracer: Tracer) -> None:
    @signup.field("email")
    async def is_free(value: str) -> None:
        raise Invalid("is taken")

    assert not (await forms.validate_form(whole(email="x"), owner=ME)).valid
    assert tracer.only.name == "validate_form"
    assert (tracer.only.attributes["rhtmx.valid"], tracer.only.ended) == (False, [None])


async def test_a_question_that_fails_ends_with_its_code(forms: TracedForms, tracer: Tracer) -> None:
    with pytest.raises(RhtmxError) as raised:
        await forms.validate_form(whole(form="sign-up"), owner=ME)
    assert raised.value.code is ErrorCode.UNKNOWN_FORM
    assert tracer.only.ended == ["unknown_form"]


async def test_a_question_of_somebody_who_is_gone_ends(
    forms: TracedForms, signup: Form, tracer: Tracer
) -> None:
    never = asyncio.Event()

    @signup.field("email")
    async def is_free(value: str) -> None:
        await never.wait()

    asking = asyncio.ensure_future(forms.validate_field(question("email", "x"), owner=ME))
    await asyncio.sleep(0)
    forms.forget(ME)
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert tracer.only.ended == ["CancelledError"]
