"""Forms: how much of a peer's is under way at a time, and that others do not wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.forms.entries import FormValues
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.threads import DaemonPool
from rhtmx_server.verdicts import Invalid
from tests.unit.rhtmx_server.forms.questions import ME, OTHER, question, track, whole


@pytest.fixture
def signup() -> Form:
    return Form("signup")


@pytest.fixture
def pool() -> Iterator[DaemonPool]:
    pool = DaemonPool(4)
    yield pool
    pool.shutdown(wait=False, cancel_futures=True)


@pytest.fixture
def tracker(signup: Form, pool: DaemonPool) -> FormTracker:
    return track(signup, pool, at_once=8)


class Crowd:
    """An async validator that waits until the gate opens, and counts who waits with it."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.inside = 0
        self.most = 0
        self.ran = 0

    async def wait(self, value: str) -> None:
        self.inside += 1
        self.ran += 1
        self.most = max(self.most, self.inside)
        try:
            await self.open.wait()
        finally:
            self.inside -= 1


def wait(gate: threading.Event) -> None:
    """A plain validator's work, until the gate opens."""
    assert gate.wait(10)


async def settle() -> None:
    """Let everything go as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_form_of_many_validators_has_only_so_many_under_way(
    tracker: FormTracker, signup: Form
) -> None:
    crowd = Crowd()
    for n in range(200):
        signup.field(f"f{n}")(crowd.wait)
    asked = [asyncio.create_task(tracker.validate_form(whole(), owner=ME)) for _ in range(60)]
    await settle()
    assert crowd.inside == 8
    assert len(asyncio.all_tasks()) < 60 * 3 + 20, "tasks are made when there is room for them"
    crowd.open.set()
    assert all(answer.valid for answer in await asyncio.gather(*asked))
    assert (crowd.most, crowd.ran) == (8, 60 * 200)
    assert tracker._gate.empty


async def test_questions_about_fields_count_with_those_about_forms(
    tracker: FormTracker, signup: Form
) -> None:
    crowd = Crowd()
    for n in range(20):
        signup.field(f"f{n}")(crowd.wait)
    form = asyncio.create_task(tracker.validate_form(whole(), owner=ME))
    fields = [tracker.validate_field(question(f"f{n}", ""), owner=ME) for n in range(20)]
    await settle()
    assert crowd.inside == 8
    crowd.open.set()
    assert (await form).valid
    assert all(answer.valid for answer in await asyncio.gather(*fields))


async def test_another_peer_does_not_wait(tracker: FormTracker, signup: Form) -> None:
    crowd = Crowd()
    for n in range(20):
        signup.field(f"f{n}")(crowd.wait)
    mine = asyncio.create_task(tracker.validate_form(whole(), owner=ME))
    await settle()
    theirs = asyncio.create_task(tracker.validate_form(whole(), owner=OTHER))
    await settle()
    assert crowd.inside == 16
    crowd.open.set()
    assert (await mine).valid
    assert (await theirs).valid


async def test_several_owners_of_one_peer_have_one_share(
    tracker: FormTracker, signup: Form
) -> None:
    crowd = Crowd()
    signup.field("email")(crowd.wait)
    asked = [
        tracker.validate_field(question("email", ""), owner=f"call {n}", share=ME)
        for n in range(20)
    ]
    form = asyncio.create_task(tracker.validate_form(whole(), owner="call 20", share=ME))
    await settle()
    assert crowd.inside == 8
    crowd.open.set()
    assert all(answer.valid for answer in await asyncio.gather(*asked))
    assert (await form).valid


async def test_sixty_slow_plain_validators_of_a_peer_leave_threads_to_the_others(
    tracker: FormTracker, signup: Form
) -> None:
    gate = threading.Event()
    signup.field("slow")(lambda value: wait(gate))
    signup.field("quick")(lambda value: None)
    slow = [
        tracker.validate_field(question("slow", "", instance=f"{n}"), owner=f"call {n}", share=ME)
        for n in range(60)
    ]
    async with asyncio.timeout(5):
        assert (await tracker.validate_field(question("quick", ""), owner=OTHER)).valid
    gate.set()
    assert all(answer.valid for answer in await asyncio.gather(*slow))


async def test_what_is_given_up_while_it_waits_for_room_takes_none(
    tracker: FormTracker, signup: Form
) -> None:
    crowd = Crowd()
    for n in range(200):
        signup.field(f"f{n}")(crowd.wait)
    asked: list[asyncio.Future[Any]] = [
        asyncio.create_task(tracker.validate_form(whole(), owner=ME)) for _ in range(10)
    ]
    asked += [
        asyncio.ensure_future(tracker.validate_field(question(f"f{n}", ""), owner=ME))
        for n in range(20)
    ]
    await settle()
    tracker.forget(ME)
    for answer in asked:
        with pytest.raises(asyncio.CancelledError):
            await answer
    await settle()
    assert crowd.inside == 0
    assert tracker._gate.empty
    assert tracker._runs == {}


async def test_a_validator_that_fails_ends_a_form_that_waits_for_room(
    tracker: FormTracker, signup: Form
) -> None:
    crowd = Crowd()
    begun = asyncio.Event()

    @signup.field("broken")
    async def broken(value: str) -> None:
        await begun.wait()
        raise ZeroDivisionError

    for n in range(200):
        signup.field(f"f{n}")(crowd.wait)
    answer = asyncio.create_task(tracker.validate_form(whole(), owner=ME))
    await settle()
    begun.set()
    with pytest.raises(RhtmxError, match="the server failed"):
        await answer
    assert crowd.ran < 10
    assert tracker._gate.empty


async def test_the_order_of_the_errors_is_that_of_the_fields_however_they_are_judged(
    tracker: FormTracker, signup: Form
) -> None:
    async def wrong(value: str) -> None:
        raise Invalid("late")

    @signup.check
    def checked(form: FormValues) -> None:
        raise Invalid("last")

    signup.field("a", required=True)
    signup.field("b")(wrong)
    signup.field("c", required=True)
    result = await tracker.validate_form(whole(), owner=ME)
    assert [(each.field, each.error) for each in result.errors] == [
        ("a", "is required"),
        ("b", "late"),
        ("c", "is required"),
        ("", "last"),
    ]


async def test_nothing_is_kept_of_thousands_of_instances(
    tracker: FormTracker, signup: Form
) -> None:
    async def fine(value: str) -> None: ...

    signup.field("email", min_length=1)(fine)
    for n in range(10_000):
        message = question("email", "x" if n % 100 == 0 else "", instance=f"{n}")
        if tracker.try_validate_field(message, owner=ME) is None:
            await tracker.validate_field(message, owner=ME)
    assert tracker._runs == {}
    assert tracker._gate.empty
