"""Runs validators: off the event loop where they block, each within its time.

Knows threads, time limits and what to do with a validator that fails. Must not
know forms, messages or connections.

A thread cannot be stopped: a blocking validator that runs out of time answers
`timeout`, and its thread is lost to the pool until it returns. The pool bounds
how many that can be; validators that wait for a thread run out of time as well.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import secrets
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.failures import unexpected
from rhtmx_server.trackers.validators import Invalid, Valid, Validator, Values

__all__ = ["Meter", "Runner", "Verdict"]

log = logging.getLogger("rhtmx_server")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a validator says of a value.

    Args:
        error: what is wrong with it; `None` if it is valid.
        metadata: what the validator adds, as JSON in UTF-8.
        field: the field at fault, as a form's check names it.
    """

    error: str | None = None
    metadata: bytes | None = None
    field: str = ""


class Meter(Protocol):
    """Takes figures of validators."""

    def validated(self, form: str, seconds: float) -> None:
        """Take the time of one validator of that form, whatever came of it."""

    def abandoned(self, threads: int) -> None:
        """Add 1 or -1 to the threads that work on what nobody waits for.

        Called from those threads, too.
        """


class _Misuse(Exception):  # noqa: N818
    """A validator broke its contract; the text is ours, so it may be logged."""


class Runner:
    """Runs validators.

    Args:
        executor: where blocking ones run. Never the event loop's own: a
            blocked validator must not hold up other work.
        timeout: seconds for a validator that names no time of its own.
        meter: takes figures.
        clock: seconds, for the figures.
        new_id: makes the id under which a failure is found in the log.
    """

    def __init__(
        self,
        executor: Executor,
        *,
        timeout: float,
        meter: Meter,
        clock: Callable[[], float] = time.perf_counter,
        new_id: Callable[[], str] = lambda: secrets.token_hex(6),
    ) -> None:
        self._executor = executor
        self._timeout = timeout
        self._meter = meter
        self._clock = clock
        self._new_id = new_id

    async def run(self, validator: Validator, value: str, values: Values) -> Verdict:
        """Run one validator to its verdict.

        Args:
            validator: which one.
            value: the value to judge; empty for a form's check.
            values: the values of the whole form.

        Raises:
            RhtmxError: `TIMEOUT`, or `INTERNAL` if it failed otherwise, with a
                correlation id in `details`.
        """
        limit = self._timeout if validator.timeout is None else validator.timeout
        deadline = asyncio.timeout(limit)
        started = self._clock()
        try:
            async with deadline:
                return await self._verdict(validator, value, values)
        except Exception as failure:
            if deadline.expired() and isinstance(failure, TimeoutError):
                raise _timed_out(validator, limit) from None
            raise self._failed(validator, failure) from None
        finally:
            self._meter.validated(validator.form, self._clock() - started)

    async def _verdict(self, validator: Validator, value: str, values: Values) -> Verdict:
        try:
            if validator.blocking:
                answer = await self._in_thread(validator, value, values)
            else:
                answer = validator.call(value, values)
            if answer is not None and inspect.isawaitable(answer):
                answer = await answer
        except Invalid as invalid:
            return Verdict(str(invalid.message), _json(invalid.metadata), invalid.field)
        if answer is None:
            return Verdict()
        if isinstance(answer, Valid):
            return Verdict(metadata=_json(answer.metadata))
        raise _Misuse(
            f"returned {type(answer).__name__}: return nothing or Valid(...), raise Invalid(...)"
        )

    async def _in_thread(self, validator: Validator, value: str, values: Values) -> object:
        job = self._executor.submit(_call, validator, value, values)
        try:
            return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            if not job.cancel():
                self._meter.abandoned(1)
                job.add_done_callback(lambda _: self._meter.abandoned(-1))
            raise

    def _failed(self, validator: Validator, failure: Exception) -> RhtmxError:
        return unexpected(
            failure,
            f"validator {validator.name}",
            told=str(failure) if isinstance(failure, _Misuse) else None,
            new_id=self._new_id,
        )


def _call(validator: Validator, value: str, values: Values) -> object:
    try:
        return validator.call(value, values)
    except StopIteration as failure:
        raise RuntimeError("StopIteration") from failure  # which no future can carry


def _json(metadata: object) -> bytes | None:
    if metadata is None:
        return None
    try:
        return msgspec.json.encode(metadata)
    except (TypeError, ValueError, RecursionError) as reason:
        raise _Misuse(f"gave metadata that is no JSON ({type(reason).__name__})") from None


def _timed_out(validator: Validator, limit: float) -> RhtmxError:
    log.warning("validator %s took longer than %g s", validator.name, limit)
    return RhtmxError(ErrorCode.TIMEOUT, f"the validation took longer than {limit:g} s: try again")
