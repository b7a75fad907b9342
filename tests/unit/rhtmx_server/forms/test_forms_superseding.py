"""Forms: questions that are given up, for a newer one or with their connection."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from rhtmx.messages import ValidateField
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.threads import DaemonPool
from tests.unit.rhtmx_server.forms.questions import (
    ME,
    OTHER,
    Gate,
    ask,
    is_superseded,
    question,
    track,
    whole,
)


@pytest.fixture
def signup() -> Form:
    return Form("signup")


@pytest.fixture
def tracker(signup: Form) -> Iterator[FormTracker]:
    pool = DaemonPool(2)
    yield track(signup, pool)
    pool.shutdown(wait=False, cancel_futures=True)


@pytest.fixture
def gated(signup: Form) -> Gate:
    """The validator of `email`."""
    gate = Gate()
    signup.field("email")(gate.wait)
    return gate


async def test_a_newer_question_supersedes_the_older(tracker: FormTracker, gated: Gate) -> None:
    old = tracker.validate_field(question("email", "old"), owner=ME)
    assert await gated.begun.get() == "old"
    new = tracker.validate_field(question("email", "new"), owner=ME)
    assert await is_superseded(old)
    assert gated.cancelled == ["old"]
    gated.open.set()
    assert (await new).valid


async def test_the_older_is_superseded_even_before_it_has_begun(
    tracker: FormTracker, gated: Gate
) -> None:
    old = tracker.validate_field(question("email", "old"), owner=ME)
    new = tracker.validate_field(question("email", "new"), owner=ME)
    assert await is_superseded(old)
    gated.open.set()
    assert (await new).valid
    assert gated.begun.get_nowait() == "new"
    assert gated.begun.empty()


async def test_an_answer_at_once_supersedes_too(tracker: FormTracker, signup: Form) -> None:
    begun = asyncio.Event()

    @signup.field("email", email=True)
    async def wait(value: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    old = tracker.validate_field(question("email", "ada@example.com"), owner=ME)
    await begun.wait()
    assert tracker.try_validate_field(question("email", "ada"), owner=ME) is not None
    assert await is_superseded(old)


async def test_a_validator_that_clings_to_life_is_superseded_all_the_same(
    tracker: FormTracker, signup: Form
) -> None:
    begun, freed = asyncio.Event(), asyncio.Event()

    @signup.field("email")
    async def clings(value: str) -> None:
        if value == "old":
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                freed.set()

    old = tracker.validate_field(question("email", "old"), owner=ME)
    await begun.wait()
    new = tracker.validate_field(question("email", "new"), owner=ME)
    assert await is_superseded(old)
    assert freed.is_set()
    assert (await new).valid


@pytest.mark.parametrize(
    ("other", "owner"),
    [
        (question("email", "b"), OTHER),
        (question("email", "b", instance="second"), ME),
        (question("name", "b"), ME),
    ],
    ids=["other owner", "other instance", "other field"],
)
async def test_other_questions_do_not_supersede(
    tracker: FormTracker, signup: Form, gated: Gate, other: ValidateField, owner: str
) -> None:
    signup.field("name", blocking=False)(lambda value: None)
    first = tracker.validate_field(question("email", "a"), owner=ME)
    second = tracker.validate_field(other, owner=owner)
    gated.open.set()
    assert (await first).valid
    assert (await second).valid


async def test_a_finished_question_is_not_superseded(tracker: FormTracker, gated: Gate) -> None:
    gated.open.set()
    first = tracker.validate_field(question("email", "a"), owner=ME)
    assert (await first).valid
    assert (await ask(tracker, question("email", "b"))).valid


async def test_nothing_is_kept_of_finished_questions(tracker: FormTracker, gated: Gate) -> None:
    gated.open.set()
    await ask(tracker, question("email", "a"))
    await tracker.validate_form(whole(), owner=ME)
    assert tracker._runs == {}


async def test_forgetting_an_owner_cancels_its_questions_and_no_others(
    tracker: FormTracker, gated: Gate
) -> None:
    mine = asyncio.ensure_future(tracker.validate_field(question("email", "mine"), owner=ME))
    form = asyncio.ensure_future(tracker.validate_form(whole(email="form"), owner=ME))
    theirs = asyncio.ensure_future(ask(tracker, question("email", "theirs"), OTHER))
    assert {await gated.begun.get() for _ in range(3)} == {"mine", "form", "theirs"}
    tracker.forget(ME)
    for each in (mine, form):
        with pytest.raises(asyncio.CancelledError):
            await each
    assert sorted(gated.cancelled) == ["form", "mine"]
    gated.open.set()
    assert (await theirs).valid


async def test_forgetting_before_anything_has_begun_leaves_nothing_behind(
    tracker: FormTracker, gated: Gate
) -> None:
    form = asyncio.ensure_future(tracker.validate_form(whole(), owner=ME))
    field = asyncio.ensure_future(tracker.validate_field(question("email", "a"), owner=ME))
    tracker.forget(ME)
    form.cancel()
    with pytest.raises(asyncio.CancelledError):
        await field
    with pytest.raises(asyncio.CancelledError):
        await form
    del form, field
    gc.collect()  # would warn of a coroutine that was never awaited
    assert gated.begun.empty()
    assert tracker._runs == {}


async def test_forgetting_a_stranger_does_nothing(tracker: FormTracker) -> None:
    tracker.forget("stranger")


async def test_cancelling_the_one_who_waits_cancels_the_validator(
    tracker: FormTracker, gated: Gate
) -> None:
    asking = asyncio.create_task(ask(tracker, question("email", "a")))
    await gated.begun.get()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert gated.cancelled == ["a"]
