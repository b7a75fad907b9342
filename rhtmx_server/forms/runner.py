"""Runs validators: off the event loop where they block, each within its time.

Knows threads, time limits and what to do with a validator that fails. Must not
know forms, messages or connections.

A thread cannot be stopped: a blocking validator that runs out of time answers
`timeout`, and its thread is lost until it returns. The pool bounds how many that
can be, of one connection and in all; validators that wait for a thread run out of
time as well, and where every thread is lost nothing waits for one.

A validator, from the question to the verdict:

================  ==========  ===========  ==============  ==============  =============
state             a thread    it returns,  it fails        its time is     nobody asks
                  is free     or Invalid                   over            any more
================  ==========  ===========  ==============  ==============  =============
waits for a       runs        -            -               over,           over
thread                                                     `TIMEOUT`
runs in a thread  -           over         over,           lost,           lost
                                           `INTERNAL`      `TIMEOUT`
runs on the loop  -           over         over,           cancelled,      cancelled
                                           `INTERNAL`      `TIMEOUT`
lost              -           over, not    over, not       lost            lost
                              heard        heard
================  ==========  ===========  ==============  ==============  =============

A lost one keeps its thread until it returns (`abandoned` counts them).
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import secrets
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import GUEST, Grant
from rhtmx_server.failures import MisuseError, unexpected
from rhtmx_server.forms.entries import FormValues
from rhtmx_server.forms.validators import Validator
from rhtmx_server.functions import was_cancelled
from rhtmx_server.threads import DaemonPool, Job, NoThreadError
from rhtmx_server.verdicts import Invalid, Valid

__all__ = ["ValidationMeter", "ValidatorRunner", "ValidatorVerdict"]

log = logging.getLogger("rhtmx_server")


@dataclass(frozen=True, slots=True)
class ValidatorVerdict:
    """What a validator says of a value.

    Args:
        error: what is wrong with it; `None` if it is valid.
        metadata: what the validator adds, as JSON in UTF-8.
        field: the field at fault, as a form's check names it.
    """

    error: str | None = None
    metadata: bytes | None = None
    field: str = ""


class ValidationMeter(Protocol):
    """Counts what validators cost."""

    def validated(self, form: str, seconds: float) -> None:
        """Take the time of one validator of that form, whatever came of it."""

    def abandoned(self, threads: int) -> None:
        """Add 1 or -1 to the threads that work on what nobody waits for.

        Called from those threads, too.
        """


class ValidatorRunner:
    """Runs validators.

    Args:
        threads: where blocking ones run. Never the event loop's own: a
            blocked validator must not hold up other work.
        timeout: seconds for a validator that names no time of its own.
        meter: takes figures.
        clock: seconds, for the figures.
        new_id: makes the id under which a failure is found in the log.
    """

    def __init__(
        self,
        threads: DaemonPool,
        *,
        timeout: float,
        meter: ValidationMeter,
        clock: Callable[[], float] = time.perf_counter,
        new_id: Callable[[], str] = lambda: secrets.token_hex(6),
    ) -> None:
        self._threads = threads
        self._timeout = timeout
        self._meter = meter
        self._clock = clock
        self._new_id = new_id

    async def run(
        self,
        validator: Validator,
        value: object,
        values: FormValues,
        owner: Hashable,
        who: Grant = GUEST,
    ) -> ValidatorVerdict:
        """Run one validator to its verdict.

        Args:
            validator: which one.
            value: the value to judge; empty for a form's check.
            values: the values of the whole form.
            owner: whose share of the threads it uses.
            who: who asks.

        Raises:
            RhtmxError: `TIMEOUT`, or `INTERNAL` if it failed otherwise, with a
                correlation id in `details`.
        """
        limit = self._timeout if validator.timeout is None else validator.timeout
        deadline = asyncio.timeout(limit)
        started = self._clock()
        jobs: list[Job[object]] = []
        try:
            async with deadline:
                return await self._verdict(
                    partial(validator.call, value, values, who), validator.blocking, owner, jobs
                )
        # Not `unexpected`: it is the load, not a failure, and the client may try again.
        except NoThreadError:
            raise RhtmxError(
                ErrorCode.TIMEOUT, "no thread is free for the validation: try again later"
            ) from None
        except (Exception, SystemExit, asyncio.CancelledError) as failure:
            # Of two `TimeoutError`s one is ours: a validator may raise one of its own.
            if deadline.expired() and isinstance(failure, TimeoutError):
                raise _timed_out(validator, limit, jobs) from None
            if was_cancelled(failure):
                raise
            raise self._failed(validator, failure) from None
        finally:
            self._meter.validated(validator.form, self._clock() - started)

    async def _verdict(
        self,
        work: Callable[[], object],
        blocking: bool,
        owner: Hashable,
        jobs: list[Job[object]],
    ) -> ValidatorVerdict:
        try:
            if blocking:
                jobs.append(self._threads.submit(owner, work))
                answer = await self._result(jobs[0])
            else:
                answer = work()
            # A plain function may return a coroutine, too: it is awaited here, on the loop.
            if answer is not None and inspect.isawaitable(answer):
                answer = await answer
        except Invalid as invalid:
            return ValidatorVerdict(str(invalid.message), _json(invalid.metadata), invalid.field)
        if answer is None:
            return ValidatorVerdict()
        if isinstance(answer, Valid):
            return ValidatorVerdict(metadata=_json(answer.metadata))
        raise MisuseError(
            f"returned {type(answer).__name__}: return nothing or Valid(...), raise Invalid(...)"
        )

    async def _result(self, job: Job[object]) -> object:
        try:
            return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            if self._threads.give_up(job):
                self._meter.abandoned(1)
                job.add_done_callback(lambda _: self._meter.abandoned(-1))
                if self._threads.exhausted:
                    log.error(
                        "every thread is held by a validator that does not return: plain "
                        "validators are refused until one does"
                    )
            raise

    def _failed(self, validator: Validator, failure: BaseException) -> RhtmxError:
        return unexpected(failure, f"validator {validator.name}", new_id=self._new_id)


def _json(metadata: object) -> bytes | None:
    if metadata is None:
        return None
    try:
        return msgspec.json.encode(metadata)
    except (TypeError, ValueError, RecursionError) as reason:
        raise MisuseError(f"gave metadata that is no JSON ({type(reason).__name__})") from None


def _timed_out(validator: Validator, limit: float, jobs: Sequence[Job[object]]) -> RhtmxError:
    if any(job.cancelled() for job in jobs):
        log.warning("validator %s waited %g s for a thread, and was not run", validator.name, limit)
        words = f"no thread was free for the validation within {limit:g} s: try again"
    else:
        log.warning("validator %s took longer than %g s", validator.name, limit)
        words = f"the validation took longer than {limit:g} s: try again"
    return RhtmxError(ErrorCode.TIMEOUT, words)
