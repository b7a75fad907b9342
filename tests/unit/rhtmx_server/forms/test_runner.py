"""Facts about `rhtmx_server.forms.runner`."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
import threading
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.forms.entries import FormValues
from rhtmx_server.forms.runner import ValidatorRunner, ValidatorVerdict
from rhtmx_server.forms.validators import Function, Validator
from rhtmx_server.threads import DaemonPool
from rhtmx_server.verdicts import Invalid, Valid


class Meter:
    """Remembers the figures it was given."""

    def __init__(self) -> None:
        self.times: list[tuple[str, float]] = []
        self.lost = 0
        self.lost_changed = threading.Event()

    def validated(self, form: str, seconds: float) -> None:
        self.times.append((form, seconds))

    def abandoned(self, threads: int) -> None:
        self.lost += threads
        self.lost_changed.set()


class Blocker:
    """A plain validator that blocks its thread until the gate opens."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def __call__(self, value: str) -> None:
        self._loop.call_soon_threadsafe(self.begun.put_nowait, value)
        self.gate.wait(5)


class Bench:
    """A runner, with a clock that takes three seconds from one look to the next."""

    def __init__(self) -> None:
        self.pool, self.meter, ticks = DaemonPool(4), Meter(), itertools.count(0, 3)
        self._runner = ValidatorRunner(
            self.pool,
            timeout=5,
            meter=self.meter,
            clock=lambda: float(next(ticks)),
            new_id=lambda: "cafe",
        )

    async def run(
        self, function: Function, value: str = "v", owner: str = "me", **options: Any
    ) -> ValidatorVerdict:
        validator = Validator.of_field("signup", "email", function, **options)
        values = FormValues({"email": [value], "name": ["Ada"]})
        return await self._runner.run(validator, value, values, owner)

    async def lose_threads(self, count: int, blocker: Blocker) -> None:
        """Have so many threads run out of time, each in the work of another owner.

        On a busy machine the time may be over before the thread has begun.
        """
        for number in range(1, count + 1):
            while self.meter.lost < number:
                running = self.run(blocker, owner=f"{number}", timeout=0.01)
                await fails_with(ErrorCode.TIMEOUT, running)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.pool.shutdown(wait=False, cancel_futures=True)


async def fails_with(code: ErrorCode, awaitable: Awaitable[object]) -> RhtmxError:
    with pytest.raises(RhtmxError) as caught:
        await awaitable
    assert caught.value.code is code
    return caught.value


async def test_nothing_returned_means_valid(bench: Bench) -> None:
    async def fine(value: str) -> None:
        pass

    assert await bench.run(fine) == ValidatorVerdict()


async def test_valid_may_carry_metadata_as_json(bench: Bench) -> None:
    async def fine(value: str) -> Valid:
        return Valid({"strength": 3})

    assert await bench.run(fine) == ValidatorVerdict(metadata=b'{"strength":3}')


async def test_invalid_carries_message_metadata_and_field(bench: Bench) -> None:
    async def taken(value: str) -> None:
        raise Invalid("taken", metadata=["ada2"], field="name")

    assert await bench.run(taken) == ValidatorVerdict("taken", b'["ada2"]', "name")


async def test_the_form_reaches_the_validator(bench: Bench) -> None:
    async def greet(value: str, form: FormValues) -> Valid:
        return Valid(form["name"])

    assert await bench.run(greet) == ValidatorVerdict(metadata=b'"Ada"')


async def test_a_plain_function_runs_off_the_loop(bench: Bench) -> None:
    seen = await bench.run(
        lambda value: Valid(threading.current_thread() is threading.main_thread())
    )
    assert seen.metadata == b"false"


async def test_a_plain_function_that_does_not_block_runs_on_the_loop(bench: Bench) -> None:
    seen = await bench.run(
        lambda value: Valid(threading.current_thread() is threading.main_thread()), blocking=False
    )
    assert seen.metadata == b"true"


async def test_a_blocked_validator_does_not_stop_another(bench: Bench) -> None:
    blocker = Blocker()
    blocked = asyncio.create_task(bench.run(blocker))
    await blocker.begun.get()
    assert await bench.run(lambda value: None) == ValidatorVerdict()
    assert not blocked.done()
    blocker.gate.set()
    assert await blocked == ValidatorVerdict()


async def test_a_plain_function_that_returns_a_coroutine_is_awaited(bench: Bench) -> None:
    async def taken(value: str) -> None:
        raise Invalid("taken")

    assert await bench.run(lambda value: taken(value)) == ValidatorVerdict("taken")


async def test_a_validator_that_takes_too_long_is_a_timeout(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async def slow(value: str) -> None:
        await asyncio.Event().wait()

    error = await fails_with(ErrorCode.TIMEOUT, bench.run(slow, timeout=0.01))
    assert error.message == "the validation took longer than 0.01 s: try again"
    assert "slow took longer than 0.01 s" in caplog.text


async def test_the_default_time_holds_where_none_is_named() -> None:
    pool = DaemonPool(1)
    runner = ValidatorRunner(pool, timeout=0.01, meter=Meter())

    async def slow(value: str) -> None:
        await asyncio.Event().wait()

    validator = Validator.of_field("signup", "email", slow)
    await fails_with(ErrorCode.TIMEOUT, runner.run(validator, "", FormValues({}), "me"))
    pool.shutdown()


async def test_a_timeout_of_the_validators_own_is_a_failure(bench: Bench) -> None:
    async def impatient(value: str) -> None:
        raise TimeoutError

    await fails_with(ErrorCode.INTERNAL, bench.run(impatient))


async def test_a_thread_that_runs_out_of_time_is_counted_until_it_returns(bench: Bench) -> None:
    blocker = Blocker()
    await bench.lose_threads(1, blocker)
    bench.meter.lost_changed.clear()
    blocker.gate.set()
    assert bench.meter.lost_changed.wait(5)
    assert bench.meter.lost == 0


async def test_a_validator_that_waits_for_a_thread_runs_out_of_time_and_never_runs(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    blocker, ran = Blocker(), list[str]()
    busy = [asyncio.create_task(bench.run(blocker)) for _ in range(2)]
    for _ in busy:
        await blocker.begun.get()
    error = await fails_with(
        ErrorCode.TIMEOUT, bench.run(lambda value: ran.append(value), timeout=0.01)
    )
    assert error.message == "no thread was free for the validation within 0.01 s: try again"
    assert "waited 0.01 s for a thread, and was not run" in caplog.text
    assert bench.meter.lost == 0
    blocker.gate.set()
    await asyncio.gather(*busy)
    bench.pool.shutdown()
    assert ran == []


async def test_cancelling_gives_the_thread_up(bench: Bench) -> None:
    blocker = Blocker()
    running = asyncio.create_task(bench.run(blocker))
    await blocker.begun.get()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert bench.meter.lost == 1
    blocker.gate.set()


async def test_an_exception_is_an_internal_error_with_an_id_to_look_for(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(value: str) -> None:
        raise KeyError(value)

    error = await fails_with(ErrorCode.INTERNAL, bench.run(broken))
    assert error.message == "the server failed; its log has it under cafe"
    assert error.details == b'{"correlation_id":"cafe"}'
    assert "signup.email" in caplog.text
    assert "cafe" in caplog.text


@pytest.mark.parametrize("blocking", [True, False])
async def test_the_log_has_the_traceback_but_never_the_value(
    bench: Bench, caplog: pytest.LogCaptureFixture, blocking: bool
) -> None:
    def broken(value: str) -> int:
        return int(value)

    await fails_with(ErrorCode.INTERNAL, bench.run(broken, "hunter2", blocking=blocking))
    assert "Traceback (most recent call last)" in caplog.text
    assert "in broken" in caplog.text
    assert "return int(value)" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("blocking", [True, False])
async def test_system_exit_is_an_internal_error_and_ends_nothing(
    bench: Bench, blocking: bool
) -> None:
    await fails_with(ErrorCode.INTERNAL, bench.run(lambda value: sys.exit(1), blocking=blocking))


async def test_a_validator_that_waits_for_something_cancelled_is_an_internal_error(
    bench: Bench,
) -> None:
    async def wait_for_cancelled(value: str) -> None:
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        gone.cancel()
        await gone

    await fails_with(ErrorCode.INTERNAL, bench.run(wait_for_cancelled))


async def test_an_owner_that_blocks_its_threads_leaves_the_others_theirs(bench: Bench) -> None:
    blocker = Blocker()
    busy = [asyncio.create_task(bench.run(blocker)) for _ in range(60)]
    for _ in range(2):
        await blocker.begun.get()
    assert await bench.run(lambda value: None, owner="other") == ValidatorVerdict()
    assert blocker.begun.empty()
    blocker.gate.set()
    assert await asyncio.gather(*busy) == [ValidatorVerdict()] * 60


async def test_when_every_thread_hangs_a_plain_validator_is_refused_at_once_and_an_async_one_runs(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    blocker = Blocker()
    await bench.lose_threads(8, blocker)
    assert "every thread is held by a validator that does not return" in caplog.text
    error = await fails_with(ErrorCode.TIMEOUT, bench.run(lambda value: None, timeout=3600))
    assert error.message == "no thread is free for the validation: try again later"

    async def fine(value: str) -> None:
        pass

    assert await bench.run(fine) == ValidatorVerdict()
    blocker.gate.set()


@pytest.mark.parametrize("blocking", [True, False])
async def test_stop_iteration_is_an_internal_error_at_once(bench: Bench, blocking: bool) -> None:
    error = bench.run(lambda value: next(iter([])), blocking=blocking)
    await fails_with(ErrorCode.INTERNAL, error)


@pytest.mark.parametrize("answer", [True, False, {"a": 1}, Invalid("x")])
async def test_an_answer_that_is_no_verdict_is_an_internal_error(
    bench: Bench, caplog: pytest.LogCaptureFixture, answer: object
) -> None:
    await fails_with(ErrorCode.INTERNAL, bench.run(lambda value: answer))
    assert f"returned {type(answer).__name__}: return nothing or Valid(...)" in caplog.text


async def test_metadata_that_is_no_json_is_an_internal_error(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await fails_with(ErrorCode.INTERNAL, bench.run(lambda value: Valid(object())))
    assert "gave metadata that is no JSON (TypeError)" in caplog.text


async def test_a_pool_that_was_shut_down_is_an_internal_error(bench: Bench) -> None:
    bench.pool.shutdown()
    await fails_with(ErrorCode.INTERNAL, bench.run(lambda value: None))


async def test_every_validator_is_timed_whatever_came_of_it(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    await bench.run(lambda value: None)
    await fails_with(ErrorCode.INTERNAL, bench.run(lambda value: 1 / 0))
    assert bench.meter.times == [("signup", 3.0), ("signup", 3.0)]
